"""The bytes of activations are known before anything runs, and too many are refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import layers, ops

import actwidget as aw
from actwidget.capture.access.budget import check_budget, sizes_of, with_measured
from actwidget.capture.trace import read
from actwidget.errors import MemoryBudgetError
from tests.capture import zoo


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


class Longer(layers.Layer):
    """Repeats each row as often as its largest number says: only a run tells how long it gets."""

    def call(self, inputs):
        return tf.repeat(inputs, int(tf.reduce_max(inputs)), axis=1)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((None, None), inputs.dtype)


def test_a_size_that_is_not_known_beforehand_is_measured_on_one_sample():
    inputs, x = keras.Input((4,)), np.full((10, 4), 6, "float32")
    model = keras.Model(inputs, Longer(name="longer")(inputs))
    size = 10 * 24 * 4
    with pytest.raises(MemoryBudgetError, match=f"take {size:,} bytes, measured on one sample"):
        aw.activations(model, x, "longer", max_bytes=size - 1)
    assert aw.activations(model, x, "longer", max_bytes=size)["longer"].nbytes == size
    x[0] = 1  # the sample that is measured is smaller than the others
    with pytest.raises(MemoryBudgetError, match=f"take {size:,} bytes"):
        aw.activations(model, x, "longer", max_bytes=size - 1)


SIZED = [zoo.dense, zoo.one_dimensional, zoo.siamese, zoo.transformer, zoo.brain_float, zoo.nested]


@pytest.mark.parametrize("build", SIZED, ids=lambda build: build.__name__)
def test_the_sizes_are_those_of_the_arrays(build):
    model, x = build()
    graph, batch = read(model, x)
    sizes = sizes_of(graph, batch, [node for node in graph.tree if node.origin != "opaque"])
    assert sizes == {path: value.nbytes for path, value in aw.activations(model, x).items()}


@given(st.integers(1, 5), st.integers(3, 9))
def test_a_number_of_samples_that_the_model_declares_is_not_taken_for_theirs(samples, declared):
    x = keras.Input(batch_shape=(declared, 2), name="x")
    model = keras.Model(x, layers.Dense(3, name="dense")(x))
    graph, batch = read(model, zoo.noise(samples, 2))
    assert sizes_of(graph, batch, list(graph.tree)) == {"x": samples * 2 * 4, "dense": samples * 3 * 4}


def test_what_no_shape_tells_is_measured_on_the_first_sample_and_leaves_no_trace():
    x = keras.Input((4,), name="x")
    model, value = keras.Model(x, Longer(name="longer")(x)), np.full((10, 4), 6, "float32")
    graph, batch = read(model, value)
    sizes = sizes_of(graph, batch, list(graph.tree))
    assert sizes == {"x": 10 * 4 * 4, "longer": None}
    assert with_measured(graph, batch, sizes) == ({"x": 160, "longer": 10 * 24 * 4}, frozenset({"longer"}))
    assert with_measured(graph, batch, {"x": 160}) == ({"x": 160}, frozenset())


def test_what_one_sample_does_not_give_counts_as_nothing():
    class Pairs(layers.Layer):
        def call(self, inputs):
            if inputs.shape[0] == 1:
                message = "one alone has no neighbour"
                raise ValueError(message)
            return tf.repeat(inputs, int(tf.reduce_max(inputs)), axis=1)

        def compute_output_spec(self, inputs):
            return keras.KerasTensor((None, None), inputs.dtype)

    x = keras.Input((4,), name="x")
    graph, batch = read(keras.Model(x, Pairs(name="pairs")(x)), np.full((3, 4), 2, "float32"))
    sizes = sizes_of(graph, batch, list(graph.tree))
    assert with_measured(graph, batch, sizes) == ({"x": 48, "pairs": 0}, frozenset())


def test_the_message_names_the_sum_the_limit_and_the_largest():
    sizes = {"conv": 3_000, "dense": 1_000}
    check_budget(sizes, 4_000)
    with pytest.raises(MemoryBudgetError) as caught:
        check_budget(sizes, 3_999, {"dense"})
    assert str(caught.value) == (
        "The activations asked for take 4,000 bytes, measured on one sample for 1 of them, more than max_bytes=3,999. "
        "Ask for fewer layers (the largest is 'conv' with 3,000) or fewer samples."
    )
