"""More samples than go through the model at a time, and what may not be cut up."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
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


def test_noise_that_a_layer_draws_for_all_samples_is_that_of_one_pass():
    class Sampling(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seeds = keras.random.SeedGenerator(7)

        def call(self, inputs):
            return inputs + keras.random.normal(ops.shape(inputs), seed=self.seeds)

    inputs, x = keras.Input((3,)), zoo.noise(70, 3)
    model = keras.Model(inputs, Sampling(name="sampling")(inputs))
    found = aw.activations(model, x, "sampling")["sampling"]
    np.testing.assert_array_equal(found, model(x, training=False))


def test_batch_statistics_in_training_are_those_of_the_whole_batch():
    inputs, x = keras.Input((3,)), zoo.noise(70, 3)
    model = keras.Model(inputs, layers.BatchNormalization(name="bn")(inputs))
    found = aw.activations(model, x, "bn", training=True)["bn"]
    np.testing.assert_allclose(found, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), rtol=1e-4, atol=1e-5)


def test_texts_are_filled_up_to_the_longest_of_the_whole_batch():
    words = layers.TextVectorization(vocabulary=["a", "b"], name="words")
    x = np.array([["a b"]] * 32 + [["a b b b a"]] * 32)
    pooled = layers.GlobalAveragePooling1D(name="pool")
    model = keras.Sequential([keras.Input((1,), dtype="string"), words, layers.Embedding(9, 4), pooled])
    found = aw.activations(model, x, "pool")["pool"]
    np.testing.assert_allclose(found, model(ops.convert_to_tensor(x)), rtol=1e-5, atol=1e-6)


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


class Wanting(layers.Layer):
    """Works on sixteen samples and more."""

    def call(self, inputs):
        if inputs.shape[0] is not None and inputs.shape[0] < 16:
            message = "too few"
            raise ValueError(message)
        return inputs * 2


def test_a_layer_that_some_samples_are_too_few_for_is_given_all():
    inputs, x = keras.Input((3,)), zoo.noise(40, 3)
    model = keras.Model(inputs, Wanting(name="wanting")(inputs))
    np.testing.assert_array_equal(aw.activations(model, x, "wanting")["wanting"], x * 2)


def test_a_size_that_is_not_known_beforehand_is_measured_on_one_sample():
    class Unknown(layers.Layer):
        def call(self, inputs):
            return tf.repeat(inputs, int(tf.reduce_max(inputs)), axis=1)

        def compute_output_spec(self, inputs):
            return keras.KerasTensor((None, None), inputs.dtype)

    inputs, x = keras.Input((4,)), np.full((10, 4), 6, "float32")
    model = keras.Model(inputs, Unknown(name="unknown")(inputs))
    size = 10 * 24 * 4
    with pytest.raises(MemoryBudgetError, match=f"take {size:,} bytes, measured on one sample"):
        aw.activations(model, x, "unknown", max_bytes=size - 1)
    assert aw.activations(model, x, "unknown", max_bytes=size)["unknown"].nbytes == size
    x[0] = 1  # the sample that is measured is smaller than the others
    with pytest.raises(MemoryBudgetError, match=f"take {size:,} bytes"):
        aw.activations(model, x, "unknown", max_bytes=size - 1)


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
