"""A look that fails leaves the model as it was, and what fits can still build it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.errors import ActwidgetError, InvalidInputsError, ModelNotBuiltError
from tests.capture import zoo
from tests.rounding import assert_close

X = zoo.noise(3, 4)


class Late(keras.Model):
    """Makes weights and layers when it is built, in every kind of place, and fails after."""

    def __init__(self, *, fails):
        super().__init__(name="late")
        self.first, self.steps, self.named, self.fails = layers.Dense(3, name="first"), [], {}, fails

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], name="scale")
        self.steps.append(layers.Dense(4, name="step"))
        self.named["b"] = layers.BatchNormalization(name="b")
        self.input_spec = keras.InputSpec(ndim=len(shape))
        self.first.build(shape)
        if self.fails == "build":
            message = "not like this"
            raise ValueError(message)

    def call(self, inputs):
        if self.fails == "call":
            message = "not like this"
            raise ValueError(message)
        return self.named["b"](self.steps[0](self.first(inputs * self.scale)))


def chain(*parts):
    class Chain(keras.Model):
        def __init__(self):
            super().__init__(name="chain")
            self.parts = list(parts)

        def call(self, inputs):
            for part in self.parts:
                inputs = part(inputs)
            return inputs

    return Chain()


class Uncopied(keras.Layer):
    """Can't be copied, so that a Sequential with it can't be tried out before it is built."""

    def __init__(self, table):
        super().__init__(name="uncopied")
        self.dense = layers.Dense(2)
        self.table = table

    def build(self, shape):
        self.dense.build(shape)
        self.table[len(shape)]

    def call(self, inputs):
        return self.dense(inputs)


def everything(model):
    """All that the layers of a model hold, as far as it can change, by what it is."""
    held = {}

    def note(value, where):
        held[where] = id(value)
        if isinstance(value, dict):
            for key, each in value.items():
                note(each, f"{where}[{key!r}]")
        elif isinstance(value, (list, tuple)):
            for place, each in enumerate(value):
                note(each, f"{where}[{place}]")
        elif isinstance(value, set):
            held[f"{where}{{}}"] = sorted(map(repr, value))

    for layer in model._flatten_layers():
        note(vars(layer), layer.name)
        note(vars(layer._tracker), f"{layer.name}.tracker")
    return held


FAILING = {
    "its build": lambda: Late(fails="build"),
    "its call": lambda: Late(fails="call"),
    "the first layer": lambda: chain(layers.Conv2D(2, 3, name="conv"), layers.Dense(2)),
    "the first layer's build": lambda: chain(Late(fails="build")),
    "a Sequential that can't be tried": lambda: keras.Sequential([Uncopied(table=[])]),
    "a Sequential that can": lambda: keras.Sequential([layers.Dense(3), layers.Conv2D(2, 3)]),
}


@pytest.mark.parametrize("build", FAILING.values(), ids=FAILING)
def test_a_failed_look_leaves_the_model_as_it_was(build):
    model = build()
    before, weights = everything(model), len(model.weights)
    for look in (aw.layer_tree, aw.activations, aw.LayerExplorer):
        with pytest.raises(InvalidInputsError):
            look(model, X)
        assert everything(model) == before
        assert (model.built, len(model.weights)) == (False, weights)
    for look in (aw.layer_tree, aw.LayerExplorer, lambda it: aw.submodel(it, 0)):
        with pytest.raises(ModelNotBuiltError):
            look(model)


def test_after_a_failed_look_what_fits_builds_it_and_is_had():
    model = chain(layers.Dense(3, name="dense"), layers.Dense(2, name="last"))
    with pytest.raises(InvalidInputsError):
        aw.activations(model, np.array(["no", "numbers"]))
    values = aw.activations(model, X)
    assert_close(values["last"], model(X))
    again = Late(fails="build")
    with pytest.raises(ActwidgetError):
        aw.activations(again, X)
    again.fails = ""
    values = aw.activations(again, X)
    assert_close(values["first"], again.first(ops.multiply(X, again.scale)))
    assert [weight.name for weight in again.weights].count("scale") == 1
