"""`activations`: a read-only mapping, whatever the size of the batches, within a budget."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import (
    ActwidgetError,
    CaptureError,
    LayerNotFoundError,
    MemoryBudgetError,
    NotCapturableError,
    OptionError,
)
from tests.capture import zoo
from tests.rounding import assert_close


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    "build", [zoo.dense, zoo.siamese, zoo.dict_inputs, zoo.operations], ids=lambda build: build.__name__
)
def test_small_batches_give_what_the_whole_gives(build, batch_size):
    model, inputs = build()
    whole, parts = aw.activations(model, inputs), aw.activations(model, inputs, batch_size=batch_size)
    assert list(parts) == list(whole)
    for path, value in whole.items():
        assert_close(parts[path], value, err_msg=path)


def test_each_pass_has_at_most_batch_size_samples():
    sizes = []

    class Seen(keras.Layer):
        def call(self, inputs):
            sizes.append(inputs.shape[0])
            return inputs

    model = keras.Sequential([keras.Input((4,)), Seen()])
    sizes.clear()
    aw.activations(model, zoo.noise(7, 4), batch_size=3)
    tried, *parts = sizes  # some samples together: of a layer of the user's it is not known what it does with them
    assert (tried, parts) == (4, [3, 3, 1])  # of each part one, and another number than go through at a time


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_size_below_one_is_refused(batch_size):
    with pytest.raises(OptionError, match=f"batch_size must be at least 1, got {batch_size}"):
        aw.activations(*zoo.dense(), batch_size=batch_size)


def test_the_budget_is_checked_before_anything_runs():
    class Explosive(keras.Layer):
        def call(self, inputs):
            if not keras.utils.is_keras_tensor(inputs) and keras.ops.is_tensor(inputs) and hasattr(inputs, "numpy"):
                message = "this ran"
                raise RuntimeError(message)
            return inputs

    x = keras.Input((1000,), name="x")
    model = keras.Model(x, Explosive(name="explosive")(layers.Dense(10, name="small")(x)))
    batch = zoo.noise(10, 1000)
    with pytest.raises(MemoryBudgetError, match=r"max_bytes=.*'x'.*fewer samples") as caught:
        aw.activations(model, batch, max_bytes=40_799)
    assert isinstance(caught.value, MemoryError)
    with pytest.raises(CaptureError, match="this ran"):
        aw.activations(model, batch, max_bytes=40_800)
    assert aw.activations(model, batch, "small", max_bytes=400)["small"].nbytes == 400
    with pytest.raises(MemoryBudgetError):
        aw.activations(model, batch, "small", max_bytes=399)


def test_training_turns_dropout_on():
    x = keras.Input((100,), name="x")
    model = keras.Model(x, layers.Dropout(0.5, name="dropout")(x))
    batch = np.ones((2, 100), "float32")
    np.testing.assert_array_equal(aw.activations(model, batch)["dropout"], batch)
    dropped = aw.activations(model, batch, training=True)["dropout"]
    assert set(np.unique(dropped)) == {0.0, 2.0}
    np.testing.assert_array_equal(aw.activations(model, batch, training=True)["dropout"], dropped)


def test_training_normalises_by_the_batch():
    x = keras.Input((3,), name="x")
    model = keras.Model(x, layers.BatchNormalization(name="norm")(x))
    value = aw.activations(model, 5 + zoo.noise(50, 3), training=True)["norm"]
    np.testing.assert_allclose(value.mean(axis=0), 0, atol=1e-4)


def test_the_order_is_that_of_execution_and_not_of_the_request():
    model, inputs = zoo.dense()
    names = [layer.name for layer in model.layers]
    assert list(aw.activations(model, inputs, names[::-1])) == names
    assert list(aw.activations(model, inputs, (2, -1, names[2], model.layers[0]))) == [names[0], names[2], names[3]]
    assert list(aw.activations(model, inputs, [])) == []


def test_one_of_many_is_what_all_give():
    model, inputs = zoo.unet()
    whole = aw.activations(model, inputs)
    for path in whole:
        single = aw.activations(model, inputs, path)
        assert list(single) == [path]
        assert_close(single[path], whole[path])


def test_the_mapping_is_read_only():
    values = aw.activations(*zoo.dense())
    path = next(iter(values))
    with pytest.raises(TypeError):
        values[path] = np.zeros(3)
    with pytest.raises(TypeError):
        del values[path]
    assert not hasattr(values, "update")
    assert dict(values).keys() == values.keys()
    assert len(values) == len(list(values))
    assert path in values
    assert "nothing" not in values
    assert 3 not in values
    assert values.get("nothing") is None
    with pytest.raises(LayerNotFoundError):
        values["nothing"]


def test_its_repr_is_one_line_each_and_without_addresses():
    x = keras.Input((4,), name="x")
    values = aw.activations(keras.Model(x, layers.Dense(2, name="d")(x), name="net"), zoo.noise(3, 4))
    assert repr(values) == "Activations of 'net':\n  'x': float32(3, 4)\n  'd': float32(3, 2)"


def test_a_layer_that_raises_is_told_in_its_own_words():
    class Failing(keras.Layer):
        def call(self, inputs):
            if hasattr(inputs, "numpy"):
                message = "the reactor is too hot"
                raise ArithmeticError(message)
            return inputs

    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="fine"), Failing(name="failing"), layers.Dense(1)]
    )
    with pytest.raises(ActwidgetError, match=r"forward pass .*ArithmeticError.*the reactor is too hot") as caught:
        aw.activations(model, zoo.noise(2, 4))
    assert type(caught.value) is CaptureError
    assert isinstance(caught.value.__cause__, ArithmeticError)
    assert aw.activations(model, zoo.noise(2, 4), "fine")["fine"].shape == (2, 3)


def test_brain_floats_come_as_float32_and_halves_as_they_are():
    assert {value.dtype.name for value in aw.activations(*zoo.brain_float()).values()} == {"float32"}
    assert {value.dtype.name for value in aw.activations(*zoo.half_precision()).values()} == {"float32", "float16"}


def test_nan_and_infinity_come_through():
    x = keras.Input((3,), name="x")
    model = keras.Model(x, layers.ReLU(name="relu")(x))
    batch = np.array([[np.nan, np.inf, -np.inf]], "float32")
    np.testing.assert_array_equal(aw.activations(model, batch)["x"], batch)
    assert np.isposinf(aw.activations(model, batch)["relu"][0, 1])


def test_an_optional_input_that_is_left_out_does_not_stop_the_others():
    x, extra = keras.Input((3,), name="x"), keras.Input((3,), name="extra", optional=True)
    model = keras.Model([x, extra], zoo.OptionalSum(name="sum")(x, extra))
    batch = zoo.noise(2, 3)
    np.testing.assert_array_equal(aw.activations(model, [batch, None], "sum")["sum"], batch)
    np.testing.assert_array_equal(aw.activations(model, [batch, batch], "sum")["sum"], 2 * batch)
    for batch_size in (1, 32):
        assert list(aw.activations(model, [batch, None], batch_size=batch_size)) == ["x", "sum"]
    with pytest.raises(NotCapturableError, match=r"optional input 'extra' .*was left out"):
        aw.activations(model, [batch, None], "extra")


@pytest.mark.parametrize("batch_size", [2, 32])
def test_a_layer_that_gives_no_tensor_for_this_batch_does_not_stop_the_others(batch_size):
    model = zoo.optional_input_passed_on()
    batch = zoo.noise(5, 3)
    found = aw.activations(model, [batch, None], batch_size=batch_size)
    assert list(found) == ["x", "sum", "dense"]
    assert_close(found["dense"], model([batch, None]))
    with pytest.raises(NotCapturableError, match=r"'same' .*gave no tensor for this batch"):
        aw.activations(model, [batch, None], "same", batch_size=batch_size)
    given = aw.activations(model, [batch, batch], batch_size=batch_size)
    np.testing.assert_array_equal(given["same"], batch)


class Around(keras.Model):
    """A subclassed model around another, whose first layer gives its own kernel as well."""

    def __init__(self, inner):
        super().__init__(name="around")
        self.inner = inner
        self.same = keras.layers.Identity(name="same")

    def call(self, inputs):
        return self.inner(inputs) + self.same(self.inner.layers[0].kernel)[0, 0]


@pytest.mark.parametrize("options", [{}, {"batch_size": 2}, {"training": True}])
@pytest.mark.parametrize("subclassed", [False, True])
def test_activations_are_read_only_and_stay_what_they_are(options, subclassed):
    x = zoo.noise(5, 4)
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="mid"), layers.Dense(2, name="out")])
    model = Around(inner) if subclassed else inner
    model(x)
    found = aw.activations(model, x, **options)
    before = {path: value.copy() for path, value in found.items()}
    for value in found.values():
        with pytest.raises(ValueError, match="read-only"):
            value[...] = 0
    x += 1
    for variable in model.variables:
        variable.assign(variable + 1)
        variable.value.assign_add(keras.ops.ones_like(variable))
    model(x)
    for path, value in found.items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)
