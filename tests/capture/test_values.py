"""Every activation is what the layer really puts out when the model runs."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import actwidget as aw
from tests.capture import zoo
from tests.capture.witness import as_array, witness


def assert_as_witnessed(model, inputs, *, training=False, batch_size=32):
    tree = aw.layer_tree(model, inputs)
    values = aw.activations(model, inputs, training=training, batch_size=batch_size)
    calls = witness(model, inputs, training=training)

    assert list(values) == [node.path for node in tree]
    given = [node for node in tree if node.class_name == "InputLayer"]
    names = [tensor._keras_history.operation.name for tensor in model.inputs]
    flat = dict(zip(names, keras.tree.flatten(inputs), strict=True))
    assert [node.name for node in given] == names
    expected = [(node.name, 0, as_array(flat[node.name])) for node in given]
    # Seen in the order in which the calls end: that is the order of the nodes too.
    expected += [(call.operation.name, call.index, output) for call in calls for output in call.outputs]

    assert [(node.name, node.call) for node in tree] == [(name, index) for name, index, _ in expected]
    for node, (_, _, wanted) in zip(tree, expected, strict=True):
        value = values[node.path]
        assert value.dtype == wanted.dtype, node.path
        assert value.shape == wanted.shape, node.path
        assert_fits(node, value)
        if value.dtype == object:
            assert [bytes(text) for text in value] == [text.encode() for text in wanted]
        else:
            tolerance = 1e-5 if value.dtype in (np.float32, np.float64) else 0
            np.testing.assert_allclose(value, wanted, rtol=tolerance, atol=tolerance * 0.1, err_msg=node.path)


def assert_fits(node, value):
    assert len(node.output_shape) == value.ndim, node.path
    for declared, real in zip(node.output_shape, value.shape, strict=True):
        assert declared in (None, real), node.path


@pytest.mark.parametrize("build", zoo.SMALL, ids=lambda build: build.__name__)
def test_each_activation_is_what_the_witness_saw(build):
    assert_as_witnessed(*build())


@pytest.mark.parametrize("top", [True, False], ids=["with_top", "without_top"])
@pytest.mark.parametrize(("name", "size"), zoo.APPLICATIONS)
def test_each_activation_of_an_application_is_what_the_witness_saw(name, size, top):
    assert_as_witnessed(*zoo.application(name, size, top=top))


@pytest.mark.parametrize("build", [zoo.dense, zoo.transformer, zoo.half_precision], ids=lambda build: build.__name__)
def test_training_behaviour_is_what_the_witness_saw(build):
    model, inputs = build()
    assert_as_witnessed(model, inputs, training=True)


def test_a_model_made_by_sequential_without_an_input_is_captured_by_a_sample():
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2)])
    assert_as_witnessed(model, zoo.noise(3, 5))


def test_a_batch_of_bytes_is_seen_by_the_model_as_its_own_dtype():
    model, _ = zoo.dense()
    values = aw.activations(model, np.arange(12, dtype="uint8").reshape(2, 6))
    assert values[next(iter(values))].dtype == np.float32
