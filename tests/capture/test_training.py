"""An edited model and a tapped sub-model train, predict and are evaluated as the model itself is."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from tests.capture import zoo
from tests.rounding import assert_close


class Spy(layers.Layer):
    """Notes whether it was told that it trains, each time that a graph is made of it or it runs."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.told = []

    def call(self, inputs, training=None):
        self.told.append(training)
        return inputs


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.spy = Spy(name="spy")
        self.head = layers.Dense(2, name="head")

    def call(self, inputs, training=None):
        return self.head(self.spy(inputs, training=training))


class Bare(keras.Model):
    """Says nothing of training itself."""

    def __init__(self):
        super().__init__(name="bare")
        self.spy = Spy(name="spy")
        self.head = layers.Dense(2, name="head")

    def call(self, inputs):
        return self.head(self.spy(inputs))


MODELS = {
    "functional": lambda: keras.Sequential([keras.Input((4,)), Spy(name="spy"), layers.Dense(2, name="head")]),
    "subclassed": Subclassed,
    "without the argument": Bare,
}


def within(model):
    return keras.Sequential([keras.Input((4,)), model])


# What is looked at, and what it has to be like.
LOOKS = {
    "edited": (lambda model: aw.edit(model, {"head": aw.Scale(0, 1.0)}), lambda model: model),
    "edited on the way": (lambda model: aw.edit(model, {"spy": lambda v: v}), lambda model: model),
    "in another model": (lambda model: within(aw.edit(model, {"head": aw.Ablate(0)})), within),
    "sub-model": (lambda model: aw.submodel(aw.edit(model, {"spy": aw.Scale(0, 1.0)}), "head"), lambda model: model),
}
RUNS = {
    "fit": lambda model, x, y: model.fit(x, y, verbose=0),
    "evaluate": lambda model, x, y: model.evaluate(x, y, verbose=0),
    "predict": lambda model, x, _: model.predict(x, verbose=0),
    "called to train": lambda model, x, _: model(x, training=True),
    "called": lambda model, x, _: model(x),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize(("look", "like"), LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_each_layer_is_told_whether_it_trains_as_in_the_model_itself(make, look, like, run):
    model, x, y = make(), zoo.noise(6, 4), zoo.noise(6, 2)
    model(x)
    spy = next(layer for layer in model.layers if isinstance(layer, Spy))
    told = []
    for each in (like(model), look(model)):
        each.compile("sgd", "mse")
        spy.told.clear()
        run(each, x, y)
        told.append(set(spy.told))
    assert told[1] == told[0]


def test_training_an_edited_model_moves_its_averages():
    x, y = 5 + zoo.noise(64, 4), zoo.noise(64, 2)
    given = [keras.Input((4,)), layers.BatchNormalization(name="norm"), layers.Dense(2, name="head")]
    model = keras.Sequential(given)
    edited = aw.edit(model, {"head": aw.Scale(0, 1.0)})
    edited.compile("sgd", "mse")
    edited.fit(x, y, batch_size=64, verbose=0)
    np.testing.assert_allclose(model.get_layer("norm").moving_mean, 0.01 * x.mean(axis=0), rtol=1e-4)


def test_an_edited_model_predicts_what_the_model_predicts_where_training_pictures_are_turned():
    x = zoo.noise(4, 8, 8, 3)
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.RandomRotation(0.2), layers.Conv2D(2, 3, name="conv")])
    edited = aw.edit(model, {"conv": aw.Scale(0, 1.0)})
    assert_close(edited.predict(x, verbose=0), model.predict(x, verbose=0))
