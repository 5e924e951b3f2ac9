"""The gates and states of recurrent cells at each step, held to the formulas worked out in NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers

import actwidget as aw
from actwidget.capture.access.session import Session
from actwidget.capture.semantics.bounds import activation_bounds
from actwidget.capture.semantics.channel_axis import channel_axis_of
from actwidget.capture.trace import trace
from actwidget.errors import NotCapturableError, OptionError
from tests.capture import zoo
from tests.capture.loop_witness import by_hand

RANDOM = {"bias_initializer": "random_normal", "recurrent_initializer": "random_normal"}
CELLS = {
    "LSTM": lambda **how: layers.LSTM(4, **RANDOM, **how),
    "GRU": lambda **how: layers.GRU(4, **RANDOM, **how),
    "GRU that resets before": lambda **how: layers.GRU(4, reset_after=False, **RANDOM, **how),
    "GRU without bias": lambda **how: layers.GRU(4, use_bias=False, **how),
    "SimpleRNN": lambda **how: layers.SimpleRNN(4, **RANDOM, **how),
    "RNN of a cell": lambda **how: layers.RNN(layers.LSTMCell(4, activation="relu", **RANDOM), **how),
    "stacked cells": lambda **how: layers.RNN([layers.LSTMCell(3), layers.GRUCell(5), layers.LSTMCell(4)], **how),
}
WAYS = {
    "the last step": {},
    "all steps": {"return_sequences": True},
    "backwards": {"return_sequences": True, "go_backwards": True},
    "with states": {"return_state": True},
    "unrolled": {"unroll": True},
}
x = zoo.noise(3, 6, 2)


def assert_by_hand(found, layer, prefix, *given_to, **options):
    expected = by_hand(layer, *given_to, **options)
    assert [path for path in found if path.startswith(f"{prefix}/")] == [f"{prefix}/{path}" for path in expected]
    for path, value in expected.items():
        np.testing.assert_allclose(found[f"{prefix}/{path}"], value, rtol=1e-4, atol=1e-5, err_msg=path)


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
def test_each_step_of_each_cell_is_what_the_formulas_give(make, how):
    layer = make(name="loop", **how)
    inputs = keras.Input((6, 2))
    model = keras.Model(inputs, layer(inputs))
    tree, found = aw.layer_tree(model), aw.activations(model, x)
    assert_by_hand(found, layer, "loop", x)
    for path in found:
        assert tree[path].output_shape == (None, *found[path].shape[1:])
        np.testing.assert_allclose(aw.activations(model, x, path)[path], found[path], atol=1e-6, err_msg=path)


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
def test_steps_that_the_mask_leaves_out_change_no_state(make, sequences):
    tokens = np.array([[0, 0, 3, 4], [3, 0, 1, 0], [0, 0, 0, 0]])
    layer = make(name="loop", return_sequences=sequences)
    embedding = layers.Embedding(5, 2, mask_zero=True, name="embedding")
    model = keras.Sequential([keras.Input((4,), dtype="int32"), embedding, layer])
    found = aw.activations(model, tokens)
    assert_by_hand(found, layer, "loop", found["embedding"], tokens > 0)
    gate = next(path for path in found if path.endswith("hidden_state"))
    np.testing.assert_array_equal(Session(model, tokens).captured(gate).mask, tokens > 0)


@pytest.mark.parametrize("sequences", [False, True])
def test_the_first_step_starts_from_the_states_that_are_given(sequences):
    inputs, hidden, kept = keras.Input((6, 2)), keras.Input((4,)), keras.Input((4,))
    layer = layers.LSTM(4, return_sequences=sequences, name="loop")
    model = keras.Model([inputs, hidden, kept], layer(inputs, initial_state=[hidden, kept]))
    states = [zoo.noise(3, 4), zoo.noise(3, 4)]
    assert_by_hand(aw.activations(model, [x, *states]), layer, "loop", x, states=states)


def test_a_stateful_layer_goes_on_from_where_it_was_and_stays_there():
    layer = layers.GRU(4, stateful=True, name="loop")
    model = keras.Sequential([keras.Input((6, 2), batch_size=3), layer])
    model(x)
    before = [state.numpy() for state in layer.states]
    assert_by_hand(aw.activations(model, x), layer, "loop", x, states=before)
    np.testing.assert_array_equal(layer.states[0], before[0])
    sub = aw.submodel(model, "loop/gru_cell/update_gate")
    expected = by_hand(layer, x, states=before)
    np.testing.assert_allclose(sub(x), expected["gru_cell/update_gate"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.states[0], expected["gru_cell"][:, -1], atol=1e-6)


@pytest.mark.parametrize("merge", ["concat", None])
def test_both_directions_have_their_gates_each_in_its_own_order(merge):
    lstm = layers.LSTM(4, return_sequences=True, name="lstm")
    both = layers.Bidirectional(lstm, merge_mode=merge, name="both")
    inputs = keras.Input((6, 2))
    found = aw.activations(keras.Model(inputs, both(inputs)), x)
    assert_by_hand(found, both.forward_layer, "both/forward_lstm", x)
    assert_by_hand(found, both.backward_layer, "both/backward_lstm", x)


@pytest.mark.parametrize("sequences", [False, True])
def test_the_gates_of_convolutions_in_time_are_feature_maps(sequences):
    layer = layers.ConvLSTM2D(3, 2, strides=2, return_sequences=sequences, **RANDOM, name="loop")
    model = keras.Sequential([keras.Input((4, 7, 6, 2)), layer])
    film = zoo.noise(2, 4, 7, 6, 2)
    assert_by_hand(aw.activations(model, film), layer, "loop", film)
    graph = trace(model)
    for node in graph.tree["loop"].children:
        assert channel_axis_of(node, graph.operations[node.path], graph.steps(node.path)).channel_label == "channel"
    assert aw.LayerExplorer(model, film, layer="loop/conv_lstm_cell/input_gate", channel=2).figure.data


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(list(CELLS)),
    st.tuples(st.integers(1, 4), st.integers(1, 7)),
    st.sampled_from(list(WAYS)),
    st.data(),
)
def test_any_number_of_samples_and_steps(cell, size, way, data):
    samples, steps = size
    layer = CELLS[cell](**WAYS[way] | {"unroll": False}, name="loop")
    inputs, masks = keras.Input((None, 2)), keras.Input((None,), dtype="bool")
    model = keras.Model([inputs, masks], layer(inputs, mask=masks))
    flags = st.lists(st.booleans(), min_size=samples * steps, max_size=samples * steps)
    value, mask = zoo.noise(samples, steps, 2), np.reshape(data.draw(flags), (samples, steps))
    assert_by_hand(aw.activations(model, [value, mask]), layer, "loop", value, mask)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_gates_in_another_precision(policy):
    layer = layers.LSTM(4, return_sequences=True, dtype=policy, name="loop")
    inputs = keras.Input((6, 2))
    model = keras.Model(inputs, layer(inputs))
    found, expected = aw.activations(model, x), by_hand(layer, x)
    for path, value in expected.items():
        assert found[f"loop/{path}"].dtype == value.dtype
        np.testing.assert_allclose(found[f"loop/{path}"], value, atol=0.03 if "mixed" in policy else 1e-6)


@pytest.mark.parametrize("sequences", [False, True])
def test_a_submodel_gives_the_gates_called_and_under_predict_with_steps_of_open_number(sequences):
    layer = layers.LSTM(4, return_sequences=sequences, name="loop")
    inputs = keras.Input((None, 2))
    model = keras.Model(inputs, layer(inputs))
    expected = by_hand(layer, x)
    for path in ("lstm_cell/forget_gate", "lstm_cell/cell_state", "lstm_cell"):
        sub = aw.submodel(model, f"loop/{path}")
        assert sub.output_shape == (None, None, 4)
        np.testing.assert_allclose(sub(x), expected[path], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(sub.predict(x, verbose=0), expected[path], rtol=1e-4, atol=1e-5)


def test_dropout_is_refused_in_training_and_is_no_matter_outside():
    layer = layers.LSTM(4, dropout=0.5, recurrent_dropout=0.2, name="loop")
    inputs = keras.Input((6, 2), name="x")
    model = keras.Model(inputs, layer(inputs))
    assert_by_hand(aw.activations(model, x), layer, "loop", x)
    assert list(aw.activations(model, x, training=True)) == ["x", "loop"]
    with pytest.raises(NotCapturableError, match=r"inside the loop of 'loop', and dropout .* training=False"):
        aw.activations(model, x, "loop/lstm_cell/input_gate", training=True)


def test_a_layer_that_computes_something_else_is_refused():
    class Doubled(layers.LSTM):
        def call(self, sequences, initial_state=None, mask=None):
            return 2 * super().call(sequences, initial_state, mask)

    model = keras.Sequential([keras.Input((6, 2)), Doubled(4, name="loop")])
    assert [path for path in aw.activations(model, x) if "/" in path] == []
    with pytest.raises(NotCapturableError, match="not what its cell's weights make of its inputs"):
        aw.activations(model, x, "loop/lstm_cell/input_gate")


def test_a_cell_of_an_own_class_stays_opaque():
    class Own(layers.LSTMCell):
        pass

    model = keras.Sequential([keras.Input((6, 2)), layers.RNN(Own(4, name="own"), name="loop")])
    node = aw.layer_tree(model)["loop/own"]
    assert (node.origin, node.reason) == ("opaque", "runs once a time step, inside the loop of 'loop'")
    assert node.children == ()


def test_nothing_can_be_put_behind_a_gate():
    model = keras.Sequential([keras.Input((6, 2)), layers.LSTM(4, name="loop")])
    with pytest.raises(OptionError, match=r"got 'loop/lstm_cell/input_gate'.*Put the change behind 'loop'"):
        aw.edit(model, {"loop/lstm_cell/input_gate": aw.Ablate(0)})


def test_gates_have_the_bounds_of_their_activations():
    model = keras.Sequential([keras.Input((6, 2)), layers.LSTM(4, name="loop")])
    graph = trace(model)
    bounds = {node.name: activation_bounds(graph.operations[node.path], node) for node in graph.tree}
    assert bounds["input_gate"] == bounds["forget_gate"] == bounds["output_gate"] == (0, 1)
    assert bounds["candidate"] == bounds["hidden_state"] == (-1, 1)
    assert bounds["cell_state"] is None


def test_the_explorer_shows_code_and_values_of_a_gate():
    model = keras.Sequential([keras.Input((6, 2)), layers.GRU(4, return_sequences=True, name="loop")])
    explorer = aw.LayerExplorer(model, x, layer="loop/gru_cell/reset_gate")
    expected = by_hand(model.layers[0], x)["gru_cell/reset_gate"]
    np.testing.assert_allclose(explorer.activation, expected, atol=1e-5)
    assert explorer.figure.data
    scope = {"model": model, "x": x}
    exec(explorer.code, scope)  # noqa: S102 - the recipe is meant to be run
    np.testing.assert_allclose(scope["activation"], expected, atol=1e-5)


def test_models_are_compared_gate_by_gate():
    model = keras.Sequential([keras.Input((6, 2)), layers.GRU(4, name="loop")])
    other = keras.models.clone_model(model)
    first, second = (by_hand(each.layers[0], x) for each in (model, other))
    apart = aw.compare(model, x, other, ["loop/gru_cell/update_gate"])["loop/gru_cell/update_gate"]
    np.testing.assert_allclose(apart, second["gru_cell/update_gate"] - first["gru_cell/update_gate"], atol=1e-5)


def test_a_saved_submodel_of_a_gate_gives_the_same(tmp_path):
    model = keras.Sequential([keras.Input((6, 2)), layers.LSTM(4, name="loop")])
    sub = aw.submodel(model, "loop/lstm_cell/candidate")
    sub.save(tmp_path / "gate.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "gate.keras")(x), sub(x), atol=1e-6)
