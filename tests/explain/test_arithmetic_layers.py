"""For each layer class of Keras that has weights or pools the terms, the bias and the steps lead to the value."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from keras import layers

from actwidget.explain.computation.rules.table import LAYERS, OPERATIONS
from actwidget.keras_internals.classes import operation_classes
from tests.explain.arithmetic_witness import (
    Checked,
    agrees_with_the_layer_without_a_value,
    alone,
    noise,
    places,
    shaken,
)
from tests.layer_classes import PREPARING, RANDOM

# fmt: off
WITHOUT_A_RULE = {
    "gives what it was given outside of training": (
        "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout",
        "AlphaDropout", "ActivityRegularization", "Identity", "InputLayer",
    ),
    "gives what the layer inside it gives": (
        "GroupQueryAttention", "MultiHeadAttention", "Pipeline", "SpectralNormalization",
    ),
    "a base of others, which does nothing itself": ("Layer", "Wrapper"),
    "runs in a recurrent layer, which is asked for its gates": (
        "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells",
    ),
    "runs what it is given: a function, or a module of another package": (
        "FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper",
    ),
    "draws at random, in training alone": RANDOM,
    "prepares pictures, sounds or words: data before the network": (
        *PREPARING, "IntegerLookup", "StringLookup", "TextVectorization",
    ),
}
# fmt: on


def test_every_layer_class_has_a_rule_or_a_reason_for_having_none() -> None:
    classes = {value for value in vars(layers).values() if isinstance(value, type) and issubclass(value, keras.Layer)}
    reasons = [name for names in WITHOUT_A_RULE.values() for name in names]
    known = {getattr(layers, name, None) for name in [*LAYERS, *reasons]}
    assert sorted(each.__name__ for each in classes - known) == []
    assert set(LAYERS) & set(reasons) == set()


def test_the_rules_for_operations_name_operations_of_keras() -> None:
    # Some of them are younger than the oldest release.
    assert len(set(OPERATIONS) - operation_classes().keys()) <= 6


ONE_INPUT = {
    "Dense": (layers.Dense(4, activation="tanh"), (5,)),
    "Dense of maps": (layers.Dense(4, activation="softmax"), (3, 2, 5)),
    "Dense without bias": (layers.Dense(4, use_bias=False), (5,)),
    "EinsumDense": (layers.EinsumDense("abc,cde->abde", (None, 3, 4), bias_axes="de"), (6, 5)),
    "EinsumDense with an ellipsis": (layers.EinsumDense("...x,xy->...y", 4, activation="relu"), (3, 5)),
    "EinsumDense in softmax": (layers.EinsumDense("ab,bc->ac", 4, bias_axes="c", activation="softmax"), (5,)),
    "Conv1D": (layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="gelu"), (9, 2)),
    "Conv2D": (layers.Conv2D(4, (3, 2), strides=2, padding="same", activation="relu"), (7, 8, 3)),
    "Conv2D in groups": (layers.Conv2D(6, 3, groups=3, padding="same"), (5, 5, 6)),
    "Conv2D in softmax": (layers.Conv2D(4, 3, activation="softmax"), (5, 5, 2)),
    "Conv3D": (layers.Conv3D(2, 2, padding="same", activation="elu"), (4, 4, 4, 2)),
    "Conv1DTranspose": (layers.Conv1DTranspose(3, 3, strides=2, padding="same"), (5, 2)),
    "Conv2DTranspose": (layers.Conv2DTranspose(3, 3, strides=2, activation="relu"), (4, 5, 2)),
    "Conv3DTranspose": (layers.Conv3DTranspose(2, 2, strides=2, padding="same"), (3, 3, 3, 2)),
    "DepthwiseConv1D": (layers.DepthwiseConv1D(3, depth_multiplier=2, activation="relu"), (7, 3)),
    "DepthwiseConv2D": (layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2), (6, 6, 3)),
    "SeparableConv1D": (layers.SeparableConv1D(4, 3, depth_multiplier=2, padding="same"), (7, 3)),
    "SeparableConv2D": (layers.SeparableConv2D(4, 3, strides=2, activation="relu"), (7, 7, 3)),
    "MaxPooling1D": (layers.MaxPooling1D(3, 2, padding="same"), (8, 2)),
    "MaxPooling2D": (layers.MaxPooling2D(2, padding="same"), (5, 5, 2)),
    "MaxPooling3D": (layers.MaxPooling3D(2), (4, 4, 4, 2)),
    "AveragePooling1D": (layers.AveragePooling1D(3, 1, padding="same"), (6, 2)),
    "AveragePooling2D": (layers.AveragePooling2D(3, 2, padding="same"), (5, 6, 2)),
    "AveragePooling3D": (layers.AveragePooling3D(2), (4, 4, 4, 2)),
    "GlobalMaxPooling1D": (layers.GlobalMaxPooling1D(), (5, 3)),
    "GlobalMaxPooling2D": (layers.GlobalMaxPooling2D(keepdims=True), (4, 3, 2)),
    "GlobalMaxPooling3D": (layers.GlobalMaxPooling3D(), (2, 3, 4, 2)),
    "GlobalAveragePooling1D": (layers.GlobalAveragePooling1D(data_format="channels_first"), (5, 3)),
    "GlobalAveragePooling2D": (layers.GlobalAveragePooling2D(), (4, 3, 2)),
    "GlobalAveragePooling3D": (layers.GlobalAveragePooling3D(keepdims=True), (2, 3, 4, 2)),
    "BatchNormalization": (layers.BatchNormalization(), (4, 4, 3)),
    "BatchNormalization of channels in front": (layers.BatchNormalization(axis=1, center=False), (3, 4, 4)),
    "LayerNormalization": (layers.LayerNormalization(), (4, 6)),
    "LayerNormalization along two axes": (layers.LayerNormalization(axis=(1, 2), scale=False), (4, 6)),
    "GroupNormalization": (layers.GroupNormalization(2), (3, 3, 6)),
    "GroupNormalization of channels in front": (layers.GroupNormalization(3, axis=1), (6, 3, 3)),
    "UnitNormalization": (layers.UnitNormalization(), (6,)),
    "Normalization": (layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.25]), (3, 2)),
    "Normalization inverted": (layers.Normalization(mean=2.0, variance=4.0, invert=True), (3, 2)),
    "Rescaling": (layers.Rescaling(1 / 255, -0.5), (3, 3, 3)),
    "Rescaling by channel": (layers.Rescaling([0.5, 2.0, 3.0], [1.0, 2.0, 3.0]), (3, 3, 3)),
    "SpectralNormalization": (layers.SpectralNormalization(layers.Dense(3)), (4,)),
    "PReLU": (layers.PReLU(shared_axes=[1]), (3, 4)),
    "ReLU": (layers.ReLU(1.0, 0.1, 0.2), (6,)),
    "LeakyReLU": (layers.LeakyReLU(0.3), (6,)),
    "ELU": (layers.ELU(), (6,)),
    "Softmax": (layers.Softmax(), (3, 4)),
    "Softmax along the steps": (layers.Softmax(axis=1), (3, 4)),
    "Activation": (layers.Activation("silu"), (6,)),
    "Activation that mixes": (layers.Activation("log_softmax"), (6,)),
    "Masking": (layers.Masking(0.0), (4, 3)),
    "Flatten": (layers.Flatten(), (3, 2, 2)),
    "Reshape": (layers.Reshape((2, 6)), (3, 4)),
    "Permute": (layers.Permute((2, 1)), (3, 4)),
    "RepeatVector": (layers.RepeatVector(3), (4,)),
    "ZeroPadding1D": (layers.ZeroPadding1D((1, 2)), (4, 2)),
    "ZeroPadding2D": (layers.ZeroPadding2D(((1, 0), (2, 1))), (3, 3, 2)),
    "ZeroPadding3D": (layers.ZeroPadding3D(1), (2, 2, 2, 1)),
    "Cropping1D": (layers.Cropping1D((1, 2)), (6, 2)),
    "Cropping2D": (layers.Cropping2D(1), (5, 4, 2)),
    "Cropping3D": (layers.Cropping3D(1), (4, 4, 4, 1)),
    "UpSampling1D": (layers.UpSampling1D(2), (3, 2)),
    "UpSampling2D": (layers.UpSampling2D(2), (3, 3, 2)),
    "UpSampling2D by interpolation": (layers.UpSampling2D((2, 3), interpolation="bilinear"), (3, 4, 2)),
    "UpSampling3D": (layers.UpSampling3D(2), (2, 2, 2, 1)),
    "Dropout": (layers.Dropout(0.5), (4,)),
    "GaussianNoise": (layers.GaussianNoise(0.5), (4,)),
    "Identity": (layers.Identity(), (4,)),
    "SimpleRNN": (layers.SimpleRNN(3, return_sequences=True), (4, 2)),
    "LSTM": (layers.LSTM(3), (4, 2)),
    "GRU": (layers.GRU(3, return_sequences=True), (4, 2)),
    "GRU backwards": (layers.GRU(3, reset_after=False, go_backwards=True), (4, 2)),
    "RNN": (layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True), (4, 2)),
    "ConvLSTM1D": (layers.ConvLSTM1D(2, 3, padding="same", return_sequences=True), (3, 5, 2)),
    "ConvLSTM2D": (layers.ConvLSTM2D(2, 3, strides=2), (3, 6, 6, 2)),
    "ConvLSTM3D": (layers.ConvLSTM3D(2, 2), (2, 3, 3, 3, 1)),
    "Bidirectional": (layers.Bidirectional(layers.LSTM(3, return_sequences=True)), (4, 2)),
    "Bidirectional sum": (layers.Bidirectional(layers.GRU(3), merge_mode="sum"), (4, 2)),
    "Bidirectional product": (layers.Bidirectional(layers.GRU(3), merge_mode="mul"), (4, 2)),
    "TimeDistributed": (layers.TimeDistributed(layers.Conv2D(2, 3, activation="relu")), (3, 5, 5, 2)),
}
NEWER = {
    "RMSNormalization": lambda: (layers.RMSNormalization(), (4, 6)),
    **{
        f"Adaptive{kind}Pooling{rank}D": lambda kind=kind, rank=rank: (
            getattr(layers, f"Adaptive{kind}Pooling{rank}D")(3),
            (*[5, 7, 4][:rank], 2),
        )
        for kind in ("Max", "Average")
        for rank in (1, 2, 3)
    },
}
ONE_INPUT |= {name: make() for name, make in NEWER.items() if hasattr(layers, name)}
SEVERAL = {
    "Add": (layers.Add(), [(3, 4), (3, 4), (3, 4)]),
    "Add of two ranks": (layers.Add(), [(3, 4), (4,)]),
    "Subtract": (layers.Subtract(), [(3, 4), (3, 4)]),
    "Multiply": (layers.Multiply(), [(3, 4), (3, 4), (3, 4)]),
    "Average": (layers.Average(), [(3, 4), (3, 4)]),
    "Maximum": (layers.Maximum(), [(3, 4), (3, 4)]),
    "Minimum": (layers.Minimum(), [(3, 4), (3, 4)]),
    "Concatenate": (layers.Concatenate(axis=1), [(3, 4), (2, 4)]),
    "Dot": (layers.Dot(axes=(2, 1)), [(3, 4), (4, 2)]),
    "Dot normalized": (layers.Dot(axes=1, normalize=True), [(4,), (4,)]),
    "Attention": (layers.Attention(use_scale=True), [(3, 4), (5, 4)]),
    "Attention of sums": (layers.Attention(score_mode="concat"), [(3, 4), (5, 4), (5, 4)]),
    "AdditiveAttention": (layers.AdditiveAttention(), [(3, 4), (5, 4)]),
}
HEADED = {
    "MultiHeadAttention": (layers.MultiHeadAttention(2, 3, value_dim=4), {}),
    "MultiHeadAttention causal": (layers.MultiHeadAttention(2, 3), {"use_causal_mask": True}),
    "GroupQueryAttention": (layers.GroupQueryAttention(3, 4, 2), {}),
}


@pytest.mark.parametrize("name", ONE_INPUT)
def test_the_terms_of_a_layer_lead_to_what_it_gives(name: str) -> None:
    layer, shape = ONE_INPUT[name]
    Checked(alone(layer, shape), noise(2, *shape)).everywhere()


@pytest.mark.parametrize("name", SEVERAL)
def test_the_terms_of_a_layer_of_several_inputs_lead_to_what_it_gives(name: str) -> None:
    layer, shapes = SEVERAL[name]
    inputs = [noise(2, *shape, seed=at) for at, shape in enumerate(shapes)]
    Checked(alone(layer, *shapes), inputs).everywhere()


@pytest.mark.parametrize("name", HEADED)
def test_the_terms_of_attention_with_heads_lead_to_what_it_gives(name: str) -> None:
    layer, options = HEADED[name]
    x = keras.Input((4, 5))
    model = shaken(keras.Model(x, layer(x, x, **options)))
    Checked(model, noise(2, 4, 5)).everywhere()


def test_attention_over_two_axes_and_over_one_of_two_leads_to_what_it_gives() -> None:
    for axes in (None, (1,), (2,)):
        x = keras.Input((3, 2, 5))
        layer = layers.MultiHeadAttention(2, 3, attention_axes=axes)
        Checked(shaken(keras.Model(x, layer(x, x))), noise(2, 3, 2, 5)).everywhere()


def test_every_layer_class_with_a_rule_is_among_those_that_are_tried() -> None:
    tried = {type(layer) for layer, *_ in [*ONE_INPUT.values(), *SEVERAL.values(), *HEADED.values()]}
    embedded = {layers.Embedding, getattr(layers, "ReversibleEmbedding", layers.Embedding)}
    ruled = {getattr(layers, name) for name in LAYERS if hasattr(layers, name)}
    assert sorted(each.__name__ for each in ruled - tried - embedded) == []


def test_an_embedding_looks_a_row_up() -> None:
    x = keras.Input((4,), dtype="int32", name="tokens")
    model = shaken(keras.Model(x, layers.Embedding(9, 3, name="words")(x)))
    found = Checked(model, np.array([[1, 7, 0, 2]])).at("words", (0, 1, 2))
    assert [(term.path, term.index, term.input) for term in found.terms] == [("tokens", (0, 1), 7.0)]
    assert found.steps[-1].name == "row 7 of the embeddings"
    assert found.result == pytest.approx(float(model.get_layer("words").get_weights()[0][7, 2]))


def test_an_embedding_in_reverse_multiplies_with_each_row() -> None:
    if not hasattr(layers, "ReversibleEmbedding"):  # Keras before 3.13
        return
    for tie_weights in (True, False):
        x = keras.Input((4,), dtype="int32")
        layer = layers.ReversibleEmbedding(9, 3, tie_weights=tie_weights, logit_soft_cap=2.0)
        model = shaken(keras.Model(x, layer(layer(x), reverse=True)))
        Checked(model, np.array([[1, 7, 0, 2]])).everywhere(2)


# What hypothesis draws: geometries of windows that move along one to three axes.

RANKS = st.sampled_from([1, 2, 2, 3])
ACTIVATIONS = st.sampled_from([None, "relu", "tanh", "softmax", "gelu", "sigmoid"])
FORMATS = st.sampled_from(["channels_last", "channels_last", "channels_first"])


@st.composite
def geometries(draw: st.DrawFn) -> dict[str, object]:
    rank = draw(RANKS)
    sizes = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    strides = draw(st.integers(1, 3))
    return {
        "rank": rank,
        "lengths": tuple(draw(st.integers(3, 6)) for _ in range(rank)),
        "kernel_size": sizes,
        "strides": strides,
        "dilation_rate": draw(st.integers(1, 2)) if strides == 1 else 1,
        "padding": draw(st.sampled_from(["valid", "same"])),
        "data_format": draw(FORMATS),
    }


MAPS = 19
"""More than any drawn output is wide: if there are as many maps with the channels first as these are wide, Keras 3.15
adds the biases along the width on TensorFlow."""


def shape_of(geometry: dict[str, object], channels: int) -> tuple[int, ...]:
    lengths = geometry.pop("lengths")
    return (channels, *lengths) if geometry["data_format"] == "channels_first" else (*lengths, channels)


def tried(make: object, shape: tuple[int, ...], *, linear: bool) -> None:
    """Checks a drawn layer, unless the backend has no such layer: some work with channels at the end alone."""
    try:
        model = alone(make(), shape)
        inputs = noise(2, *shape)
        output = keras.ops.convert_to_numpy(model(inputs))
    except Exception:  # noqa: BLE001 - whatever a backend raises that can't run it
        assume(False)
    assume(output.size)
    checked = Checked(model, inputs)
    for index in places(output.shape, 1):
        found = checked.at(model.layers[-1].name, index)
        if linear:
            agrees_with_the_layer_without_a_value(model, inputs, found)


@settings(max_examples=12, deadline=None)
@given(geometries(), st.integers(1, 3), st.integers(1, 2), ACTIVATIONS, st.booleans())
def test_a_convolution_of_any_geometry_leads_to_what_it_gives(geometry, groups, width, activation, use_bias) -> None:
    rank = geometry.pop("rank")
    shape = shape_of(geometry, groups * width)
    options = {"groups": groups, "activation": activation, "use_bias": use_bias, **geometry}
    tried(lambda: getattr(layers, f"Conv{rank}D")(MAPS * groups, **options), shape, linear=activation is None)


@settings(max_examples=10, deadline=None)
@given(geometries(), st.integers(1, 2), ACTIVATIONS)
def test_a_transposed_convolution_of_any_geometry_leads_to_what_it_gives(geometry, channels, activation) -> None:
    rank = geometry.pop("rank")
    shape = shape_of(geometry, channels)
    tried(
        lambda: getattr(layers, f"Conv{rank}DTranspose")(MAPS, activation=activation, **geometry),
        shape,
        linear=activation is None,
    )


@settings(max_examples=10, deadline=None)
@given(geometries(), st.integers(1, 2), st.booleans(), ACTIVATIONS)
def test_a_depthwise_or_separable_convolution_of_any_geometry_leads_to_what_it_gives(
    geometry, multiplier, is_separable, activation
) -> None:
    rank = min(geometry.pop("rank"), 2)
    geometry |= {"lengths": geometry["lengths"][:rank], "kernel_size": geometry["kernel_size"][0]}
    shape = shape_of(geometry, 2)
    options = {"depth_multiplier": multiplier, "activation": activation, **geometry}
    tried(
        lambda: (
            getattr(layers, f"SeparableConv{rank}D")(MAPS, **options)
            if is_separable
            else getattr(layers, f"DepthwiseConv{rank}D")(**options)
        ),
        shape,
        linear=activation is None,
    )


@settings(max_examples=10, deadline=None)
@given(geometries(), st.sampled_from(["Max", "Average"]))
def test_a_pooling_of_any_geometry_leads_to_what_it_gives(geometry, kind) -> None:
    rank, size = geometry.pop("rank"), geometry.pop("kernel_size")
    geometry.pop("dilation_rate")
    shape = shape_of(geometry, 2)
    tried(lambda: getattr(layers, f"{kind}Pooling{rank}D")(size, **geometry), shape, linear=kind == "Average")


@settings(max_examples=7, deadline=None)
@given(st.sampled_from(["SimpleRNN", "GRU", "LSTM"]), st.booleans(), st.booleans(), st.booleans(), st.integers(1, 3))
def test_a_recurrent_layer_of_any_kind_leads_to_what_it_gives(kind, sequences, backwards, use_bias, units) -> None:
    layer = getattr(layers, kind)(units, return_sequences=sequences, go_backwards=backwards, use_bias=use_bias)
    x = keras.Input((3, 2))
    model = shaken(keras.Model(x, layer(layers.Masking()(x))))
    inputs = noise(2, 3, 2)
    inputs[1, 1:] = 0
    Checked(model, inputs).everywhere()


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_in_another_precision_the_terms_lead_to_the_value_within_its_rounding(dtype: str) -> None:
    x = keras.Input((6, 6, 2), dtype="float64" if dtype == "float64" else "float32")
    y = layers.Conv2D(3, 3, activation="relu", dtype=dtype, name="conv")(x)
    y = layers.BatchNormalization(dtype=dtype, name="norm")(y)
    y = layers.Dense(4, activation="softmax", dtype=dtype, name="dense")(layers.Flatten(dtype=dtype, name="flat")(y))
    model = shaken(keras.Model(x, y))
    inputs = noise(2, 6, 6, 2)
    checked = Checked(model, inputs)
    for path, value in checked.captured.items():
        for index in places(value.shape):
            checked.at(path, index, dtype.removeprefix("mixed_"))
