"""What is no Keras 3 model is refused, and what the error says to do is done here, word by word."""

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
from actwidget.capture.structure.keras_2.example import made_up_inputs
from actwidget.errors import UnsupportedModelError
from tests.capture import keras_2_zoo, zoo
from tests.capture.advice import advice, followed
from tests.rounding import assert_close


@pytest.mark.parametrize("name", ["recurrent", "shared_and_nested", "separable", "compiled", "texts"])
def test_a_model_of_keras_2_is_made_into_one_of_keras_3_as_advised(name):
    model = keras_2_zoo.MODELS[name]()
    said = advice(model)
    code = re.search(r"legacy Keras 2 model \(tf_keras\)\. Make a Keras 3 model of it: (.*)\.$", said)[1]
    made = followed(f"model = {code}", {"model": model})
    inputs = made_up_inputs(model)
    np.testing.assert_allclose(made(inputs), model(inputs), rtol=1e-4, atol=1e-5)
    assert len(aw.activations(made, inputs)) >= len(model.layers)


def test_a_stack_of_keras_2_that_has_seen_no_batch_is_called_first_as_advised():
    model, x = tf_keras.Sequential([tf_keras.layers.Dense(2)]), zoo.noise(3, 4)
    said = advice(model)
    first, then = re.search(r"Call it once on a batch, (.*?)\. Then make a Keras 3 model of it: (.*)\.$", said).groups()
    made = followed(f"{first}; old = model; model = {then}", scope := {"model": model, "x": x})
    assert_close(made(x), scope["old"](x))


def subclassed(of):
    class Own(of.Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.norm = of.layers.Embedding(9, 3), of.layers.BatchNormalization()
            self.flat, self.dense = of.layers.Flatten(), of.layers.Dense(2)

        def call(self, ids):
            return self.dense(self.flat(self.norm(self.embedding(ids))))

    return Own()


def of_tensorflow_functions(of):
    x = of.Input((5,))
    double = (lambda value: value * 2.0) if of is tf_keras else keras.layers.Rescaling(2.0)
    return of.Model(x, of.layers.Dense(2)(double(of.layers.Dense(3)(x))))


@pytest.mark.parametrize("build", [subclassed, of_tensorflow_functions])
def test_the_weights_are_taken_over_as_advised_where_the_model_can_not_be(build):
    model, new, x = build(tf_keras), build(keras), zoo.tokens(3, 5)
    said = advice(model)
    assert "Make a Keras 3 model of it" not in said
    both, copy = re.search(r"with `import keras`, (call both on a batch), and then (.*)\.$", said).groups()
    assert both
    model(x), new(x)
    model.set_weights([zoo.noise(*each.shape, seed=place) ** 2 for place, each in enumerate(model.get_weights())])
    followed(copy, {"model": model, "new": new})
    np.testing.assert_allclose(new(x), model(x), rtol=1e-4, atol=1e-5)


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
