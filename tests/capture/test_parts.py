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


class Counted(keras.Model):
    """Notes how many samples go through it; what it calls depends on them."""

    def __init__(self):
        super().__init__()
        self.ran = []
        self.first, self.often = layers.Dense(25, name="first"), layers.Dense(25, name="often")

    def call(self, inputs):
        self.ran.append(inputs.shape[0])
        y = self.first(inputs)
        for _ in range(int(ops.max(inputs)) - 8):
            y = self.often(y)
        return y

    def compute_output_shape(self, shape):
        return (*shape[:-1], 25)


@pytest.mark.parametrize("batch_size", [25, 40])
@pytest.mark.parametrize("chosen", [None, "first"])
def test_a_model_without_a_graph_is_seen_on_no_more_samples_than_go_through_it_at_a_time(batch_size, chosen):
    model, x = Counted(), zoo.noise(100, 4)
    model(x[:2])
    model.ran.clear()
    found = aw.activations(model, x, chosen, batch_size=batch_size)
    assert max(model.ran) == batch_size
    assert list(found) == ["first"]
    np.testing.assert_allclose(found["first"], model.first(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("chosen", [None, "often@1"])
@pytest.mark.parametrize("among", [slice(0, 100), slice(30, 31)], ids=["all", "a later part"])
def test_what_the_first_samples_do_not_call_is_had_too(among, chosen):
    model, x = Counted(), zoo.noise(100, 4)
    model(x[:2])
    x[among, 0] = 10
    found = aw.activations(model, x, chosen, batch_size=25)
    assert list(found) == ([chosen] if chosen else ["first", "often", "often@1"])
    np.testing.assert_allclose(found["often@1"], model(x), rtol=1e-5, atol=1e-6)


def test_so_it_is_inside_a_functional_model():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Counted()(inputs))
    counted, x = model.layers[1], zoo.noise(100, 4)
    counted.ran.clear()
    assert len(aw.activations(model, x, batch_size=25)) == 3
    assert max(filter(None, counted.ran)) == 25  # None in a trial on symbols
    x[30, 0] = 10
    path = f"{counted.name}/often@1"
    np.testing.assert_allclose(aw.activations(model, x, batch_size=25)[path], counted(x), rtol=1e-5, atol=1e-6)


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


def test_the_budget_counts_what_has_no_batch_axis_once():
    class Positions(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.table = layers.Embedding(64, 8, name="table")

        def call(self, inputs):
            return inputs + self.table(ops.arange(64))

    inputs = keras.Input((64, 8))
    model = keras.Model(inputs, Positions(name="positions")(inputs))
    size = 64 * 8 * 4
    for samples in (1, 100):
        x = zoo.noise(samples, 64, 8)
        with pytest.raises(MemoryBudgetError, match=f"take {size:,} bytes"):
            aw.activations(model, x, "positions/table", max_bytes=size - 1)
        assert aw.activations(model, x, "positions/table", max_bytes=size)["positions/table"].nbytes == size
