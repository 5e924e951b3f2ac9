"""What does not fit the model is refused in words that say what to change; what nearly fits is made to."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from PIL import Image

import actwidget as aw
from actwidget.errors import ActwidgetError, CaptureError, InvalidInputsError
from tests.capture import odd_models, odd_zoo, zoo
from tests.rounding import assert_close


def pictures(channels=3):
    x = keras.Input((8, 8, channels), name="picture")
    return keras.Model(x, layers.GlobalAveragePooling2D(name="mean")(x), name="net")


def rows():
    x = keras.Input((4,), name="row")
    return keras.Model(x, layers.Dense(2)(x), name="net")


def words():
    x = keras.Input((4,), dtype="int32", name="words")
    return keras.Model(x, layers.Embedding(9, 2)(x), name="net")


def two():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    return keras.Model([a, b], layers.Concatenate()([a, b]), name="net")


def named():
    inputs = {"b": keras.Input((3,), name="b"), "a": keras.Input((4,), name="a")}
    return keras.Model(inputs, layers.Concatenate()([inputs["a"], inputs["b"]]), name="net")


def unnamed():
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(2)(x), name="net")


def raw():
    return keras.Sequential([layers.Dense(2)], name="net")


def called():
    model = keras.Sequential([layers.Dense(2)], name="net")
    model(zoo.noise(2, 4))
    return model


z = np.zeros
PICTURE = r"Expected shape \(None, 8, 8, 3\) for input 'picture' of model 'net', got "
ROW = r"Expected shape \(None, 4\) for input 'row' of model 'net', got "
NUMBERS = "Expected an array of numbers for 'row' of model 'net', got "
PAIR = r"Model 'net' takes 2 inputs, \['a', 'b'\], as a list; got "
DICT = r"Model 'net' takes a dict of inputs with the keys \['b', 'a'\], got "

WRONG = {
    "other size": (pictures, z((2, 9, 9, 3)), PICTURE + r"\(2, 9, 9, 3\)\. Resize .*resize\(x, \(8, 8\)\)"),
    "channels first": (
        pictures,
        z((2, 3, 8, 8)),
        PICTURE + r"\(2, 3, 8, 8\)\. The channels come first.*moveaxis\(x, 1, -1\)",
    ),
    "grey for colour": (
        pictures,
        z((2, 8, 8, 1)),
        PICTURE + r"\(2, 8, 8, 1\)\. A grey picture.*np\.repeat\(x, 3, axis=-1\)",
    ),
    "alpha": (pictures, z((2, 8, 8, 4)), PICTURE + r"\(2, 8, 8, 4\)\. .*alpha channel.*x\[\.\.\., :3\]"),
    "grey without channels": (pictures, z((2, 8, 8)), PICTURE + r"\(2, 8, 8\)\. "),
    "too many axes": (pictures, z((1, 2, 8, 8, 3)), PICTURE + r"\(1, 2, 8, 8, 3\)\. The array needs 4 axes"),
    "a single value": (pictures, 3.0, PICTURE + r"\(\)\. The array needs 4 axes"),
    "picture of another size": (pictures, Image.new("RGB", (9, 9)), PICTURE + r"\(9, 9, 3\)\. "),
    "grey picture": (pictures, Image.new("L", (8, 8)), PICTURE + r"\(8, 8\)\. "),
    "other width": (rows, z((2, 5)), ROW + r"\(2, 5\)\. Each axis but the first"),
    "unnamed input": (unnamed, z((2, 5)), r"Expected shape \(None, 4\) for input 'input_layer[_0-9]*' of model 'net'"),
    "single sample of other width": (rows, z(5), ROW + r"\(5,\)\. "),
    "two arrays for one input": (rows, [z((2, 4)), z((2, 4))], ROW + r"\(2, 2, 4\)\. The array needs 2 axes"),
    "nothing": (rows, None, r"Expected an array of shape \(None, 4\) for input 'row' of model 'net', got None"),
    "empty batch": (rows, z((0, 4)), "The batch for model 'net' is empty: expected at least one sample"),
    "empty list": (rows, [], ROW + r"\(0,\)\. "),
    "text": (
        rows,
        "cat.png",
        "Expected float32 values for input 'row' .*got text, 'cat.png'. If it names a file, load",
    ),
    "array of text": (rows, np.full((2, 4), "cat"), "Expected float32 values for input 'row' of model 'net', got text"),
    "an object": (rows, object(), NUMBERS + "object"),
    "array of objects": (rows, np.full((2, 4), object()), NUMBERS + r"ndarray of shape \(2, 4\)"),
    "dates": (rows, np.zeros((2, 4), "datetime64[s]"), NUMBERS + r"ndarray of shape \(2, 4\)"),
    "records": (rows, np.zeros((2, 4), [("u", "f4")]), NUMBERS + r"ndarray of shape \(2, 4\)"),
    "ragged": (rows, [[1.0, 2.0], [3.0]], "for 'row' of model 'net'; its parts differ in shape. Stack equal ones"),
    "ragged in a list of one": (rows, [[[1.0, 2.0], [3.0]]], "for 'row' of model 'net'; its parts differ in shape"),
    "pictures of two sizes": (pictures, [z((8, 8, 3)), z((9, 8, 3))], "for 'picture' of model 'net'; its parts differ"),
    "a number for an unbuilt model": (raw, 3.0, "Expected a batch of samples for model 'net', got the single value"),
    "a dict for an unbuilt model": (raw, {"x": z((2, 4))}, "Model 'net' can't take these inputs"),
    "fractions for tokens": (
        words,
        np.full((2, 4), 0.5),
        r"whole numbers \(int32\) for input 'words'.*got fractions \(float64\)",
    ),
    "nan for tokens": (words, np.full((2, 4), np.nan), r"whole numbers \(int32\) for input 'words' of model 'net'"),
    "text for tokens": (
        words,
        np.full((2, 4), "cat"),
        "Expected int32 values for input 'words' of model 'net', got text",
    ),
    "one of two": (two, z((2, 4)), PAIR + r"ndarray of shape \(2, 4\)\. Pass \[a, b\] in this order"),
    "a list of one for two": (two, [z((2, 4))], PAIR + "a list of 1"),
    "three for two": (two, [z((2, 4)), z((2, 3)), z((2, 4))], PAIR + "a list of 3"),
    "in the wrong order": (
        two,
        [z((2, 3)), z((2, 4))],
        r"Expected shape \(None, 4\) for input 'a' of model 'net', got \(2, 3\)",
    ),
    "none of two": (
        two,
        [z((2, 4)), None],
        r"Expected an array of shape \(None, 3\) for input 'b' of model 'net', got None",
    ),
    "unlike batches": (two, [z((2, 4)), z((5, 3))], "must hold the same number of samples: 'a' has 2, 'b' has 5"),
    "unknown name": (
        two,
        {"a": z((2, 4)), "c": z((2, 3))},
        r"takes the inputs \['a', 'b'\], .*missing \['b'\], unknown \['c'\]",
    ),
    "dataset within a list": (two, [tf.data.Dataset.from_tensors(z((2, 4))), z((2, 3))], r"one batch for 'a'.*Dataset"),
    "a list for a dict": (named, [z((2, 4)), z((2, 3))], DICT + r"a list of 2\. Pass \{'b': \.\.\., 'a': \.\.\.\}"),
    "an array for a dict": (named, z((2, 4)), DICT + r"ndarray of shape \(2, 4\)"),
    "missing key": (named, {"a": z((2, 4))}, r"takes the inputs \['b', 'a'\], got \['a'\]: missing \['b'\]"),
    "extra key": (named, {"a": z((2, 4)), "b": z((2, 3)), 3: 1}, r"unknown \[3\]"),
    "swapped under keys": (
        named,
        {"a": z((2, 3)), "b": z((2, 4))},
        r"Expected shape .* for input '[ab]' of model 'net'",
    ),
    "other name for one": (
        rows,
        {"column": z((2, 4))},
        r"takes the inputs \['row'\], .*missing \['row'\], unknown \['column'\]",
    ),
}


class Plain(keras.Model):
    def __init__(self):
        super().__init__(name="plain")
        self.dense = layers.Dense(3, name="dense")

    def call(self, inputs):
        return self.dense(inputs)


@pytest.mark.parametrize(("build", "inputs", "message"), WRONG.values(), ids=WRONG)
def test_wrong_inputs_are_refused_in_words(build, inputs, message):
    with pytest.raises(ActwidgetError) as caught:
        aw.activations(build(), inputs)
    assert type(caught.value) is InvalidInputsError
    assert isinstance(caught.value, ValueError)
    assert re.search(message, str(caught.value)), str(caught.value)


DATASET = tf.data.Dataset.from_tensors(np.ones((2, 4), "float32"))
ones = np.ones
FITTING = {
    "array": (rows, ones((2, 4)), (2, 4)),
    "lists of numbers": (rows, [[1, 1, 1, 1], [1.0, 1, 1, 1]], (2, 4)),
    "a list of arrays": (rows, [ones(4), ones(4), ones(4)], (3, 4)),
    "a list of one": (rows, [ones((2, 4))], (2, 4)),
    "by name": (rows, {"row": ones((2, 4))}, (2, 4)),
    "a single sample": (rows, ones(4), (1, 4)),
    "booleans": (rows, np.full((2, 4), fill_value=True), (2, 4)),
    "half": (rows, ones((2, 4), "float16"), (2, 4)),
    "tensor": (rows, tf.ones((2, 4)), (2, 4)),
    "variable": (rows, tf.Variable(tf.ones((2, 4))), (2, 4)),
    "brain float tensor": (rows, tf.ones((2, 4), tf.bfloat16), (2, 4)),
    "keras variable": (rows, keras.Variable(ones((2, 4))), (2, 4)),
    "a batch of a dataset": (rows, next(iter(DATASET)), (2, 4)),
    "single picture": (pictures, ones((8, 8, 3)), (1, 8, 8, 3)),
    "picture": (pictures, Image.new("RGB", (8, 8), (1, 1, 1)), (1, 8, 8, 3)),
    "pictures in a list": (pictures, [Image.new("RGB", (8, 8), (1, 1, 1))] * 2, (2, 8, 8, 3)),
    "bytes": (pictures, ones((2, 8, 8, 3), "uint8"), (2, 8, 8, 3)),
    "transposed view": (pictures, np.moveaxis(ones((2, 3, 8, 8)), 1, -1), (2, 8, 8, 3)),
    "grey without its channel": (lambda: pictures(1), ones((2, 8, 8)), (2, 8, 8, 1)),
    "one grey without its channel": (lambda: pictures(1), ones((8, 8)), (1, 8, 8, 1)),
    "one grey": (lambda: pictures(1), ones((8, 8, 1)), (1, 8, 8, 1)),
    "whole floats for tokens": (words, ones((2, 4)), (2, 4)),
    "another batch size than it was built by": (called, ones((5, 4)), (5, 4)),
}


@pytest.mark.parametrize(("build", "inputs", "shape"), FITTING.values(), ids=FITTING)
def test_what_fits_or_nearly_fits_reaches_the_model(build, inputs, shape):
    model = build()
    values = aw.activations(model, inputs)
    value = next(iter(values.values()))
    assert value.shape == shape
    assert value.dtype == model.inputs[0].dtype
    assert np.all(value == 1)
    assert all(len(array) == shape[0] for array in values.values())


@pytest.mark.parametrize("build", [two, named])
def test_several_inputs_reach_theirs_whatever_the_order(build):
    a, b = zoo.noise(2, 4), zoo.noise(2, 3, seed=1)
    given = [{"a": a, "b": b}, {"b": b, "a": a}]
    if build is two:
        given += [[a, b], (a, b)]
    for inputs in given:
        values = aw.activations(build(), inputs)
        np.testing.assert_array_equal(values["a"], a)
        np.testing.assert_array_equal(values["b"], b)


def test_unnamed_inputs_are_taken_by_the_names_that_the_tree_shows():
    x, y = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([x, y], x - y)
    names = [node.path for node in aw.layer_tree(model)][:2]
    values = aw.activations(model, {names[1]: np.ones((2, 4)), names[0]: np.zeros((2, 4))})
    assert (values[names[0]].max(), values[names[1]].max()) == (0, 1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_users_array_is_left_as_it_is(dtype):
    batch = np.ones((3, 4), dtype)
    batch.setflags(write=False)
    values = aw.activations(rows(), batch)
    assert batch.dtype == dtype
    assert np.all(batch == 1)
    assert not np.shares_memory(values["row"], batch)
    batch.setflags(write=True)
    batch[...] = 7
    assert np.all(values["row"] == 1)


def test_a_model_that_takes_a_structure_is_not_warned_about(recwarn):
    for build in (zoo.siamese, zoo.dict_inputs, zoo.list_inputs, zoo.dense):
        aw.activations(*build())
    assert not [str(warning.message) for warning in recwarn if "structure" in str(warning.message)]


def test_a_stateful_layer_that_gets_another_number_of_samples_says_so_as_a_failed_pass():
    model = keras.Sequential([keras.Input((4, 3), batch_size=2), layers.LSTM(5, stateful=True)])
    with pytest.raises((CaptureError, InvalidInputsError), match="2"):
        aw.activations(model, zoo.noise(3, 4, 3))


@pytest.mark.parametrize("shape", [(2, 8, 8), (8,), (1, 2), (2, 9, 9, 3)])
def test_an_unbuilt_model_that_refuses_a_sample_is_not_spoiled(shape):
    model = keras.Sequential([layers.Conv2D(2, 3, name="conv"), layers.Reshape((6 * 6 * 2,)), layers.Dense(2)])
    with pytest.raises(InvalidInputsError, match=rf"can't take these inputs, of shape {re.escape(str(shape))}"):
        aw.layer_tree(model, ones(shape))
    assert aw.activations(model, ones((2, 8, 8, 3)), "conv")["conv"].shape == (2, 6, 6, 2)


def test_an_unbuilt_model_takes_a_single_sample():
    model = keras.Sequential([layers.Conv2D(2, 3, name="conv")])
    assert aw.activations(model, ones((8, 8, 3)), "conv")["conv"].shape == (1, 6, 6, 2)


def test_a_layer_that_keras_cannot_copy_is_built_all_the_same():
    class Own(keras.Layer):
        def __init__(self, units, table):
            super().__init__(name="own")
            self.units, self.table = units, table

        def call(self, inputs):
            return inputs * self.units

    model = keras.Sequential([Own(2, object())])
    np.testing.assert_array_equal(aw.activations(model, ones((3, 4)), "own")["own"], 2 * ones((3, 4)))


@pytest.mark.parametrize(("build", "inputs", "message"), WRONG.values(), ids=WRONG)
def test_a_tree_checks_the_inputs_as_well(build, inputs, message):
    if inputs is None:
        assert list(aw.layer_tree(build()))
        return
    with pytest.raises(InvalidInputsError, match=message):
        aw.layer_tree(build(), inputs)


class Largest(keras.Layer):
    """Tells Keras its shape alone, and keeps something in plain Python."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def compute_output_shape(self, shape):
        return shape[:-1]

    def call(self, inputs):
        self.calls.append(inputs.shape)
        return ops.argmax(inputs, -1)


OTHER_DTYPES = {
    "lookup": (lambda: layers.StringLookup(vocabulary=["a"], output_mode="multi_hot"), "string", "int64"),
    "lookup of indices": (lambda: layers.StringLookup(vocabulary=["a"]), "string", "int64"),
    "lookup of words": (lambda: layers.StringLookup(vocabulary=["a"], invert=True), "int64", "string"),
    "lookup of numbers": (lambda: layers.IntegerLookup(vocabulary=[1], output_mode="count"), "int64", "int64"),
    "lambda": (lambda: layers.Lambda(lambda v: ops.argmax(v, -1)), "float32", "int32"),
    "own": (Largest, "float32", "int32"),
}


@pytest.mark.parametrize(("make", "given", "dtype"), OTHER_DTYPES.values(), ids=OTHER_DTYPES)
def test_the_dtype_in_the_tree_is_that_of_the_output(make, given, dtype):
    layer, x = make(), keras.Input((2,), dtype=given)
    model = keras.Model(x, layer(x))
    node = aw.layer_tree(model)[layer.name]
    assert (node.dtype, aw.layer_tree(model).dtype) == (dtype, dtype)
    assert model(np.ones((1, 2)) if given != "string" else np.array([["a", "b"]])).dtype.name == dtype
    assert len(getattr(layer, "calls", [0])) == 1  # by the model's own call, none by a look


def test_a_scalar_has_the_shape_of_one_and_siblings_stand_in_the_order_of_execution():
    for build in (odd_zoo.scalars, odd_models.scalar_output):
        model, x = build()
        for path, value in aw.activations(model, x).items():
            assert len(aw.layer_tree(model, x)[path].output_shape) == value.ndim
    model, x = odd_models.siblings_of_one_name()
    values = aw.activations(model, x)
    once = model.two(x)
    for path, expected in zip(values, [once, model.three(once), model.three(model.three(once)), model(x)], strict=True):
        assert_close(values[path], expected)


def test_where_keras_needs_all_inputs_of_a_dict_an_error_says_so(monkeypatch):
    model, given = odd_models.optional_input_left_out()
    monkeypatch.setattr(keras, "__version__", "3.9.2")
    message = (
        r"array of shape \(None, 3\) for input 'more' .*, got None\. With Keras 3\.8 to 3\.9, optional inputs can't"
    )
    with pytest.raises(InvalidInputsError, match=message):
        aw.activations(model, given)
