"""How long each call inside a model takes."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

import actwidget as aw
from actwidget.capture.run.timing.timed_pass import timed_pass
from actwidget.capture.trace import read
from actwidget.keras_internals.calls import current_observer
from tests.capture import zoo


def test_each_call_has_its_time_and_shapes_and_the_model_is_unchanged():
    x = keras.Input((4,))
    inner = keras.Sequential([layers.Dense(3, name="a"), layers.Dropout(0.5, name="drop")], name="inner")
    model = keras.Model(x, layers.BatchNormalization(name="norm")(inner(x)))
    graph, batch = read(model, zoo.noise(5, 4))
    before = [np.array(value) for value in model.get_weights()]
    timed = timed_pass(graph, batch, batch_size=2)
    calls = timed.calls
    assert timed.samples == 2
    assert timed.seconds > 0
    assert timed.layer_seconds == calls["inner"].seconds + calls["norm"].seconds
    assert {"", "inner", "inner/a", "inner/drop", "norm"} <= calls.keys()
    assert calls[""].seconds >= calls["inner"].seconds >= calls["inner/a"].seconds > 0
    assert (calls["inner/a"].inputs, calls["inner/a"].outputs) == (((2, 4),), ((2, 3),))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_seconds_are_those_of_a_call_with_the_calls_inside_it(monkeypatch):
    ticks = iter(range(1000))
    monkeypatch.setattr("actwidget.capture.run.timing.timed_tap.time.perf_counter", lambda: next(ticks))
    x = keras.Input((4,))
    inner = keras.Sequential([layers.Dense(3, name="a")], name="inner")
    graph, batch = read(keras.Model(x, inner(x)), zoo.noise(2, 4))
    calls = timed_pass(graph, batch, batch_size=2).calls
    # Each call looks at the clock when it begins and when it ends.
    assert {path: calls[path].seconds for path in ("", "inner", "inner/a")} == {"": 5, "inner": 3, "inner/a": 1}


def test_the_whole_pass_is_measured_with_nothing_observed_unless_the_model_is_edited():
    runs = []

    class Seen(layers.Layer):
        def call(self, inputs):
            runs.append(current_observer() is not None)
            return inputs + 1

    x = keras.Input((4,))
    model = keras.Model(x, Seen(name="seen")(x))
    for edited, expected in (
        (model, [True, True, False, False]),
        (aw.edit(model, {"seen": aw.Ablate(0)}), [True, True]),
    ):
        graph, batch = read(edited, zoo.noise(2, 4))
        runs.clear()
        timed = timed_pass(graph, batch, batch_size=2)
        assert runs == expected
        assert timed.calls.keys() >= {"", "seen"}
        if len(expected) == 2:
            assert timed.seconds == timed.calls[""].seconds
