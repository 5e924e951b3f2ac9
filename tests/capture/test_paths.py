"""Every activation has one address, and all that a person may call a layer by leads to it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import LayerNotFoundError, ModelNotBuiltError
from tests.capture import zoo


def paths(model, inputs=None):
    return [node.path for node in aw.layer_tree(model, inputs)]


def called_three_times():
    x = keras.Input((4,), name="x")
    dense = layers.Dense(4, name="dense")
    return keras.Model(x, dense(dense(dense(x)))), dense


def test_each_call_of_a_layer_has_a_path_in_order_of_execution():
    model, _ = called_three_times()
    assert paths(model) == ["x", "dense", "dense@1", "dense@2"]
    assert [node.call for node in aw.layer_tree(model)] == [0, 0, 1, 2]
    assert {node.name for node in list(aw.layer_tree(model))[1:]} == {"dense"}


def test_at_zero_and_colon_zero_are_other_words_for_the_first():
    model, _ = called_three_times()
    tree, values = aw.layer_tree(model), aw.activations(model, zoo.noise(2, 4))
    for alias in ("dense@0", "dense:0", "dense@0:0"):
        assert tree[alias].path == "dense"
        assert alias in tree
        assert values[alias] is values["dense"]
        assert aw.submodel(model, alias).output is aw.submodel(model, "dense").output
        assert list(aw.activations(model, zoo.noise(2, 4), alias)) == ["dense"]


def test_a_literal_name_keeps_its_path_and_the_repeated_call_takes_the_next():
    x = keras.Input((4,), name="x")
    dense = layers.Dense(4, name="dense")
    model = keras.Model(x, layers.Dense(3, name="dense@1")(dense(dense(x))))
    assert paths(model) == ["x", "dense", "dense@2", "dense@1"]
    assert aw.layer_tree(model)["dense@1"].output_shape == (None, 3)
    assert aw.layer_tree(model)["dense@2"].call == 1


def test_a_literal_name_with_at_zero_means_the_layer_of_that_name():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(2, name="dense@0")(layers.Dense(3, name="dense")(x)))
    assert aw.layer_tree(model)["dense@0"].output_shape == (None, 2)
    assert aw.submodel(model, "dense@0").output_shape == (None, 2)
    assert aw.layer_tree(model)["dense"].output_shape == (None, 3)


def test_a_literal_name_like_an_output_keeps_it():
    x = keras.Input((3, 4), name="x")
    y, hidden, cell = layers.LSTM(5, return_state=True, name="lstm")(x)
    model = keras.Model(x, layers.Dense(2, name="lstm:1")(y + hidden + cell))
    assert paths(model)[:2] == ["x", "lstm"]
    assert aw.layer_tree(model)["lstm:1"].class_name == "Dense"
    assert {"lstm:2", "lstm:3"} <= set(paths(model))


@pytest.mark.parametrize("name", ["ein Würfel", "a b", "层", "<b>bold", "dense:x", "@", ":0", "a@b:c", "%s{}"])
def test_any_name_that_keras_allows_is_a_path(name):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name=name)])
    assert aw.layer_tree(model)[name].name == name
    assert aw.activations(model, zoo.noise(2, 4), name)[name].shape == (2, 3)
    assert aw.submodel(model, name)(zoo.noise(2, 4)).shape == (2, 3)


LSTM = ["input_gate", "forget_gate", "candidate", "output_gate", "hidden_state", "cell_state"]


def test_each_output_tensor_has_a_path():
    x = keras.Input((3, 4), name="x")
    sequence, hidden, cell = layers.LSTM(5, return_sequences=True, return_state=True, name="lstm")(x)
    model = keras.Model(x, [sequence, hidden, cell])
    cell = ["lstm/lstm_cell", *(f"lstm/lstm_cell/{each}" for each in LSTM)]
    assert paths(model) == ["x", "lstm", *cell, "lstm:1", "lstm:2"]
    shapes = [node.output_shape for node in aw.layer_tree(model)]
    assert shapes == [(None, 3, 4), *[(None, 3, 5)] * 8, (None, 5), (None, 5)]


def test_outputs_of_repeated_calls_carry_both_marks():
    x = keras.Input((3, 4), name="x")
    lstm = layers.LSTM(4, return_sequences=True, return_state=True, name="lstm")
    model = keras.Model(x, lstm(lstm(x)[0]))
    assert paths(model) == [
        *["x", "lstm", "lstm/lstm_cell", *(f"lstm/lstm_cell/{each}" for each in LSTM), "lstm:1", "lstm:2"],
        *["lstm@1", "lstm@1/lstm_cell", *(f"lstm@1/lstm_cell/{each}" for each in LSTM), "lstm@1:1", "lstm@1:2"],
    ]


def test_calls_in_another_model_do_not_count():
    model, _ = zoo.shared_elsewhere()
    assert paths(model)[1:] == ["first_in_another_model", "first_in_another_model@1"]


def test_one_layer_in_two_models_is_itself_in_each():
    shared = layers.Dense(4, name="shared")
    small = keras.Sequential([keras.Input((4,)), shared])
    x = keras.Input((4,), name="x")
    large = keras.Model(x, layers.Dense(2)(shared(layers.Rescaling(10.0)(x))))
    batch = zoo.noise(3, 4)
    small_value = aw.activations(small, batch, shared)["shared"]
    large_value = aw.activations(large, batch, shared)["shared"]
    np.testing.assert_allclose(small_value, shared(batch).numpy(), rtol=1e-5)
    np.testing.assert_allclose(large_value, shared(batch * 10).numpy(), rtol=1e-5)


def test_operations_that_are_no_layers_are_nodes():
    x = keras.Input((4, 2), name="x")
    y = layers.Dense(2, name="dense")(x)
    total = x + y
    model = keras.Model(x, keras.ops.exp(total)[:, 0])
    nodes = list(aw.layer_tree(model))
    assert [node.class_name for node in nodes] == ["InputLayer", "Dense", "Add", "Exp", "GetItem"]
    operation = total._keras_history.operation
    assert nodes[2].path == operation.name
    assert nodes[2].parameters == 0
    batch = zoo.noise(2, 4, 2)
    values = aw.activations(model, batch)
    np.testing.assert_allclose(values[operation.name], values["x"] + values["dense"])
    assert list(aw.activations(model, batch, operation)) == [operation.name]


def test_an_input_is_a_node_whose_value_is_the_input():
    model, _ = called_three_times()
    batch = zoo.noise(2, 4)
    np.testing.assert_array_equal(aw.activations(model, batch, "x")["x"], batch)
    np.testing.assert_array_equal(aw.submodel(model, "x")(batch), batch)


def test_inputs_come_in_the_order_of_the_model_though_the_graph_has_another():
    late, early = keras.Input((2,), name="late"), keras.Input((2,), name="early")
    model = keras.Model([late, early], layers.Dense(1)(early) + late)
    assert paths(model)[:2] == ["late", "early"]


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


@pytest.mark.parametrize("wanted", ["desne", "Dense", "DENSE", "dense@7", "den"])
def test_an_unknown_name_brings_the_closest(wanted):
    model, _ = called_three_times()
    for ask in (
        lambda: aw.layer_tree(model)[wanted],
        lambda: aw.submodel(model, wanted),
        lambda: aw.activations(model, zoo.noise(2, 4), wanted),
        lambda: aw.activations(model, zoo.noise(2, 4))[wanted],
    ):
        with pytest.raises(
            LayerNotFoundError, match=rf"Layer '{wanted}' not found in model .*Closest: .*'dense"
        ) as caught:
            ask()
        assert isinstance(caught.value, KeyError)
        assert not str(caught.value).startswith(('"', "'"))


@pytest.mark.parametrize("wanted", ["", "nothing like it at all", "/", "x/dense", "dense/"])
def test_a_name_like_none_is_an_error_too(wanted):
    model, _ = called_three_times()
    with pytest.raises(LayerNotFoundError, match="not found in model"):
        aw.submodel(model, wanted)


@pytest.mark.parametrize("selector", [None, 1.5, True, b"dense", object(), {"dense"}])
def test_what_is_no_selector_is_refused_by_its_type(selector):
    model, _ = called_three_times()
    with pytest.raises(LayerNotFoundError, match=f"layer's path, its index .* got {type(selector).__name__}"):
        aw.submodel(model, selector)


def test_a_sequential_model_has_its_layers_with_and_without_an_explicit_input():
    def stack():
        return [layers.Dense(4, name="first"), layers.Dense(2, name="second")]

    given = keras.Sequential([keras.Input((3,), name="x"), *stack()])
    sampled, called = keras.Sequential(stack()), keras.Sequential(stack())
    called(zoo.noise(2, 3))
    built = keras.Sequential(stack())
    built.build((None, 3))
    assert paths(given) == ["x", "first", "second"]
    for model, inputs in ((sampled, zoo.noise(2, 3)), (called, None), (built, None)):
        assert paths(model, inputs)[1:] == ["first", "second"]
        assert aw.layer_tree(model)["second"].output_shape == (None, 2)


def test_an_unbuilt_sequential_model_says_what_to_do():
    model = keras.Sequential([layers.Dense(4)], name="raw")
    for ask in (aw.layer_tree, lambda it: aw.submodel(it, 0)):
        with pytest.raises(ModelNotBuiltError, match=r"'raw' has not been built.*Pass a batch as `inputs`"):
            ask(model)


def test_layers_added_later_are_seen():
    model = keras.Sequential([keras.Input((3,), name="x"), layers.Dense(4, name="first")])
    assert paths(model) == ["x", "first"]
    model.add(layers.Dense(2, name="second"))
    assert paths(model) == ["x", "first", "second"]
    model.pop()
    assert paths(model) == ["x", "first"]


def test_a_node_says_what_its_layer_is():
    model, _ = zoo.convolutional()
    tree = aw.layer_tree(model)
    node = tree[model.layers[1].name]
    assert (node.class_name, node.output_shape, node.dtype) == ("Conv2D", (None, 12, 12, 4), "float32")
    assert (node.parameters, node.trainable, node.origin, node.reason) == (3 * 3 * 3 * 4 + 4, True, "functional", "")
    assert tree.path == ""
    assert tree[""] is tree
    assert tree.parameters == model.count_params()
    with pytest.raises(FrozenInstanceError):
        node.path = "other"


def test_a_frozen_layer_is_said_to_be():
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, trainable=False, name="frozen"), layers.Dense(2, name="not")]
    )
    tree = aw.layer_tree(model)
    assert (tree["frozen"].trainable, tree["not"].trainable) == (False, True)


def test_iterating_goes_through_all_nodes_but_the_root_once():
    model, inputs = zoo.unet()
    tree = aw.layer_tree(model)
    found = [node.path for node in tree]
    assert len(found) == len(set(found)) == len(model.operations)
    assert "" not in found
    assert list(aw.activations(model, inputs)) == found


PRINTED = """
import keras, actwidget
x = keras.Input((8, 8, 3))
y = keras.layers.Conv2D(4, 3, name="conv")(x)
dense = keras.layers.Dense(4)
y = keras.ops.exp(dense(dense(y))) + 1.0
print(actwidget.layer_tree(keras.Model(x, keras.layers.Flatten()(y[:, 0]))))
print(repr(actwidget.layer_tree(keras.Model(x, y))["conv"]))
"""


def test_print_is_the_same_in_two_fresh_processes():
    outputs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, "-c", PRINTED], capture_output=True, text=True, env=environment, check=True
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    lines = outputs[0].splitlines()
    assert lines[0].split() == ["functional", "Functional", "132"]
    assert lines[2].split() == ["conv", "Conv2D", "(None,", "6,", "6,", "4)", "112"]
    assert lines[3].startswith("  dense ")
    assert lines[4].startswith("  dense@1 ")
    assert " at 0x" not in outputs[0]


def test_an_attention_layer_is_selected_as_its_output_not_its_scores():
    x = keras.Input((4, 6))
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    model = keras.Model(x, attention(x, x))
    for selector in (attention, -1):
        assert list(aw.activations(model, zoo.noise(2, 4, 6), selector)) == ["attention"]
