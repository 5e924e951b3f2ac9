"""Arrays become tensors and tensors arrays; ragged and sparse inputs reach the model as they came."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.capture.run.conversion import as_array, as_tensors, is_option, is_shared, is_uneven
from actwidget.keras_internals.versions import NO_RAGGED_INPUTS
from tests.capture import zoo
from tests.rounding import assert_close

pytestmark = pytest.mark.backend("tensorflow")  # ragged, sparse and text tensors; test_backends has the others


def mean_of_words():
    words = keras.Input((None,), ragged=True, dtype="int64")
    y = layers.Embedding(10, 4)(words)
    y = layers.Lambda(lambda rows: tf.reduce_mean(rows, axis=1), output_shape=(4,), name="mean")(y)
    return keras.Model(words, layers.Dense(2, name="out")(y))


@pytest.mark.not_where(NO_RAGGED_INPUTS)
@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_the_rows_of_a_ragged_input_are_not_filled_up(batch_size):
    model, x = mean_of_words(), tf.ragged.constant([[1, 2, 3], [4], [5, 6]], dtype="int64")
    found = aw.activations(model, x, ["mean", "out"], batch_size=batch_size)
    assert_close(found["out"], model(x))
    table = model.layers[1].get_weights()[0]
    assert_close(found["mean"][1], table[4])
    assert_close(aw.submodel(model, "out")(x), found["out"])


class SparseProduct(keras.Model):
    def __init__(self):
        super().__init__()
        self.table = self.add_weight(shape=(4, 2))
        self.last = layers.Dense(2, name="last")

    def call(self, inputs):
        return self.last(tf.sparse.sparse_dense_matmul(inputs, self.table.value))


@pytest.mark.parametrize("batch_size", [3, 32])
def test_a_model_without_a_graph_is_given_a_sparse_input_as_it_came(batch_size):
    model, x = SparseProduct(), tf.sparse.from_dense(np.eye(4, dtype="float32"))
    expected = model(x)
    found = aw.activations(model, x, "last", batch_size=batch_size)["last"]
    assert_close(found, expected)


def test_an_input_that_is_declared_sparse_stays_so():
    inputs = keras.Input((4,), sparse=True)

    class IsSparse(layers.Layer):
        def call(self, inputs):
            return tf.fill((3, 1), 1.0 if isinstance(inputs, tf.SparseTensor) else 0.0)

        def compute_output_spec(self, _inputs):
            return keras.KerasTensor((None, 1))

    model = keras.Model(inputs, IsSparse(name="is_sparse")(inputs))
    x = tf.sparse.from_dense(np.eye(3, 4, dtype="float32"))
    assert aw.activations(model, x, "is_sparse")["is_sparse"].tolist() == [[1.0]] * 3


def test_arrays_become_tensors_in_the_dtypes_of_the_inputs_and_all_else_stays():
    ragged, sparse = tf.ragged.constant([[1, 2], [3]]), tf.sparse.from_dense(np.eye(2))
    given = {"numbers": np.arange(3), "left out": None, "flag": True, "rows": ragged, "few": sparse}
    symbols = {name: keras.KerasTensor((None,), dtype="float16") for name in given}
    made = as_tensors(given, symbols)
    assert keras.ops.is_tensor(made["numbers"])
    assert (made["numbers"].dtype, as_array(made["numbers"]).tolist()) == ("float16", [0, 1, 2])
    assert all(made[name] is given[name] for name in ("left out", "flag", "rows", "few"))
    assert as_tensors([np.arange(3)])[0].dtype == "int64"  # where there are no symbols, their own


TENSORS = {
    "bfloat16": (lambda: tf.constant([1.5, -2.0], tf.bfloat16), np.array([1.5, -2.0], "float32")),
    "half precision": (lambda: tf.constant([1.5], tf.float16), np.array([1.5], "float16")),
    "ragged": (lambda: tf.ragged.constant([[1.0, 2.0], [3.0]]), np.array([[1, 2], [3, 0]], "float32")),
    "sparse": (lambda: tf.sparse.from_dense([[0.0, 2.0]]), np.array([[0, 2]], "float32")),
    "texts": (lambda: tf.constant(["a"]), np.array([b"a"], object)),
    "one number": (lambda: tf.constant(3), np.array(3, "int32")),
    "a variable": (lambda: keras.Variable(np.ones((2, 1), "float32")), np.ones((2, 1), "float32")),
}


@pytest.mark.parametrize(("make", "expected"), TENSORS.values(), ids=TENSORS)
def test_the_array_of_a_tensor_has_its_values_and_its_dtype_where_numpy_has_it(make, expected):
    found = as_array(make())
    assert (type(found), found.dtype) == (np.ndarray, expected.dtype)
    np.testing.assert_array_equal(found, expected)


def test_the_values_of_a_large_tensor_are_not_copied():
    tensor = tf.ones((100, 100))
    assert np.shares_memory(as_array(tensor), as_array(tensor))


LEAVES = {  # what it is, and whether it is an option, the same for all samples, and uneven
    "flag": (lambda: True, True, True, False),
    "factor": (lambda: 0.5, True, True, False),
    "word": (lambda: "same", True, True, False),
    "left out": (lambda: None, False, True, False),
    "single number": (lambda: np.float32(2), False, True, False),
    "tensor of one number": (lambda: tf.constant(2), False, True, False),
    "array": (lambda: zoo.noise(2), False, False, False),
    "ragged": (lambda: tf.ragged.constant([[1], []]), False, False, True),
    "sparse": (lambda: tf.sparse.from_dense([[1]]), False, False, True),
}


@pytest.mark.parametrize(("make", "option", "shared", "uneven"), LEAVES.values(), ids=LEAVES)
def test_what_is_cut_into_parts_is_told_from_what_is_passed_on_as_it_is(make, option, shared, uneven):
    leaf = make()
    assert (is_option(leaf), is_shared(leaf), is_uneven(leaf)) == (option, shared, uneven)
