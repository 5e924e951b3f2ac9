"""What the caller has set in NumPy, in `warnings` and in Keras changes no numbers and no pictures."""

from __future__ import annotations

import warnings
from contextlib import contextmanager

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from tests.capture import zoo
from tests.rounding import assert_close


def network():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    y = layers.BatchNormalization(name="normal")(y)
    return keras.Model(x, layers.Dense(3, activation="softmax", name="head")(layers.Flatten(name="flat")(y)))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.conv, self.flat = layers.Conv2D(4, 3, name="conv"), layers.Flatten(name="flat")
        self.head = layers.Dense(3, activation="softmax", name="head")

    def call(self, inputs):
        return self.head(self.flat(self.conv(inputs)))


def hard_numbers():
    """Pictures with NaN, infinity, and numbers that are too small or too large for most reckonings."""
    x = zoo.noise(6, 8, 8, 3)
    x[0], x[1], x[2] = 0, 1e-42, 1e38
    x[3, 0, 0, 0], x[4, 0, 0, 0] = np.nan, np.inf
    return x


@contextmanager
def numpy_raises():
    with np.errstate(all="raise"):
        yield


@contextmanager
def warnings_raise():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # ipywidgets 7 uses what traitlets and ipykernel call deprecated.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"ipywidgets\.")
        yield


@contextmanager
def floats_are(dtype):
    before = keras.config.floatx()
    keras.config.set_floatx(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before)


@contextmanager
def the_policy_is(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


SETTINGS = {
    "NumPy raises": numpy_raises,
    "warnings raise": warnings_raise,
    "floatx is float64": lambda: floats_are("float64"),
    "floatx is float16": lambda: floats_are("float16"),
    "the policy is mixed_float16": lambda: the_policy_is("mixed_float16"),
}


def everything(model, x, tiny):
    """The numbers and pictures that the main ways give."""
    edited = aw.edit(model, {"conv": aw.Scale(0, 2.0)})
    found = {"all": dict(aw.activations(model, x)), "edited": dict(aw.activations(edited, x))}
    found["one"] = dict(aw.activations(model, tiny, "head"))
    found["apart"] = dict(aw.compare(model, x, edited))
    found["submodel"] = {"flat": np.array(aw.submodel(model, "flat")(x)), "edit": np.array(edited(x))}
    texts = [str(aw.layer_tree(model, x))]
    explorer = aw.LayerExplorer(model, x)
    for layer in ("conv", "head"):
        explorer.layer = layer
        for show in ("activation", "overlay", "comparison", "table", "weights", "overview"):
            explorer.show = show
            texts += [f"{layer} {show} {explorer.show}", explorer.figure.to_json()]
        texts.append(str(explorer.statistics))
    texts.append(str(explorer.summaries))
    explorer.close()
    return found, texts


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("make", [network, Subclassed])
def test_a_setting_of_the_caller_changes_nothing(make, setting):
    model, x, tiny = make(), hard_numbers(), zoo.noise(6, 8, 8, 3) * np.float64(1e-320)
    model(x)
    expected, texts = everything(model, x, tiny)
    with setting():
        found, others = everything(model, x, tiny)
    for way, values in expected.items():
        assert found[way].keys() == values.keys()
        for path, value in values.items():
            assert found[way][path].dtype == value.dtype
            assert_close(found[way][path], value, err_msg=f"{way} {path}")
    assert others == texts
