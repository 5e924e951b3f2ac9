"""Every activation has one address, and all that a person may call a layer by leads to it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import LayerNotFoundError
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


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


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("tower@0/dense", "tower@0/dense"),
        ("tower@0/dense:0", "tower@0/dense"),
        ("tower@0:0/dense@0:0", "tower@0/dense"),
        ("dense@0:0", "dense@0"),
        ("dense:0", "dense"),
    ],
)
def test_a_literal_name_with_at_zero_is_found_with_further_suffixes_too(wanted, path):
    x = keras.Input((4,), name="x")
    tower = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="dense")], name="tower@0")
    model = keras.Model(x, layers.Dense(2, name="dense@0")(layers.Dense(3, name="dense")(tower(x))))
    assert aw.layer_tree(model)[wanted].path == aw.layer_tree(model)[path].path == path
    assert list(aw.activations(model, zoo.noise(2, 4), wanted)) == [path]
    assert wanted in aw.layer_tree(model)
    assert aw.activations(model, zoo.noise(2, 4))[wanted].shape == (2, 2 if path == "dense@0" else 3)


def test_a_long_path_of_suffixes_that_names_nothing_is_refused_at_once():
    model, _ = called_three_times()
    with pytest.raises(LayerNotFoundError, match="not found"):
        aw.layer_tree(model)["/".join(["dense@0:0"] * 60)]


def test_the_closest_names_are_shown_though_they_differ_by_large_letters_alone():
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Dense(2, name="Block")(layers.Dense(3, name="block")(x)))
    with pytest.raises(LayerNotFoundError, match="Closest: 'block', 'Block'"):
        aw.layer_tree(model)["blok"]


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
    assert_close(small_value, as_array(shared(batch)))
    assert_close(large_value, as_array(shared(batch * 10)))


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
