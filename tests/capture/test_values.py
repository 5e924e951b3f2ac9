"""Every activation, at every depth, is what the layer really puts out when the model runs."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.capture.run.conversion import as_array
from actwidget.errors import LayerNotFoundError, NotCapturableError
from tests.capture import odd_models, odd_zoo, zoo
from tests.capture.deep_witness import deep_witness as observed
from tests.rounding import assert_close


def assert_same(value, wanted, path):
    assert value.dtype == wanted.dtype, path
    assert value.shape == wanted.shape, path
    if value.dtype == object:
        assert [bytes(text) for text in value.ravel()] == [
            text if isinstance(text, bytes) else text.encode() for text in wanted.ravel()
        ]
    else:
        tolerance = {"float64": 1e-5, "float32": 1e-5, "float16": 1e-2}.get(value.dtype.name, 0)
        np.testing.assert_allclose(value, wanted, rtol=tolerance, atol=tolerance * 0.1, err_msg=path)


def assert_as_observed(model, inputs, *, training=False, batch_size=32):
    tree = aw.layer_tree(model, inputs)
    values = aw.activations(model, inputs, training=training, batch_size=batch_size)
    expected = observed(model, inputs, training=training)
    assert list(values) == list(expected)
    for node in tree:
        if node.path in values:
            assert node.origin in {"functional", "composed", "tapped"}
            assert_same(values[node.path], expected[node.path], node.path)
            assert_fits(node, values[node.path])
        elif node.class_name != "InputLayer":  # an optional one can be left out
            assert node.origin == "opaque"
            assert node.reason


def assert_fits(node, value):
    assert len(node.output_shape) == value.ndim, node.path
    for declared, real in zip(node.output_shape, value.shape, strict=True):
        assert declared in (None, real), node.path


@pytest.mark.parametrize(
    "build", [*zoo.SMALL, *odd_zoo.ODD, *odd_models.ODD.values()], ids=lambda build: build.__name__
)
def test_each_activation_is_what_was_observed(build):
    assert_as_observed(*build())


@pytest.mark.parametrize("build", zoo.without_long([*zoo.SMALL, *odd_zoo.ODD]), ids=lambda build: build.__name__)
def test_each_node_alone_and_its_submodel_give_the_same(build):
    model, inputs = build()
    expected = observed(model, inputs)
    tensors = keras.tree.map_structure(lambda leaf: None if leaf is None else keras.ops.convert_to_tensor(leaf), inputs)
    for path, wanted in expected.items():
        assert_same(aw.activations(model, inputs, path)[path], wanted, path)
        if build is odd_zoo.inside_a_tf_function and path.startswith("looped"):
            # Run eagerly the loop's calls are there; under predict they are in a graph of their own.
            with pytest.raises((NotCapturableError, LayerNotFoundError), match=r"inside a loop|Closest: 'looped'"):
                aw.submodel(model, path)
            continue
        sub = aw.submodel(model, path)
        value = sub(tensors, training=False)
        assert_same(np.asarray(as_array(value)), wanted, path)


@pytest.mark.parametrize("top", [True, False], ids=["with_top", "without_top"])
@pytest.mark.parametrize(("name", "size"), zoo.APPLICATIONS)
def test_each_activation_of_an_application_is_what_was_observed(name, size, top):
    assert_as_observed(*zoo.application(name, size, top=top))


TRAINED = [
    zoo.dense,
    zoo.transformer,
    zoo.half_precision,
    odd_zoo.frozen_base,
    odd_zoo.transformer_blocks,
    odd_zoo.moving_parts_nested,
    odd_zoo.attention_of_each_kind,
    odd_zoo.augmented,
    odd_models.ODD["attention_plain_and_additive"],
    odd_models.ODD["norm_and_dropout_nested"],
]


@pytest.mark.parametrize("build", TRAINED, ids=lambda build: build.__name__)
def test_training_behaviour_is_what_was_observed(build):
    model, inputs = build()
    model(inputs)
    before = [np.array(variable) for variable in model.variables]
    expected = observed(model, inputs, training=True)
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    values = aw.activations(model, inputs, training=True)
    assert list(values) == list(expected)
    for path, wanted in expected.items():
        assert_same(values[path], wanted, path)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), value)


def test_a_model_made_by_sequential_without_an_input_is_captured_by_a_sample():
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2)])
    assert_as_observed(model, zoo.noise(3, 5))


def test_a_batch_of_bytes_is_seen_by_the_model_as_its_own_dtype():
    model, _ = zoo.dense()
    values = aw.activations(model, np.arange(12, dtype="uint8").reshape(2, 6))
    assert values[next(iter(values))].dtype == np.float32


def test_a_literal_name_like_a_marked_one_keeps_it():
    model, inputs = odd_zoo.numbered_names()
    assert [node.path for node in aw.layer_tree(model, inputs)] == ["dense", "dense@2", "dense@1"]
    values = aw.activations(model, inputs)
    assert_close(values["dense@2"], model.dense(model.dense(inputs)))
    assert_close(values["dense@1"], model(inputs))
