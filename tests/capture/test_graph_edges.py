"""The edges of a model's graph, by path: which value goes into which call."""

import keras
import numpy as np
from keras import layers

import actwidget as aw
from actwidget.capture.trace import trace


def test_a_residual_network_has_its_skip_connections():
    x = keras.Input((8, 8, 4), name="x")
    y = layers.Conv2D(4, 3, padding="same", name="conv")(x)
    added = layers.Add(name="add")([x, y])
    model = keras.Model(x, layers.ReLU(name="relu")(added))
    assert trace(model).edges == (("x", "conv"), ("x", "add"), ("conv", "add"), ("add", "relu"))


def test_a_nested_model_has_the_edges_of_its_own_graph_and_so_does_one_inside_that():
    inner_in = keras.Input((4,), name="inner_in")
    inner = keras.Model(inner_in, layers.Dense(3, name="deep")(inner_in), name="inner")
    outer_in = keras.Input((4,), name="outer_in")
    outer = keras.Model(outer_in, layers.Dense(2, name="last")(inner(outer_in)), name="outer")
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.ReLU(name="relu")(outer(x)))
    assert set(trace(model).edges) == {
        ("x", "outer"),
        ("outer", "relu"),
        ("outer/outer_in", "outer/inner"),
        ("outer/inner", "outer/last"),
        ("outer/inner/inner_in", "outer/inner/deep"),
    }


def test_each_call_of_a_shared_layer_has_its_own_edges():
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    shared = keras.Sequential([keras.Input((4,), name="given"), layers.Dense(3, name="dense")], name="shared")
    model = keras.Model([first, second], layers.Concatenate(name="both")([shared(first), shared(second)]))
    assert set(trace(model).edges) == {
        ("first", "shared"),
        ("second", "shared@1"),
        ("shared", "both"),
        ("shared@1", "both"),
        ("shared/given", "shared/dense"),
        ("shared@1/given", "shared@1/dense"),
    }


def test_an_edge_comes_from_the_very_output_and_a_value_that_is_given_twice_is_one_edge():
    x = keras.Input((5, 4), name="x")
    whole, hidden, _ = layers.LSTM(3, return_sequences=True, return_state=True, name="lstm")(x)
    attended = layers.Attention(name="attention")([whole, whole])
    model = keras.Model(x, [attended, layers.Dense(2, name="dense")(hidden)])
    assert set(trace(model).edges) == {
        ("x", "lstm"),
        ("lstm", "attention"),
        ("lstm:1", "dense"),
    }


def test_every_edge_is_between_nodes_of_the_tree_and_leads_on_in_the_order_of_execution():
    model = keras.applications.ResNet50V2(weights=None, input_shape=(32, 32, 3), classes=3)
    graph = trace(model)
    order = {path: place for place, path in enumerate(graph.nodes)}
    assert all(order[source] < order[target] for source, target in graph.edges)
    # As the layers' own public attributes have it.
    expected = {
        (tensor._keras_history.operation.name, layer.name)
        for layer in model.layers
        if not isinstance(layer, layers.InputLayer)
        for tensor in keras.tree.flatten(layer.input)
    }
    assert set(graph.edges) == expected


def test_an_edited_model_has_the_edges_of_the_model_inside():
    model = keras.Sequential([keras.Input((4,), name="x"), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    assert trace(aw.edit(model, {"a": aw.Ablate(0)})).edges == trace(model).edges == (("x", "a"), ("a", "b"))


class Subclassed(keras.Model):
    """Calls two layers, the second of them with a graph of its own where there is one."""

    def __init__(self, second):
        super().__init__()
        self.first, self.second = layers.Dense(4, name="first"), second

    def call(self, x):
        return self.second(self.first(x))


def test_a_model_without_a_graph_has_no_edges_and_a_model_inside_it_has_its_own():
    x = np.ones((2, 3), np.float32)
    assert trace(Subclassed(layers.Dense(2, name="second")), x).edges == ()
    second = keras.Sequential([keras.Input((4,), name="given"), layers.Dense(2, name="dense")], name="second")
    assert trace(Subclassed(second), x).edges == (("second/given", "second/dense"),)
