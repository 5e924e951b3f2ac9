"""What layers cost, against counts by hand, TensorFlow's own, and published totals of whole networks."""

from __future__ import annotations

import keras
import pytest
from keras import layers, ops

from actwidget.capture.run.timing.timed_pass import timed_pass
from actwidget.capture.semantics.cost import NOT_COUNTED, POOLED, costs_of, total_bytes, total_multiply_adds
from actwidget.capture.trace import read, trace
from actwidget.samples import efficientnet_lite0
from tests.capture import zoo


def cost_at(model, path):
    return costs_of(trace(model))[path]


def of_layer(layer, *shapes):
    inputs = [keras.Input(shape) for shape in shapes]
    layer.name = "layer"
    return cost_at(keras.Model(inputs, layer(inputs[0] if len(inputs) == 1 else inputs)), "layer")


BY_HAND = {
    "dense": (lambda: layers.Dense(5), [(4,)], 4 * 5),
    "dense of steps": (lambda: layers.Dense(5), [(3, 4)], 3 * 4 * 5),
    "einsum dense": (lambda: layers.EinsumDense("abc,cde->abde", (3, 2, 4)), [(3, 8)], 3 * 8 * 2 * 4),
    "einsum dense back": (lambda: layers.EinsumDense("abde,dec->abc", (3, 8)), [(3, 2, 4)], 3 * 2 * 4 * 8),
    "conv 1": (lambda: layers.Conv1D(6, 5), [(12, 3)], 8 * 5 * 3 * 6),
    "conv 2": (lambda: layers.Conv2D(8, 3, strides=2, padding="same"), [(9, 9, 4)], 25 * 9 * 4 * 8),
    "conv in groups": (lambda: layers.Conv2D(8, 3, padding="same", groups=2), [(5, 5, 4)], 25 * 9 * 2 * 8),
    "dilated conv": (lambda: layers.Conv2D(2, 3, dilation_rate=2), [(9, 9, 3)], 25 * 9 * 3 * 2),
    "conv 3": (lambda: layers.Conv3D(2, (2, 3, 3)), [(4, 5, 5, 3)], 3 * 3 * 3 * 2 * 9 * 3 * 2),
    "transposed": (lambda: layers.Conv2DTranspose(6, 3, strides=2), [(5, 5, 4)], 25 * 9 * 4 * 6),
    "transposed 1": (lambda: layers.Conv1DTranspose(6, 3, strides=2), [(5, 4)], 5 * 3 * 4 * 6),
    "depthwise": (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), [(8, 8, 3)], 36 * 9 * 3 * 2),
    "depthwise 1": (lambda: layers.DepthwiseConv1D(3), [(8, 3)], 6 * 3 * 3),
    "separable": (lambda: layers.SeparableConv2D(5, 3, depth_multiplier=2), [(8, 8, 3)], 36 * (9 * 3 * 2 + 6 * 5)),
    "simple rnn": (lambda: layers.SimpleRNN(7), [(6, 5)], 6 * (5 + 7) * 7),
    "gru": (lambda: layers.GRU(7, return_sequences=True), [(6, 5)], 6 * (5 + 7) * 7 * 3),
    "lstm": (lambda: layers.LSTM(7), [(6, 5)], 6 * (5 + 7) * 7 * 4),
    "lstm in both directions": (lambda: layers.Bidirectional(layers.LSTM(7)), [(6, 5)], 2 * 6 * (5 + 7) * 7 * 4),
    "rnn": (lambda: layers.RNN(layers.LSTMCell(7)), [(6, 5)], 6 * (5 + 7) * 7 * 4),
    "two cells": (lambda: layers.RNN([layers.GRUCell(7), layers.GRUCell(3)]), [(6, 5)], 6 * 3 * (12 * 7 + 10 * 3)),
    "conv lstm": (lambda: layers.ConvLSTM2D(2, 3, padding="same"), [(4, 5, 5, 3)], 4 * 25 * 9 * (3 + 2) * 2 * 4),
    "conv lstm of all steps": (
        lambda: layers.ConvLSTM1D(2, 3, return_sequences=True),
        [(4, 7, 3)],
        4 * 5 * 3 * (3 + 2) * 2 * 4,
    ),
    "each step": (lambda: layers.TimeDistributed(layers.Conv2D(2, 3)), [(4, 5, 5, 3)], 4 * 9 * 9 * 3 * 2),
    "attention": (layers.Attention, [(5, 4), (7, 4)], 5 * 7 * (4 + 4)),
    "additive attention": (layers.AdditiveAttention, [(5, 4), (7, 4)], 5 * 7 * (4 + 4)),
    "dot": (lambda: layers.Dot(-1), [(5, 4), (7, 4)], 5 * 7 * 4),
    "embedding": (lambda: layers.Embedding(9, 4), [(6,)], 0),
    "pooling": (layers.MaxPooling2D, [(4, 4, 2)], 0),
    "normalization": (layers.BatchNormalization, [(4, 4, 2)], 0),
    "activation": (layers.ReLU, [(4,)], 0),
    "sum": (layers.Add, [(4,), (4,)], 0),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_multiply_adds_are_those_counted_by_hand(name):
    make, shapes, expected = BY_HAND[name]
    assert of_layer(make(), *shapes).multiply_adds == expected


def test_attention_of_heads_is_its_projections_and_the_two_products():
    x, y = keras.Input((6, 8)), keras.Input((5, 8))
    heads = layers.MultiHeadAttention(2, 4, value_dim=3, name="heads")(x, y)
    projections = 6 * 8 * 8 + 5 * 8 * 8 + 5 * 8 * 6 + 6 * 6 * 8
    assert cost_at(keras.Model([x, y], heads), "heads").multiply_adds == projections + 2 * 6 * 5 * (4 + 3)
    grouped = layers.GroupQueryAttention(4, 4, 2, name="grouped")(x, y)
    projections = 6 * 8 * 16 + 2 * 5 * 8 * 8 + 6 * 16 * 8
    assert cost_at(keras.Model([x, y], grouped), "grouped").multiply_adds == projections + 4 * 6 * 5 * (4 + 4)


def test_products_of_two_tensors_count():
    x, y = keras.Input((3, 4), name="x"), keras.Input((4, 5), name="y")
    model = keras.Model([x, y], [ops.matmul(x, y), ops.einsum("bij,bjk->bik", x, y)])
    found = costs_of(trace(model))
    assert [cost.multiply_adds for cost in found.values()][2:] == [60, 60]


def test_what_is_not_counted_says_so():
    assert of_layer(layers.MaxPooling2D(), (4, 4, 2)).note == POOLED
    assert of_layer(layers.ReLU(), (4,)).note == NOT_COUNTED
    assert of_layer(layers.Dense(2), (4,)).note == ""


def test_what_the_users_code_computes_is_not_known():
    class Own(layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.dense = layers.Dense(4, name="dense")

        def call(self, inputs):
            return ops.matmul(inputs, ops.transpose(inputs)) @ self.dense(inputs)

    class Bare(layers.Layer):
        def call(self, inputs):
            return inputs * 2

    assert of_layer(layers.Lambda(lambda x: x * 2), (4,)).multiply_adds is None
    bare = of_layer(Bare(), (4,))
    assert bare.multiply_adds is None
    assert bare.note == "not known: its own code computes it"
    own = of_layer(Own(), (4,))
    assert (own.multiply_adds, own.note) == (16, "without what its own code multiplies")


def test_a_nested_model_is_the_sum_of_what_is_inside_and_counts_once():
    x = keras.Input((4,))
    inner = keras.Sequential([layers.Dense(3, name="a"), layers.Dense(2, name="b")], name="inner")
    model = keras.Model(x, layers.Dense(5, name="end")(inner(x)))
    graph = trace(model)
    found = costs_of(graph)
    assert found["inner"].multiply_adds == 4 * 3 + 3 * 2
    assert total_multiply_adds(graph, found) == (4 * 3 + 3 * 2 + 2 * 5, True)
    floats = sum(cost.nbytes for path, cost in found.items() if path != "inner") / 4
    assert total_bytes(graph, found) / 4 == floats


def test_a_shared_layer_costs_at_each_call():
    x = keras.Input((4,))
    shared = layers.Dense(4, name="shared")
    graph = trace(keras.Model(x, shared(shared(x))))
    assert total_multiply_adds(graph, costs_of(graph)) == (2 * 16, True)


def test_bytes_are_those_of_the_values_for_one_sample():
    x = keras.Input((4, 6), name="x")
    half = layers.Dense(3, dtype="float16", name="half")(x)
    flags = ops.greater(half, 0)
    found = costs_of(trace(keras.Model(x, flags)))
    assert [cost.nbytes for cost in found.values()] == [4 * 6 * 4, 4 * 3 * 2, 4 * 3]


def test_open_lengths_are_not_known_until_the_model_has_run():
    x = keras.Input((None, 4), name="x")
    model = keras.Model(x, layers.LSTM(2, name="lstm")(layers.Conv1D(3, 3, name="conv")(x)))
    closed = costs_of(trace(model))
    assert closed["conv"].multiply_adds is closed["lstm"].multiply_adds is closed["conv"].nbytes is None
    assert closed["conv"].note == "not known: a length is open"
    graph, batch = read(model, zoo.noise(2, 9, 4))
    calls = timed_pass(graph, batch, batch_size=32).calls
    found = costs_of(graph, {path: (call.inputs, call.outputs) for path, call in calls.items()})
    assert found["conv"].multiply_adds == 7 * 3 * 4 * 3
    assert found["lstm"].multiply_adds == 7 * (3 + 2) * 2 * 4
    assert found["conv"].nbytes == 7 * 3 * 4


def test_a_subclassed_model_is_counted_by_the_calls_inside_it():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.conv, self.dense = layers.Conv2D(3, 3, name="conv"), layers.Dense(2, name="dense")

        def call(self, inputs):
            return self.dense(ops.mean(self.conv(inputs), axis=(1, 2)))

    graph, batch = read(Own(), zoo.noise(2, 6, 6, 2))
    calls = timed_pass(graph, batch, batch_size=32).calls
    found = costs_of(graph, {path: (call.inputs, call.outputs) for path, call in calls.items()})
    assert {path: found[path].multiply_adds for path in ("conv", "dense")} == {"conv": 16 * 9 * 2 * 3, "dense": 6}


@pytest.mark.parametrize(
    ("make", "published", "tolerance"),
    [
        (lambda: keras.applications.MobileNetV2(weights=None), 300e6, 0.03),  # Sandler et al. (2018), table 4
        (lambda: keras.applications.ResNet50(weights=None), 3.8e9, 0.03),  # He et al. (2016), table 1
        (lambda: keras.applications.EfficientNetB0(weights=None), 390e6, 0.03),  # Tan and Le (2019), table 2
        # Of TensorFlow's repository of models, which counts normalization and activation functions, too.
        (efficientnet_lite0, 407e6, 0.06),
    ],
)
def test_whole_networks_come_to_their_published_totals(make, published, tolerance):
    graph = trace(make())
    total, is_complete = total_multiply_adds(graph, costs_of(graph))
    assert is_complete
    assert total == pytest.approx(published, rel=tolerance)


@pytest.mark.backend("tensorflow")
def test_tensorflow_counts_the_same_products():
    import tensorflow as tf
    from tensorflow.python.profiler import model_analyzer, option_builder

    x = keras.Input((16, 16, 3))
    y = layers.Conv2D(8, 3, strides=2, padding="same")(x)
    y = layers.DepthwiseConv2D(3)(y)
    y = layers.SeparableConv2D(6, 3)(y)
    y = layers.Dense(5)(layers.GlobalAveragePooling2D()(y))
    model = keras.Model(x, y)
    function = tf.function(model).get_concrete_function(tf.TensorSpec((1, 16, 16, 3)))
    options = option_builder.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    profile = model_analyzer.profile(function.graph, cmd="op", options=options)
    products = {"Conv2D", "DepthwiseConv2dNative", "MatMul"}
    operations = sum(child.float_ops for child in _below(profile) if child.name in products)
    graph = trace(model)
    assert 2 * total_multiply_adds(graph, costs_of(graph))[0] == operations


def _below(node):
    for child in node.children:
        yield child
        yield from _below(child)


def test_a_layer_whose_own_name_ends_like_a_further_output_is_counted():
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(3, name="head:1")(layers.Dense(4, name="head")(x)))
    assert (cost_at(model, "head").multiply_adds, cost_at(model, "head:1").multiply_adds) == (4 * 4, 4 * 3)
