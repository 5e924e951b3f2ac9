"""Layers are asked beside the pass for what they compute on the way, and the model is left as it was."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

import actwidget as aw
from actwidget.capture.run.probes.attention import AttentionProbe
from actwidget.capture.run.probes.cells import arithmetic_of, delayed
from actwidget.capture.run.probes.probe import ProbedCall, agrees, holds
from actwidget.capture.run.probes.recurrent import RecurrentProbe
from actwidget.capture.run.probes.registry import probe_of
from actwidget.capture.run.probes.replay import Before
from actwidget.capture.run.probes.time_distributed import TimeDistributedProbe
from actwidget.capture.run.tap import Tap, run_apart
from actwidget.keras_internals.tensors import mask_of, set_mask
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


def test_losses_of_a_layer_that_is_asked_for_its_scores_count_once():
    x = keras.Input((5, 3))
    attend = keras.layers.MultiHeadAttention(2, 3, name="attend", activity_regularizer="l2")
    model, value = keras.Model(x, attend(x, x)), zoo.noise(2, 5, 3)
    model(value)
    expected = [float(loss) for loss in model.losses]
    scores = aw.submodel(model, "attend/scores")
    scores(value)
    assert [float(loss) for loss in scores.losses] == pytest.approx(expected)


@pytest.mark.parametrize("subclassed", [False, True])
def test_attention_scores_leave_out_what_the_mask_leaves_out(subclassed):
    """Keras's layer takes the masks off its inputs: a second call without them would look at every step."""
    embed = keras.layers.Embedding(9, 8, mask_zero=True, name="embed")
    attend = keras.layers.MultiHeadAttention(2, 4, name="attend")

    class Reader(keras.Model):
        def __init__(self):
            super().__init__(name="reader")
            self.embed, self.attend = embed, attend

        def call(self, tokens):
            y = self.embed(tokens)
            return self.attend(y, y)

    x = np.array([[3, 4, 5, 0, 0], [1, 2, 3, 4, 5]])
    tokens = keras.Input((5,), dtype="int32")
    y = embed(tokens)
    model = Reader() if subclassed else keras.Model(tokens, attend(y, y))
    scores = aw.activations(model, x, "attend/scores")["attend/scores"]
    embedded = embed(x)
    np.testing.assert_allclose(scores, attend(embedded, embedded, return_attention_scores=True)[1], atol=1e-6)
    assert (scores[0, :, :3, 3:] == 0).all()
    np.testing.assert_allclose(scores[0, :, :3].sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_array_equal(aw.LayerExplorer(model, x, layer="attend/scores").activation, scores)


def scores_of(layer, *given, **options):
    return np.asarray(layer(*given, return_attention_scores=True, **options)[1])


def test_a_layer_is_asked_by_the_probe_of_its_kind():
    class Own(layers.LSTM):
        pass

    class NoScores(layers.MultiHeadAttention):
        def call(self, query, value):
            return query + value

    cell = layers.LSTM(2)
    for layer in (cell, Own(2), layers.GRU(2), layers.RNN(layers.LSTMCell(2)), layers.ConvLSTM1D(2, 2)):
        assert isinstance(probe_of(layer), RecurrentProbe)
    assert isinstance(probe_of(layers.TimeDistributed(layers.Dense(2))), TimeDistributedProbe)
    for layer in (layers.Attention(), layers.AdditiveAttention(), layers.MultiHeadAttention(2, 2)):
        assert isinstance(probe_of(layer), AttentionProbe)
    # A wrapper runs its layers by calls that are seen; of a call without the argument there is nothing to be asked.
    for layer in (layers.Dense(2), layers.Bidirectional(cell), NoScores(2, 2), cell.cell):
        assert probe_of(layer) is None


FLOATS = {"float64": 1e-7, "float32": 1e-3, "float16": 0.1, "bfloat16": 0.3}
"""By how much of the largest value a number is off that no rounding explains."""


@given(st.sampled_from(sorted(FLOATS)), st.lists(st.integers(1, 4), max_size=3), st.data())
def test_values_agree_within_the_rounding_of_their_precision_and_no_further(dtype, shape, data):
    seed = data.draw(st.integers(0, 99))
    exact = np.random.default_rng(seed).uniform(0.5, 1.0, shape)
    value = tf.cast(exact, dtype)
    epsilon = tf.cast(1 + FLOATS[dtype] / 1000, dtype)
    assert bool(agrees([value, value * epsilon], [value * epsilon, value]))
    off = np.zeros(shape)
    off.reshape(-1)[data.draw(st.integers(0, off.size - 1))] = FLOATS[dtype]
    assert not bool(agrees([value + tf.cast(off, dtype)], [value]))


UNLIKE = {
    "another number of them": ([1.0], [1.0, 1.0]),
    "another shape": ([[1.0]], [[1.0, 1.0]]),
    "another dtype": ([1.0], [1]),
    "another whole number": ([10**9], [10**9 + 1]),
    "a missing value": ([float("nan")], [1.0]),
    "another sign of infinity": ([float("inf")], [-float("inf")]),
}


@pytest.mark.parametrize(("one", "other"), UNLIKE.values(), ids=UNLIKE)
def test_what_differs_in_kind_does_not_agree(one, other):
    pairs = [[tf.constant(each) for each in side] for side in (one, other)]
    assert not bool(agrees(*pairs))


def test_missing_infinite_and_no_values_agree_with_their_like():
    odd = tf.constant([np.nan, np.inf, -np.inf, 1.0])
    assert bool(agrees([odd, tf.zeros((0, 3)), tf.constant(["a"])], [odd, tf.zeros((0, 3)), tf.constant(["a"])]))
    ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
    assert not bool(agrees([ragged], [ragged]))  # which is not looked into


def test_in_a_graph_a_check_that_fails_is_an_error_when_it_runs():
    @tf.function
    def checked(value):
        assert holds(agrees([value], [tf.ones(2)]), "the values are others")
        return value * 2

    np.testing.assert_array_equal(checked(tf.ones(2)), [2, 2])
    with pytest.raises(tf.errors.InvalidArgumentError, match="the values are others"):
        checked(tf.zeros(2))
    assert not holds(agrees([tf.zeros(2)], [tf.ones(2)]), "at once")


def test_the_arguments_of_a_call_stand_by_their_names_with_the_mask_that_comes_on_a_tensor():
    masked = layers.Embedding(9, 3, mask_zero=True)(np.array([[1, 2, 0]]))
    plain, lstm, attend = tf.ones((1, 3, 3)), layers.LSTM(2), layers.MultiHeadAttention(2, 2)

    def arguments(layer, *args, **kwargs):
        return ProbedCall(layer, args, kwargs, run_apart).arguments

    found = arguments(lstm, masked)
    assert list(found) == ["sequences", "mask"]
    assert as_array(found["mask"]).tolist() == [[True, True, False]]
    own = tf.constant([[True, False, False]])
    assert arguments(lstm, masked, mask=own)["mask"] is own
    assert arguments(lstm, plain, a_wish_of_the_users_own=3) == {"sequences": plain, "mask": None}
    assert "mask" not in arguments(attend, masked, plain)


def test_of_several_tensors_keras_passes_no_mask_on_and_neither_does_a_probe():
    masked, lstm = layers.Embedding(9, 3, mask_zero=True)(np.array([[1, 2, 0]])), layers.LSTM(2)
    states = [tf.zeros((1, 2)), tf.zeros((1, 2))]
    assert list(ProbedCall(lstm, (masked,), {"initial_state": states}, run_apart).arguments) == [
        "sequences",
        "initial_state",
    ]
    unmasked = as_array(lstm(tf.constant(as_array(masked))))
    assert_close(lstm(masked, initial_state=states), unmasked)
    assert np.abs(as_array(lstm(masked)) - unmasked).max() > 1e-4


ASKED = {
    "of heads": (lambda: layers.MultiHeadAttention(2, 4, dropout=0.5, seed=1, name="attend"), (2, 5, 5)),
    "of groups": (lambda: layers.GroupQueryAttention(4, 4, 2, dropout=0.5, seed=1, name="attend"), (4, 5, 5)),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("make", "shape"), ASKED.values(), ids=ASKED)
def test_scores_are_those_of_the_same_call_and_the_seed_moves_once(make, shape, training):
    attend, x = make(), zoo.noise(2, 5, 3)
    inputs = keras.Input((5, 3))
    model = keras.Model(inputs, attend(inputs, inputs))
    state = attend._dropout_layer.seed_generator.state
    start = state.numpy()
    tap = Tap(model, wanted={"attend", "attend/scores"})
    tap.run(tf.constant(x), training=training)
    after, found = state.numpy(), tap.values["attend/scores"]
    assert found.shape == (2, *shape)
    # The same call once more from the same seed: it drops the same, and ends with the same seed.
    state.assign(start)
    assert_close(found, scores_of(attend, x, x, training=training))
    np.testing.assert_array_equal(state, after)
    state.assign(start)
    assert_close(tap.values["attend"], attend(x, x, training=training))


def test_a_call_made_once_more_finds_the_layer_as_it_was_before_and_leaves_it_as_it_is():
    lstm = layers.LSTM(2, stateful=True)
    masked = layers.Embedding(9, 3, mask_zero=True)(np.array([[1, 2, 0]]))
    mask = mask_of(masked)
    lstm(masked)
    before_call = [state.numpy() for state in lstm.states]
    before = Before.of(probe_of(lstm), lstm, (masked,), {})
    expected = as_array(lstm(masked))
    set_mask(masked, None)  # as attention takes the masks off its inputs
    after_call = [state.numpy() for state in lstm.states]
    for _ in range(2):
        with before.restored():
            assert mask_of(masked) is mask
            for state, value in zip(lstm.states, before_call, strict=True):
                np.testing.assert_array_equal(state, value)
            assert_close(lstm(masked), expected)
        assert mask_of(masked) is None
        for state, value in zip(lstm.states, after_call, strict=True):
            np.testing.assert_array_equal(state, value)


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def test_a_cell_opens_its_gates_and_advances_by_one_step_as_keras_does():
    inputs, hidden, kept = zoo.noise(3, 2), zoo.noise(3, 4, seed=1), zoo.noise(3, 4, seed=2)
    cells = [
        (layers.LSTMCell(4), [hidden, kept]),
        (layers.GRUCell(4), [hidden]),
        (layers.GRUCell(4, reset_after=False), [hidden]),
        (layers.SimpleRNNCell(4), [hidden]),
    ]
    for cell, states in cells:
        _, expected = cell(inputs, states)
        arithmetic = arithmetic_of(cell)(cell)
        gates = arithmetic.open(arithmetic.project(inputs), keras.ops.convert_to_tensor(hidden))
        new = arithmetic.advance(gates, list(map(keras.ops.convert_to_tensor, states)))
        assert len(new) == len(arithmetic.states)
        for found, state in zip(new, keras.tree.flatten(expected), strict=True):
            assert_close(found, state)


def test_the_gates_of_an_lstm_are_in_the_order_of_their_names():
    cell, inputs, hidden = layers.LSTMCell(4), zoo.noise(3, 2), zoo.noise(3, 4, seed=1)
    cell.build((None, 2))
    arithmetic = arithmetic_of(cell)(cell)
    found = dict(zip(arithmetic.gates, arithmetic.open(arithmetic.project(inputs), hidden), strict=True))
    kernel, recurrent, bias = cell.get_weights()
    given = np.split(inputs @ kernel + hidden @ recurrent + bias, 4, axis=-1)
    for place, name in enumerate(["input_gate", "forget_gate", "candidate", "output_gate"]):
        expected = np.tanh(given[place]) if name == "candidate" else sigmoid(given[place])
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)


def test_how_a_cell_of_an_own_class_computes_is_not_known():
    class Own(layers.LSTMCell):
        """May compute anything."""

    assert arithmetic_of(Own(2)) is None
    assert arithmetic_of(layers.LSTMCell(2)) is not None


def test_values_of_a_step_later_begin_with_what_was_before():
    values, first = zoo.noise(2, 4, 3), zoo.noise(2, 3, seed=1)
    expected = np.stack([first, values[:, 0], values[:, 1], values[:, 2]], axis=1)
    np.testing.assert_array_equal(delayed(tf.constant(values), tf.constant(first)), expected)
