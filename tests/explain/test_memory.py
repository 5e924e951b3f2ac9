"""Passes with gradients are kept as small as memory asks for."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

import actwidget as aw
from actwidget.capture.trace import trace
from actwidget.explain import memory
from actwidget.explain.memory import most_samples, values_of_a_pass


def net() -> keras.Model:
    stack = [keras.Input((6, 6, 1)), layers.Conv2D(4, 3, name="conv"), layers.Flatten(), layers.Dense(3, name="top")]
    return keras.Sequential(stack)


def test_the_values_of_a_pass_are_those_of_all_outputs_up_to_its_end():
    graph = trace(net())
    assert values_of_a_pass(graph) == 36 + 4 * 16 + 64 + 3
    assert values_of_a_pass(graph, "conv") == 36 + 4 * 16


def test_an_axis_of_unknown_length_counts_as_what_is_said():
    model = keras.Sequential([keras.Input((None, 2)), layers.Dense(5, name="each")])
    assert values_of_a_pass(trace(model), unknown=10) == 20 + 50


def test_at_least_one_sample_goes_through():
    assert most_samples(10**12) == 1
    assert most_samples(0) == memory.BYTES_AT_ONCE // 8


def test_attributions_are_the_same_however_few_samples_fit(monkeypatch):
    keras.utils.set_random_seed(0)
    model, x = net(), np.random.default_rng(0).random((3, 6, 6, 1), "float32")
    whole = aw.attributions(model, x, steps=6)
    monkeypatch.setattr(memory, "BYTES_AT_ONCE", 8 * 2 * values_of_a_pass(trace(model)))
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(aw.attributions(copy, x, steps=6).values, whole.values, atol=1e-6)
