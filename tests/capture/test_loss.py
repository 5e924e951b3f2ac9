"""The loss of a compiled model says whether an output is meant as classes or as numbers."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, losses

from actwidget.capture.semantics.loss import aim_of


def two_outputs(*, named: bool):
    x = keras.Input((3,))
    kind, size = layers.Dense(4, name="kind")(x), layers.Dense(1, name="size")(x)
    return keras.Model(x, {"z_kind": kind, "a_size": size} if named else [kind, size])


@pytest.mark.parametrize(
    ("loss", "aim"),
    [
        ("sparse_categorical_crossentropy", "classes"),
        (losses.BinaryCrossentropy(from_logits=True), "classes"),
        (losses.CategoricalFocalCrossentropy(name="mine"), "classes"),
        (losses.categorical_hinge, "classes"),
        (losses.KLDivergence(), "classes"),
        ("mse", "numbers"),
        (losses.Huber(name="mine"), "numbers"),
        (losses.mean_absolute_error, "numbers"),
        (losses.MeanAbsolutePercentageError(), "numbers"),
        (lambda true, predicted: keras.ops.abs(true - predicted), None),
    ],
)
def test_a_loss_says_what_it_compares_whatever_its_name(loss, aim):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="out")])
    assert aim_of(model, "out") is None  # it is not compiled
    model.compile(loss=loss)
    assert aim_of(model, "out") == aim


@pytest.mark.parametrize(
    ("named", "loss"),
    [
        (False, ["sparse_categorical_crossentropy", "mse"]),
        (False, {"size": "mse", "kind": "sparse_categorical_crossentropy"}),
        (True, {"z_kind": "sparse_categorical_crossentropy", "a_size": "mse"}),
    ],
)
def test_each_output_has_its_own_loss_as_it_has_in_training(named, loss):
    model = two_outputs(named=named)
    model.compile(loss=loss)
    kind, size = np.array([0, 3]), np.array([[0.5], [1.5]])
    model.fit(np.ones((2, 3)), {"z_kind": kind, "a_size": size} if named else [kind, size], verbose=0)
    names = [tensor._keras_history.operation.name for tensor in model.outputs]
    aims = {name: aim_of(model, name, index, 2) for index, name in enumerate(names)}
    assert aims == {"kind": "classes", "size": "numbers"}


def test_of_an_output_without_a_loss_nothing_is_known():
    model = two_outputs(named=False)
    model.compile(loss={"size": "mse"})
    assert (aim_of(model, "kind", 0, 2), aim_of(model, "size", 1, 2)) == (None, "numbers")
