"""The calls that are read from a functional graph are those that a run of the model makes."""

from __future__ import annotations

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from actwidget.capture.run.graph_calls import graph_call, output_of
from actwidget.capture.run.tap import Tap, run_apart, run_symbolically
from actwidget.keras_internals.graph import function_of
from tests.capture import zoo


def read(model):
    return graph_call(model, run_symbolically, run_apart)


def ran(model, x):
    tap = Tap(model, structure=True)
    tap.run(keras.tree.map_structure(keras.ops.convert_to_tensor, x), training=False)
    return tap.seen


def listed(call, samples, prefix=""):
    """Each call below one with what it gives; an axis as long as the batch is open, as the graph has it."""
    found = {}
    for inner in call.calls:
        path = prefix + inner.name
        opened = {}
        for name, output in inner.outputs.items():
            shape = tuple(None if axis == samples and not place else axis for place, axis in enumerate(output.shape))
            opened[name] = (shape, output.dtype)
        found[path] = (id(inner.operation), inner.index, opened)
        found |= listed(inner, samples, f"{path}/")
    return found


MODELS = [zoo.dense, zoo.siamese, zoo.nested, zoo.operations, zoo.dict_inputs, zoo.half_precision, zoo.shared_elsewhere]


@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_a_graph_tells_what_a_run_shows(build):
    model, x = build()
    samples = len(keras.tree.flatten(x)[0])
    assert listed(read(model), samples) == listed(ran(model, x), samples)


def test_nothing_runs_for_it():
    ran_on = []

    class Noted(layers.Layer):
        def call(self, inputs):
            ran_on.append(inputs)
            return inputs

    x = keras.Input((3,), name="x")
    model = keras.Model(x, Noted(name="noted")(x))
    ran_on.clear()
    assert [call.name for call in read(model).calls] == ["x", "noted"]
    assert ran_on == []


@given(st.integers(1, 5), st.integers(1, 5))
def test_a_fixed_number_of_samples_is_read_as_an_open_one(samples, width):
    x = keras.Input(batch_shape=(samples, 3), name="x")
    y = keras.ops.expand_dims(layers.Dense(width, name="dense")(x), 1)
    function = function_of(keras.Model(x, y))
    assert output_of(function, x).shape == (None, 3)
    assert output_of(function, y).shape == (None, 1, width)  # another axis of that length stays


def test_what_stands_in_a_loop_is_read_with_its_gates():
    x = keras.Input((5, 3), name="x")
    model = keras.Model(x, layers.GRU(4, name="gru")(x))
    cell = read(model).calls[1].intermediates.calls[0]
    assert cell.name == "gru_cell"
    gates = {name: (value.kind, value.output.shape) for name, value in cell.intermediates.values.items()}
    assert gates == {
        "update_gate": ("Gate", (None, 5, 4)),
        "reset_gate": ("Gate", (None, 5, 4)),
        "candidate": ("Candidate", (None, 5, 4)),
        "hidden_state": ("HiddenState", (None, 5, 4)),
    }
