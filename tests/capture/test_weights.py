"""What the axes of weights are: each entry is nudged, and where the layer's output moves tells what it belongs to."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from actwidget.capture.semantics.weights import PACKED, UNPACKED, weights_of
from actwidget.keras_internals.versions import INT4_ALONG_INPUTS, INT4_STAYS_PACKED, NO_GPTQ
from tests.capture.deep_witness import as_array

RNG = np.random.default_rng(3)
MAPS, LINE, CUBE, FILM, STEPS = (5, 4, 6), (7, 6), (4, 3, 3, 6), (1, 4, 4, 2), (1, 4)


class Scales(layers.Layer):
    """A layer of the user's: a kernel and a bias of which nobody knows how they are used."""

    def build(self, shape):
        self.own_kernel = self.add_weight(name="kernel", shape=(2, 3, shape[-1]))
        self.own_bias = self.add_weight(name="bias", shape=(shape[-1],))

    def call(self, x):
        return x * keras.ops.sum(self.own_kernel) + keras.ops.sum(self.own_bias)


class Extended(layers.Conv2D):
    """A convolution with a weight more than Keras's."""

    def build(self, shape):
        super().build(shape)
        self.table = self.add_weight(name="table", shape=(2, 2, 3, 4))


def built(layer, shape):
    layer(np.zeros((1, *shape), "float32"))
    for weight in layer.weights:
        weight.assign(RNG.uniform(0.2, 0.6, weight.shape))
    return layer


def sources(layer, variable, x):
    """Of each entry of a weight the channels of the input, and of the output, between which it stands."""
    values = variable.numpy()
    found = {}
    alone = np.concatenate([x * (np.arange(x.shape[-1]) == channel) for channel in range(x.shape[-1])])
    before = np.asarray(layer(alone))
    for entry in range(values.size):
        nudged = values.copy()
        nudged.flat[entry] += 0.5
        variable.assign(nudged)
        moved = np.argwhere(np.abs(np.asarray(layer(alone)) - before) > 1e-4)
        given, made = set(moved[:, 0].tolist()), set(moved[:, -1].tolist())
        found[entry] = given, made
    variable.assign(values)
    return found


KERNELS = {
    "Conv1D": (lambda: layers.Conv1D(3, 2), LINE, "kernel"),
    "Conv2D": (lambda: layers.Conv2D(3, 2), MAPS, "kernel"),
    "Conv3D": (lambda: layers.Conv3D(2, (2, 1, 1)), CUBE, "kernel"),
    "groups": (lambda: layers.Conv2D(6, (2, 1), groups=3), MAPS, "kernel"),
    "Conv1DTranspose": (lambda: layers.Conv1DTranspose(3, 2), LINE, "kernel"),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, (2, 1)), MAPS, "kernel"),
    "Conv3DTranspose": (lambda: layers.Conv3DTranspose(2, (2, 1, 1)), CUBE, "kernel"),
    "DepthwiseConv1D": (lambda: layers.DepthwiseConv1D(2, depth_multiplier=2), LINE, "kernel"),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(2, depth_multiplier=2), MAPS, "kernel"),
    "SeparableConv1D": (lambda: layers.SeparableConv1D(3, 2, depth_multiplier=2), LINE, "depthwise_kernel"),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(3, 2, depth_multiplier=2), MAPS, "depthwise_kernel"),
    "pointwise": (lambda: layers.SeparableConv2D(3, 2), MAPS, "pointwise_kernel"),
    "ConvLSTM2D": (lambda: layers.ConvLSTM2D(3, 1), FILM, "kernel"),
    "Dense": (lambda: layers.Dense(3), (4,), "kernel"),
    "LSTM": (lambda: layers.LSTM(3), STEPS, "kernel"),
    "TimeDistributed": (lambda: layers.TimeDistributed(layers.Conv2DTranspose(3, 2)), FILM, "kernel"),
    "RNN": (lambda: layers.RNN(layers.GRUCell(3)), STEPS, "kernel"),
}


@pytest.mark.parametrize("name", KERNELS)
def test_an_entry_of_a_kernel_stands_between_the_channels_that_its_axes_say(name):
    make, shape, weight_name = KERNELS[name]
    layer = built(make(), shape)
    variable = next(weight for weight in layer.weights if weight.name == weight_name)
    reached = sources(layer, variable, RNG.uniform(0.5, 1, (1, *shape)).astype("float32"))
    variable.assign(np.arange(variable.numpy().size).reshape(variable.shape))
    weight = weights_of(layer)[weight_name]
    inputs, outputs = weight.kernel.shape[-2:]
    assert weight.kernel.size == weight.values.size
    in_group = outputs // weight.groups
    seen = {channel: set() for channel in range(shape[-1])}
    for place, entry in np.ndenumerate(weight.kernel):
        given, made = reached[int(entry)]
        row, column = place[-2:]
        assert given <= {row + inputs * (column // in_group)}
        if weight.channels is not None:
            belongs = weight.channels[row * outputs + column if weight.depthwise else column]
            assert made <= {int(belongs)}
            seen.setdefault(int(belongs), set()).update(made)
        assert given or "LSTM" in name or name == "RNN"  # the forget gate has nothing to forget at the first step
    if weight.channels is not None:
        assert all(seen[int(channel)] == {int(channel)} for channel in np.unique(weight.channels))
    assert weight.depthwise == ("Depthwise" in name or name.startswith("Separable"))
    assert (weight.channels is None) == name.startswith("Separable")


class Itself(layers.Layer):
    """Self-attention of one argument; what is tested is the layer inside."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x):
        return self.inner(x, x)


def functional():
    x = keras.Input(MAPS)
    y = layers.Conv2D(4, 2)(x)
    return keras.Model(x, layers.BatchNormalization()(y * 2))


VECTORS = {
    "Conv2D": (lambda: layers.Conv2D(3, 2), MAPS),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(3, 2), MAPS),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(2, depth_multiplier=2), MAPS),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(3, 2), MAPS),
    "ConvLSTM2D": (lambda: layers.ConvLSTM2D(3, 2), FILM),
    "LSTM": (lambda: layers.LSTM(3), STEPS),
    "Bidirectional": (lambda: layers.Bidirectional(layers.LSTM(3)), STEPS),
    "Bidirectional sum": (lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="sum"), STEPS),
    "StackedRNNCells": (lambda: layers.RNN([layers.LSTMCell(4), layers.LSTMCell(3)]), STEPS),
    "MultiHeadAttention": (lambda: Itself(layers.MultiHeadAttention(2, 3)), (5, 4)),
    "EinsumDense": (lambda: layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"), (5, 4)),
    "BatchNormalization": (layers.BatchNormalization, MAPS),
    "LayerNormalization": (layers.LayerNormalization, LINE),
    "LayerNormalization over steps": (lambda: layers.LayerNormalization(axis=1), LINE),
    "Sequential": (lambda: keras.Sequential([layers.Conv2D(5, 2), layers.ReLU(), layers.Conv2D(3, 2)]), MAPS),
    "Functional": (functional, MAPS),
    "nested": (lambda: keras.Sequential([keras.Sequential([layers.Dense(5), layers.Dense(3)])]), (4,)),
    "channels first": (lambda: keras.Sequential([layers.BatchNormalization(axis=1)]), MAPS),
    "user's": (Scales, LINE),
}
UNMARKED = {"LayerNormalization over steps", "channels first", "user's"}
"""Layers with vectors that belong to no channel, or of which that is not known."""


@pytest.mark.parametrize("name", VECTORS)
def test_an_entry_of_a_vector_moves_the_channel_that_it_belongs_to_and_no_other(name):
    make, shape = VECTORS[name]
    layer = built(make(), shape)
    x = RNG.uniform(0.5, 1, (1, *shape)).astype("float32")
    channels = np.asarray(layer(x)).shape[-1]
    chosen = getattr(layer, "inner", layer)
    marked = 0
    for variable, weight in zip(chosen.weights, weights_of(chosen).values(), strict=True):
        if len(variable.shape) != 1:
            continue
        reached = sources(layer, variable, x)
        moved = set()
        for channel in range(channels):
            for entry in weight.entries_of(channel):
                assert reached[entry][1] <= {channel}, variable.path
                moved |= reached[entry][1]
                marked += 1
        assert weight.channels is None or moved == set(np.unique(weight.channels).tolist())
    assert (marked == 0) == (name in UNMARKED)


def test_both_directions_have_the_units_that_they_give():
    found = weights_of(built(layers.Bidirectional(layers.LSTM(3)), STEPS))
    forward, backward = (found[name] for name in found if name.endswith("bias"))
    assert forward.entries_of(2) == backward.entries_of(5) == [2, 5, 8, 11]
    assert forward.entries_of(5) == backward.entries_of(2) == []


EQUATIONS = {
    "heads": ("abc,cde->abde", (5, 4), (None, 2, 3)),
    "merged heads": ("abcd,cde->abe", (5, 2, 3), (None, 4)),
    "outputs first": ("abc,dec->abde", (5, 4), (None, 2, 3)),
    "any axes": ("...x,xyz->...yz", (5, 4), (5, 2, 3)),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_a_kernel_of_an_equation_is_the_matrix_with_which_it_multiplies(name):
    equation, shape, output = EQUATIONS[name]
    layer = built(layers.EinsumDense(equation, output), shape)
    x = RNG.normal(size=(2, *shape)).astype("float32")
    matrix = weights_of(layer)["kernel"].kernel
    assert matrix.ndim == 2
    expected = np.asarray(layer(x)).reshape(10, -1)
    np.testing.assert_allclose(x.reshape(10, -1) @ matrix, expected, rtol=1e-4, atol=1e-5)


def test_the_heads_of_attention_are_not_averaged():
    layer = layers.MultiHeadAttention(2, 3)
    layer(np.zeros((1, 5, 8)), np.zeros((1, 5, 8)))
    layer.query_dense.kernel.assign(np.where(np.arange(2)[:, None] == 0, 1.0, -1.0) * np.ones((8, 2, 3)))
    found = weights_of(layer)
    query, output = (next(found[name] for name in found if f"{part}/kernel" in name) for part in ("query", "output"))
    np.testing.assert_array_equal(query.kernel, np.tile([1, 1, 1, -1, -1, -1], (8, 1)))
    assert output.kernel.shape == (6, 8)


def test_of_a_weight_of_the_users_nothing_is_said():
    for layer, name in ((Scales(), "kernel"), (Extended(3, 2), "table")):
        weight = weights_of(built(layer, (5, 5, 4)))[name]
        assert (weight.kernel, weight.channels) == (None, None)
    assert weights_of(built(Extended(3, 2), MAPS))["kernel"].entries_of(2) == [2]


@pytest.mark.not_where(INT4_STAYS_PACKED)
@pytest.mark.parametrize("units", [6, 5, 1])
def test_four_bits_are_unpacked(units):
    layer = built(layers.Dense(units), (8,))
    layer.quantize("int4")
    expected = RNG.integers(-8, 8, (8, units)).astype("int8")
    axis = 0 if INT4_ALONG_INPUTS.applies else -1
    layer._kernel.assign(keras.quantizers.pack_int4(expected, axis=axis)[0])
    kernel = weights_of(layer)["kernel"]
    np.testing.assert_array_equal(kernel.values, expected)
    assert kernel.note == UNPACKED
    assert weights_of(layer)["bias"].note == ""


@pytest.mark.not_where(INT4_STAYS_PACKED)
def test_four_bits_of_three_axes_and_of_an_embedding_are_unpacked():
    layer = built(layers.EinsumDense("abc,cde->abde", (None, 2, 3)), (5, 4))
    table = layers.Embedding(7, 5)
    table(np.zeros((1, 2), "int32"))
    before = as_array(layer.kernel), as_array(table.embeddings)
    for each, name, old in zip((layer, table), ("kernel", "embeddings"), before, strict=True):
        each.quantize("int4")
        found = weights_of(each)[name]
        assert found.note == UNPACKED
        assert found.values.shape == old.shape
        assert np.abs(found.values).max() <= 8
    assert weights_of(layer)["kernel"].kernel.shape == (4, 6)


@pytest.mark.not_where(NO_GPTQ)
def test_where_keras_gives_no_unpacked_weight_it_is_said_to_be_packed():
    low_rank = built(layers.Dense(6), (8,))
    low_rank.quantize("int4")
    low_rank.enable_lora(2)
    calibrated = layers.Dense(6, dtype=keras.dtype_policies.GPTQDTypePolicy("gptq/4/-1"))
    calibrated.build((None, 8))
    for layer, shape in ((low_rank, (4, 6) if INT4_ALONG_INPUTS.applies else (8, 3)), (calibrated, (3, 8))):
        found = weights_of(layer)["kernel"]
        assert found.note == PACKED
        assert found.values.shape == shape
        assert (found.kernel, found.channels) == (None, None)


@pytest.mark.not_where(NO_GPTQ)
def test_a_quantized_weight_of_fewer_axes_than_the_equation_says_is_not_read_by_it():
    policy = keras.dtype_policies.GPTQDTypePolicy("gptq/8/-1")
    layer = layers.EinsumDense("abc,cde->abde", (None, 2, 3), dtype=policy)
    layer.build((None, 5, 8))
    found = weights_of(layer)
    stored = next(weight for weight in found.values() if weight.values.dtype == np.uint8)
    assert (stored.values.shape, stored.kernel, stored.note) == ((6, 8), None, "")


def test_weights_that_are_made_at_each_reading_are_shown():
    class Fresh(layers.Layer):
        @property
        def weights(self):
            return [keras.Variable(np.arange(3.0), name="fresh")]

    np.testing.assert_array_equal(weights_of(Fresh())["fresh"].values, np.arange(3.0))


def test_eight_bits_are_as_they_are():
    layer = built(layers.Dense(6), (8,))
    layer.quantize("int8")
    found = weights_of(layer)
    assert found["kernel"].note == ""
    np.testing.assert_array_equal(found["kernel"].values, as_array(layer.kernel))
