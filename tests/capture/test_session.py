"""A session: what it keeps, how it goes on from there, and when it lets go."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from keras import layers

import actwidget as aw
from actwidget.capture.access import session
from actwidget.capture.access.session import Session
from tests.capture import random_graphs, zoo


def branching():
    x = keras.Input((8, 8, 3))
    y = keras.layers.BatchNormalization(name="bn")(keras.layers.Conv2D(4, 3, padding="same", name="conv")(x))
    left = keras.layers.ReLU(name="relu")(y)
    right = keras.layers.Dropout(0.5, name="drop")(keras.layers.Conv2D(4, 1, name="point")(y))
    z = keras.layers.Add(name="add")([left, right])
    z = keras.layers.GlobalAveragePooling2D(name="pool")(z)
    return keras.Model(x, keras.layers.Dense(3, name="out")(z * 2.0))


def settled(model, x, **options):
    """A session that knows its weights."""
    opened = Session(model, x, **options)
    opened.refresh()
    opened.refresh()
    return opened


@pytest.fixture
def runs(monkeypatch):
    """The paths that were computed from the inputs on."""
    paths = []
    inner = session.capture

    def counted(graph, batch, nodes, **options):
        paths.extend(node.path for node in nodes)
        return inner(graph, batch, nodes, **options)

    monkeypatch.setattr(session, "capture", counted)
    return paths


def test_the_next_layer_starts_from_what_is_kept(runs):
    x = zoo.noise(2, 8, 8, 3)
    model = branching()
    expected = aw.activations(model, x)
    runs.clear()
    opened = settled(model, x)
    for path in expected:
        np.testing.assert_array_equal(opened.value(path), expected[path], err_msg=path)
    assert runs == list(expected)[:1]


def test_where_a_branch_is_missing_the_model_runs_from_its_inputs(runs):
    opened = settled(branching(), zoo.noise(2, 8, 8, 3))
    opened.value("relu")
    opened.value("add")
    assert runs == ["relu", "add"]


@pytest.mark.parametrize("make", zoo.SMALL, ids=lambda make: make.__name__)
def test_in_any_order_the_values_are_the_same(make):
    model, x = make()
    expected = aw.activations(model, x)
    opened = settled(model, x)
    for path in np.random.default_rng(3).permutation(list(expected)):
        np.testing.assert_array_equal(opened.value(path), expected[path], err_msg=path)


@settings(max_examples=40, deadline=None)
@given(random_graphs.random_models())
def test_so_they_are_in_any_graph(drawn):
    model, x = drawn
    expected = aw.activations(model, x)
    opened = settled(model, x)
    for path in reversed(list(expected)):
        np.testing.assert_array_equal(opened.value(path), expected[path], err_msg=path)
        for next_path in list(expected)[::2]:
            np.testing.assert_array_equal(opened.value(next_path), expected[next_path], err_msg=next_path)


def test_a_way_that_starts_in_the_middle_changes_nothing():
    model, x = branching(), zoo.noise(2, 8, 8, 3)
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    before = [variable.numpy().copy() for variable in model.variables]
    opened = settled(model, x)
    for path in list(opened.graph.nodes):
        opened.value(path)
    assert nodes == [len(layer._inbound_nodes) for layer in model.layers]
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize("path", ["conv", "point"])
def test_written_weights_are_noticed(path):
    model, x = branching(), zoo.noise(2, 8, 8, 3)
    opened = settled(model, x)
    old = opened.value("add").copy()
    kernel = model.get_layer(path).kernel
    kernel.assign(kernel * 2)
    assert opened.refresh()
    assert not np.allclose(opened.value("add"), old)
    np.testing.assert_array_equal(opened.value("add"), aw.activations(model, x, "add")["add"])
    assert not opened.refresh()


def test_training_is_noticed():
    model, x = branching(), zoo.noise(8, 8, 8, 3)
    model.compile("adam", "mse")
    opened = settled(model, x)
    for path in ("conv", "add", "out"):
        opened.value(path)
    model.fit(x, zoo.noise(8, 3), epochs=1, verbose=0)
    assert opened.refresh()
    for path in ("out", "add", "conv"):
        np.testing.assert_array_equal(opened.value(path), aw.activations(model, x, path)[path])


def test_looking_is_no_writing():
    model, x = branching(), zoo.noise(2, 8, 8, 3)
    opened = settled(model, x)
    opened.value("out")
    aw.activations(model, x)
    aw.activations(model, x, training=True)
    model.predict(x, verbose=0)
    assert not opened.refresh()


def test_masks_are_not_lost_on_the_way():
    x = keras.Input((None,), dtype="int32")
    y = keras.layers.Embedding(9, 4, mask_zero=True, name="embed")(x)
    y = keras.layers.LSTM(5, return_sequences=True, name="lstm")(y)
    model = keras.Model(x, keras.layers.GlobalAveragePooling1D(name="pool")(y))
    tokens = np.array([[1, 2, 0, 0], [3, 4, 5, 0]])
    expected = aw.activations(model, tokens)
    opened = settled(model, tokens)
    for path in expected:
        np.testing.assert_array_equal(opened.value(path), expected[path], err_msg=path)
    np.testing.assert_array_equal(opened.captured("lstm").mask, tokens > 0)
    # An array that has lost its mask is not all that its layer gave: no layer behind it is computed from that.
    assert not any(opened.captured(path).is_all for path in ("embed", "lstm"))


def test_only_what_was_captured_is_watched():
    model, x = branching(), zoo.noise(2, 8, 8, 3)
    opened = settled(model, x)
    opened.value("relu")
    model.get_layer("out").kernel.assign_add(np.ones((4, 3)))
    assert not opened.refresh()
    opened.value("out")
    model.get_layer("out").kernel.assign_add(np.ones((4, 3)))
    assert opened.refresh()


def test_weights_that_come_later_are_noticed():
    model, x = branching(), zoo.noise(2, 8, 8, 3)
    opened = settled(model, x)
    opened.value("out")
    model.get_layer("out").enable_lora(2)
    assert opened.refresh()


def test_weights_that_come_later_are_noticed_though_more_is_watched_meanwhile():
    class Block(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(4, name="dense")

        def call(self, inputs):
            return self.dense(inputs) + inputs

    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(2, name="out")((block := Block(name="block"))(x)))
    opened = settled(model, zoo.noise(3, 4))
    before = opened.value("block/dense")
    block.dense.enable_lora(2)
    block.dense.lora_kernel_b.assign(np.ones((2, 4)))
    opened.value("out")
    assert opened.refresh()
    assert np.abs(opened.value("block/dense") - before).max() > 0
    opened.value("out")
    assert not opened.refresh()


@pytest.mark.parametrize("path", ["inner/deep", "top"])
def test_written_weights_of_a_nested_model_are_noticed(path):
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, name="deep")], name="inner")
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(2, name="top")(inner(x)))
    opened = settled(model, zoo.noise(3, 4))
    opened.value(path)
    inner.layers[0].kernel.assign_add(np.ones((4, 5)))
    assert opened.refresh()


def test_written_weights_of_an_edited_model_and_of_the_edit_are_noticed():
    model, x = branching(), zoo.noise(2, 8, 8, 3)
    gain = keras.layers.Dense(4, name="gain")
    edited = aw.edit(model, {"relu": gain})
    opened = settled(edited, x)
    for layer in (model.get_layer("conv"), gain):
        opened.value("add")
        layer.kernel.assign(layer.kernel + 1.0)
        assert opened.refresh(), layer.name


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
def test_rows_of_an_embedding_that_were_trained_one_by_one_are_noticed_once(optimizer):
    x = keras.Input((5,), dtype="int32")
    y = keras.layers.GlobalAveragePooling1D(name="pool")(keras.layers.Embedding(50, 4, name="embed")(x))
    model = keras.Model(x, keras.layers.Dense(1)(y))
    model.compile(optimizer, "mse")
    tokens, targets = np.arange(40).reshape(8, 5) % 50, zoo.noise(8, 1)
    model.fit(tokens, targets, verbose=0)
    opened = settled(model, tokens)
    for _ in range(2):
        opened.value("pool")
        assert not opened.refresh()
        model.fit(tokens, targets, verbose=0)
        assert opened.refresh()
        np.testing.assert_array_equal(opened.value("pool"), aw.activations(model, tokens, "pool")["pool"])
        assert not opened.refresh()


def in_a_nested_model():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="inside")], name="inner")
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(2, name="out")(inner(x))), inner.layers[0]


def in_a_wrapper():
    inner = layers.Dense(4, name="inside")
    x = keras.Input((3, 4))
    return keras.Model(x, layers.Dense(2, name="out")(layers.TimeDistributed(inner)(x))), inner


def in_a_subclassed_model():
    class Held(keras.Model):
        def __init__(self):
            super().__init__()
            self.inside, self.out = layers.Dense(4), layers.Dense(2, name="out")

        def call(self, inputs):
            return self.out(self.inside(inputs))

    model = Held()
    return model, model.inside


@pytest.mark.parametrize("make", [in_a_nested_model, in_a_wrapper, in_a_subclassed_model])
def test_a_setting_of_a_layer_inside_another_is_noticed(make):
    model, inside = make()
    x = zoo.noise(3, 3, 4) if make is in_a_wrapper else zoo.noise(3, 4)
    session = Session(model, x)
    before = session.value("out")
    assert not session.refresh()
    inside.activation = keras.activations.relu
    assert session.refresh()
    after = session.value("out")
    np.testing.assert_allclose(after, model(x), atol=1e-6)
    assert np.abs(after - before).max() > 1e-3


def test_what_a_person_keeps_on_a_model_is_no_setting():
    model, _ = in_a_nested_model()
    model.data = (np.zeros(3), np.ones(3))
    session = Session(model, zoo.noise(3, 4))
    session.value("inner/inside")
    model.data = (np.ones(3), np.ones(3))
    assert not session.refresh()


def ragged_words():
    words = layers.TextVectorization(vocabulary=["a", "b", "c"], ragged=True)
    pool = layers.GlobalAveragePooling1D(name="next")
    model = keras.Sequential(
        [keras.Input((1,), dtype="string"), words, layers.Embedding(9, 4, name="first"), pool], name="ragged"
    )
    return model, np.array([["a"], ["a b c a b"]])


def sparse_counts():
    class Scattered(layers.Layer):
        def call(self, inputs):
            return tf.sparse.from_dense(inputs)

        def compute_output_spec(self, inputs):
            return keras.KerasTensor(inputs.shape, inputs.dtype)

    class Counted(layers.Layer):
        def call(self, inputs):
            return tf.cast(tf.size(inputs.values), "float32") * tf.ones((inputs.shape[0], 1))

        def compute_output_spec(self, _inputs):
            return keras.KerasTensor((None, 1), "float32")

    x = keras.Input((3,))
    model = keras.Model(x, Counted(name="next")(Scattered(name="first")(x)))
    return model, np.array([[0, 1, 2], [3, 0, 0]], "float32")


def of_few_bits():
    inputs = keras.Input((4,))
    policy = keras.DTypePolicy("mixed_bfloat16")
    y = layers.Dense(4, name="first", dtype=policy)(inputs)

    class Kind(layers.Layer):
        def call(self, given):
            return keras.ops.full_like(given, 1 if given.dtype == "bfloat16" else 2)

    model = keras.Model(inputs, Kind(name="next", autocast=False)(y))
    return model, zoo.noise(2, 4)


@pytest.mark.parametrize("make", [ragged_words, sparse_counts, of_few_bits], ids=lambda make: make.__name__)
def test_a_layer_is_computed_from_what_it_is_given_and_not_from_the_array_that_shows_it(make, runs):
    model, x = make()
    alone = Session(model, x).value("next")
    opened = settled(model, x)
    opened.value("first")
    assert not opened.captured("first").is_all
    runs.clear()
    np.testing.assert_array_equal(opened.value("next"), alone)
    assert runs == ["next"]
