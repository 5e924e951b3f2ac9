"""The calls inside a layer have names that are the same on each pass, whatever the layers are called."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

import actwidget as aw
from actwidget.capture.structure.call_names import CallNames, has_scores, is_stateful, layer_at, sublayers
from tests.capture import zoo
from tests.rounding import assert_close


class Holding(layers.Layer):
    """Holds layers, calls none of them."""

    def __init__(self, *held, **kwargs):
        super().__init__(**kwargs)
        self.held = list(held)


LITERAL = st.sampled_from(["a", "b", "a@1", "a~2", "a:1", "b@1"])


@settings(max_examples=60)
@given(st.lists(LITERAL, min_size=1, max_size=5), st.lists(st.integers(0, 4), max_size=8), st.integers(1, 3))
def test_no_two_activations_of_one_level_have_one_name(names, order, outputs):
    held = [layers.Identity(name=name) for name in names]
    level = CallNames(Holding(*held))
    found = []
    for number in order:
        called, _ = level.call(held[number % len(held)])
        found += [level.output(called, place) for place in range(outputs)]
    assert len(set(found)) == len(found)
    assert list(level.known.values()) == held
    assert set(names) <= set(level.known)  # of several layers with one name, one keeps it as it stands


def test_a_name_is_read_back_to_the_layer_whose_call_or_output_it_is():
    a, like_a_call = layers.Identity(name="a"), layers.Identity(name="a@1")
    level = CallNames(Holding(a, like_a_call))
    for part, name in [("a", "a"), ("a@2", "a"), ("a:1", "a"), ("a@2:1", "a"), ("a@1", "a@1"), ("a@1:1", "a@1")]:
        assert level.named(part) == name
    assert [level.named(part) for part in ("b", "a~2", "a@", "aa", "")] == [None] * 5


def test_a_layer_that_is_made_in_a_call_has_the_name_of_its_class_without_keras_s_number():
    def names_of_a_pass():
        level = CallNames(Holding(layers.Dense(1, name="dense")))
        return [level.call(each)[0] for each in (layers.Dense(1), layers.Dense(1), layers.Dense(1, name="mine"))]

    assert names_of_a_pass() == names_of_a_pass() == ["dense~2", "dense~3", "mine"]


def test_layers_that_put_edits_in_are_no_part_of_what_an_edited_model_holds():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="a")], name="base")
    edited = aw.edit(model, {"a": aw.Ablate(0, name="edit")})
    assert "edit" in {layer.name for layer in edited._flatten_layers()}
    assert [layer.name for layer in sublayers(edited)] == ["base"]


class Scored(layers.Attention):
    """Holds a layer with the name that the scores have."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.weighing = layers.Dense(6, name="scores")

    def call(self, inputs, mask=None, training=None, return_attention_scores=None, use_causal_mask=None):
        given = super().call(inputs, mask, training, bool(return_attention_scores), bool(use_causal_mask))
        return (self.weighing(given[0]), *given[1:]) if isinstance(given, tuple) else self.weighing(given)


@pytest.mark.parametrize("inputs", [True, False])
def test_a_layer_that_is_named_as_the_scores_are_has_another_path_than_they(inputs):
    x, batch = keras.Input((4, 6)), zoo.noise(2, 4, 6)
    attend = Scored(name="attend")
    model = keras.Model(x, attend([x, x]))
    tree = aw.layer_tree(model, batch if inputs else None)
    assert {node.path: node.class_name for node in tree["attend"]} == {
        "attend/scores~2": "Dense",
        "attend/scores": "AttentionScores",
    }
    values = aw.activations(model, batch)
    logits = np.einsum("btd,bsd->bts", batch, batch)
    scores = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(values["attend/scores"], scores, rtol=1e-4, atol=1e-5)
    assert_close(values["attend/scores~2"], values["attend"])
    assert_close(aw.submodel(model, "attend/scores~2")(batch), values["attend"])


def test_a_path_leads_through_graphs_and_layers_to_the_layer_that_is_declared_there():
    inner = layers.Dense(2, name="inner")
    x = keras.Input((3,))
    model = keras.Model(x, keras.Sequential([keras.Input((3,)), Block(inner)], name="tower")(x))
    assert layer_at(model, "tower/block/inner") is inner
    assert layer_at(model, "tower@4/block@1/inner:2") is inner
    assert layer_at(model, "tower/inner") is None
    assert layer_at(model, "tower/block/inner/more") is None


class Block(layers.Layer):
    def __init__(self, inner):
        super().__init__(name="block")
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


def test_scores_and_states_are_told_by_what_a_layer_can_do():
    assert has_scores(layers.MultiHeadAttention(1, 2))
    assert not has_scores(layers.Dense(2))
    for stateful, nested in itertools.product([True, False], repeat=2):
        stack = keras.Sequential([layers.LSTM(2, stateful=stateful)])
        assert is_stateful(keras.Sequential([stack]) if nested else stack) is stateful
