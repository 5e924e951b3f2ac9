"""What a tap notes of a call: each tensor's shape and dtype by name, and the calls inside it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from actwidget.capture.run.tap import Tap, run_symbolically
from actwidget.capture.structure.calls import Output
from tests.capture import zoo

TENSORS = {
    "dense": (lambda: tf.zeros((2, 3), "float16"), (2, 3), "float16"),
    "a scalar": (lambda: tf.constant(1), (), "int32"),
    "text": (lambda: tf.constant(["a"]), (1,), "string"),
    "bool": (lambda: tf.constant([True, False]), (2,), "bool"),
    "ragged": (lambda: tf.ragged.constant([[1.0, 2.0], [3.0]]), (2, None), "float32"),
    "sparse": (lambda: tf.sparse.from_dense(np.eye(3)), (3, 3), "float64"),
}


@pytest.mark.parametrize(("make", "shape", "dtype"), TENSORS.values(), ids=TENSORS)
def test_the_shape_and_dtype_of_any_kind_of_tensor_are_noted(make, shape, dtype):
    assert Output.of(make()) == Output(shape, dtype)


def test_in_a_graph_what_is_open_is_noted_as_open():
    seen = []

    @tf.function(input_signature=[tf.TensorSpec((None, 3)), tf.TensorSpec(None, "int64")])
    def look(*tensors):
        seen.extend(map(Output.of, tensors))

    look(tf.zeros((2, 3)), tf.constant([1], "int64"))
    assert seen[:2] == [Output((None, 3), "float32"), Output(None, "int64")]


class Twice(keras.Model):
    """Calls a layer of several outputs twice, and one that gives no tensor."""

    def __init__(self):
        super().__init__(name="twice")
        self.lstm = layers.LSTM(4, return_sequences=True, return_state=True, name="lstm")
        self.nothing = layers.Lambda(lambda _: None, name="nothing")

    def call(self, inputs):
        whole, *_ = self.lstm(inputs)
        self.nothing(whole)
        return self.lstm(whole)[0]


@pytest.mark.parametrize("symbolic", [False, True])
def test_each_call_has_its_own_name_and_those_of_its_outputs(symbolic):
    model, x = Twice(), zoo.noise(2, 5, 4)
    model(x)
    if symbolic:
        tap = run_symbolically(model, (keras.KerasTensor((2, 5, 4)),), {})
    else:
        tap = Tap(model, structure=True)
        tap.run(keras.ops.convert_to_tensor(x))
    first, nothing, second = tap.seen.calls
    assert [(call.name, call.index) for call in (first, nothing, second)] == [
        ("lstm", 0),
        ("nothing", 0),
        ("lstm@1", 1),
    ]
    assert (first.operation, nothing.operation) == (model.lstm, model.nothing)
    shapes = [(2, 5, 4), (2, 4), (2, 4)]
    for call in (first, second):
        assert {name: output.shape for name, output in call.outputs.items()} == {
            f"{call.name}{mark}": shape for mark, shape in zip(("", ":1", ":2"), shapes, strict=True)
        }
    assert nothing.outputs == {}
    assert first.calls == second.calls == []
    assert not any(call.is_made or call.reason for call in (first, nothing, second))
