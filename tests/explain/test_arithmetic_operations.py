"""For operations of functional models that are no layers the terms, the bias and the steps lead to the value."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

import actwidget as aw
from actwidget.capture.trace import read
from actwidget.explain.computation import Computations, computations
from tests.explain.arithmetic_witness import Checked, alone, noise

OF_ONE = {
    "add a number": lambda x: x + 2.0,
    "subtract from a number": lambda x: 1.0 - x,
    "scale by a vector": lambda x: x * np.arange(4, dtype="float32"),
    "divide": lambda x: x / 4.0,
    "divide a number": lambda x: 3.0 / (x + 5.0),
    "negative": lambda x: -x,
    "power": lambda x: ops.abs(x) ** 1.5,
    "relu": ops.relu,
    "gelu": ops.gelu,
    "leaky_relu": lambda x: ops.leaky_relu(x, 0.3),
    "sigmoid": ops.sigmoid,
    "exp": ops.exp,
    "clip": lambda x: ops.clip(x, -0.5, 0.5),
    "softmax": lambda x: ops.softmax(x, axis=1),
    "log_softmax": ops.log_softmax,
    "mean": lambda x: ops.mean(x, axis=(1, 2), keepdims=True),
    "sum": lambda x: ops.sum(x, axis=-1),
    "max": lambda x: ops.max(x, axis=1),
    "min": lambda x: ops.min(x, axis=-1, keepdims=True),
    "mean of all": ops.mean,
    "any": lambda x: ops.any(x > 0.5, axis=-1),
    "maximum with a number": lambda x: ops.maximum(x, 0.25),
    "reshape": lambda x: ops.reshape(x, (-1, 12)),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)),
    "expand_dims": lambda x: ops.squeeze(ops.expand_dims(x, 1), 1),
    "slice": lambda x: x[:, 1:, ::2],
    "index": lambda x: x[:, -1],
    "flip": lambda x: ops.flip(x, axis=1),
    "roll": lambda x: ops.roll(x, 1, axis=1),
    "repeat": lambda x: ops.repeat(x, 2, axis=1),
    "tile": lambda x: ops.tile(x, (1, 2, 1)),
    "split": lambda x: ops.split(x, 2, axis=-1)[1],
    "stack": lambda x: ops.stack([x, 2 * x], axis=2),
    "concatenate": lambda x: ops.concatenate([x, x + 1.0], axis=1),
    "pad": lambda x: ops.where(x > 0, x, 0.1 * x),
    "cast": lambda x: ops.cast(x > 0, "float32"),
    "matmul": lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
    "matmul with a constant": lambda x: ops.matmul(x, np.ones((4, 2), "float32")),
    "einsum": lambda x: ops.einsum("bij,bkj->bik", x, x + 1.0),
    "where": lambda x: ops.where(x > 0, x, ops.zeros_like(x)),
}


@pytest.mark.parametrize("name", OF_ONE)
def test_the_terms_of_an_operation_lead_to_what_it_gives(name: str) -> None:
    x = keras.Input((3, 4), name="x")
    model = keras.Model(x, OF_ONE[name](x))
    checked = Checked(model, noise(2, 3, 4))
    for path, value in checked.captured.items():
        if path.startswith("zeros_like"):  # new values, which are no sum of others
            continue
        checked.at(path, (0,) * value.ndim)
        checked.at(path, tuple(length - 1 for length in value.shape))


OF_TWO = {
    "add": ops.add,
    "subtract": lambda x, y: x - y,
    "multiply": ops.multiply,
    "divide": lambda x, y: x / y,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "broadcast": lambda x, y: x[:, :1] + y,
}


@pytest.mark.parametrize("name", OF_TWO)
def test_the_terms_of_an_operation_of_two_tensors_lead_to_what_it_gives(name: str) -> None:
    x, y = keras.Input((3, 4), name="x"), keras.Input((3, 4), name="y")
    model = keras.Model([x, y], OF_TWO[name](x, y))
    Checked(model, [noise(2, 3, 4), noise(2, 3, 4, seed=2)]).everywhere(2)


def test_of_a_batch_too_large_to_keep_the_sample_is_run_alone(monkeypatch: Any) -> None:
    model, inputs = alone(keras.layers.Conv2D(2, 3, name="conv"), (5, 5, 2)), noise(4, 5, 5, 2)
    whole = aw.arithmetic(model, inputs, "conv", (2, 1, 1, 1))
    monkeypatch.setattr(computations, "KEPT", 100)
    one = Computations(*read(model, inputs)).arithmetic("conv", (-2, 1, 1, 1))
    assert (one.index, one.terms[3].index) == (whole.index, whole.terms[3].index)
    assert one.text == whole.text


def test_after_training_the_arithmetic_is_that_of_the_new_weights() -> None:
    model, inputs = alone(keras.layers.Dense(2, name="dense"), (3,)), noise(1, 3)
    found = Computations(*read(model, inputs))
    before = found.arithmetic("dense", (0, 1))
    model.get_layer("dense").kernel.assign(2 * model.get_layer("dense").kernel)
    after = found.arithmetic("dense", (0, 1))
    assert after.result == pytest.approx(after.value, rel=1e-5)
    assert after.value - after.bias == pytest.approx(2 * (before.value - before.bias), rel=1e-4)
