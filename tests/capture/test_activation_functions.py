"""Activation functions: which values each of them can give, and on which of its input each depends."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from actwidget.capture.semantics.table.activation_functions import (
    BOUNDS,
    bounds_of_function,
    works_along_the_last_axis,
    works_value_by_value,
)
from tests.rounding import assert_close

X = np.random.default_rng(1).normal(size=(3, 5)).astype("float32")
PUBLIC = {name: value for name, value in vars(keras.activations).items() if callable(value)}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if name not in {"get", "serialize", "deserialize"}}


def depends_on(function):
    """For each value of a row of the output whether it changes with each value of the row of the input."""
    one, before = X[:1], ops.convert_to_numpy(function(X[:1]))
    steps = [sign * 3 * np.eye(5, dtype="float32")[[index]] for index in range(5) for sign in (1, -1)]
    changed = [ops.convert_to_numpy(function(one + step))[0] != before[0] for step in steps]
    return np.array(changed).reshape(5, 2, 5).any(axis=1)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_of_keras_works_as_is_said(name):
    function = FUNCTIONS[name]
    if works_value_by_value(function):
        assert np.array_equal(depends_on(function), np.eye(5, dtype=bool))
    elif works_along_the_last_axis(function):
        assert (depends_on(function) & ~np.eye(5, dtype=bool)).any()
        assert_close(function(X)[1:], function(X[1:]))
    else:
        assert name in {"glu", "threshold"}  # one halves the axis, the other asks for more arguments


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_are_reached_and_not_passed(name):
    values = ops.convert_to_numpy(getattr(keras.activations, name)(np.array([[-1e3, -1.0, 0.5, 1e3]], "float32")))
    low, high = bounds_of_function(getattr(keras.activations, name))
    assert values.max() == high
    assert low is None or values.min() == low


def test_a_function_is_known_by_its_package_too():
    assert bounds_of_function(tf.nn.relu6) == (0.0, 6.0)

    def tanh(x):
        return 10 * x

    assert bounds_of_function(tanh) is None
    assert bounds_of_function(None) is None
    assert not works_value_by_value(tanh)
