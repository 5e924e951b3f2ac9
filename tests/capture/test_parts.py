"""More samples than go through the model at a time, and what may not be cut up."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.errors import MemoryBudgetError, NotCapturableError
from tests.capture import zoo


def test_another_first_axis_than_the_samples_is_not_joined():
    inputs = keras.Input((None, 3))
    steps_first = ops.transpose(inputs, (1, 0, 2))
    model = keras.Model(inputs, ops.transpose(steps_first, (1, 0, 2)))
    x = zoo.noise(64, 5, 3)
    np.testing.assert_array_equal(aw.activations(model, x)["transpose"], x.transpose(1, 0, 2))


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


def test_a_layer_that_a_part_of_the_batch_passes_by_is_had_of_the_whole():
    class Flow(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(3, name="first"), layers.Dense(3, name="second")

        def call(self, inputs):
            y = self.first(inputs)
            return self.second(y) if ops.max(inputs) > 5 else y

    model, x = Flow(), zoo.noise(64, 3)
    with pytest.raises(NotCapturableError):
        aw.activations(model, x, "second")
    x[0, 0] = 9
    np.testing.assert_allclose(aw.activations(model, x)["second"], model(x), rtol=1e-5, atol=1e-6)


def test_noise_is_not_the_same_in_every_part():
    inputs = keras.Input((100,))
    model = keras.Model(inputs, layers.Dropout(0.5, name="dropout")(inputs))
    value = aw.activations(model, np.ones((64, 100), "float32"), "dropout", training=True)["dropout"]
    assert not np.array_equal(value[:32], value[32:])


def test_the_budget_knows_the_shape_of_these_inputs_where_the_model_leaves_it_open():
    inputs = keras.Input((None, None, 3))
    y = layers.Conv2D(64, 3, padding="same", name="conv")(inputs)
    model = keras.Model(inputs, layers.GlobalAveragePooling2D(name="pool")(y))
    x = zoo.noise(1, 64, 32, 3)
    size = 64 * 32 * 64 * 4
    with pytest.raises(MemoryBudgetError, match=f"take {size:,} bytes"):
        aw.activations(model, x, "conv", max_bytes=size - 1)
    assert aw.activations(model, x, "conv", max_bytes=size)["conv"].nbytes == size


def test_a_budget_refuses_a_model_without_a_graph_before_it_runs():
    ran = []

    class Plain(keras.Model):
        def __init__(self):
            super().__init__()
            self.wide, self.last = layers.Dense(64, name="wide"), layers.Dense(3, name="last")

        def call(self, inputs):
            if isinstance(inputs.shape[0], int):
                ran.append(inputs.shape[0])
            return self.last(self.wide(inputs))

    model = Plain()
    model(zoo.noise(2, 4))
    ran.clear()
    for chosen in (None, "wide"):
        with pytest.raises(MemoryBudgetError):
            aw.activations(model, zoo.noise(100, 4), chosen, max_bytes=10)
    assert ran == []
    assert aw.activations(model, zoo.noise(5, 4), "wide", max_bytes=5 * 64 * 4)["wide"].shape == (5, 64)
