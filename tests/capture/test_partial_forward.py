"""A pass that starts from activations at hand runs only the calls that are missing, and gives the same values."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras import layers

import actwidget as aw
from actwidget.capture.run.partial_forward import layers_behind, path_from, run_from
from actwidget.capture.trace import trace
from actwidget.errors import CaptureError
from tests.capture import random_graphs, zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


def diamond():
    """Two branches that meet, and a layer behind them."""
    x = keras.Input((3,), name="x")
    stem = layers.Dense(4, name="stem")(x)
    left, right = layers.Dense(4, activation="relu", name="left")(stem), layers.Dense(4, name="right")(stem)
    met = layers.Add(name="met")([left, right])
    return keras.Model(x, layers.Dense(2, name="out")(met), name="diamond")


def names(nodes):
    return [node.operation.name for node in nodes]


WAYS = {
    "the layer before": ({"met"}, ["out"]),
    "both branches": ({"left", "right"}, ["met", "out"]),
    "one branch and the stem": ({"left", "stem"}, ["right", "met", "out"]),
    "one branch alone": ({"left"}, None),
    "the input": ({"x"}, ["stem", "left", "right", "met", "out"]),
    "nothing": (set(), None),
    "what is not in the graph": ({"elsewhere"}, None),
    "the value itself": ({"out"}, []),
}


@pytest.mark.parametrize(("at_hand", "expected"), WAYS.values(), ids=WAYS)
def test_the_calls_are_those_between_what_is_at_hand_and_what_is_wanted(at_hand, expected):
    model, x = diamond(), zoo.noise(5, 3)
    held = {path: aw.activations(model, x).get(path, x) for path in at_hand}
    nodes = path_from(held, trace(model), "out")
    if expected is None:
        assert nodes is None
        return
    assert sorted(names(nodes)) == sorted(expected)
    for earlier, later in (("right", "met"), ("left", "met"), ("met", "out")):
        if {earlier, later} <= set(expected):
            assert names(nodes).index(earlier) < names(nodes).index(later)
    if nodes:
        assert_close(run_from(held, trace(model), "out", nodes), model(x))


@settings(max_examples=15)
@given(random_graphs.random_models(max_depth=2), st.data())
def test_in_any_graph_the_value_is_that_of_a_whole_pass(drawn, data):
    model, x = drawn
    graph, every = trace(model), aw.activations(model, x)
    assume(graph.tensors)
    wanted = data.draw(st.sampled_from(sorted(graph.tensors)))
    held = {path: every[path] for path in data.draw(st.sets(st.sampled_from(sorted(every)))) if path != wanted}
    nodes = path_from(held, graph, wanted)
    if nodes is not None:
        assert_close(run_from(held, graph, wanted, nodes), every[wanted])


def test_what_is_inside_a_nested_or_an_edited_model_begins_at_the_inputs():
    model, x = zoo.nested()
    graph, every = trace(model), aw.activations(model, x)
    inside = next(path for path in every if "/" in path)
    assert path_from(every, graph, inside) is None
    edited = aw.edit(diamond(), {"stem": aw.Ablate(0)})
    assert path_from(aw.activations(edited, zoo.noise(2, 3)), trace(edited), "out") is None


def test_a_value_depends_on_the_layers_before_it_and_no_others():
    model = diamond()
    graph = trace(model)
    assert {layer.name for layer in layers_behind(graph, "left")} == {"x", "stem", "left"}
    assert {layer.name for layer in layers_behind(graph, "out")} == {layer.name for layer in model.layers}
    edited = aw.edit(model, {"stem": aw.Ablate(0)})
    assert layers_behind(trace(edited), "left") == [edited]  # the graph does not tell: all of it


def test_layers_run_as_outside_of_training_and_leave_no_trace():
    x = keras.Input((3,), name="x")
    drop, norm = layers.Dropout(0.5, seed=1, name="drop"), layers.BatchNormalization(name="norm")
    model, value = keras.Model(x, norm(drop(x))), zoo.noise(4, 3)
    graph, seed = trace(model), as_array(drop.seed_generator.state)
    found = run_from({"x": value}, graph, "norm", path_from({"x": value}, graph, "norm"))
    assert_close(found, value / np.sqrt(1 + norm.epsilon))
    np.testing.assert_array_equal(norm.moving_mean, np.zeros(3))
    np.testing.assert_array_equal(drop.seed_generator.state, seed)


def test_a_layer_that_raises_on_the_way_is_named():
    class Hot(layers.Layer):
        is_hot = False

        def call(self, inputs):
            if self.is_hot:
                message = "too hot"
                raise ArithmeticError(message)
            return inputs

    x = keras.Input((3,), name="x")
    hot = Hot(name="hot")
    model = keras.Model(x, layers.Dense(2, name="out")(hot(layers.Dense(3, name="stem")(x))), name="net")
    held, graph = {"stem": zoo.noise(2, 3)}, trace(model)
    nodes, hot.is_hot = path_from(held, graph, "out"), True
    with pytest.raises(CaptureError, match=r"forward pass of 'net' failed in layer 'hot'\. ArithmeticError.*too hot"):
        run_from(held, graph, "out", nodes)
