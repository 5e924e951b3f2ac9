"""Along which axes layers mix values."""

from __future__ import annotations

import pytest
from keras import layers, ops

from actwidget.capture.semantics.pointwise import is_pointwise, mixed_axes

AXES = {
    "dense": (layers.Dense(3), {3}),
    "dense with a softmax": (layers.Dense(3, activation="softmax"), {3}),
    "relu": (layers.Activation("relu"), set()),
    "softmax": (layers.Activation("softmax"), {3}),
    "softmax over rows and columns": (layers.Softmax(axis=(1, 2)), {1, 2}),
    "normalization of maps": (layers.LayerNormalization(axis=[1, 2, 3]), {1, 2, 3}),
    "concatenation of rows": (layers.Concatenate(axis=1), {1}),
    "a layer for an activation": (layers.Dense(3, activation=layers.Softmax(axis=1)), {1, 3}),
    "a function of the user's": (layers.Activation(lambda x: ops.flip(x, axis=1)), {1, 2, 3}),
    "a layer that is not known, for an activation": (layers.Activation(layers.UnitNormalization()), {1, 2, 3}),
}


@pytest.mark.parametrize("name", AXES)
def test_the_axes_are_those_of_the_layer_and_those_of_its_activation(name):
    layer, axes = AXES[name]
    assert is_pointwise(layer)
    assert mixed_axes(layer, 4) == axes


@pytest.mark.parametrize("layer", [layers.Conv2D(3, 3), layers.Flatten(), layers.UnitNormalization(), layers.Dot(1)])
def test_what_looks_elsewhere_is_not_pointwise(layer):
    assert not is_pointwise(layer)
