"""The small network for digits of `witnesses/`, in three forms with one set of weights."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

WITNESSES = Path(__file__).parent / "witnesses"
DIGITS = dict(np.load(WITNESSES / "digits.npz"))
INPUTS = DIGITS["inputs"]
TARGETS = DIGITS["targets_onehot"].argmax(axis=1)
FORMS = ("functional", "nested", "subclassed")


def convolutions():
    conv, pool = keras.layers.Conv2D, keras.layers.MaxPooling2D
    first, second = (
        conv(filters, 3, padding="same", activation="relu", name=name)
        for filters, name in ((8, "conv1"), (16, "conv2"))
    )
    return [first, pool(name="pool1"), second, pool(name="pool2")]


def head(activation=None):
    dense = keras.layers.Dense
    flat, hidden = keras.layers.Flatten(name="flat"), dense(32, activation="relu", name="hidden")
    return [flat, hidden, dense(10, activation=activation, name="logits")]


class Subclassed(keras.Model):
    def __init__(self, activation=None):
        super().__init__(name="subclassed")
        self.all = convolutions() + head(activation)

    def call(self, x):
        for layer in self.all:
            x = layer(x)
        return x


def digits(form, activation=None):
    """The network in one of the `FORMS`."""
    if form == "subclassed":
        model = Subclassed(activation)
        model(INPUTS[:1])
    else:
        body = convolutions()
        if form == "nested":
            body = [keras.Sequential([keras.Input((16, 16, 3), name="base_image"), *body], name="base")]
        model = keras.Sequential([keras.Input((16, 16, 3), name="image"), *body, *head(activation)], name=form)
    model.set_weights([DIGITS[f"weight_{number}"] for number in range(8)])
    return model


def inner(form, layer):
    """The path of one of the convolutional layers."""
    return f"base/{layer}" if form == "nested" else layer
