"""Models of every kind that is not one flat graph, each small, with a batch that fits it.

Nothing of actwidget is used here but the names of what older releases lack. `DEEP` is apart: so long a chain that Keras
runs into Python's recursion limit.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from actwidget.keras_internals.versions import NAMED_INPUTS_NEEDED

if TYPE_CHECKING:
    from collections.abc import Callable

Made = tuple[keras.Model, Any]
ODD: dict[str, Callable[[], Made]] = {}


def odd(build: Callable[[], Made]) -> Callable[[], Made]:
    ODD[build.__name__] = build
    return build


def batch(*shape: int, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def whole(*shape: int, below: int = 5, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, below, shape).astype("int32")


PHRASES = np.array(["red green", "blue", "green blue red red"], dtype=object)
VOCABULARY = ["red", "green", "blue"]


def vectorizer(**kwargs: Any) -> layers.TextVectorization:
    layer = layers.TextVectorization(name="vectorize", **kwargs)
    layer.adapt(VOCABULARY)
    return layer


def mlp(name: str = "mlp", width: int = 3, **kwargs: Any) -> keras.Model:
    """Two dense layers as a functional model that gives what it takes."""
    x = keras.Input((width,), name="into")
    return keras.Model(x, layers.Dense(width, name="b")(layers.Dense(5, "relu", name="a")(x)), name=name, **kwargs)


class Chain(keras.Model):
    """A subclassed model that calls what it holds one after the other, `times` times."""

    def __init__(self, *parts: keras.Layer, times: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts, self.times = list(parts), times

    def call(self, inputs: Any) -> Any:
        for _ in range(self.times):
            for part in self.parts:
                inputs = part(inputs)
        return inputs


class ResidualBlock(layers.Layer):
    """A custom layer with layers of its own."""

    def __init__(self, width: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.grow, self.shrink = layers.Dense(2 * width, "relu", name="grow"), layers.Dense(width, name="shrink")
        self.sum = layers.Add(name="sum")

    def build(self, shape: Any) -> None:
        self.grow.build(shape)
        self.shrink.build((*shape[:-1], 2 * shape[-1]))

    def call(self, inputs: Any) -> Any:
        return self.sum([inputs, self.shrink(self.grow(inputs))])


def around(inner: Any, value: np.ndarray, *, name: str | None = None) -> Made:
    """A functional model: a dense layer on each side of `inner`."""
    x = keras.Input(value.shape[1:])
    y = inner(layers.Dense(value.shape[-1], name="before")(x))
    return keras.Model(x, layers.Dense(2, name="after")(y), name=name), value


# Models in models.


@odd
def functional_in_functional() -> Made:
    return around(mlp(), batch(4, 3))


@odd
def sequential_around_base() -> Made:
    x = keras.Input((6, 6, 2), name="picture")
    base = keras.Model(x, layers.ReLU(name="act")(layers.Conv2D(3, 3, name="conv")(x)), name="base")
    return keras.Sequential([base, layers.GlobalAveragePooling2D(name="pool"), layers.Dense(2, name="top")]), batch(
        2, 6, 6, 2
    )


@odd
def unnamed_sequential_without_input_nested() -> Made:
    late = keras.Sequential([layers.Dense(4, name="p"), layers.Dense(3, name="q")], name="late")
    return around(late, batch(2, 3))


@odd
def doubly_nested() -> Made:
    x = keras.Input((3,))
    return around(keras.Model(x, ops.tanh(mlp()(x)), name="middle"), batch(2, 3))


@odd
def triply_nested_twice_each() -> Made:
    model: Any = mlp("level_0")
    for depth in (1, 2):
        x = keras.Input((3,))
        model = keras.Model(x, model(model(x)), name=f"level_{depth}")
    return around(model, batch(2, 3))


@odd
def nested_called_twice() -> Made:
    twice = mlp("twice")
    return around(lambda y: layers.Subtract(name="minus")([twice(y), twice(twice(y))]), batch(2, 3))


@odd
def nested_two_inputs_two_outputs() -> Made:
    left, right = keras.Input((3,), name="left"), keras.Input((3,), name="right")
    total = layers.Add(name="total")([left, right])
    pair = keras.Model([left, right], [total, layers.Dense(3, name="only_right")(right)], name="pair")
    x = keras.Input((3,), name="x")
    first, second = pair([x, layers.Dense(3, name="other")(x)])
    third, _ = pair([second, first])  # the call's second output leads nowhere
    return keras.Model(x, layers.Concatenate()([first, second, third])), batch(2, 3)


@odd
def nested_input_straight_to_output() -> Made:
    x = keras.Input((3,), name="x")
    inner = keras.Model(x, [x, layers.Dense(3, name="d")(x)], name="inner")
    outer = keras.Input((3,), name="outer")
    same, other = inner(outer)
    return keras.Model(outer, [same, other, layers.Dense(1, name="last")(same)]), batch(2, 3)


@odd
def nested_dict_inputs_and_outputs() -> Made:
    given = {"z": keras.Input((3,), name="z"), "a": keras.Input((2,), name="a")}
    gives = {"y": layers.Dense(4, name="of_z")(given["z"]), "b": layers.Dense(3, name="of_a")(given["a"])}
    inner = keras.Model(given, gives, name="inner")
    x = keras.Input((3,))
    out = inner({"z": x, "a": layers.Dense(2, name="cut")(x)})
    return keras.Model(x, layers.Concatenate()([out["b"], out["y"]])), batch(2, 3)


@odd
def shared_inside_and_outside() -> Made:
    shared = layers.Dense(3, name="shared")
    x, y = keras.Input((3,)), keras.Input((3,))
    inner = keras.Model(x, shared(ops.relu(shared(x))), name="inner")
    return keras.Model(y, shared(inner(shared(y)))), batch(2, 3)


@odd
def first_used_elsewhere_nested() -> Made:
    inner = mlp("used_before")
    x = keras.Input((3,))
    keras.Model(x, layers.Rescaling(50.0)(inner(layers.Rescaling(9.0)(x))))
    return around(inner, batch(2, 3))


@odd
def part_of_another_models_graph() -> Made:
    full = keras.Sequential([keras.Input((3,)), *(layers.Dense(3, name=f"d{index}") for index in range(4))])
    return around(keras.Model(full.inputs, full.layers[1].output, name="front"), batch(2, 3))


@odd
def nested_with_operations() -> Made:
    x = keras.Input((4,))
    low, high = ops.split(x * 2.0 - 1.0, 2, axis=-1)
    inner = keras.Model(x, ops.concatenate([high, -low, x[:, 1:3] ** 2], axis=-1), name="inner")
    return around(lambda y: inner(y) / 3.0 + inner(ops.exp(y)), batch(2, 4))


@odd
def literal_names_nested() -> Made:
    x = keras.Input((3,), name="x")
    dense = layers.Dense(3, name="dense")
    y = layers.Dense(3, name="dense@1")(dense(dense(dense(x))))
    rows = layers.Reshape((1, 3), name="rows")(y)
    gru = layers.GRU(3, return_state=True, name="gru")(rows)
    y = layers.Dense(3, name="dense~2")(layers.Dense(3, name="gru:1")(layers.Add()(gru)))
    return around(keras.Model(x, y, name="inner@1"), batch(2, 3))


@odd
def frozen_base_in_inference() -> Made:
    x = keras.Input((3,))
    y = layers.Dropout(0.4, name="drop")(layers.BatchNormalization(name="norm")(layers.Dense(3, name="d")(x)))
    base = keras.Model(x, y, name="base", trainable=False)
    return around(lambda z: layers.Dropout(0.4, name="last")(base(z, training=False)), batch(4, 3))


@odd
def norm_and_dropout_nested() -> Made:
    x = keras.Input((3,))
    y = layers.Dropout(0.4, seed=3, name="drop")(layers.BatchNormalization(name="norm")(x))
    return around(keras.Model(x, y, name="inner"), batch(4, 3))


# Subclassed models.


@odd
def subclassed_in_functional() -> Made:
    return around(Chain(layers.Dense(4, name="p"), layers.Dense(3, name="q"), name="chain"), batch(2, 3))


@odd
def functional_in_subclassed() -> Made:
    return Chain(layers.Dense(3, name="stem"), mlp(), keras.Sequential([layers.Dense(2)], name="head")), batch(2, 3)


@odd
def subclassed_in_subclassed() -> Made:
    return Chain(Chain(layers.Dense(3, name="d"), name="low", times=2), mlp(), name="top", times=2), batch(2, 3)


@odd
def lists_and_dicts_of_layers() -> Made:
    class Holding(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.grid = [[layers.Dense(3, name=f"g{row}{column}") for column in range(2)] for row in range(2)]
            self.named = {"late": layers.Dense(2, name="late"), "early": layers.Dense(3, name="early")}
            self.pair = (layers.ReLU(name="relu"), {"deep": [layers.Dense(3, name="deep")]})

        def call(self, inputs: Any) -> Any:
            y = self.named["early"](inputs)
            for row in reversed(self.grid):
                for layer in row:
                    y = layer(y)
            return self.named["late"](self.pair[1]["deep"][0](self.pair[0](y)))

    return Holding(), batch(2, 3)


@odd
def called_several_times() -> Made:
    return Chain(layers.Dense(3, "tanh", name="again"), times=5), batch(2, 3)


@odd
def siblings_of_one_name() -> Made:
    one, two, three = (layers.Dense(3, name="same") for _ in range(3))

    class Siblings(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.three = one, two, three

        def call(self, inputs: Any) -> Any:
            return self.one(self.three(self.three(self.two(inputs))))  # not in the order of declaration

    return Siblings(), batch(2, 3)


@odd
def literal_names_subclassed() -> Made:
    parts = [layers.Dense(3, name=name) for name in ("dense", "dense", "dense~2", "dense@1", "dense:1")]
    return Chain(*parts, times=3), batch(2, 3)


@odd
def control_flow() -> Made:
    class Fork(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.down = layers.Dense(2, name="up"), mlp("down")

        def call(self, inputs: Any) -> Any:
            for _ in range(int(np.asarray(ops.sum(ops.cast(inputs > 0, "int32")))) % 3 + 1):
                inputs = self.down(inputs)
            return self.up(inputs)

    return Fork(), batch(2, 3)


@odd
def never_called() -> Made:
    class Spare(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare, self.model = layers.Dense(2, name="used"), layers.Dense(9, name="spare"), mlp()

        def call(self, inputs: Any) -> Any:
            return self.used(inputs)

    return Spare(), batch(2, 3)


@odd
def undeclared_layers() -> Made:
    block = ResidualBlock(name="block")
    loose = layers.Dense(3, name="loose")

    class Reaching(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.block, self.own = block, layers.Dense(2, name="own")

        def call(self, inputs: Any) -> Any:
            return self.own(loose(self.block.grow(loose(self.block(inputs)))[:, :3]))

    return Reaching(), batch(2, 3)


@odd
def functional_that_overrides_call() -> Made:
    class Louder(keras.Model):
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return super().call(super().call(inputs, training=training, mask=mask), training=training) * 3.0

    x = keras.Input((3,))
    return Louder(x, layers.Dense(3, name="d")(x + 1.0)), batch(2, 3)


@odd
def functional_that_overrides_call_nested() -> Made:
    class Shifted(keras.Model):
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return super().call(inputs, training=training, mask=mask) + 1.0

    x = keras.Input((3,))
    return around(Shifted(x, layers.Dense(3, name="d")(x), name="shifted"), batch(2, 3))


@odd
def functional_subclass_that_keeps_call() -> Made:
    class Named(keras.Model):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    x = keras.Input((3,), name="x")
    return around(Named(x, layers.Dense(3, name="d")(ops.relu(x)), name="named"), batch(2, 3))


@odd
def called_by_call() -> Made:
    hidden = layers.Dense(3, name="hidden")
    hidden.build((None, 3))

    class Direct(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.inner, self.seen = hidden, mlp(), layers.Dense(2, name="seen")

        def call(self, inputs: Any) -> Any:
            return self.seen(self.inner.call(self.hidden.call(inputs)))

    return Direct(), batch(2, 3)


@odd
def keywords_and_several_inputs() -> Made:
    class Mixed(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = layers.Dense(3, name="left"), layers.Dense(3, name="right")
            self.inner = mlp()

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs=self.left(inputs["l"]) + self.right(inputs=inputs["r"]))

    return Mixed(), {"l": batch(2, 3), "r": batch(2, 4)}


# Wrappers, recurrence, masks.


@odd
def bidirectional() -> Made:
    x = keras.Input((4, 3))
    y = layers.Bidirectional(layers.LSTM(2, return_sequences=True, return_state=True), name="both")(x)
    z = layers.Bidirectional(layers.GRU(2), merge_mode="sum", name="summed")(y[0])
    return keras.Model(x, [z, *y[1:]]), batch(2, 4, 3)


@odd
def bidirectional_nested_in_subclassed() -> Made:
    x = keras.Input((4, 3))
    inner = keras.Model(x, layers.Bidirectional(layers.SimpleRNN(2, return_sequences=True), name="both")(x))
    return Chain(inner, layers.LSTM(2, name="last")), batch(2, 4, 3)


@odd
def time_distributed() -> Made:
    x = keras.Input((4, 3))
    y = layers.TimeDistributed(mlp(), name="steps")(x)
    return keras.Model(x, layers.TimeDistributed(layers.Dense(2), name="again")(y)), batch(2, 4, 3)


@odd
def cells() -> Made:
    x = keras.Input((4, 3))
    y = layers.RNN(layers.LSTMCell(3), return_sequences=True, name="one")(x)
    stacked = layers.StackedRNNCells([layers.GRUCell(3), layers.SimpleRNNCell(2)])
    return keras.Model(x, layers.RNN(stacked, name="many")(y)), batch(2, 4, 3)


@odd
def convolutional_recurrence() -> Made:
    x = keras.Input((3, 5, 5, 1))
    return keras.Model(x, layers.ConvLSTM2D(2, 3, return_sequences=True, name="film")(x)), batch(1, 3, 5, 5, 1)


@odd
def stateful() -> Made:
    x = keras.Input(batch_shape=(2, 4, 3))
    return keras.Model(x, layers.GRU(3, stateful=True, name="gru")(x)), batch(2, 4, 3)


@odd
def returned_state() -> Made:
    x = keras.Input((4, 3))
    y, *state = layers.LSTM(3, return_sequences=True, return_state=True, name="encoder")(x)
    inner = keras.Model(x, [y, *state], name="inner")
    z = keras.Input((4, 3))
    y, *state = inner(z)
    return keras.Model(z, layers.LSTM(3, name="decoder")(y, initial_state=state)), batch(2, 4, 3)


@odd
def mask_through_nested() -> Made:
    x, y = keras.Input((5, 3)), keras.Input((5,), dtype="int32")
    inner = keras.Model(x, layers.LSTM(3, return_sequences=True, name="lstm")(x), name="inner")
    z = inner(layers.Embedding(5, 3, mask_zero=True, name="embedding")(y))
    return keras.Model(y, layers.LSTM(2, name="last")(z)), whole(3, 5, below=3)


@odd
def mask_made_in_nested() -> Made:
    x, y = keras.Input((5,), dtype="int32"), keras.Input((5,), dtype="int32")
    z = layers.Dropout(0.1, name="drop")(layers.Embedding(5, 3, mask_zero=True, name="embedding")(x))
    inner = keras.Model(x, z, name="inner")
    return keras.Model(y, layers.GlobalAveragePooling1D(name="mean")(layers.GRU(2, return_sequences=True)(inner(y)))), (
        whole(3, 5, below=3)
    )


@odd
def mask_in_sequential() -> Made:
    parts = [keras.Input((5,), dtype="int32"), layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2)]
    return keras.Sequential([*parts, layers.Dense(2)]), whole(3, 5, below=3)


@odd
def masking_before_nested() -> Made:
    x, y = keras.Input((5, 2)), keras.Input((5, 2))
    inner = keras.Model(x, layers.GRU(3, name="gru")(layers.LayerNormalization(name="norm")(x)), name="inner")
    value = batch(3, 5, 2)
    value[0, 2:] = 0
    value[2, 4:] = 0
    return keras.Model(y, inner(layers.Masking(name="masking")(y))), value


@odd
def mask_in_subclassed() -> Made:
    parts = [layers.Embedding(5, 3, mask_zero=True, name="embedding"), layers.LSTM(3, return_sequences=True)]
    return Chain(*parts, layers.GlobalAveragePooling1D(name="mean")), whole(3, 5, below=3)


@odd
def spectral_normalization() -> Made:
    return around(layers.SpectralNormalization(layers.Dense(3, name="wrapped"), name="spectral"), batch(2, 3))


# Attention.


@odd
def attention_in_functional() -> Made:
    x, y = keras.Input((4, 6), name="query"), keras.Input((5, 6), name="keys")
    attended = layers.MultiHeadAttention(2, 3, dropout=0.2, name="many")(x, value=y, key=y)
    attended, scores = layers.MultiHeadAttention(2, 3, name="told")(attended, y, return_attention_scores=True)
    return keras.Model([x, y], [attended, scores]), [batch(2, 4, 6), batch(2, 5, 6)]


@odd
def attention_called_twice() -> Made:
    x = keras.Input((4, 6))
    layer = layers.MultiHeadAttention(2, 3, name="many")
    return keras.Model(x, layer(layer(x, x, use_causal_mask=True), x)), batch(2, 4, 6)


@odd
def attention_in_blocks() -> Made:
    class Block(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.attend = layers.MultiHeadAttention(2, 3, name="attend")
            self.norms = [layers.LayerNormalization(name="norm"), layers.LayerNormalization(name="norm")]
            feed = [layers.Dense(8, "gelu", name="up"), layers.Dense(6, name="down")]
            self.feed = keras.Sequential(feed, name="feed")
            self.supports_masking = True

        def call(self, inputs: Any) -> Any:
            y = self.norms[0](inputs + self.attend(inputs, inputs))
            return self.norms[1](y + self.feed(y))

    embedding = layers.Embedding(5, 6, mask_zero=True, name="embedding")
    return Chain(embedding, Block(name="first"), Block(name="second")), whole(2, 4, below=3)


@odd
def attention_grouped() -> Made:
    x = keras.Input((4, 6))
    return keras.Model(x, layers.GroupQueryAttention(3, 4, 2, name="grouped")(x, x)), batch(2, 4, 6)


@odd
def attention_plain_and_additive() -> Made:
    x, y = keras.Input((4, 6), name="query"), keras.Input((5, 6), name="value")
    z = layers.Attention(use_scale=True, dropout=0.3, seed=1, name="plain")([x, y])
    return keras.Model([x, y], layers.AdditiveAttention(name="additive")([z, y])), [batch(2, 4, 6), batch(2, 5, 6)]


@odd
def attention_plain_in_subclassed() -> Made:
    class Attending(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = layers.Embedding(5, 4, mask_zero=True, name="embedding")
            self.plain = layers.Attention(name="plain")

        def call(self, inputs: Any) -> Any:
            y = self.embedding(inputs)
            return self.plain([y, y], use_causal_mask=True)

    return Attending(), whole(2, 4, below=3)


# Kinds of numbers and of tensors.


def mixed(policy: str) -> Made:
    x = keras.Input((3,))
    y = layers.BatchNormalization(dtype=policy, name="norm")(layers.Dense(4, dtype=policy, name="half")(x))
    inner = keras.Model(x, layers.Dense(3, dtype="float32", name="single")(y), name="inner")
    return around(inner, batch(2, 3))


@odd
def mixed_float16() -> Made:
    return mixed("mixed_float16")


@odd
def mixed_bfloat16() -> Made:
    return mixed("mixed_bfloat16")


@odd
def double_precision() -> Made:
    x = keras.Input((3,), dtype="float64")
    return keras.Model(x, layers.Dense(3, dtype="float64")(ops.sin(x))), batch(2, 3).astype("float64")


@odd
def integers_and_booleans() -> Made:
    x = keras.Input((4,))
    inner = keras.Model(x, [ops.argsort(x), x > 0.0, ops.cast(x * 100.0, "uint8")], name="inner")
    y = keras.Input((4,))
    return keras.Model(y, inner(y)), batch(3, 4)


@odd
def strings() -> Made:
    x = keras.Input((), dtype="string", name="text")
    y = layers.Embedding(6, 3, name="embedding")(vectorizer(output_sequence_length=4)(x))
    return keras.Model(x, layers.GlobalMaxPooling1D()(y)), PHRASES


@odd
def strings_in_subclassed() -> Made:
    return Chain(vectorizer(output_sequence_length=4), layers.Embedding(6, 3, name="embedding")), PHRASES


@odd
def strings_in_nested() -> Made:
    x, y = keras.Input((1,), dtype="string", name="words"), keras.Input((1,), dtype="string", name="text")
    lookup = layers.StringLookup(vocabulary=VOCABULARY, name="lookup")
    inner = keras.Model(x, layers.Embedding(5, 3, name="embedding")(lookup(x)), name="inner")
    return keras.Model(y, inner(y)), np.array([["red"], ["grey"], ["blue"]], dtype=object)


@odd
def sparse_categories() -> Made:
    x = keras.Input((3,), dtype="int32")
    encoded = layers.CategoryEncoding(5, output_mode="count", sparse=True, name="encode")(x)
    return keras.Model(x, layers.Dense(2, name="dense")(encoded)), whole(4, 3)


@odd
def sparse_text() -> Made:
    vectorize = vectorizer(output_mode="multi_hot", sparse=True)
    return keras.Sequential([keras.Input((), dtype="string"), vectorize]), PHRASES


@odd
def sparse_input() -> Made:
    x = keras.Input((5,), sparse=True, name="thin")
    return keras.Model(x, layers.Dense(2, name="dense")(x)), np.eye(5, dtype="float32")[:3]


@odd
def ragged_text() -> Made:
    return keras.Sequential([keras.Input((), dtype="string"), vectorizer(ragged=True)]), PHRASES


@odd
def ragged_text_in_subclassed() -> Made:
    return Chain(vectorizer(ragged=True)), PHRASES


@odd
def quantised() -> Made:
    model, value = around(mlp(), batch(2, 3))
    model.quantize("int8")
    return model, value


# What comes out, and what goes in.


@odd
def scalar_output() -> Made:
    class Mean(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return ops.mean(inputs)

    x = keras.Input((3,))
    return keras.Model(x, [ops.sum(x), Mean(name="mean")(mlp()(x))]), batch(2, 3)


@odd
def custom_layer_in_functional() -> Made:
    return around(lambda y: ResidualBlock(name="two")(ResidualBlock(name="one")(y)), batch(2, 3))


@odd
def layer_that_gives_a_dict() -> Made:
    class Moments(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inside = layers.Dense(3, name="inside")

        def build(self, shape: Any) -> None:
            self.inside.build(shape)

        def call(self, inputs: Any) -> Any:
            y = self.inside(inputs)
            return {"variance": ops.var(y, axis=-1), "mean": ops.mean(y, axis=-1), "all": [y]}

    x = keras.Input((3,))
    gives = Moments(name="moments")(x)
    return keras.Model(x, [gives["mean"], layers.Dense(1, name="after")(gives["all"][0])]), batch(2, 3)


@odd
def layer_that_gives_more_than_tensors() -> Made:
    class Odd(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return None, np.arange(3), inputs * 2, "text", inputs + 1

    class Uses(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.odd, self.after = Odd(name="odd"), layers.Dense(2, name="after")

        def call(self, inputs: Any) -> Any:
            return self.after(self.odd(inputs)[4])

    return Uses(), batch(2, 3)


@odd
def layer_that_gives_none() -> Made:
    class Silent(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.inside = layers.Dense(3, name="inside")

        def call(self, inputs: Any) -> None:
            self.inside(inputs)

    class Uses(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.silent, self.after = Silent(name="silent"), layers.Dense(2, name="after")

        def call(self, inputs: Any) -> Any:
            self.silent(inputs)
            return self.after(inputs)

    return Uses(), batch(2, 3)


@odd
def lambdas() -> Made:
    x = keras.Input((3,))
    inner = keras.Model(x, layers.Lambda(lambda y: [ops.relu(y), y], name="both")(x), name="inner")
    return around(lambda y: layers.Add(name="add")(inner(y)), batch(2, 3))


@odd
def dynamic_shapes() -> Made:
    x = keras.Input((None, None, 2))
    inner = keras.Model(x, layers.Conv2D(3, 3, padding="same", name="conv")(x)[:, ::2], name="inner")
    return keras.Model(x, layers.GlobalAveragePooling2D()(inner(x))), batch(2, 5, 7, 2)


def optional_input_left_out() -> Made:
    class Maybe(layers.Layer):
        def call(self, first: Any, second: Any = None) -> Any:
            return first if second is None else first + second

    x, more = keras.Input((3,), name="x"), keras.Input((3,), name="more", optional=True)
    y = layers.Dense(2, name="dense")(Maybe(name="maybe")(x, more))
    return keras.Model({"x": x, "more": more}, y), {"x": batch(2, 3), "more": None}


if not NAMED_INPUTS_NEEDED.applies:
    odd(optional_input_left_out)


@odd
def optional_input_given() -> Made:
    model, given = optional_input_left_out()
    return model, {**given, "more": batch(2, 3, seed=8)}


@odd
def channels_first_volume() -> Made:
    x = keras.Input((2, 6))
    pooled = layers.GlobalAveragePooling1D(data_format="channels_first", name="pool")(x)
    return keras.Model(x, [pooled, layers.BatchNormalization(axis=1, name="norm")(x)]), batch(2, 2, 6)


@odd
def padding_operations_made_anew() -> Made:
    x = keras.Input((6, 3))
    causal = layers.Conv1D(3, 2, padding="causal", name="causal")
    return around(keras.Model(x, causal(layers.ZeroPadding1D(1, name="pad")(causal(x))), name="inner"), batch(2, 6, 3))


@odd
def augmentation() -> Made:
    change = keras.Sequential(
        [layers.RandomFlip(seed=1), layers.RandomRotation(0.2, seed=2), layers.RandomContrast(0.1, seed=3)],
        name="change",
    )
    x = keras.Input((6, 6, 3))
    return keras.Model(x, layers.Conv2D(2, 3, name="conv")(change(x))), batch(2, 6, 6, 3)


@odd
def compiled_by_xla() -> Made:
    model, value = around(mlp(), batch(2, 3))
    model.compile("sgd", "mse", jit_compile=True, metrics=["mae"])
    return model, value


@odd
def compiled_eager_subclassed() -> Made:
    model = Chain(layers.Dense(3, name="d"), mlp())
    model.compile("adam", "mse", run_eagerly=True)
    return model, batch(2, 3)


@functools.cache
def _exported() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory()  # kept, and so the files, until this process ends
    mlp().export(str(Path(folder.name, "saved")), verbose=False)
    return folder


@odd
def saved_model_as_a_layer() -> Made:
    saved = Path(_exported().name, "saved")
    return Chain(layers.TFSMLayer(str(saved), call_endpoint="serve", name="saved"), layers.Dense(2, name="after")), (
        batch(2, 3)
    )


def DEEP(depth: int = 1200) -> Made:  # noqa: N802 - a name that stands out beside ODD
    """A functional chain of `depth` layers: `keras.Model` raises RecursionError unless the limit is raised."""
    x = y = keras.Input((3,))
    for index in range(depth):
        y = layers.Rescaling(1.0, name=f"layer_{index}")(y)
    return keras.Model(x, y, name="deep"), batch(1, 3)
