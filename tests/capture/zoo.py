"""Models of many families, small ones, each with a batch that fits it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.capture.left_out import runnable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def tokens(*shape: int, below: int = 9, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, below, size=shape).astype("int32")


class OptionalSum(layers.Layer):
    """Adds a second input, or does without."""

    def call(self, inputs: Any, extra: Any = None) -> Any:
        return inputs if extra is None else inputs + extra

    def compute_output_shape(self, inputs_shape: Any, *_others: Any) -> Any:
        return inputs_shape


def optional_input_passed_on() -> keras.Model:
    """A model in which the layer `same` passes on an optional input, and so gives no tensor where that is left out."""
    x, extra = keras.Input((3,), name="x"), keras.Input((3,), name="extra", optional=True)
    summed = OptionalSum(name="sum")(x, layers.Identity(name="same")(extra))
    return keras.Model([x, extra], layers.Dense(2, name="dense")(summed), name="net")


def dense() -> tuple[keras.Model, Any]:
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return model, noise(5, 6)


def convolutional() -> tuple[keras.Model, Any]:
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.ZeroPadding2D(1),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.SeparableConv2D(5, 3, padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2),
        ]
    )
    return model, noise(3, 12, 12, 3)


def one_dimensional() -> tuple[keras.Model, Any]:
    x = keras.Input((None, 3))
    y = layers.Conv1D(4, 3, padding="causal", activation="gelu")(x)
    y = layers.Conv1D(4, 3, padding="causal", dilation_rate=2)(y) + layers.Dense(4)(x)
    return keras.Model(x, layers.GlobalMaxPooling1D()(y)), noise(2, 11, 3)


def volume() -> tuple[keras.Model, Any]:
    x = keras.Input((6, 6, 6, 1))
    y = layers.Conv3D(3, 3, activation="tanh")(x)
    return keras.Model(x, layers.AveragePooling3D(2)(y)), noise(2, 6, 6, 6, 1)


def unet() -> tuple[keras.Model, Any]:
    x = keras.Input((16, 16, 1), name="picture")
    down_1 = layers.Conv2D(4, 3, padding="same", activation="relu", name="down_1")(x)
    down_2 = layers.Conv2D(8, 3, padding="same", activation="relu", name="down_2")(layers.MaxPooling2D()(down_1))
    middle = layers.Conv2D(8, 3, padding="same", name="middle")(layers.MaxPooling2D()(down_2))
    up_2 = layers.Concatenate(name="skip_2")([layers.Conv2DTranspose(8, 2, strides=2)(middle), down_2])
    up_1 = layers.Concatenate(name="skip_1")([layers.UpSampling2D()(layers.Conv2D(4, 3, padding="same")(up_2)), down_1])
    return keras.Model(x, layers.Conv2D(1, 1, activation="sigmoid", name="segmentation")(up_1)), noise(2, 16, 16, 1)


def siamese() -> tuple[keras.Model, Any]:
    left, right = keras.Input((5,), name="left"), keras.Input((5,), name="right")
    shared = layers.Dense(4, activation="tanh", name="shared")
    norm = layers.LayerNormalization(name="norm")
    distance = ops.abs(norm(shared(left)) - norm(shared(right)))
    return keras.Model([left, right], layers.Dense(1)(distance)), [noise(4, 5), noise(4, 5, seed=1)]


def translator(cell: type[keras.Layer]) -> tuple[keras.Model, Any]:
    source, target = keras.Input((7,), dtype="int32", name="source"), keras.Input((6,), dtype="int32", name="target")
    embedding = layers.Embedding(9, 5, mask_zero=True, name="embedding")
    _, *state = cell(6, return_state=True, name="encoder")(embedding(source))
    decoded, *_ = cell(6, return_sequences=True, return_state=True, name="decoder")(
        embedding(target), initial_state=state
    )
    model = keras.Model([source, target], layers.TimeDistributed(layers.Dense(9, activation="softmax"))(decoded))
    return model, [tokens(3, 7), tokens(3, 6, seed=1)]


def lstm_translator() -> tuple[keras.Model, Any]:
    return translator(layers.LSTM)


def gru_translator() -> tuple[keras.Model, Any]:
    return translator(layers.GRU)


def bidirectional() -> tuple[keras.Model, Any]:
    x = keras.Input((5,), dtype="int32")
    y = layers.Embedding(9, 4, mask_zero=True)(x)
    y, *states = layers.Bidirectional(layers.LSTM(3, return_sequences=True, return_state=True), name="both")(y)
    y = layers.Bidirectional(layers.GRU(3))(y)
    return keras.Model(x, [y, layers.Concatenate()(states)]), tokens(4, 5)


def masked() -> tuple[keras.Model, Any]:
    x = keras.Input((6, 3))
    y = layers.Masking()(x)
    y = layers.SimpleRNN(4, return_sequences=True)(y)
    y = layers.GlobalAveragePooling1D()(y)
    value = noise(3, 6, 3)
    value[1, 3:] = 0
    return keras.Model(x, layers.Dense(1)(y)), value


def transformer() -> tuple[keras.Model, Any]:
    x = keras.Input((6,), dtype="int32")
    y = layers.Embedding(9, 8, mask_zero=True)(x)
    attended = layers.MultiHeadAttention(2, 4, name="attention")(y, y, use_causal_mask=True)
    y = layers.LayerNormalization()(y + attended)
    fed = layers.Dense(8)(layers.Dense(16, activation="gelu")(y))
    y = layers.LayerNormalization()(layers.Add()([y, layers.Dropout(0.1)(fed)]))
    return keras.Model(x, layers.Dense(2)(y[:, 0])), tokens(3, 6)


def attention_scores() -> tuple[keras.Model, Any]:
    x = keras.Input((5, 8))
    y, scores = layers.MultiHeadAttention(2, 4, name="attention")(x, x, return_attention_scores=True)
    return keras.Model(x, [y, scores]), noise(2, 5, 8)


def dict_inputs() -> tuple[keras.Model, Any]:
    # Not in alphabetical order, which is the order in which Keras flattens a dict.
    inputs = {"words": keras.Input((4,), name="words"), "age": keras.Input((1,), name="age")}
    y = layers.Dense(3)(inputs["words"]) * inputs["age"]
    model = keras.Model(inputs, {"score": layers.Dense(1, name="score")(y), "label": layers.Dense(2, name="label")(y)})
    return model, {"words": noise(3, 4), "age": noise(3, 1)}


def list_inputs() -> tuple[keras.Model, Any]:
    first, second = keras.Input((4,)), keras.Input((4,))
    total = layers.Average()([first, second])
    return keras.Model([first, second], [total, layers.Dense(2)(total)]), [noise(3, 4), noise(3, 4, seed=1)]


def nested_inputs() -> tuple[keras.Model, Any]:
    inputs = {"pair": [keras.Input((2,), name="p"), keras.Input((3,), name="q")], "alone": keras.Input((4,), name="a")}
    y = layers.Concatenate()([inputs["alone"], *inputs["pair"]])
    return keras.Model(inputs, layers.Dense(2)(y)), {"pair": [noise(3, 2), noise(3, 3)], "alone": noise(3, 4)}


def operations() -> tuple[keras.Model, Any]:
    x = keras.Input((6, 4))
    y = (2.0 * x + 1.0) / 3.0 - ops.exp(-ops.square(x))
    halves = ops.split(y, 2, axis=-1)
    y = ops.concatenate([halves[1], halves[0] ** 2], axis=-1)
    y = ops.where(y > 0.5, y, ops.zeros_like(y))
    y = ops.matmul(y, ops.transpose(x, (0, 2, 1)))[:, 1:, ::2]
    largest, where = ops.top_k(y, 2)
    return keras.Model(x, [ops.sum(largest, axis=-1), where, ops.mean(x)]), noise(3, 6, 4)


def nested() -> tuple[keras.Model, Any]:
    a = keras.Input((6,))
    tower = keras.Model(a, [layers.Dense(4)(a), layers.Dense(3)(a)], name="tower")
    head = keras.Sequential([keras.Input((7,)), layers.Dense(5, activation="relu"), layers.Dense(2)], name="head")
    left, right = keras.Input((6,)), keras.Input((6,))
    y = layers.concatenate(tower(left)) - layers.concatenate(tower(right))
    return keras.Model([left, right], head(y)), [noise(3, 6), noise(3, 6, seed=1)]


def mixed(policy: str) -> tuple[keras.Model, Any]:
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, activation="relu", dtype=policy)(x)
    y = layers.BatchNormalization(dtype=policy)(y)
    y = layers.Flatten(dtype=policy)(y)
    return keras.Model(x, layers.Dense(2, dtype="float32")(y)), noise(2, 8, 8, 3)


def half_precision() -> tuple[keras.Model, Any]:
    return mixed("mixed_float16")


def brain_float() -> tuple[keras.Model, Any]:
    return mixed("mixed_bfloat16")


def text() -> tuple[keras.Model, Any]:
    x = keras.Input((), dtype="string")
    y = layers.TextVectorization(vocabulary=["cat", "dog"], output_sequence_length=3)(x)
    y = layers.Embedding(4, 2)(y)
    return keras.Model(x, layers.Flatten()(y)), np.array(["cat dog", "a cat", "dog"], dtype=object)


def shared_elsewhere() -> tuple[keras.Model, Any]:
    layer = layers.Dense(4, name="first_in_another_model")
    keras.Sequential([keras.Input((4,)), layers.Rescaling(100.0), layer])
    x = keras.Input((4,))
    return keras.Model(x, layer(layer(x))), noise(3, 4)


SMALL: tuple[Callable[[], tuple[keras.Model, Any]], ...] = runnable(
    (
        dense,
        convolutional,
        one_dimensional,
        volume,
        unet,
        siamese,
        lstm_translator,
        gru_translator,
        bidirectional,
        masked,
        transformer,
        attention_scores,
        dict_inputs,
        list_inputs,
        nested_inputs,
        operations,
        nested,
        half_precision,
        brain_float,
        text,
        shared_elsewhere,
    )
)

# Where each node's submodel is called, TensorFlow traces recurrent and wrapped layers anew in dozens of these: 7 to 50
# seconds of CPU time for a model. What they consist of is in the other models too.
LONG = {
    *("lstm_translator", "bidirectional", "bidirectional_nested_in_subclassed", "cells", "returned_state"),
    *("wrappers", "wrappers_subclassed", "transformer_blocks", "attention_of_each_kind", "masks_in_subclassed"),
}


def without_long(builds: Iterable[Callable[[], tuple[keras.Model, Any]]]) -> list[Any]:
    """Parameters for tests that call the submodel of each node; the models that take long run on request."""
    return [pytest.param(build, marks=pytest.mark.thorough if build.__name__ in LONG else ()) for build in builds]


# The smallest pictures that each of them takes.
APPLICATIONS: tuple[tuple[str, int], ...] = (
    ("VGG16", 32),
    ("ResNet50", 32),
    ("MobileNetV2", 32),
    ("MobileNetV3Small", 32),
    ("EfficientNetB0", 32),
    ("DenseNet121", 32),
    ("Xception", 71),
    ("InceptionV3", 75),
)


def application(name: str, size: int, *, top: bool) -> tuple[keras.Model, Any]:
    options = {"classes": 5} if top else {}
    model = getattr(keras.applications, name)(include_top=top, weights=None, input_shape=(size, size, 3), **options)
    return model, np.random.default_rng(0).uniform(0, 255, (2, size, size, 3)).astype("float32")
