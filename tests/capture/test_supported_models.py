"""What is no Keras 3 model is refused, and what the error says to do works, for Keras 2 with the real `tf_keras`."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras import layers

import actwidget as aw
from actwidget.errors import UnsupportedModelError
from tests.capture import zoo


def convolutional():
    x = tf_keras.Input((8, 8, 1))
    y = tf_keras.layers.BatchNormalization()(tf_keras.layers.Conv2D(3, 3, activation="relu")(x))
    y = tf_keras.layers.Flatten()(tf_keras.layers.MaxPooling2D()(y))
    model = tf_keras.Model(x, tf_keras.layers.Dense(2, activation="softmax")(y))
    return model, zoo.noise(3, 8, 8, 1)


def of_two_inputs():
    a, b = tf_keras.Input((4,), name="a"), tf_keras.Input((3,), name="b")
    return tf_keras.Model([a, b], tf_keras.layers.Dense(2)(tf_keras.layers.Concatenate()([a, b]))), [
        zoo.noise(2, 4),
        zoo.noise(2, 3),
    ]


def nested():
    inner, value = convolutional()
    x = tf_keras.Input((8, 8, 1))
    return tf_keras.Model(x, inner(x)), value


def sequential():
    stack = [tf_keras.Input((4,)), tf_keras.layers.Dense(3, activation="gelu"), tf_keras.layers.Dense(2)]
    return tf_keras.Sequential(stack), zoo.noise(3, 4)


def compiled():
    model, value = sequential()
    model.compile("adam", "mse")
    model.fit(value, zoo.noise(3, 2), verbose=0)
    return model, value


def advice(model):
    with pytest.raises(UnsupportedModelError, match=r"Keras 2 model \(tf_keras\)") as caught:
        aw.layer_tree(model)
    return str(caught.value)


@pytest.mark.parametrize("build", [convolutional, of_two_inputs, nested, sequential, compiled])
def test_the_file_that_is_advised_loads_and_computes_the_same(build, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, value = build()
    said = advice(model)
    save, load = (
        re.search(r"with (model\.save\(.*?\)) and", said)[1],
        re.search(r"with (keras\.models\..*\))\.", said)[1],
    )
    scope = {"model": model, "keras": keras}
    exec(save, scope)  # noqa: S102 - the advice is meant to be followed
    loaded = eval(load, scope)  # noqa: S307
    np.testing.assert_allclose(loaded(value), model(value), rtol=1e-5, atol=1e-6)
    assert len(aw.activations(loaded, value)) == len(list(aw.layer_tree(loaded)))


def recurrent(of):
    x = of.Input((5,), dtype="int32")
    y = of.layers.LSTM(4, return_sequences=True)(of.layers.Embedding(9, 3, mask_zero=True)(x))
    return of.Model(x, of.layers.Dense(2)(of.layers.GRU(3)(y)))


def separable(of):
    x = of.Input((5,), dtype="int32")
    y = of.layers.Reshape((5, 3, 1))(of.layers.Embedding(9, 3)(x))
    y = of.layers.SeparableConv2D(3, 2)(of.layers.DepthwiseConv2D(2)(y))
    return of.Model(x, of.layers.Dense(2)(of.layers.Flatten()(y)))


def subclassed(of):
    class Own(of.Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.norm = of.layers.Embedding(9, 3), of.layers.BatchNormalization()
            self.flat, self.dense = of.layers.Flatten(), of.layers.Dense(2)

        def call(self, ids):
            return self.dense(self.flat(self.norm(self.embedding(ids))))

    return Own()


@pytest.mark.parametrize("build", [recurrent, separable, subclassed])
def test_the_weights_are_taken_over_where_no_file_loads(build):
    old, new, ids = build(tf_keras), build(keras), zoo.tokens(3, 5)
    old(ids), new(ids)
    old.set_weights([zoo.noise(*weight.shape, seed=place) ** 2 for place, weight in enumerate(old.get_weights())])
    assert "new.set_weights(model.get_weights())" in advice(old)
    assert "save" not in advice(old)
    new.set_weights(old.get_weights())
    np.testing.assert_allclose(new(ids), old(ids), rtol=1e-4, atol=1e-5)


class FakeTorchBase:
    pass


FakeTorchBase.__module__ = "torch.nn.modules.module"


class TorchLike(FakeTorchBase):
    pass


class FakeLegacyBase:
    pass


FakeLegacyBase.__module__ = "tf_keras.src.engine.training"


class LegacyLike(FakeLegacyBase):
    pass


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="mine")
        self.dense = layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


NO_MODELS = {
    "path": (lambda: "model.keras", r"got builtins\.str\. .*keras\.models\.load_model"),
    "path object": (lambda: Path("model.keras"), r"Path\. .*keras\.models\.load_model"),
    "class": (lambda: Subclassed, r"That is the class itself: make a model of it first, Subclassed\("),
    "torch": (TorchLike, "PyTorch"),
    "tf_keras": (LegacyLike, "legacy Keras 2 model"),
    "tf module": (tf.Module, r"got tensorflow\..*keras\.models\.load_model"),
    "layer": (lambda: layers.Dense(2), r"Dense\. That is a single layer\. Wrap it"),
    "nothing": (lambda: None, r"got builtins\.NoneType\. Pass a keras\.Model"),
    "array": (lambda: np.zeros(3), r"got numpy\.ndarray"),
    "function": (lambda: len, "Pass a keras.Model"),
}


@pytest.mark.parametrize(("make", "message"), NO_MODELS.values(), ids=NO_MODELS)
def test_what_is_no_keras_model_is_refused_with_advice(make, message):
    model = make()
    for ask in (aw.layer_tree, lambda it: aw.submodel(it, 0), lambda it: aw.activations(it, zoo.noise(2, 4))):
        with pytest.raises(UnsupportedModelError, match=message) as caught:
            ask(model)
        assert str(caught.value).startswith("Expected a Keras 3 model, got ")
        assert isinstance(caught.value, TypeError)
