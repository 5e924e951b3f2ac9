"""The tab Ideal input: made when asked for, growing, stopped and gone on with, and a reason where there is none."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.explorer.registry import views

X = np.random.default_rng(0).random((2, 12, 12, 3)).astype("float32")


@pytest.fixture
def explorer():
    keras.utils.set_random_seed(0)
    stack = [
        keras.Input((12, 12, 3)),
        layers.Conv2D(4, 3, activation="relu", name="conv"),
        layers.Flatten(name="flat"),
        layers.Dense(3, activation="softmax", name="top"),
    ]
    with_inputs = aw.LayerExplorer(keras.Sequential(stack, name="m"), X, layer="conv", show="ideal_input")
    yield with_inputs
    with_inputs.close()


def made(explorer, steps=None):
    for done, _ in enumerate(explorer._explorer.work().start(), 1):
        if done == steps:
            break
    return explorer._explorer.show().drawing


def test_without_a_selected_channel_it_is_the_strongest_of_the_sample(explorer):
    means = aw.activations(explorer.model, X, "conv")["conv"][0].mean(axis=(0, 1))
    assert f"channel {means.argmax()}, the strongest channel of this sample" in explorer._explorer.show().drawing.alt


def test_the_picture_grows_can_be_stopped_and_goes_on(explorer):
    explorer.channel = 2
    assert "Make shows" in explorer._explorer.show().drawing.alt
    part = made(explorer, 5)
    assert "5 of 64 steps" in part.alt
    assert len(curve(part)) == 5
    whole = made(explorer)
    assert "64 of 64 steps" in whole.alt
    assert explorer._explorer.work() is None
    expected = aw.excite(explorer.model, "conv", 2)
    np.testing.assert_allclose(curve(whole), expected.history, rtol=1e-4)


def curve(drawing):
    return next(trace for trace in drawing.figure.figure["data"] if trace["type"] == "scatter")["y"]


def test_it_is_beside_what_the_channel_gives_on_the_sample(explorer):
    explorer.channel = 2
    drawing = made(explorer, 1)
    value = aw.activations(explorer.model, X, "conv")["conv"][0, ..., 2]
    heatmap = next(trace for trace in drawing.figure.figure["data"] if trace["type"] == "heatmap")
    np.testing.assert_allclose(heatmap["z"], value, rtol=1e-5)
    assert f"{value.mean():.3g}"[:4] in drawing.alt


def reason(model, inputs, layer=-1):
    explorer = aw.LayerExplorer(model, inputs, layer=layer)
    try:
        return views()["ideal_input"].available(explorer._explorer.data)
    finally:
        explorer.close()


def test_models_without_a_picture_say_why_there_is_none():
    tabular = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert "pictures" in reason(tabular, np.ones((2, 4), "float32"))
    x, y = keras.Input((8, 8, 3), name="photo"), keras.Input((2,), name="place")
    both = keras.Model([x, y], layers.Dense(2)(layers.Concatenate()([layers.Flatten()(x), y])))
    assert "one input" in reason(both, [np.ones((2, 8, 8, 3), "float32"), np.ones((2, 2), "float32")])
