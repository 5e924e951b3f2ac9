"""The sentence below a layer's name."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from actwidget.explorer.description.sentence import sentence
from actwidget.explorer.explorer import Explorer


def sentences(model, shape):
    explorer = Explorer(model, np.zeros((1, *shape), np.float32))
    return {node.path: sentence(explorer.inspector.layer(node.path, 0)) for node in explorer.tree}


def test_a_layer_that_joins_several_values_names_where_they_come_from():
    x = keras.Input((4, 4, 2), name="image")
    left = layers.Conv2D(3, 1, name="left")(x)
    right = layers.Conv2D(3, 1, name="right")(x)
    joined = layers.Add(name="joined")([left, right])
    inner = keras.Sequential([keras.Input((4, 4, 3)), layers.ReLU(name="relu")], name="inner")
    three = layers.Concatenate(name="three")([inner(joined), left, right])
    many = layers.Average(name="many")([layers.Conv2D(1, 1, name=f"part{place}")(three) for place in range(5)])
    found = sentences(keras.Model(x, many), (4, 4, 2))
    assert found["joined"] == "Add of left and right · 3 channels of 4 × 4"
    assert found["three"] == "Concatenate of inner, left and right · 9 channels of 4 × 4"
    assert found["many"] == "Average of 5 layers · 1 channel of 4 × 4"
    assert found["left"] == "Conv2D · 3 channels of 4 × 4 · 9 parameters"
    assert found["inner/relu"] == "ReLU · 3 channels of 4 × 4"


def test_a_layer_that_is_given_one_value_twice_names_it_once():
    x = keras.Input((3,), name="x")
    found = sentences(keras.Model(x, layers.Add(name="twice")([x, x])), (3,))
    assert found["twice"] == "Add · 3 units"
