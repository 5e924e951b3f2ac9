from __future__ import annotations

import json
import sys
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis import statistics
from actwidget.errors import MissingPackageError
from tests.analysis.strategies import layers

BATCHES = layers(hnp.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=7))


def plain(numbers: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return (np.nan,) * 4
    return float(finite.min()), float(finite.max()), float(finite.mean()), float(finite.std())


@settings(deadline=None)
@given(BATCHES)
def test_every_number_is_that_of_plain_numpy(batch: npt.NDArray[Any]) -> None:
    numbers, wide = statistics(batch), batch.astype(np.float64)
    assert (numbers.count, numbers.samples, numbers.channels) == (batch.size, batch.shape[0], batch.shape[-1])
    found = (numbers.minimum, numbers.maximum, numbers.mean, numbers.standard_deviation)
    np.testing.assert_allclose(found, plain(wide), rtol=1e-9, atol=1e-9)
    assert numbers.zeros == pytest.approx((wide == 0).mean())
    assert numbers.nan == np.isnan(wide).sum()
    assert numbers.infinite == np.isinf(wide).sum()
    assert numbers.dead == (wide == 0).all(axis=tuple(range(wide.ndim - 1))).sum()

    each = numbers.per_channel
    for channel in range(batch.shape[-1]):
        one = wide[..., channel]
        found = (each.minimum[channel], each.maximum[channel], each.mean[channel], each.standard_deviation[channel])
        np.testing.assert_allclose(found, plain(one), rtol=1e-9, atol=1e-9)
        assert each.zeros[channel] == pytest.approx((one == 0).mean())
        assert each.nan[channel] == np.isnan(one).sum()
        assert each.infinite[channel] == np.isinf(one).sum()
        assert each.dead[channel] == (one == 0).all()
        rounding = 0 if batch.dtype.kind in "biu" else 1e-6 * np.abs(one).max()
        same = np.isfinite(one).all() and one.max() - one.min() <= rounding
        assert each.constant[channel] == (same and (one.size > 1 or (one == 0).all()))
    assert (numbers.dead, numbers.constant) == (each.dead.sum(), each.constant.sum())


@settings(deadline=None)
@given(BATCHES, st.sampled_from([(0.0, 6.0), (0.0, 1.0), (-1.0, 1.0), (-1.0, None), (None, 6.0)]))
def test_saturated_is_the_share_near_a_bound(batch: npt.NDArray[Any], bounds: tuple[float, float]) -> None:
    lower, upper = bounds
    wide = batch.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    near = np.zeros(finite.shape, bool)
    if upper is not None:
        near |= finite >= upper * 0.999
    if lower:
        near |= finite <= lower * 0.999
    if bounds == (0.0, 1.0):
        near |= finite <= 0.001
    numbers = statistics(batch, bounds=bounds)
    assert numbers.saturated == pytest.approx(near.sum() / batch.size)
    assert numbers.per_channel.saturated is not None
    rows = batch.size // batch.shape[-1]
    for channel, share in enumerate(numbers.per_channel.saturated):
        alone = statistics(batch[..., channel : channel + 1], bounds=bounds)
        assert share == pytest.approx(alone.saturated)
    assert numbers.per_channel.saturated.sum() * rows == pytest.approx(near.sum())


@settings(deadline=None)
@given(BATCHES, st.data())
def test_channels_can_be_on_any_axis(batch: npt.NDArray[Any], data: st.DataObject) -> None:
    axis = data.draw(st.integers(1, batch.ndim - 1))
    elsewhere = statistics(np.moveaxis(batch, -1, axis), channel_axis=axis)
    assert elsewhere.to_dict() == statistics(batch).to_dict()


@pytest.mark.parametrize("shape", [(1, 300, 300, 3), (1, 100, 100, 1), (2, 33, 35, 70), (600, 513), (1, 100_000)])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_big_layers_keep_their_digits(shape: tuple[int, ...], offset: float) -> None:
    batch = (np.random.default_rng(0).standard_normal(shape) + offset).astype(np.float32)
    batch[0, ..., 0] = np.maximum(batch[0, ..., 0], 0)
    numbers, wide = statistics(batch), batch.astype(np.float64)
    rows = wide.reshape(-1, shape[-1])
    assert numbers.mean == pytest.approx(wide.mean(), rel=1e-9)
    assert numbers.standard_deviation == pytest.approx(wide.std(), rel=1e-9)
    np.testing.assert_allclose(numbers.per_channel.mean, rows.mean(axis=0), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(numbers.per_channel.standard_deviation, rows.std(axis=0), rtol=1e-7, atol=1e-12)
    np.testing.assert_array_equal(numbers.per_channel.minimum, rows.min(axis=0))
    np.testing.assert_array_equal(numbers.per_channel.zeros, (rows == 0).mean(axis=0))


def test_one_outlier_first_does_not_cost_the_others_their_spread() -> None:
    batch = np.random.default_rng(0).standard_normal((1000, 2)) + 1e8
    batch[0] = 1e10
    expected = batch.std(axis=0)
    np.testing.assert_allclose(statistics(batch).per_channel.standard_deviation, expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_is_summed_in_full(dtype: type) -> None:
    batch = np.random.default_rng(0).normal(50, 3, (4, 40, 40, 8)).astype(dtype)
    wide = batch.astype(np.float64)
    numbers = statistics(batch)
    assert numbers.mean == pytest.approx(wide.mean(), rel=1e-9)
    assert numbers.standard_deviation == pytest.approx(wide.std(), rel=1e-9)


def test_dead_and_constant_channels_are_counted() -> None:
    batch = np.zeros((4, 3, 3, 4), np.float32)
    batch[..., 1] = 2.5
    batch[..., 2] = np.arange(36).reshape(4, 3, 3)
    batch[2, 0, 0, 3] = np.nan
    numbers = statistics(batch)
    assert (numbers.dead, numbers.constant) == (1, 2)
    assert numbers.per_channel.standard_deviation[:2].tolist() == [0.0, 0.0]


def test_fractions_that_differ_by_rounding_alone_are_constant_and_whole_numbers_are_not() -> None:
    third = np.full((9, 2), 1 / 3, np.float32)
    third[8, 0] = np.nextafter(third[8, 0], np.float32(1))
    third[8, 1] *= 1.0001
    assert statistics(third).per_channel.constant.tolist() == [True, False]
    numbered = np.array([[10_000_000], [10_000_001]])
    assert statistics(numbered).constant == 0
    around_zero = np.array([[1e-9], [-1e-9]], np.float32)
    assert statistics(around_zero).constant == 0


def test_a_lone_value_does_not_make_its_channel_constant() -> None:
    numbers = statistics(np.array([[0.0, 1.0, 2.0]]))
    assert (numbers.dead, numbers.constant) == (1, 1)


def test_a_channel_without_finite_values_leaves_the_others_alone() -> None:
    batch = np.array([[np.nan, 1.0], [np.inf, 3.0]])
    numbers = statistics(batch)
    assert (numbers.mean, numbers.minimum, numbers.maximum) == (2.0, 1.0, 3.0)
    assert np.isnan(numbers.per_channel.mean[0])


def test_scalars_are_one_channel() -> None:
    numbers = statistics(np.array([1.0, 3.0]))
    assert (numbers.samples, numbers.channels, numbers.mean) == (2, 1, 2.0)


@pytest.mark.parametrize("shape", [(0, 3), (0, 4, 4, 3), (2, 0), (2, 0, 3), (0,)])
def test_without_values_there_are_no_numbers(shape: tuple[int, ...]) -> None:
    numbers = statistics(np.zeros(shape, np.float32), bounds=(0, 6))
    assert (numbers.count, numbers.dead, numbers.constant, numbers.nan) == (0, 0, 0, 0)
    assert all(np.isnan([numbers.minimum, numbers.mean, numbers.standard_deviation, numbers.zeros, numbers.saturated]))


def test_without_a_bound_nothing_is_saturated() -> None:
    assert statistics(np.ones((2, 2))).saturated is None
    assert statistics(np.ones((2, 2)), bounds=(0, None)).saturated is None


@settings(deadline=None)
@given(BATCHES)
def test_the_dict_survives_strict_json(batch: npt.NDArray[Any]) -> None:
    plain_values = statistics(batch, bounds=(0, 6)).to_dict()
    assert json.loads(json.dumps(plain_values, allow_nan=False)) == {**plain_values, "bound": [0, 6]}
    assert len(plain_values["per_channel"]["mean"]) == batch.shape[-1]


def test_statistics_as_a_frame() -> None:
    found = statistics(np.random.default_rng(0).normal(size=(4, 3)))
    frame = found.to_frame()
    assert type(frame).__name__ == "DataFrame"
    np.testing.assert_array_equal(frame["mean"], found.per_channel.mean)
    assert frame.index.name == "channel"


def test_without_pandas_the_frame_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackageError, match="pip install pandas"):
        statistics(np.ones((2, 2))).to_frame()
