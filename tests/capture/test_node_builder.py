"""Nodes say what a layer gives as the layer does it, however they are come by: a graph, a pass, or a declaration."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.capture.structure.calls import Call, Output
from actwidget.capture.trace.node_builder import NodeBuilder, as_tapped
from actwidget.keras_internals.graph import function_of
from tests.capture import zoo
from tests.capture.test_edit import residual


class Rounded(layers.Layer):
    """Gives whole numbers, of which Keras is told the shape alone."""

    def call(self, inputs):
        return ops.cast(ops.round(inputs), "int32")

    def compute_output_shape(self, shape):
        return shape


@pytest.mark.parametrize("layer", [Rounded(name="whole"), layers.Lambda(lambda v: ops.cast(v, "int32"), name="whole")])
def test_a_dtype_that_keras_only_guesses_is_found_out(layer):
    x = keras.Input((3,))
    model = keras.Model(x, layer(x))
    node = aw.layer_tree(model)["whole"]
    assert (node.dtype, node.output_shape) == ("int32", (None, 3))
    assert aw.activations(model, zoo.noise(2, 3))["whole"].dtype == node.dtype


def test_the_parameters_of_a_layer_count_those_of_the_layers_inside_once():
    shared = layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), shared, layers.BatchNormalization(), shared], name="inner")
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2, name="head")(inner(x)))
    tree = aw.layer_tree(model)
    expected = {"inner": (4 * 4 + 4) + 4 * 4, "inner/shared": 20, "inner/shared@1": 20, "head": 10}
    assert {path: tree[path].parameters for path in expected} == expected
    assert tree.parameters == model.count_params() == 46


def seen_pass():
    """A call of a block of four layers as it might be seen: one gives several tensors, one none, one is not called."""
    first, none, spare, raises = (layers.Dense(2, name=name) for name in ("first", "none", "spare", "raises"))

    class Block(layers.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.held = [first, none, spare, raises]

    outputs = {"first": Output((4, 2), "float32"), "first:1": Output((3, 2), "int32")}
    calls = [
        Call(first, "first", 0, outputs=outputs),
        Call(none, "none", 0),
        Call(raises, "raises", 0, reason="raised ValueError"),
    ]
    return Call(Block(), "block", 0, calls=calls)


def test_what_was_seen_has_a_node_for_each_tensor_with_the_axis_of_the_samples_open():
    builder = NodeBuilder()
    nodes = {node.path: node for node in builder.seen(seen_pass(), "block/", size=4)}
    assert list(nodes) == ["block/first", "block/first:1", "block/none", "block/raises", "block/spare"]
    assert [nodes[f"block/{name}"].output_shape for name in ("first", "first:1")] == [(None, 2), (3, 2)]
    assert [nodes[f"block/{name}"].dtype for name in ("first", "first:1")] == ["float32", "int32"]
    assert builder.paths[id(builder.operations["block/first:1"])] == "block/first"


def test_what_can_not_be_had_is_opaque_and_says_why():
    nodes = NodeBuilder().seen(seen_pass(), "block/", size=4, unseen="was not reached")
    reasons = {node.path.removeprefix("block/"): node.reason for node in nodes if node.origin == "opaque"}
    assert reasons == {"none": "gives no tensor", "raises": "raised ValueError", "spare": "was not reached"}
    assert {node.origin for node in nodes if not node.reason} == {"tapped"}


class Fork(layers.Layer):
    """Decides on the values what to call, which symbols can't tell."""

    def __init__(self):
        super().__init__(name="fork")
        self.high = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="dense")], name="high")
        self.low = layers.Dense(3, name="low")
        self.low.build((None, 3))

    def compute_output_shape(self, shape):
        return shape

    def call(self, inputs):
        return self.high(inputs) if float(ops.max(inputs)) > 0 else self.low(inputs)


def test_of_a_layer_that_symbols_do_not_run_through_the_layers_that_it_holds_are_listed():
    x = keras.Input((3,), name="x")
    model, builder = keras.Model(x, Fork()(x)), NodeBuilder()
    nodes = builder.graph(function_of(model), "", None, owner=model)
    assert builder.untried
    assert {node.path for node in nodes[1]} >= {"fork/high", "fork/high/dense", "fork/low"}
    # Nothing but a pass can say whether they are called, and so how their values are come to.
    assert {node.origin for node in nodes[1]} == {"tapped"}
    assert not {path for path in builder.places if "/" in path}
    values = aw.activations(model, np.ones((2, 3), "float32"))
    assert "fork/high/dense" in values
    assert "fork/low" not in values


def test_the_samples_of_the_batch_that_built_a_sequential_are_no_part_of_its_shapes():
    model = keras.Sequential([layers.Dense(2, name="dense")])
    model(zoo.noise(5, 3))
    assert aw.layer_tree(model)["dense"].output_shape == (None, 2)


def test_a_tree_that_only_a_tap_sees_keeps_what_can_not_be_had():
    tree = aw.layer_tree(residual())
    opaque = NodeBuilder().seen(seen_pass(), "block/")[-1]
    assert {node.origin for node in as_tapped(tree)} == {"tapped"}
    assert as_tapped(opaque).origin == "opaque"
    assert [node.path for node in as_tapped(tree)] == [node.path for node in tree]
