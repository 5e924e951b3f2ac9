"""A batch goes through in parts where these give what the whole batch gives, and what may not be cut up is not."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers, ops

import actwidget as aw
from actwidget.capture.run.batch_parts import Captured, Joined, Parts, Row, alone, chosen, is_close, trials
from actwidget.capture.run.inputs import prepare
from tests.capture import zoo
from tests.rounding import assert_close


def test_another_first_axis_than_the_samples_is_not_joined():
    inputs = keras.Input((None, 3))
    steps_first = ops.transpose(inputs, (1, 0, 2))
    model = keras.Model(inputs, ops.transpose(steps_first, (1, 0, 2)))
    x = zoo.noise(64, 5, 3)
    path = steps_first._keras_history.operation.name  # with the number that Keras has come to
    np.testing.assert_array_equal(aw.activations(model, x)[path], x.transpose(1, 0, 2))


@pytest.mark.parametrize("samples", [40, 64])
def test_what_compares_samples_with_each_other_has_all_of_them(samples):
    class Similarity(layers.Layer):
        def call(self, inputs):
            return ops.matmul(inputs, ops.transpose(inputs))

    inputs = keras.Input((3,))
    model = keras.Model(inputs, Similarity(name="similarity")(inputs))

    class Contrastive(keras.Model):
        def __init__(self):
            super().__init__()
            self.similarity = Similarity(name="similarity")

        def call(self, inputs):
            return self.similarity(inputs)

    x = zoo.noise(samples, 3)
    for each in (model, Contrastive()):
        np.testing.assert_allclose(aw.activations(each, x)["similarity"], x @ x.T, rtol=1e-4, atol=1e-5)


class Beside(layers.Layer):
    """Makes of each sample something that depends on those beside it."""

    def __init__(self, make, **kwargs):
        super().__init__(**kwargs)
        self.make = make

    def call(self, inputs):
        return self.make(inputs)

    def compute_output_shape(self, shape):
        return shape


def ranked(x):
    return ops.argsort(ops.argsort(x, axis=0), axis=0)


def attended(x):
    return ops.matmul(ops.softmax(ops.matmul(x, ops.transpose(x)), axis=-1), x)


def above_the_mean(x):
    return ops.greater(x, ops.mean(x, axis=0, keepdims=True))


def of_the_first(x):
    return ops.ones_like(x) * x[:1]


def of_the_one_before(x):
    return x - ops.roll(x, 1, axis=0)


def missing_above_the_mean(x):
    return ops.where(above_the_mean(x), np.float32(np.nan), x)


MIXING = {
    "centring": lambda x: x - ops.mean(x, axis=0, keepdims=True),
    "a sum along the batch": lambda x: ops.cumsum(x, axis=0),
    "a sum from the end": lambda x: ops.flip(ops.cumsum(ops.flip(x, axis=0), axis=0), axis=0),
    "sorting": lambda x: ops.sort(x, axis=0),
    "the order turned round": lambda x: ops.flip(x, axis=0),
    "ranks, whole numbers": ranked,
    "flags": above_the_mean,
    "missing values": missing_above_the_mean,
    "attention among samples": attended,
    "the number of samples": lambda x: x * ops.cast(ops.shape(x)[0], "float32"),
    "the first sample": of_the_first,
    "the sample before": of_the_one_before,
    "a softmax over samples": lambda x: ops.softmax(x, axis=0),
    "the least of all": lambda x: x - ops.min(x),
}


def unlike(samples):
    """A batch of which no two parts have the same mean, maximum or order, and of one value throughout in each half."""
    x = zoo.noise(samples, 5)
    return {"noise": x, "halves": np.where(np.arange(samples)[:, np.newaxis] < samples // 2, x[:1], x[1:2])}


@pytest.mark.parametrize("kind", ["noise", "halves"])
@pytest.mark.parametrize(("samples", "batch_size"), [(64, 32), (40, 32), (7, 2), (7, 1)])
@pytest.mark.parametrize("name", MIXING)
def test_a_layer_that_mixes_samples_is_given_all_of_them(name, samples, batch_size, kind):
    x, make = unlike(samples)[kind], MIXING[name]
    inputs = keras.Input((5,))
    model = keras.Model(inputs, Beside(make, name="beside")(layers.Identity(name="same")(inputs)))
    found = aw.activations(model, x, ["same", "beside"], batch_size=batch_size)
    np.testing.assert_allclose(found["beside"], make(ops.convert_to_tensor(x)), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found["same"], x)


OPERATIONS = {
    "centring": lambda x: x - ops.mean(x, axis=0, keepdims=True),
    "centring without the axis": lambda x: x - ops.mean(x, axis=0),
    "the mean of everything": lambda x: x - ops.mean(x),
    "two samples in a row": lambda x: ops.reshape(ops.reshape(x, (-1, 12)) * 2.0, (-1, 6)),
    "a product with all": lambda x: ops.matmul(ops.matmul(x, ops.transpose(x)), x),
    "a sum along the batch": lambda x: ops.cumsum(x, axis=0),
    "numbers of samples laid along another axis": lambda x: x + ops.mean(ops.expand_dims(x[:, 0], 1) + x[:, 1]),
    "a softmax over samples": layers.Softmax(axis=0),
    "samples behind one another": lambda x: layers.Concatenate(axis=0)([x, x]),
    "a part of the samples": lambda x: x[::2, :],
    "the norm over all": layers.UnitNormalization(axis=0),
    "a mean over the last axis but one": lambda x: x - ops.mean(x, axis=-2, keepdims=True),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_keras_s_own_operations_over_the_samples_are_given_all_of_them(name):
    inputs, x = keras.Input((6,)), zoo.noise(64, 6)
    made = layers.Identity(name="last")(OPERATIONS[name](inputs))
    model = keras.Model(inputs, made)
    found = aw.activations(model, x, "last")["last"]
    np.testing.assert_allclose(found, model(x, training=False), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(aw.activations(model, x)["last"], found, rtol=1e-4, atol=1e-5)


def test_texts_are_filled_up_to_the_longest_of_the_whole_batch():
    words = layers.TextVectorization(vocabulary=["a", "b"], name="words")
    x = np.array([["a b"]] * 32 + [["a b b b a"]] * 32)
    pooled = layers.GlobalAveragePooling1D(name="pool")
    model = keras.Sequential([keras.Input((1,), dtype="string"), words, layers.Embedding(9, 4), pooled])
    found = aw.activations(model, x, "pool")["pool"]
    assert_close(found, model(ops.convert_to_tensor(x)))


def test_a_table_as_long_as_the_parts_is_not_repeated():
    class Positions(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.table = layers.Embedding(32, 8, name="table")

        def call(self, inputs):
            return inputs + self.table(ops.arange(ops.shape(inputs)[1]))

    inputs = keras.Input((None, 8))
    model = keras.Model(inputs, Positions(name="positions")(inputs))
    for samples in (1, 32, 64, 70):
        found = aw.activations(model, zoo.noise(samples, 32, 8), "positions/table")["positions/table"]
        np.testing.assert_array_equal(found, model.layers[1].table.embeddings)


class Clip(keras.layers.Layer):
    """Divides by the largest value of the batch, where that is above 1: most batches don't show it."""

    def call(self, inputs):
        return inputs / keras.ops.maximum(1.0, keras.ops.max(keras.ops.abs(inputs)))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 7, 32])
@pytest.mark.parametrize("size", [33, 64, 65])
def test_a_layer_that_one_sample_makes_mix_is_noticed_wherever_that_sample_stands(size, batch_size):
    model = keras.Sequential([keras.Input((4,)), Clip(name="clip")])
    rng = np.random.default_rng(0)
    for place in (*range(0, size, 7), size - 1):
        x = rng.uniform(-0.5, 0.5, (size, 4)).astype("float32")
        x[place] = 100
        found = aw.activations(model, x, "clip", batch_size=batch_size)["clip"]
        np.testing.assert_allclose(found, model(x), rtol=1e-5, atol=1e-7, err_msg=str(place))


@given(st.data())
def test_each_part_has_a_sample_in_a_trial_and_each_trial_has_samples_of_two_parts_or_more(data):
    rows = data.draw(st.integers(1, 40), "rows")
    size = data.draw(st.integers(rows + 1, 300), "size")
    found = trials(size, rows)
    tried = [samples for group in found.values() for samples in group]
    assert {sample // rows for samples in tried for sample in samples} == set(range(-(-size // rows)))
    for samples in tried:
        assert samples == sorted(set(samples))
        assert 0 <= samples[0] <= samples[-1] < size
        assert len({sample // rows for sample in samples}) > 1
        assert len(samples) != rows  # what has no axis of samples is recognised by its length
    # Nothing is compared with a part that has gone by.
    for start, group in found.items():
        assert start % rows == 0
        assert all(sample >= start for samples in group for sample in samples)


@given(st.integers(1, 20), st.integers(1, 7), st.booleans())
def test_joined_parts_are_the_whole(size, rows, masked):
    value, mask = zoo.noise(size, 3, 2), zoo.noise(size, 3) > 0
    whole = Joined(size)
    assert not whole.has_parts
    for start in range(0, size, rows):
        part = slice(start, start + rows)
        whole.add(start, Captured(value[part], mask[part] if masked else None, is_all=not masked))
    captured = whole.captured
    np.testing.assert_array_equal(captured.value, value)
    if masked:
        np.testing.assert_array_equal(captured.mask, mask)
    assert (captured.parts, captured.is_all) == (-(-size // rows), not masked)
    assert captured.nbytes == value.nbytes + (mask.nbytes if masked else 0)


def test_of_no_part_there_is_no_whole():
    with pytest.raises(ValueError, match="No part of the batch is there"):
        _ = Joined(3).captured


TENSORS = {
    "floats": (lambda: tf.constant([[1.0, 2.0]]), True),
    "flags": (lambda: tf.constant([[True, False]]), True),
    "texts": (lambda: tf.constant([["a", "b"]]), False),
    "brain floats": (lambda: tf.constant([[1.0, 2.0]], tf.bfloat16), False),
    "ragged": (lambda: tf.ragged.constant([[1.0, 2.0]]), False),
    "sparse": (lambda: tf.sparse.from_dense([[1.0, 2.0]]), False),
    "masked": (lambda: layers.Embedding(9, 2, mask_zero=True)(np.array([[1, 0]])), False),
}


@pytest.mark.parametrize(("make", "is_all"), TENSORS.values(), ids=TENSORS)
def test_from_an_array_alone_a_pass_goes_on_only_where_the_array_is_all_that_there_was(make, is_all):
    captured = Captured.of(make())
    assert captured.is_all is is_all
    assert captured.value.shape[:2] == (1, 2)


def test_a_row_is_that_of_a_sample_or_all_where_there_is_no_axis_of_samples():
    value, mask = zoo.noise(4, 3, 2), zoo.noise(4, 3) > 0
    row = Captured(value, mask).row(2, 4)
    assert (row.samples, row.value.tolist(), row.mask.tolist()) == (4, value[2].tolist(), mask[2].tolist())
    for other in (np.float32(5.0).reshape(()), value):
        row = Captured(other).row(2, 7)
        assert isinstance(row, Row)
        assert (row.samples, row.mask) == (1, None)
        np.testing.assert_array_equal(row.value, other)


PAIRS = {
    "the same": (np.float32([[1, 2]]), np.float32([[1, 2]]), True),
    "rounded otherwise": (np.float32([[1, 2e4]]), np.float32([[1.00001, 20000.1]]), True),
    "off in the second place": (np.float32([[1, 2]]), np.float32([[1, 2.02]]), False),
    "a small channel beside a large one": (np.float32([[1e-3, 10]]), np.float32([[2e-3, 10]]), False),
    "half precision": (np.float16([[1, 2]]), np.float16([[1, 2.01]]), True),
    "missing and infinite": (np.float32([[np.nan, np.inf]]), np.float32([[np.nan, np.inf]]), True),
    "missing in one alone": (np.float32([[np.nan, 1]]), np.float32([[0, 1]]), False),
    "infinite on the other side": (np.float32([[np.inf]]), np.float32([[-np.inf]]), False),
    "whole numbers": (np.int64([[10**9]]), np.int64([[10**9 + 1]]), False),
    "texts": (np.array([["a"]], object), np.array([["a"]], object), True),
    "of two dtypes": (np.float32([[1]]), np.float64([[1]]), False),
    "nothing": (np.zeros((0, 3), "float32"), np.zeros((0, 3), "float32"), True),
}


@pytest.mark.parametrize(("one", "other", "expected"), PAIRS.values(), ids=PAIRS)
def test_numbers_are_the_same_but_for_rounding(one, other, expected):
    assert is_close(one, other) is expected


@pytest.mark.parametrize(
    ("value", "mask"), [(np.zeros((3, 2)), None), (np.zeros((2, 3)), None), (np.zeros((2, 2)), np.ones((3, 2), bool))]
)
def test_a_part_of_another_form_is_none_of_the_whole(value, mask):
    parts = Parts(size=4, rows=2)
    assert parts.fits("layer", 0, Captured(np.zeros((2, 2))))
    assert not parts.fits("layer", 2, Captured(value, mask))
    assert parts.fits("other", 2, Captured(np.zeros((2, 5))))


def test_some_samples_of_a_batch_keep_the_structure_of_the_inputs():
    x, ragged = zoo.noise(4, 3), tf.ragged.constant([[1], [2, 3], [4], [5, 6, 7]])
    batch = prepare({"x": x, "words": ragged, "scale": 2.0}, None, "net", spread="names")
    given = chosen(batch, [1, 3])
    np.testing.assert_array_equal(given["x"], x[[1, 3]])
    assert given["words"].to_list() == [[2, 3], [5, 6, 7]]
    assert given["scale"] == 2.0
    few = alone(batch, [1, 3])
    assert few.size == 2
    np.testing.assert_array_equal(few.value["x"], x[[1, 3]])
    assert few.value["words"].tolist() == [[2, 3, 0], [5, 6, 7]]
