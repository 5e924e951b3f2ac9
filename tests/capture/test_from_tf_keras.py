"""A model of Keras 2 becomes one of Keras 3 that computes the same; tf_keras's own `predict` is the witness."""

from __future__ import annotations

import gc
import pickle
import tempfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

import actwidget as aw
from actwidget.capture.structure.keras_2.example import made_up_inputs
from actwidget.errors import InvalidInputsError, ModelNotBuiltError, UnsupportedModelError
from tests.capture import zoo
from tests.capture.keras_2_zoo import MODELS, with_other_weights

APPLICATIONS = {name for name in MODELS if name[0].isupper()}


def built(name):
    model = MODELS[name]()
    return model if name in APPLICATIONS else with_other_weights(model)


@pytest.mark.parametrize("name", MODELS)
def test_the_model_predicts_what_tf_keras_predicts(name):
    model = built(name)
    made = aw.from_tf_keras(model)
    inputs = other_inputs(model)
    states = [state.numpy() for state in states_of(model)]
    expected = model.predict(inputs, verbose=0)
    for state, value in zip(states_of(model), states, strict=True):
        state.assign(value)
    found = made.predict(inputs, verbose=0)
    keras.tree.assert_same_structure(expected, found)
    coarse = name == "half_precision"
    for one, other in zip(keras.tree.flatten(expected), keras.tree.flatten(found), strict=True):
        assert one.shape == other.shape
        largest = np.abs(one).max()
        np.testing.assert_allclose(
            other, one, rtol=0, atol=largest * (2e-2 if coarse else 1e-3 if name in APPLICATIONS else 1e-4)
        )


def other_inputs(model):
    """Inputs that the comparison in `from_tf_keras` has not seen, of the same kinds."""
    return keras.tree.map_structure(lambda value: tf.reverse(value, [0, -1]), made_up_inputs(model))


def states_of(model):
    return [state for layer in model.layers if getattr(layer, "stateful", False) for state in layer.states]
