"""True classes and their names: of many units, of a single sigmoid unit, and of outputs that have no classes."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.errors import OptionError

RNG = np.random.default_rng(2)
X = RNG.normal(size=(2, 5)).astype("float32")
X = np.concatenate([X, -X])  # without biases the logits are of both signs, whatever the weights
TRUE = [0, 1, 1, 0]
NAMES = ["cat", "dog"]


def ending(*heads, inputs=(5,)):
    """A model that ends in some layers, one after the other."""
    x = keras.Input(inputs)
    y = layers.Dense(6, activation="tanh", name="hidden")(x)
    for head in heads:
        y = head(y)
    return keras.Model(x, y, name="net")


def in_a_nested_model():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(1, activation="sigmoid")], name="inner")
    return ending(inner)


def subclassed():
    class Classifier(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.hidden, self.head = layers.Dense(6), layers.Dense(1, activation="sigmoid")

        def call(self, inputs):
            return self.head(self.hidden(inputs))

    return Classifier()


BINARY = {
    "a unit": lambda: ending(layers.Dense(1, activation="sigmoid")),
    "an activation": lambda: ending(layers.Dense(1), layers.Activation("sigmoid", dtype="float32")),
    "an operation": lambda: ending(layers.Dense(1), keras.ops.sigmoid),
    "a reshaped unit": lambda: ending(layers.Dense(1, activation="sigmoid"), layers.Reshape((1,)), layers.Flatten()),
    "one number a sample": lambda: ending(
        layers.Dense(1, activation="sigmoid"), lambda y: keras.ops.squeeze(y, axis=-1)
    ),
    "a nested model": in_a_nested_model,
    "a subclassed model": subclassed,
}


def opened(model, x=X, **options):
    explorer = aw.LayerExplorer(model, x, **options)
    explorer.layer = explorer._explorer.session.graph.output
    return explorer


@pytest.mark.parametrize("name", BINARY)
def test_a_sigmoid_tells_of_two_classes_and_how_probable_the_likelier_is(name):
    model = BINARY[name]()
    explorer = opened(model, class_names=NAMES, labels=TRUE)
    ones = np.asarray(model(X)).ravel()
    assert {bool(one >= 0.5) for one in ones} == {False, True}
    for sample, one in enumerate(ones.tolist()):
        label, probability, _ = explorer._explorer.inspector.predictions.answers(sample).items[0]
        assert label == NAMES[one >= 0.5]
        assert probability == pytest.approx(max(one, 1 - one), abs=1e-6)
        explorer.sample = sample
        assert label in explorer._screen.prediction.value
        assert "dog, every sample" in explorer.figure.layout.annotations[0].text
        np.testing.assert_allclose(explorer.figure.data[2].y, ones, atol=1e-6)
        bars = explorer.figure.data[0]
        texts = list(explorer.figure.layout.yaxis.ticktext)
        assert dict(zip(texts, bars.x, strict=True)) == pytest.approx(
            {("✓ " if TRUE[sample] == place else "") + NAMES[place]: (1 - one, one)[place] for place in (0, 1)},
            abs=1e-6,
        )
        assert bars.x[0] >= bars.x[1]
    for wrong in (["a", "b", "c"], []):
        with pytest.raises(OptionError, match=rf"2 class_names for the single sigmoid unit .* got {len(wrong)}"):
            opened(model, class_names=wrong)
    with pytest.raises(OptionError, match=r"labels as 4 numbers of classes .* from 0 to 1"):
        opened(model, labels=[0, 1, 2, 0])


def test_without_names_the_classes_have_their_numbers():
    explorer = opened(BINARY["a unit"](), labels=TRUE)
    assert set(explorer.figure.layout.yaxis.ticktext) == {"✓ class 0", "class 1"}
    assert explorer._explorer.inspector.predictions.answers(0).items[0].name in {"class 0", "class 1"}
    explorer.channel = 0
    assert "✓ class 0" in explorer.figure.layout.yaxis.ticktext


def test_a_single_name_is_that_of_the_class_that_the_unit_calls_1():
    explorer = opened(BINARY["a unit"](), class_names=["dog"])
    assert set(explorer.figure.layout.yaxis.ticktext) == {"not dog", "dog"}


FORMS = {
    "a list": lambda labels: labels,
    "an array": np.array,
    "a column": lambda labels: np.array(labels)[:, np.newaxis],
    "floats": lambda labels: np.array(labels, "float32"),
    "a tensor": tf.constant,
    "a series": pd.Series,
    "one-hot": lambda labels: np.eye(3)[labels],
    "one-hot of booleans": lambda labels: np.eye(3, dtype=bool)[labels],
    "one-hot of Keras": lambda labels: keras.utils.to_categorical(labels, 3),
}


@pytest.mark.parametrize("form", FORMS)
def test_labels_are_taken_in_each_form_that_fit_takes(form):
    model = ending(layers.Dense(3, activation="softmax"))
    explorer = opened(model, labels=FORMS[form]([2, 0, 1, 2]), class_names=list("abc"))
    for sample, name in enumerate("cabc"):
        explorer.sample = sample
        assert f"✓ {name}" in explorer.figure.layout.yaxis.ticktext


@pytest.mark.parametrize(
    "labels", [np.array([False, True, True, False]), np.eye(2)[TRUE], np.array(TRUE, "float32")[:, np.newaxis]]
)
def test_so_they_are_for_a_single_sigmoid_unit(labels):
    explorer = opened(BINARY["a unit"](), labels=labels, class_names=NAMES)
    for sample, true in enumerate(TRUE):
        explorer.sample = sample
        assert f"✓ {NAMES[true]}" in explorer.figure.layout.yaxis.ticktext


@pytest.mark.parametrize("head", [layers.Dense(1), layers.Dense(1, activation="relu")], ids=["linear", "relu"])
def test_of_a_unit_without_a_sigmoid_it_is_said_what_to_do(head):
    model = ending(type(head).from_config(head.get_config()))
    for options in ({"labels": TRUE}, {"class_names": NAMES}):
        with pytest.raises(OptionError, match=r"single unit .*got .*logit.*Activation\(\"sigmoid\"\)"):
            opened(model, **options)
    assert [item.share for item in opened(model)._explorer.inspector.predictions.answers(0).items] == [None]
    assert "price" in opened(model, class_names=["price"]).figure.layout.annotations[0].text
    answered = keras.Sequential([model, layers.Activation("sigmoid")])  # what the message says
    assert "✓ cat" in opened(answered, labels=TRUE, class_names=NAMES).figure.layout.yaxis.ticktext


@pytest.mark.parametrize("units", [1, 3])
def test_labels_of_steps_and_pixels_are_refused_in_words(units):
    model = ending(layers.Dense(units, activation="sigmoid"), inputs=(7, 5))
    with pytest.raises(OptionError, match=r"no labels: 'net' gives an answer for each step.*\(None, 7, .*Leave labels"):
        opened(model, RNG.normal(size=(4, 7, 5)), labels=TRUE)


def test_of_several_outputs_the_message_says_that_the_first_is_meant():
    x = keras.Input((5,))
    model = keras.Model(x, [layers.Dense(1, activation="sigmoid", name="is")(x), layers.Dense(3)(x)], name="net")
    explorer = opened(model, labels=TRUE, class_names=NAMES)
    assert "✓ cat" in explorer.figure.layout.yaxis.ticktext
    for options in ({"labels": [0, 1, 2, 2]}, {"class_names": list("abc")}):
        with pytest.raises(OptionError, match=r"'net' \(of its outputs the first\)"):
            opened(model, **options)
