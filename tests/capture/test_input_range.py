from __future__ import annotations

import keras
import numpy as np
import pytest

from actwidget.capture.semantics.input_range import expected_range
from actwidget.capture.trace import trace


def started_with(*layers: keras.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 3)), *layers, keras.layers.Conv2D(2, 3)])


def normalization(mean: float, spread: float) -> keras.Layer:
    return keras.layers.Normalization(mean=[mean] * 3, variance=[spread**2] * 3)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([keras.layers.Rescaling(1 / 255)], (0, 255)),
        ([keras.layers.Rescaling(1 / 127.5, -1)], (0, 255)),
        ([keras.layers.Rescaling(2.0, -1)], (0, 1)),
        ([keras.layers.RandomFlip(), keras.layers.Rescaling(1 / 255)], None),
        ([normalization(0.45, 0.22)], (0, 1)),
        ([normalization(120.0, 58.0)], (0, 255)),
        ([keras.layers.Normalization()], None),
        ([], None),
        ([keras.layers.Conv2D(2, 3), keras.layers.Rescaling(1 / 255)], None),
    ],
)
def test_the_values_that_a_model_expects_follow_from_the_layer_that_scales_them(layers, expected):
    assert expected_range(trace(started_with(*layers))) == expected


def test_the_layer_that_scales_can_stand_in_a_nested_model():
    inner = started_with(keras.layers.Rescaling(1 / 255))
    model = keras.Sequential([keras.Input((8, 8, 3)), inner, keras.layers.Flatten()])
    assert expected_range(trace(model, np.zeros((1, 8, 8, 3)))) == (0, 255)
