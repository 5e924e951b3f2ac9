"""A layer is selected by its path, a unique name, its index or itself; what selects none is refused in words."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.capture.structure.selectors import select
from actwidget.capture.trace import trace
from actwidget.errors import LayerNotFoundError
from tests.capture import zoo
from tests.capture.test_paths import called_three_times


@pytest.fixture(scope="module")
def towers():
    """The graph of a model with two towers, in each of which a layer is called `dense`, and in one another `alone`."""

    def tower(name, *more):
        return keras.Sequential([keras.Input((4,)), layers.Dense(4, name="dense"), *more], name=name)

    x = keras.Input((4,), name="x")
    left, right = tower("left"), tower("right", layers.ReLU(name="alone"))
    return trace(keras.Model(x, layers.Add(name="add")([left(x), right(x)]), name="towers"))


def test_a_bare_name_is_enough_where_one_node_alone_has_it(towers):
    assert select(towers, "alone").path == "right/alone"
    with pytest.raises(LayerNotFoundError, match="'dense' is ambiguous in model 'towers'") as caught:
        select(towers, "dense")
    assert "Candidates: 'left/dense', 'right/dense'. Give the whole path." in str(caught.value)


def test_a_path_wins_over_a_name_further_down():
    x = keras.Input((4,), name="x")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="same")], name="inner")
    graph = trace(keras.Model(x, layers.Dense(2, name="same")(inner(x))))
    assert select(graph, "same").output_shape == (None, 2)
    assert select(graph, "inner/same").output_shape == (None, 3)


def test_a_layer_inside_a_nested_model_is_selected_by_itself(towers):
    inner = towers.model.get_layer("right").get_layer("alone")
    assert select(towers, inner).path == "right/alone"


def test_an_index_is_one_into_the_models_layers():
    model, _ = zoo.dense()
    for index in [*range(len(model.layers)), *range(-len(model.layers), 0), np.int64(1)]:
        assert list(aw.activations(model, zoo.noise(2, 6), index)) == [model.layers[index].name]


@pytest.mark.parametrize("index", [4, -5, 1000])
def test_an_index_out_of_range_says_the_range(index):
    model, _ = zoo.dense()
    with pytest.raises(LayerNotFoundError, match=rf"{index} is out of range .*4 layers: -4 to 3"):
        aw.submodel(model, index)


def test_a_layer_object_is_its_first_call():
    model, dense = called_three_times()
    assert list(aw.activations(model, zoo.noise(2, 4), dense)) == ["dense"]


def test_a_layer_of_another_model_is_refused_though_the_name_is_known():
    model, _ = called_three_times()
    with pytest.raises(LayerNotFoundError, match=r"'dense' \(Dense\) is no part of model .*another model"):
        aw.submodel(model, layers.Dense(4, name="dense"))


@pytest.mark.parametrize("selector", [None, 1.5, True, b"dense", object(), {"dense"}])
def test_what_is_no_selector_is_refused_by_its_type(selector):
    model, _ = called_three_times()
    with pytest.raises(LayerNotFoundError, match=f"layer's path, its index .* got {type(selector).__name__}"):
        aw.submodel(model, selector)


def test_an_attention_layer_is_selected_as_its_output_not_its_scores():
    x = keras.Input((4, 6))
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    model = keras.Model(x, attention(x, x))
    for selector in (attention, -1):
        assert list(aw.activations(model, zoo.noise(2, 4, 6), selector)) == ["attention"]
