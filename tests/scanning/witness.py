"""What a scan should find, by NumPy over all activations at once."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import actwidget as aw
from tests.rounding import assert_close

LAYERS = keras.layers


def network() -> keras.Model:
    """Maps, units, a bounded activation, and channels that are often or always 0."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            LAYERS.Conv2D(5, 3, activation="relu", name="maps"),
            LAYERS.MaxPooling2D(name="pooled"),
            LAYERS.Flatten(name="flat"),
            LAYERS.Dense(6, activation="sigmoid", name="gates"),
            LAYERS.Dense(3, activation="softmax", name="classes"),
        ],
        name="small",
    )
    kernel, bias = model.get_layer("maps").get_weights()
    kernel[..., 4], bias[4] = -1.0, 0.0  # dead on what is not negative
    model.get_layer("maps").set_weights([kernel, bias])
    kernel, bias = model.get_layer("gates").get_weights()
    model.get_layer("gates").set_weights([kernel * 20, bias])
    return model


def pictures(samples: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Random pictures that are not negative."""
    return np.random.default_rng(seed).random((samples, 8, 8, 2), np.float32)


def by_channel(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Shape `(samples, positions, channels)`."""
    return values.reshape(len(values), -1, values.shape[-1])


def agrees(found: aw.Scan, model: keras.Model, x: Any, labels: Any = None) -> None:
    """Asserts that a scan has found what NumPy finds over all activations."""
    assert found.count == len(x)
    every = aw.activations(model, x)
    for path in found.paths:
        values = by_channel(every[path]).astype(np.float64)
        statistics(found, path, values)
        for channel in range(values.shape[-1]):
            examples(found, path, channel, every[path], labels)
        quantiles(found, path, values)
        if labels is not None:
            known, means = found.by_label(path)
            assert known.tolist() == np.unique(labels).tolist()
            expected = [np.nanmean(values[labels == each], axis=(0, 1)) for each in known]
            assert_close(means, expected)
        samples, rows = found.features(path)
        finite = np.ma.masked_invalid(values[samples]) if values.shape[1] > 1 else values[samples]
        np.testing.assert_allclose(rows, np.ma.filled(finite.mean(axis=1), np.nan), rtol=1e-4, atol=1e-5)


def statistics(found: aw.Scan, path: str, values: np.ndarray[Any, Any]) -> None:
    one = found.statistics[path]
    finite = np.where(np.isfinite(values), values, np.nan)
    own = one.per_channel
    assert one.samples == len(values)
    assert one.count == values.size
    assert_close(own.minimum, np.nanmin(finite, axis=(0, 1)))
    assert_close(own.maximum, np.nanmax(finite, axis=(0, 1)))
    assert_close(own.mean, np.nanmean(finite, axis=(0, 1)))
    np.testing.assert_allclose(own.standard_deviation, np.nanstd(finite, axis=(0, 1)), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(own.zeros, (values == 0).mean(axis=(0, 1)))
    np.testing.assert_array_equal(own.dead, (values == 0).all(axis=(0, 1)))
    np.testing.assert_array_equal(own.nan, np.isnan(values).sum(axis=(0, 1)))
    np.testing.assert_array_equal(own.infinite, np.isinf(values).sum(axis=(0, 1)))
    if one.bound == (0.0, 1.0):
        saturated = ((values >= 0.999) | (values <= 0.001)).mean(axis=(0, 1))
        np.testing.assert_allclose(own.saturated, saturated, atol=1.5 / len(values[0]) / len(values))


def examples(found: aw.Scan, path: str, channel: int, every: np.ndarray[Any, Any], labels: Any) -> None:
    values = by_channel(every)[..., channel]
    largest = np.where(np.isfinite(values), values, -np.inf).max(axis=1)
    order = sorted((-value, sample) for sample, value in enumerate(largest) if value > -np.inf)
    top = found.top(path, channel)
    assert len({each.sample for each in top}) == len(top) == min(9, len(order))
    # How a processor rounds depends on a sample's place in the batch, so nearly equal ones may change places.
    assert_close([each.value for each in top], [-value for value, _ in order[: len(top)]])
    assert [(-each.value, each.sample) for each in top] == sorted((-each.value, each.sample) for each in top)
    for each in top:
        assert_close(each.value, largest[each.sample])
        assert_close(each.value, every[(each.sample, *each.position, channel)])
        assert len(each.position) == every.ndim - 2
        assert each.label == (None if labels is None else labels[each.sample])


def quantiles(found: aw.Scan, path: str, values: np.ndarray[Any, Any]) -> None:
    """A quantile's rank is right to the error that the scan names."""
    error = found.quantile_error + 1e-9
    assert error < 0.03
    for channel in (None, 0):
        own = values if channel is None else values[..., channel]
        own = np.sort(own[np.isfinite(own)].astype(np.float32), axis=None)
        for share in (0.0, 0.1, 0.5, 0.9, 1.0):
            got = np.float32(found.quantiles(path, share, channel=channel))
            near = 1e-5 * abs(got) + 1e-6
            below = np.searchsorted(own, got - near, side="left") / own.size
            up_to = np.searchsorted(own, got + near, side="right") / own.size
            assert below - error <= share <= up_to + error
