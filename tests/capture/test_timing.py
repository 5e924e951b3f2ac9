"""How long each call inside a model takes."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from actwidget.capture.run.timing.timed_pass import timed_calls
from actwidget.capture.trace import read
from tests.capture import zoo


def test_each_call_has_its_time_and_shapes_and_the_model_is_unchanged():
    x = keras.Input((4,))
    inner = keras.Sequential([layers.Dense(3, name="a"), layers.Dropout(0.5, name="drop")], name="inner")
    model = keras.Model(x, layers.BatchNormalization(name="norm")(inner(x)))
    graph, batch = read(model, zoo.noise(5, 4))
    before = [np.array(value) for value in model.get_weights()]
    calls, samples = timed_calls(graph, batch, batch_size=2)
    assert samples == 2
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
    calls, _ = timed_calls(graph, batch, batch_size=2)
    # Each call looks at the clock when it begins and when it ends.
    assert {path: calls[path].seconds for path in ("", "inner", "inner/a")} == {"": 5, "inner": 3, "inner/a": 1}
