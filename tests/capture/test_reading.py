"""What can be selected in a model is read from its graph, seen in one pass, or both; edits and parts included."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.capture.trace.reading import read, trace
from actwidget.errors import UnsupportedModelError
from tests.capture import zoo
from tests.capture.test_edit import residual
from tests.capture.test_every_way import in_every_way
from tests.capture.test_inner_models import Auto

X = zoo.noise(3, 4)


class Counting(layers.Layer):
    """Calls a layer as often as the values say, so that only a run shows its calls."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense, self.runs = layers.Dense(4, name="dense"), 0

    def build(self, shape):
        self.dense.build(shape)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, inputs.dtype)

    def call(self, inputs):
        times = int(ops.max(inputs))
        self.runs += 1
        for _ in range(times):
            inputs = self.dense(inputs)
        return inputs


def around(layer):
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(2, name="head")(layer(x)), name="around")


def test_a_functional_graph_is_read_without_a_run():
    counting = Counting(name="counting")
    graph, batch = read(around(counting))
    assert (counting.runs, batch, graph.was_run) == (0, None, False)
    assert list(graph.nodes) == ["x", "counting", "counting/dense", "head"]
    assert (graph.output, graph.input_names, graph.untried) == ("head", ["x"], True)


def test_a_layer_that_only_a_run_shows_is_seen_on_inputs_with_the_rest_read_from_the_graph():
    graph, batch = read(around(Counting(name="counting")), np.full((2, 4), 2.0, "float32"))
    assert list(graph.nodes) == ["x", "counting", "counting/dense", "counting/dense@1", "head"]
    assert {path: graph.nodes[path].output_shape for path in ("counting/dense@1", "head")} == {
        "counting/dense@1": (None, 4),
        "head": (None, 2),
    }
    assert (batch.size, graph.was_run, graph.untried) == (2, True, False)


def test_the_output_is_the_path_that_gives_it_first_and_its_shape_that_of_the_model():
    x = keras.Input((4,), name="x")
    y = layers.Dense(3, name="y")(x)
    z = layers.Dense(2, name="z")(y)
    one, two = trace(keras.Model(x, y)), trace(keras.Model(x, [y, z]))
    assert (one.output, one.tree.output_shape, one.tree.dtype) == ("y", (None, 3), "float32")
    assert (two.output, two.tree.output_shape, two.tree.dtype) == ("y", None, "")


def test_an_edited_model_has_the_nodes_of_the_model_inside_and_knows_its_edits():
    model = residual()
    edited = aw.edit(model, {"second": aw.Ablate(0, name="cut")})
    graph, plain = trace(edited), trace(model)
    assert (graph.model, graph.root) == (edited, model)
    assert [(node.path, node.output_shape) for node in graph.tree] == [
        (node.path, node.output_shape) for node in plain.tree
    ]
    assert {path: layer.name for path, layer in graph.edits.items()} == {"second": "cut"}
    # What a functional sub-model of the user's graph gives would be without the edit.
    assert graph.places == {}
    assert {node.origin for node in graph.tree} == {"tapped"}


def test_a_model_without_call_is_refused_unless_its_parts_are_asked_for():
    with pytest.raises(UnsupportedModelError, match=r"has no call\(\)"):
        read(Auto(), X)
    graph, batch = read(Auto(), X, parts=True)
    assert {node.origin for node in graph.tree} == {"opaque"}
    assert (batch.size, graph.tree["encoder/code"].class_name) == (3, "Dense")


def test_where_nothing_was_called_the_explorer_opens_and_says_so():
    class Idle(keras.Model):
        def __init__(self):
            super().__init__(name="idle")
            self.spare = layers.Dense(2, name="spare")

        def call(self, inputs):
            return inputs * 2

    explorer = aw.LayerExplorer(Idle(), X)
    assert explorer.layer == "spare"
    assert in_every_way(explorer) == (0, 1)


def test_a_model_without_any_layer_is_refused_in_words():
    class Empty(keras.Model):
        def call(self, inputs):
            return inputs * 2

    for look in (aw.layer_tree, aw.activations, aw.LayerExplorer):
        with pytest.raises(UnsupportedModelError, match=r"'empty.*has no layers"):
            look(Empty(name="empty"), X)
        with pytest.raises(UnsupportedModelError, match="'bare' is a Sequential without layers"):
            look(keras.Sequential(name="bare"), X)
