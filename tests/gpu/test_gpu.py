"""What can only be seen on a GPU: `pytest --gpu -m gpu`, on any backend of Keras. Without a GPU these tests fail."""

from __future__ import annotations

import gc

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.capture.access.weight_watch import WeightWatch
from actwidget.keras_internals.backend import backend
from tests.gpu import device

pytestmark = pytest.mark.gpu

MEGABYTE = 2**20
# Matrix products on a GPU may round their inputs to 10 bits (TF32) for one batch size and not for another.
ROUNDING = {"rtol": 5e-3, "atol": 5e-3}


@pytest.fixture(autouse=True)
def on_a_gpu():
    """These tests say something of a GPU, so they fail where the backend sees none."""
    if not device.gpus():
        pytest.fail(f"These tests need a GPU, and {keras.config.backend()} sees none.")


@pytest.fixture(autouse=True)
def in_single_precision():
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def convolutional():
    x = keras.Input((32, 32, 3))
    y = layers.BatchNormalization(name="norm")(layers.Conv2D(16, 3, activation="relu", name="conv")(x))
    y = layers.Dropout(0.5, name="drop")(layers.Flatten()(layers.MaxPooling2D(name="pool")(y)))
    model = keras.Model(x, layers.Dense(10, activation="softmax", dtype="float32", name="out")(y))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def large():
    """A model with a kernel so large that its bits are compared on the device."""
    x = keras.Input((600,))
    model = keras.Model(x, layers.Dense(2, name="out")(layers.Dense(600, activation="relu", name="wide")(x)))
    model.compile("sgd", "mse")
    return model


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.first, self.second = layers.Dense(8, activation="relu"), layers.Dense(2)

    def call(self, inputs):
        return self.second(self.first(inputs) + 1)


def witness(model, name, x):
    """What a layer gives, by a plain sub-model of Keras."""
    return keras.ops.convert_to_numpy(keras.Model(model.inputs[0], model.get_layer(name).output)(x, training=False))


def test_the_weights_and_the_values_of_these_models_lie_on_the_gpu():
    model = convolutional()
    assert all(device.is_on_gpu(weight.value) for weight in model.weights)
    assert device.is_on_gpu(model(noise(2, 32, 32, 3)))


@pytest.mark.parametrize(("build", "name"), [(convolutional, "conv"), (large, "wide")])
def test_weights_are_noticed_after_fit(build, name):
    model = build()
    x = noise(8, *model.input.shape[1:])
    y = np.zeros((8, 2)) if name == "wide" else np.arange(8)
    explorer = aw.LayerExplorer(model, x, layer=name)
    before = explorer.activation
    np.testing.assert_allclose(before, witness(model, name, x), **ROUNDING)
    model.optimizer.learning_rate = 1.0
    model.fit(x, y, epochs=2, verbose=0)
    after = explorer.activation
    np.testing.assert_allclose(after, witness(model, name, x), **ROUNDING)
    assert np.abs(after - before).max() > 10 * ROUNDING["atol"]
    explorer.close()


@pytest.mark.parametrize("place", [0, -1], ids=["first", "last"])
def test_one_number_that_is_assigned_is_noticed_and_nothing_is_where_nothing_was(place):
    model = large()
    x = np.abs(noise(4, 600)) + 1
    explorer = aw.LayerExplorer(model, x, layer="wide")
    explorer.activation  # noqa: B018 - the value is kept from here on
    watch = WeightWatch()
    watch.add(model.layers)
    model(x)
    assert watch.unwritten()
    kernel = model.get_layer("wide").kernel
    value = keras.ops.convert_to_numpy(kernel).copy()
    value.flat[place] += 100.0
    kernel.assign(value)
    assert not watch.unwritten()
    found = explorer.activation
    np.testing.assert_allclose(found, witness(model, "wide", x), rtol=5e-3, atol=0.5)
    assert found[:, place].min() > 90
    explorer.close()


def test_values_in_half_precision_are_captured_as_they_are():
    keras.config.set_dtype_policy("mixed_float16")
    model = convolutional()
    x = noise(4, 32, 32, 3)
    values = aw.activations(model, x)
    for name in ("conv", "norm", "pool"):
        assert values[name].dtype == np.float16
        expected = witness(model, name, x)
        assert expected.dtype == np.float16
        np.testing.assert_allclose(values[name].astype("float32"), expected.astype("float32"), rtol=2e-2, atol=2e-2)
    assert values["out"].dtype == np.float32
    single = keras.models.clone_model(model, clone_function=in_float32)
    single.set_weights(model.get_weights())
    np.testing.assert_allclose(values["conv"], witness(single, "conv", x), rtol=2e-2, atol=2e-2)
    explorer = aw.LayerExplorer(model, x, layer="conv")
    np.testing.assert_array_equal(explorer.activation, values["conv"])
    explorer.close()


def in_float32(layer):
    return type(layer).from_config(layer.get_config() | {"dtype": "float32"})


def looked_through(model, x):
    """Opens an explorer, looks at every layer, and closes it."""
    explorer = aw.LayerExplorer(model, x)
    for node in explorer.tree:
        explorer.layer = node.path
        assert explorer.activation is not None
    held = device.bytes_in_use()
    explorer.close()
    del explorer
    gc.collect()
    return held


def test_the_memory_is_given_back_after_close():
    x = keras.Input((128, 128, 3))
    model = keras.Model(x, layers.Conv2D(32, 3, name="b")(layers.Conv2D(32, 3, name="a")(x)))
    batch = noise(8, 128, 128, 3)
    model(batch)
    looked_through(model, batch)  # what the backend keeps for itself from the first pass on is there afterwards
    before = device.bytes_in_use()
    held = [looked_through(model, batch) for _ in range(3)]
    assert device.bytes_in_use() - before < MEGABYTE
    assert max(held) - min(held) < MEGABYTE  # and nothing is added each time


def test_captured_values_do_not_stay_on_the_gpu():
    x = keras.Input((128, 128, 3))
    model = keras.Model(x, layers.Conv2D(32, 3, name="b")(layers.Conv2D(32, 3, name="a")(x)))
    batch = noise(8, 128, 128, 3)
    aw.activations(model, batch)
    gc.collect()
    before = device.bytes_in_use()
    values = aw.activations(model, batch)
    gc.collect()
    assert sum(value.nbytes for value in values.values()) > 30 * MEGABYTE
    assert device.bytes_in_use() - before < MEGABYTE


def test_an_edit_computes_on_the_gpu_what_it_should():
    model = convolutional()
    x = noise(4, 32, 32, 3)
    pooled = witness(model, "pool", x).copy()
    pooled[..., [2, 5]] = 0
    flat = pooled.reshape(4, -1)
    kernel, bias = map(keras.ops.convert_to_numpy, model.get_layer("out").weights)
    logits = flat @ kernel + bias
    expected = np.exp(logits - logits.max(-1, keepdims=True))
    expected /= expected.sum(-1, keepdims=True)
    silent = aw.edit(model, {"pool": aw.Ablate([2, 5])})
    found = silent(x, training=False)
    assert device.is_on_gpu(found)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), expected, **ROUNDING)
    assert silent.reached == {"pool": True}
    np.testing.assert_allclose(silent.predict(x, verbose=0), expected, **ROUNDING)


def test_a_tap_sees_the_layers_of_a_subclassed_model_on_the_gpu():
    model, x = Subclassed(), noise(4, 6)
    expected = keras.ops.convert_to_numpy(model(x))
    values = aw.activations(model, x)
    names = [node.path for node in aw.layer_tree(model, x)]
    assert len(names) == 2
    first = np.maximum(x @ model.first.get_weights()[0], 0)
    np.testing.assert_allclose(values[names[0]], first, **ROUNDING)
    np.testing.assert_allclose(values[names[1]], expected, **ROUNDING)
    doubled = aw.edit(model, {names[0]: aw.Scale(range(8), 2.0)}, inputs=x)(x)
    kernel, bias = model.second.get_weights()
    np.testing.assert_allclose(keras.ops.convert_to_numpy(doubled), (2 * first + 1) @ kernel + bias, **ROUNDING)


def test_a_look_in_training_leaves_the_state_on_the_gpu_as_it_was():
    model, x = convolutional(), noise(4, 32, 32, 3)
    model(x, training=True)
    state = [variable for variable in model.variables if "optimizer" not in variable.path]
    before = [keras.ops.convert_to_numpy(variable.value).copy() for variable in state]
    values = aw.activations(model, x, training=True)
    assert np.abs(values["norm"] - aw.activations(model, x)["norm"]).max() > 0.01  # it was run in training
    for variable, value in zip(state, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable.value), value)
    assert all(device.is_on_gpu(weight.value) for weight in model.weights)
    moving = keras.ops.convert_to_numpy(model.get_layer("norm").moving_mean.value).copy()
    model(x, training=True)
    assert not np.array_equal(keras.ops.convert_to_numpy(model.get_layer("norm").moving_mean.value), moving)


NUMBERS = {"float32": 1.5, "float16": 1.5, "bfloat16": 1.5, "int32": 3, "int8": 3, "bool": True}


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("size", [8, 1_000_000], ids=["small", "large"])
def test_bits_are_compared_on_the_gpu(size, dtype):
    def filled(*last):
        value = np.full(size, NUMBERS[dtype], "float32")
        value[len(value) - len(last) :] = last
        return keras.ops.cast(keras.ops.convert_to_tensor(value), dtype)

    assert backend.have_same_bits(filled(), filled())
    assert not backend.have_same_bits(filled(), filled(0.0))
    if "float" in dtype:
        assert device.is_on_gpu(filled())
        assert backend.have_same_bits(filled(np.nan), filled(np.nan))
        assert not backend.have_same_bits(filled(0.0), filled(-0.0))
        assert not backend.have_same_bits(filled(np.nan), filled(0.0))
    assert not backend.have_same_bits(filled(), filled()[1:])
