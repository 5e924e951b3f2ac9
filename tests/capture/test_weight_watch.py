"""Whether weights were written is noticed on every device: with the address of a value, without it, and unread."""

from __future__ import annotations

import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.capture.access import weight_watch
from actwidget.capture.access.session import Session
from actwidget.capture.access.weight_watch import WeightWatch
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.versions import NO_INT4
from tests.capture import zoo


@pytest.fixture(params=["addresses", "no addresses"])
def device(request, monkeypatch):
    """Runs a test as it is on the processor, and as on a GPU, where nobody can tell where a value lies."""
    if request.param == "no addresses":
        monkeypatch.setattr(backend, "address_of", lambda _tensor: None)
    return request.param


def dense(**options):
    x = keras.Input((4,))
    y = layers.BatchNormalization(name="norm")(layers.Dense(5, name="dense", **options)(x))
    model = keras.Model(x, layers.Dense(2, name="out")(y))
    model.compile("adam", "mse")
    return model


def embedding():
    x = keras.Input((5,), dtype="int32")
    y = layers.GlobalAveragePooling1D(name="dense")(layers.Embedding(50, 4, name="embed")(x))
    model = keras.Model(x, layers.Dense(1, name="out")(y))
    model.compile("sgd", "mse")
    return model


def batch_for(model):
    return zoo.tokens(8, 5, below=50) if model.inputs[0].dtype == "int32" else zoo.noise(8, 4)


def fitted(model):
    model.fit(batch_for(model), np.ones((8, model.output.shape[-1])), verbose=0)


def in_a_thread(model):
    kernel = model.get_layer("dense").kernel
    thread = threading.Thread(target=lambda: kernel.assign(kernel * 2))
    thread.start()
    thread.join()


def weights_set(model):
    layer = model.get_layer("dense")
    layer.set_weights([value + 1 for value in layer.get_weights()])


def rows_of(model):
    table = model.get_layer("embed").embeddings.value
    table.scatter_add(tf.IndexedSlices(tf.ones((2, 4)), [0, int(batch_for(model)[0, 0])]))


def gain_of(model):
    gamma = model.get_layer("norm").gamma
    gamma.assign(gamma + 1)


def statistics_moved(model):
    model(batch_for(model), training=True)


WRITERS = {
    "an optimizer": (dense, fitted),
    "set_weights": (dense, weights_set),
    "another thread": (dense, in_a_thread),
    "a gain": (dense, gain_of),
    "moving statistics": (dense, statistics_moved),
    "rows of an embedding, trained": (embedding, fitted),
    "rows of an embedding, written": (embedding, rows_of),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_is_noticed_and_what_is_not_is_kept(name, device):  # noqa: ARG001 - the device it runs on
    make, write = WRITERS[name]
    model = make()
    x = batch_for(model)
    fitted(model)  # from now on rows of an embedding are copied at each reading
    session = Session(model, x)
    for _ in range(2):
        kept = session.value("out")
        assert not session.refresh()
        assert session.value("out") is kept
        write(model)
        assert session.refresh()
        np.testing.assert_array_equal(session.value("out"), aw.activations(model, x, "out")["out"])
        assert np.abs(session.value("out") - kept).max() > 0
    assert not session.refresh()


@pytest.mark.parametrize("mode", ["int8", pytest.param("int4", marks=pytest.mark.not_where(NO_INT4)), "float8"])
def test_weights_of_a_quantized_layer_are_watched(mode, device):  # noqa: ARG001
    model, x = dense(), zoo.noise(8, 4)
    model.get_layer("dense").quantize(mode)
    session = Session(model, x)
    kept = session.value("out")
    assert not session.refresh()
    assert session.value("out") is kept
    kernel = model.get_layer("dense")._kernel
    kernel.assign(keras.ops.zeros(kernel.shape, kernel.dtype))
    assert session.refresh()
    np.testing.assert_array_equal(session.value("out"), aw.activations(model, x, "out")["out"])


class Holder(layers.Layer):
    """Holds one weight of any dtype."""

    def __init__(self, values, dtype):
        super().__init__()
        self.held = keras.Variable(values, dtype=dtype, trainable=False)


DTYPES = ["bool", "int8", "uint8", "int32", "uint32", "int64", "float16", "bfloat16", "float32", "float64"]
DTYPES += ["float8_e4m3fn", "float8_e5m2"]


@pytest.mark.parametrize("size", [1, 4, 600_000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_value_in_a_weight_of_any_dtype_is_enough(dtype, size, device):  # noqa: ARG001
    values = np.zeros(size, "float32")
    layer, watch = Holder(values, dtype), WeightWatch()
    watch.add([layer])
    assert watch.unwritten()
    layer.held.assign(values)  # the same values in other memory
    assert watch.unwritten()
    values[-1] = 1
    layer.held.assign(values)
    assert not watch.unwritten()
    watch.clear()
    watch.add([layer])
    assert watch.unwritten()


def test_a_nan_that_stays_is_no_change_and_a_zero_of_another_sign_is_one(device):  # noqa: ARG001
    values = np.array([np.nan, 0.0, np.inf] * 100_000, "float32")
    layer, watch = Holder(values, "float32"), WeightWatch()
    watch.add([layer])
    layer.held.assign(values.copy())
    assert watch.unwritten()
    values[1] = -0.0
    layer.held.assign(values)
    assert not watch.unwritten()


def test_what_can_not_be_read_counts_as_written(monkeypatch):
    monkeypatch.setattr(weight_watch, "value_of", lambda _variable: None)
    model, x = dense(), zoo.noise(8, 4)
    session = Session(model, x)
    for _ in range(2):
        session.value("out")
        assert session.refresh()
    session.value("out")
    fitted(model)
    assert session.refresh()
    np.testing.assert_array_equal(session.value("out"), aw.activations(model, x, "out")["out"])


def test_weights_that_a_strategy_spreads_over_devices_are_watched():
    program = """
import numpy as np, tensorflow as tf
processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from actwidget.capture.access.session import Session
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.variables import value_of
for devices in (["CPU:0", "CPU:1"], ["CPU:1"]):
    with tf.distribute.MirroredStrategy(devices).scope():
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")])
        model.compile("sgd", "mse")
    x = np.random.default_rng(0).random((8, 4)).astype("float32")
    session = Session(model, x)
    kept = session.value("dense")
    assert not session.refresh()
    model.fit(x, np.ones((8, 3)), verbose=0)
    assert session.refresh()
    np.testing.assert_array_equal(session.value("dense"), model(x))
    assert np.abs(session.value("dense") - kept).max() > 0
assert backend.address_of(value_of(model.layers[0].kernel)) is None  # the second device is another
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]


def test_a_new_vocabulary_is_noticed():
    look_up = keras.layers.StringLookup(vocabulary=["a", "b", "c"], name="look_up")
    inputs = keras.Input((3,), dtype="string")
    model = keras.Model(inputs, keras.layers.Embedding(8, 4, name="rows")(look_up(inputs)))
    explorer = aw.LayerExplorer(model, np.array([["a", "b", "z"]]), layer="look_up")
    np.testing.assert_array_equal(explorer.activation, [[1, 2, 0]])
    look_up.set_vocabulary(["c", "b", "a"])
    np.testing.assert_array_equal(explorer.activation, [[3, 2, 0]])


def test_a_variable_of_tensorflow_s_own_that_is_written_is_noticed():
    class Times(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.factor = tf.Variable(1.0)

        def call(self, inputs):
            return inputs * self.factor

    times = Times(name="times")
    model = keras.Sequential([keras.Input((2,)), times])
    explorer = aw.LayerExplorer(model, np.ones((1, 2)), layer="times")
    np.testing.assert_array_equal(explorer.activation, [[1, 1]])
    times.factor.assign(3.0)
    np.testing.assert_array_equal(explorer.activation, [[3, 3]])
