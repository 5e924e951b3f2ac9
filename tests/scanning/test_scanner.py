"""A scan finds what NumPy finds over all activations at once."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import actwidget as aw
from actwidget.analysis.histogram import histogram
from actwidget.errors import (
    ChannelError,
    InvalidInputsError,
    LayerNotFoundError,
    MemoryBudgetError,
    NotCapturableError,
    OptionError,
    UnsupportedModelError,
)
from tests.scanning.witness import agrees, network, pictures

MODEL = network()


def scan(*args: object, **options: object) -> aw.Scan:
    return aw.scan(*args, progress=False, **options)


def test_all_that_is_counted_is_what_numpy_counts() -> None:
    x, labels = pictures(150), np.random.default_rng(1).integers(0, 4, 150)
    agrees(scan(MODEL, x, labels=labels), MODEL, x, labels)


@given(size=st.integers(1, 40), batch_size=st.integers(1, 17))
@settings(max_examples=6)
def test_the_size_of_a_batch_changes_nothing(size: int, batch_size: int) -> None:
    x = pictures(size, seed=size)
    agrees(scan(MODEL, x, ["maps", "gates"], batch_size=batch_size), MODEL, x)


def test_quantiles_of_more_values_than_are_kept_are_right_to_the_error_that_is_named() -> None:
    x = pictures(3000)
    found = scan(MODEL, x, "maps", batch_size=250)
    assert 0.01 < found.quantile_error <= 0.03
    agrees(found, MODEL, x)


def test_nan_and_infinity_are_counted_and_left_out_of_the_rest() -> None:
    x = pictures(60)
    x[7, 2, 3, 0], x[40, 0, 0, 1], x[59] = np.nan, np.inf, np.nan
    agrees(scan(MODEL, x, ["maps", "pooled", "gates"]), MODEL, x)


def test_the_paths_are_in_order_of_execution_whatever_the_order_of_the_selectors() -> None:
    x = pictures(5)
    assert scan(MODEL, x, ["classes", "maps", 2]).paths == ["maps", "flat", "classes"]
    assert list(scan(MODEL, x).statistics) == list(aw.activations(MODEL, x))


def test_equal_values_are_in_the_order_of_the_samples() -> None:
    x = np.repeat(pictures(1), 30, axis=0)
    assert [each.sample for each in scan(MODEL, x, "classes", batch_size=7, top=4).top("classes", 1)] == [0, 1, 2, 3]


def test_the_kept_samples_depend_on_the_seed_and_not_on_the_batch_size() -> None:
    x = pictures(90)
    first = scan(MODEL, x, "gates", keep=20, batch_size=7).features("gates")
    again = scan(MODEL, x, "gates", keep=20, batch_size=32).features("gates")
    other = scan(MODEL, x, "gates", keep=20, seed=1).features("gates")
    assert len(first[0]) == 20
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_allclose(first[1], again[1], atol=1e-6)
    assert first[0].tolist() != other[0].tolist()


@pytest.mark.parametrize("channel", [None, 2])
def test_the_histogram_is_the_packages_own_as_far_as_the_sketches_tell(channel: int | None) -> None:
    x = pictures(400)
    found = scan(MODEL, x, "maps").histogram("maps", channel)
    values = aw.activations(MODEL, x, "maps")["maps"]
    exact = histogram(values, channel_values=None if channel is None else values[..., channel])
    for name in ("zeros", "total", "size", "channel_zeros", "channel_total", "channel_size", "at_upper"):
        assert getattr(found, name) == getattr(exact, name)
    assert found.edges[-1] == exact.edges[-1]
    assert found.counts.sum() == exact.counts.sum()
    both = np.interp(exact.edges[1:], found.edges[1:], found.counts.cumsum()), exact.counts.cumsum()
    assert np.abs(both[0] - both[1]).max() <= 0.04 * exact.total


@pytest.mark.parametrize("shape", [(100,), (100, 1)])
def test_labels_are_whole_numbers_or_one_hot(shape: tuple[int, ...]) -> None:
    x, labels = pictures(100), np.random.default_rng(0).integers(0, 3, 100)
    plain = scan(MODEL, x, "gates", labels=labels.reshape(shape))
    one_hot = scan(MODEL, x, "gates", labels=np.eye(3)[labels])
    np.testing.assert_array_equal(plain.by_label("gates").means, one_hot.by_label("gates").means)
    agrees(plain, MODEL, x, labels)


def test_a_layer_of_the_users_own_is_counted_too() -> None:
    class Odd(keras.layers.Layer):
        def call(self, inputs: object) -> object:
            return keras.ops.sin(inputs) * 3

    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.odd, self.dense = Odd(name="odd"), keras.layers.Dense(4, name="dense")

        def call(self, inputs: object) -> object:
            return self.dense(self.odd(inputs))

    x = np.random.default_rng(0).normal(size=(70, 5)).astype(np.float32)
    model = Model()
    agrees(scan(model, x, batch_size=16), model, x)


def test_whole_numbers_are_counted_exactly() -> None:
    ids = np.random.default_rng(0).integers(0, 2**24 + 5, (50, 7))
    inputs = keras.Input((7,), dtype="int32", name="ids")
    model = keras.Model(inputs, keras.layers.Flatten(name="same")(inputs))
    agrees(scan(model, ids.astype(np.int32), "ids"), model, ids.astype(np.int32))


def test_channels_first_and_sequences_are_read_along_their_own_axis() -> None:
    model = keras.Sequential([keras.Input((11, 4)), keras.layers.LSTM(3, return_sequences=True, name="steps")])
    x = np.random.default_rng(0).normal(size=(33, 11, 4)).astype(np.float32)
    found = scan(model, x)
    agrees(found, model, x)
    assert len(found.top("steps", 0)[0].position) == 1


def test_the_model_is_left_as_it_was() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)])
    before = [variable.numpy() for variable in model.variables]
    scan(model, np.ones((40, 4)))
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_a_layer_that_mixes_the_samples_of_a_batch_is_refused() -> None:
    class Centred(keras.layers.Layer):
        def call(self, inputs: object) -> object:
            return inputs - keras.ops.mean(inputs, axis=0, keepdims=True)

    model = keras.Sequential([keras.Input((4,)), Centred(name="centred")])
    with pytest.raises(NotCapturableError, match="depends on the others"):
        scan(model, np.random.default_rng(0).random((40, 4)), "centred")


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (OptionError, {"top": -1}),
        (OptionError, {"keep": 1.5}),
        (OptionError, {"batch_size": 0}),
        (OptionError, {"seed": "a"}),
        (OptionError, {"on_error": "ignore"}),
        (OptionError, {"labels": [1, 2]}),
        (OptionError, {"labels": np.full(20, 0.5)}),
        (OptionError, {"labels": np.ones((20, 3))}),
        (OptionError, {"labels": np.full(20, "cat")}),
        (MemoryBudgetError, {"max_bytes": 100}),
        (LayerNotFoundError, {"layers": "no such"}),
        (LayerNotFoundError, {"layers": []}),
    ],
)
def test_wrong_options_are_named(error: type[Exception], options: dict[str, object]) -> None:
    with pytest.raises(error):
        scan(MODEL, pictures(20), **options)


def test_labels_that_are_no_classes_do_not_take_more_than_the_budget() -> None:
    with pytest.raises(MemoryBudgetError, match="300 labels"):
        scan(MODEL, pictures(300), "flat", labels=np.arange(300), top=0, max_bytes=200_000)


@pytest.mark.parametrize("data", [pictures(0), pictures(4)[:, :5], [[1.0]], "a file", object(), None])
def test_data_that_does_not_fit_is_refused(data: object) -> None:
    with pytest.raises(InvalidInputsError):
        scan(MODEL, data)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(UnsupportedModelError):
        scan("a model", pictures(4))


def test_a_result_refuses_what_it_does_not_have() -> None:
    found = scan(MODEL, pictures(10), "gates")
    with pytest.raises(LayerNotFoundError):
        found.top("maps", 0)
    with pytest.raises(ChannelError):
        found.top("gates", 6)
    with pytest.raises(ChannelError):
        found.quantiles("gates", 0.5, channel=9)
    with pytest.raises(OptionError):
        found.quantiles("gates", 1.5)
    with pytest.raises(OptionError):
        found.histogram("gates", bins=0)


def test_quantiles_have_the_shape_of_the_shares() -> None:
    found = scan(MODEL, pictures(10), "gates")
    assert isinstance(found.quantiles("gates", 0.5), float)
    assert found.quantiles("gates", [[0.1, 0.2, 0.3]]).shape == (1, 3)


def test_the_frame_has_a_row_for_each_layer_or_each_channel() -> None:
    found = scan(MODEL, pictures(10))
    assert found.to_frame().index.tolist() == found.paths
    assert len(found.to_frame("gates")) == 6


def test_the_result_says_what_it_is() -> None:
    assert repr(scan(MODEL, pictures(10), "gates")) == "Scan of 'small': 10 samples, 1 layers"
