"""Ragged and sparse inputs reach the model as they came."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw


def mean_of_words():
    words = keras.Input((None,), ragged=True, dtype="int64")
    y = layers.Embedding(10, 4)(words)
    y = layers.Lambda(lambda rows: tf.reduce_mean(rows, axis=1), output_shape=(4,), name="mean")(y)
    return keras.Model(words, layers.Dense(2, name="out")(y))


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_the_rows_of_a_ragged_input_are_not_filled_up(batch_size):
    model, x = mean_of_words(), tf.ragged.constant([[1, 2, 3], [4], [5, 6]], dtype="int64")
    found = aw.activations(model, x, ["mean", "out"], batch_size=batch_size)
    np.testing.assert_allclose(found["out"], model(x), rtol=1e-5, atol=1e-6)
    table = model.layers[1].get_weights()[0]
    np.testing.assert_allclose(found["mean"][1], table[4], rtol=1e-6)
    np.testing.assert_allclose(aw.submodel(model, "out")(x), found["out"], rtol=1e-5, atol=1e-6)


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
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


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
