"""The broken networks of the assignment "Find the fault".

Students: the answers to the tasks follow from this file. Find them in the network instead.

Teachers: `python broken.py names.txt` prints which fault each line of a file gets.
"""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np

from actwidget.samples import digits

# Each kind of fault, and the layers where it can be.
KINDS = {
    "range": ("normalize",),
    "dead": ("conv1", "conv2"),
    "saturated": ("hidden1", "hidden2"),
    "nan": ("conv1", "conv2", "hidden1", "hidden2"),
    "constant": ("conv1", "conv2", "hidden1", "hidden2"),
}
# How many channels or units each layer has.
SIZES = {"normalize": 1, "conv1": 16, "conv2": 32, "hidden1": 48, "hidden2": 32}


@dataclass(frozen=True)
class Fault:
    """What is wrong: the kind, the layer whose weights are wrong, and which of its channels or units."""

    kind: str
    layer: str
    units: tuple[int, ...]
    number: int


def fault(who):
    """The fault that a student gets, from a name or from a number in a list.

    A name gives the same fault on every machine, however it is capitalised and spaced. The kinds of successive
    numbers are all different until they repeat after five.
    """
    text = " ".join(unicodedata.normalize("NFKC", str(who)).casefold().split())
    if not text:
        message = "Write your name into `who`."
        raise ValueError(message)
    number = int(text) if text.isdecimal() else _hashed(text)
    kind = list(KINDS)[number % len(KINDS)]
    layer = KINDS[kind][number // len(KINDS) % len(KINDS[kind])]
    chosen = 1 if kind in {"range", "nan"} else SIZES[layer] * 7 // 8
    # Drawn by a hash too: what a random generator draws may change with a release.
    units = sorted(range(SIZES[layer]), key=lambda unit: _hashed(f"{number} {unit}"))[:chosen]
    return Fault(kind, layer, tuple(sorted(units)), number)


def _hashed(text):
    """A whole number from a text, the same on every machine."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


def network(who):
    """The student's broken network."""
    drawn = fault(who)
    model = _untrained()
    model.set_weights(_trained_weights())
    layer = model.get_layer(drawn.layer)
    layer.set_weights(_spoilt(drawn, *layer.get_weights()))
    return model


def _spoilt(drawn, first, second):
    """The two weights of the faulty layer, once they are broken: kernel and bias, or mean and variance."""
    random, units = np.random.default_rng([drawn.number, 1]), list(drawn.units)
    if drawn.kind == "range":
        factor = random.choice([16, 255])  # as for images from 0 to 16, or from 0 to 255
        first, second = first * factor, second * factor**2
    elif drawn.kind == "dead":
        second[units] -= 20
    elif drawn.kind == "saturated":
        second[units] += 8 * random.choice([-1, 1], len(units))
    elif drawn.kind == "nan":
        first[..., random.integers(first.shape[-2]), units] = np.nan
    else:
        first[..., units], second[units] = 0, 0.5
    return [first, second]


def _untrained():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.BatchNormalization(center=False, scale=False, epsilon=1e-6, trainable=False, name="normalize"),
            layers.Conv2D(SIZES["conv1"], 3, padding="same", activation="relu", name="conv1"),
            layers.Conv2D(SIZES["conv2"], 3, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(SIZES["hidden1"], "tanh", name="hidden1"),
            layers.Dense(SIZES["hidden2"], "tanh", name="hidden2"),
            layers.Dense(10, "softmax", name="digit"),
        ],
        name="reader",
    )
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@cache
def _trained_weights():
    """The weights of the network before anything is broken; every seventh image is held out."""
    images, labels = digits()
    seen = np.arange(len(images)) % 7 != 0
    keras.utils.set_random_seed(0)
    model = _untrained()
    model.get_layer("normalize").set_weights([np.array([images[seen].mean()]), np.array([images[seen].var()])])
    model.fit(images[seen], labels[seen], epochs=6, batch_size=35, verbose=0)
    return model.get_weights()


if __name__ == "__main__":
    before = None
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        if name := line.strip():
            found = fault(name)
            note = "  the same kind as the line before" if before == found.kind else ""
            print(f"{name:30} {found.kind:11} {found.layer:10}{note}")
            before = found.kind
