"""Which tensors go from which call to which: read from graphs, and observed in a run."""

from __future__ import annotations

from collections import defaultdict
from functools import partial

import keras
import numpy as np
import pytest
from keras import layers, ops

from actwidget.capture.access.dataflow import Flow, dataflow
from actwidget.capture.access.session import Session
from tests.capture import zoo


def flows(model, x=None) -> dict[str, Flow]:
    session = Session(model, x)
    return dict(dataflow(session.graph, session.batch))


class Witness:
    """Edges as Keras's own record of each tensor has them, by the names of layers and the numbers of their calls."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        graph = model._functional if isinstance(model, keras.Sequential) else model
        self.layers = [operation for operation in graph.operations if isinstance(operation, keras.Layer)]
        by_depth = graph._nodes_by_depth  # as Keras runs it
        self.nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
        self._paths: dict[tuple[int, int], str] = {}
        calls: defaultdict[int, int] = defaultdict(int)
        for node in self.nodes:
            number, name = calls[id(node.operation)], node.operation.name
            operation, index, _ = node.outputs[0]._keras_history
            self._paths[id(operation), index] = f"{name}@{number}" if number else name
            calls[id(operation)] += 1

    def path(self, tensor) -> str:
        operation, index, _ = tensor._keras_history
        return self._paths[id(operation), index]

    def edges(self) -> set[tuple[str, str]]:
        """Those between all operations of the graph."""
        inputs = {id(tensor) for tensor in self.model.inputs}
        return {
            (self.path(given), self.path(node.outputs[0]))
            for node in self.nodes
            if id(node.outputs[0]) not in inputs
            for given in node.input_tensors
        }

    def sources(self, tensor) -> set[str]:
        """The layers whose outputs a tensor is computed from; those of operations that are no layers are followed."""
        for number, given in enumerate(self.model.inputs):
            if tensor is given:
                return {f"{number}/"}
        operation, index, _ = tensor._keras_history
        if isinstance(operation, keras.Layer):
            return {self.path(tensor)}
        return set().union(*(self.sources(each) for each in operation._inbound_nodes[index].input_tensors))

    def edges_of_layers(self) -> set[tuple[str, str]]:
        """Those between layers alone, with what the model is given as `0/`, and what it gives as the target `""`."""
        found = {(source, "") for tensor in self.model.outputs for source in self.sources(tensor)}
        inputs = {id(tensor) for tensor in self.model.inputs}
        for node in self.nodes:
            if isinstance(node.operation, keras.Layer) and id(node.outputs[0]) not in inputs:
                sources = set().union(*(self.sources(each) for each in node.input_tensors))
                found |= {(source, self.path(node.outputs[0])) for source in sources}
        return found


class Replay(keras.Model):
    """A subclassed model that makes the calls of a functional one, so that no graph holds its edges."""

    def __init__(self, witness: Witness) -> None:
        super().__init__(name="replay")
        self.held = witness.layers
        self.witness = lambda: witness  # which keeps Keras from tracking the model inside

    def call(self, inputs):
        witness = self.witness()
        values = dict(zip(map(id, witness.model.inputs), keras.tree.flatten(inputs), strict=True))
        for node in witness.nodes:
            if id(node.outputs[0]) in values:
                continue
            given = node.arguments
            known = partial(lambda found, leaf: found.get(id(leaf), leaf), values)
            args, kwargs = keras.tree.map_structure(known, (given.args, given.kwargs))
            result = keras.tree.flatten(node.operation(*args, **kwargs))
            values |= dict(zip(map(id, node.outputs), result, strict=True))
        return [values[id(tensor)] for tensor in witness.model.outputs]


@pytest.mark.parametrize("make", zoo.SMALL, ids=lambda make: make.__name__)
def test_the_edges_of_a_functional_model_are_those_of_its_tensors_own_records(make):
    model, x = make()
    flow = flows(model, x)[""]
    assert flow.known_from == "graph"
    assert flow.order == ()
    assert set(flow.edges) == Witness(model).edges()
    assert len(set(flow.edges)) == len(flow.edges)
    assert set(flow.calls) == {end for edge in flow.edges for end in edge}


@pytest.mark.parametrize("make", [make for make in zoo.SMALL if make is not zoo.text], ids=lambda make: make.__name__)
def test_the_edges_of_a_subclassed_model_are_observed_and_equal_those_of_the_same_graph(make):
    model, x = make()
    witness = Witness(model)
    flow = flows(Replay(witness), keras.tree.flatten(x) if len(model.inputs) > 1 else x)[""]
    assert flow.known_from == "run"
    assert set(flow.edges) == witness.edges_of_layers()
    assert flow.order == ()


class Block(layers.Layer):
    """Attention and a feed-forward network, each with a residual connection around it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(2, 4, name="attention")
        self.drop = layers.Dropout(0.5, name="drop")
        self.feed = keras.Sequential([keras.Input((6, 8), name="given"), layers.Dense(8)], name="feed")

    def call(self, inputs):
        attended = inputs + self.drop(self.attention(inputs, inputs))
        return attended + self.feed(attended)


class Subclassed(keras.Model):
    """Two calls of one block, and a layer that is given what no other layer made."""

    def __init__(self):
        super().__init__(name="net")
        self.block = Block(name="block")
        self.positions = layers.Embedding(6, 8, name="positions")
        self.head = layers.Dense(2, name="head")

    def call(self, inputs):
        y = inputs + self.positions(ops.arange(6))
        y = self.block(self.block(y))
        return self.head(y), y[:, 0]


def test_a_subclassed_model_has_residual_connections_shared_calls_and_what_its_layers_give():
    found = flows(Subclassed(), zoo.noise(2, 6, 8))
    assert found[""] == Flow(
        calls=("positions", "block", "block@1", "head"),
        edges=(
            ("0/", "block"), ("positions", "block"), ("block", "block@1"), ("block@1", "head"),
            ("block@1", ""), ("head", ""),
        ),
        order=(),
        known_from="run",
    )  # fmt: skip
    for path in ("block", "block@1"):
        assert set(found[path].edges) == {
            (f"{path}/", f"{path}/attention"),
            (f"{path}/attention", f"{path}/drop"),  # which changes nothing in inference, but is a step of its own
            (f"{path}/", f"{path}/feed"),
            (f"{path}/drop", f"{path}/feed"),
            (f"{path}/", path),
            (f"{path}/drop", path),
            (f"{path}/feed", path),  # and the feed-forward network takes nothing of that for its own
        }


def test_without_inputs_only_the_order_of_a_subclassed_models_calls_is_known():
    model = Subclassed()
    model(zoo.noise(2, 6, 8))
    flow = flows(model)[""]
    assert (flow.known_from, flow.edges) == ("order", ())
    assert flow.order == tuple(zip(flow.calls, flow.calls[1:], strict=False))


def test_the_calls_that_a_run_did_not_reach_come_in_order():
    class Failing(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.held = [layers.Dense(3, name=name) for name in "abc"]
            self.fails = False

        def call(self, inputs):
            y = self.held[0](inputs)
            if self.fails:
                raise ArithmeticError
            return self.held[2](self.held[1](y))

    model, x = Failing(), zoo.noise(2, 3)
    session = Session(model, x)
    model.fails = True
    flow = dataflow(session.graph, session.batch)[""]
    assert flow.edges == (("0/", "a"),)
    assert flow.order == (("a", "b"), ("b", "c"))


def test_observing_leaves_nothing_behind():
    model, x = Subclassed(), zoo.noise(2, 6, 8)
    session = Session(model, x)
    before = [keras.ops.convert_to_numpy(variable).copy() for variable in model.variables]
    expected = [keras.ops.convert_to_numpy(value) for value in model(x)]
    dataflow(session.graph, session.batch)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), value)
    for value, again in zip(expected, model(x), strict=True):
        np.testing.assert_array_equal(value, keras.ops.convert_to_numpy(again))
