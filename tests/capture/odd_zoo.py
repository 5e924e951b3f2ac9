"""Models that are more than one flat graph, and layers with something to hide, each with a batch that fits it."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from tests.capture.left_out import runnable
from tests.capture.zoo import noise, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

Made = tuple[keras.Model, Any]


def tower(name: str = "tower", width: int = 4) -> keras.Model:
    x = keras.Input((width,), name=f"{name}_in")
    y = layers.Dense(width, activation="tanh", name="inner")(x)
    return keras.Model(x, layers.Dense(width, name="outer")(y), name=name)


class Residual(layers.Layer):
    """A custom layer with layers inside, one called twice, one never."""

    def __init__(self, width: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first, self.second = layers.Dense(width, name="first"), layers.Dense(width, name="second")
        self.unused = layers.Dense(2, name="unused")

    def build(self, shape: Any) -> None:
        self.first.build(shape)
        self.second.build(shape)

    def call(self, inputs: Any) -> Any:
        return inputs + self.second(self.first(self.first(inputs)))


class Transformer(layers.Layer):
    """Attention and what follows it, as people write it."""

    def __init__(self, width: int, heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(heads, width // heads, name="attention")
        self.feed = keras.Sequential([layers.Dense(2 * width, activation="relu"), layers.Dense(width)], name="feed")
        self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]
        self.dropout = layers.Dropout(0.3, name="dropout")

    def call(self, inputs: Any, training: Any = None) -> Any:
        y = self.norms[0](inputs + self.dropout(self.attention(inputs, inputs), training=training))
        return self.norms[1](y + self.feed(y))


def model_of(call: Callable[[keras.Model, Any], Any], name: str = "subclassed", **parts: Any) -> keras.Model:
    """A subclassed model that holds some layers and runs `call`."""

    class Subclassed(keras.Model):
        def __init__(self) -> None:
            super().__init__(name=name)
            for each, layer in parts.items():
                setattr(self, each, layer)

        def call(self, inputs: Any) -> Any:
            return call(self, inputs)

    return Subclassed()


def functional_in_functional() -> Made:
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(2, name="head")(tower()(layers.Dense(4, name="stem")(x)))), noise(3, 4)


def sequential_around_a_base() -> Made:
    x = keras.Input((8, 8, 3))
    base = keras.Model(x, layers.Conv2D(4, 3, activation="relu", name="conv")(x), name="base")
    return keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(2)]), noise(2, 8, 8, 3)


def doubly_nested() -> Made:
    x = keras.Input((4,))
    middle = keras.Model(x, layers.Dense(4, name="after")(tower()(x)), name="middle")
    return keras.Sequential([keras.Input((4,)), middle, layers.Dense(3)], name="outermost"), noise(3, 4)


def nested_called_twice() -> Made:
    x, inner = keras.Input((4,)), tower()
    return keras.Model(x, inner(inner(x)) + x), noise(3, 4)


def nested_twice_apart() -> Made:
    left, right, inner = keras.Input((4,), name="left"), keras.Input((4,), name="right"), tower()
    return keras.Model([left, right], inner(left) - inner(right)), [noise(3, 4), noise(3, 4, seed=1)]


def nested_with_two_of_each() -> Made:
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    pair = keras.Model([a, b], [layers.Dense(2, name="of_a")(a), layers.Dense(2, name="of_b")(b)], name="pair")
    x = keras.Input((4,))
    first, second = pair([x, layers.Dense(3)(x)])
    return keras.Model(x, layers.Concatenate()([first, second])), noise(2, 4)


def nested_with_a_dict() -> Made:
    inputs = {"q": keras.Input((4,), name="q"), "k": keras.Input((4,), name="k")}
    inner = keras.Model(inputs, layers.Dense(3, name="sum")(inputs["q"] + inputs["k"]), name="inner")
    x = keras.Input((4,))
    return keras.Model(x, inner({"q": x, "k": layers.Dense(4)(x)})), noise(2, 4)


def subclassed_in_functional() -> Made:
    x = keras.Input((4,))
    inner = model_of(lambda self, v: self.two(self.one(v)), "inner", one=layers.Dense(4, name="one"), two=tower("two"))
    return keras.Model(x, layers.Dense(2)(inner(x))), noise(3, 4)


def functional_in_subclassed() -> Made:
    return model_of(lambda self, v: self.head(self.tower(v)), tower=tower(), head=layers.Dense(2, name="head")), noise(
        3, 4
    )


def subclassed_in_subclassed() -> Made:
    inner = model_of(lambda self, v: self.one(v), "inner", one=Residual(name="one"))
    return model_of(lambda self, v: self.inner(self.inner(v)), inner=inner), noise(3, 4)


def lists_and_dicts() -> Made:
    def call(self: Any, v: Any) -> Any:
        for group in self.blocks:
            for layer in group:
                v = layer(v)
        return self.heads["a"](v) + self.heads["b"](v)

    blocks = [[layers.Dense(4, name=f"block_{row}_{column}") for column in range(2)] for row in range(2)]
    heads = {"a": layers.Dense(2, name="head_a"), "b": layers.Dense(2, name="head_b")}
    return model_of(call, blocks=blocks, heads=heads), noise(3, 4)


def siblings_of_one_name() -> Made:
    def call(self: Any, v: Any) -> Any:
        return self.two(self.one(self.two(v)))

    return model_of(call, one=layers.Dense(4, name="dense"), two=layers.Dense(4, name="dense")), noise(3, 4)


def called_many_times() -> Made:
    def call(self: Any, v: Any) -> Any:
        for _ in range(4):
            v = self.again(v)
        return self.inner(self.inner(v))

    return model_of(call, again=layers.Dense(4, name="again"), inner=tower()), noise(3, 4)


def grandchild_called_directly() -> Made:
    def call(self: Any, v: Any) -> Any:
        return self.block.second(self.block(v))

    return model_of(call, block=Residual(name="block")), noise(3, 4)


def never_called() -> Made:
    return model_of(lambda self, v: self.used(v), used=layers.Dense(2, name="used"), spare=tower("spare")), noise(3, 4)


def control_flow() -> Made:
    def call(self: Any, v: Any) -> Any:
        return self.high(v) if float(ops.mean(v)) > 0 else self.low(v)

    return model_of(call, low=layers.Dense(2, name="low"), high=layers.Dense(2, name="high")), noise(3, 4) - 9


def overridden_call() -> Made:
    class Doubled(keras.Model):
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return 2 * super().call(inputs, training=training, mask=mask)

    x = keras.Input((4,))
    return Doubled(x, layers.Dense(2, name="twice")(layers.Dense(3, name="once")(x))), noise(3, 4)


def custom_layer() -> Made:
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(2)(Residual(name="residual")(x))), noise(3, 4)


def gives_a_dict() -> Made:
    class Two(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return {"sum": ops.sum(inputs, axis=-1), "all": inputs, "number": 3, "none": None}

    return model_of(lambda self, v: self.two(v)["all"], two=Two(name="two")), noise(3, 4)


def wrappers() -> Made:
    x = keras.Input((5, 4))
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(x)
    y = layers.TimeDistributed(tower("each", 6), name="timed")(y)
    y = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True, name="cells")(y)
    return keras.Model(x, layers.SpectralNormalization(layers.Dense(2), name="spectral")(y)), noise(2, 5, 4)


def wrappers_subclassed() -> Made:
    def call(self: Any, v: Any) -> Any:
        return self.timed(self.both(v))

    both = layers.Bidirectional(layers.GRU(3, return_sequences=True), name="both")
    return model_of(call, both=both, timed=layers.TimeDistributed(layers.Dense(2), name="timed")), noise(2, 5, 4)


def returned_state() -> Made:
    def call(self: Any, v: Any) -> Any:
        out, *state = self.encoder(v)
        return self.decoder(out, initial_state=state)

    parts = {
        "encoder": layers.LSTM(3, return_sequences=True, return_state=True, name="encoder"),
        "decoder": layers.LSTM(3, name="decoder"),
    }
    return model_of(call, **parts), noise(2, 5, 4)


def masks_through_nested() -> Made:
    inner_x = keras.Input((6, 4))
    inner = keras.Model(inner_x, layers.LSTM(3, return_sequences=True, name="lstm")(inner_x), name="inner")
    x = keras.Input((6,), dtype="int32")
    y = inner(layers.Embedding(9, 4, mask_zero=True, name="embedding")(x))
    return keras.Model(x, layers.GlobalAveragePooling1D(name="mean")(y)), tokens(4, 6, below=3)


def masks_in_subclassed() -> Made:
    def call(self: Any, v: Any) -> Any:
        return self.mean(self.lstm(self.embedding(v)))

    parts = {
        "embedding": layers.Embedding(9, 4, mask_zero=True, name="embedding"),
        "lstm": layers.LSTM(3, return_sequences=True, name="lstm"),
        "mean": layers.GlobalAveragePooling1D(name="mean"),
    }
    return model_of(call, **parts), tokens(4, 6, below=3)


def masking_before_nested() -> Made:
    inner_x = keras.Input((6, 3))
    inner = keras.Model(inner_x, layers.GRU(3, name="gru")(layers.Dropout(0.1)(inner_x)), name="inner")
    x, value = keras.Input((6, 3)), noise(3, 6, 3)
    value[1, 2:] = 0
    return keras.Model(x, inner(layers.Masking()(x))), value


def transformer_blocks() -> Made:
    x = keras.Input((6,), dtype="int32")
    y = layers.Embedding(9, 8)(x)
    for number in range(2):
        y = Transformer(8, 2, name=f"block_{number}")(y)
    return keras.Model(x, layers.Dense(2)(y[:, 0])), tokens(3, 6)


def attention_of_each_kind() -> Made:
    x = keras.Input((5, 8))
    y = layers.MultiHeadAttention(2, 4, name="many", dropout=0.2)(x, x, use_causal_mask=True)
    y = layers.GroupQueryAttention(4, 4, 2, name="grouped")(y, y)
    y = layers.Attention(name="plain", score_mode="dot")([y, y])
    return keras.Model(x, layers.AdditiveAttention(name="additive")([y, y])), noise(2, 5, 8)


def attention_over_masks() -> Made:
    x = keras.Input((6,), dtype="int32")
    y = layers.Embedding(9, 8, mask_zero=True)(x)
    return keras.Model(x, layers.MultiHeadAttention(2, 4, name="attention")(y, y)), tokens(3, 6, below=3)


def frozen_base() -> Made:
    x = keras.Input((4,))
    y = layers.Dropout(0.5, name="drop")(layers.BatchNormalization(name="norm")(x))
    base = keras.Model(x, y, name="base")
    z = keras.Input((4,))
    return keras.Model(z, layers.Dropout(0.5, name="last")(base(z, training=False))), noise(6, 4)


def moving_parts_nested() -> Made:
    x = keras.Input((4,))
    y = layers.GaussianNoise(0.3)(layers.BatchNormalization()(layers.Dense(4, activity_regularizer="l1")(x)))
    inner = keras.Model(x, layers.Dropout(0.5)(y), name="inner")
    return model_of(lambda self, v: self.inner(v), inner=inner), noise(6, 4)


def half_precision_nested() -> Made:
    x = keras.Input((4,))
    inner = keras.Model(x, layers.Dense(3, dtype="mixed_bfloat16")(layers.Dense(4, dtype="mixed_float16")(x)))
    return model_of(lambda self, v: self.inner(v), inner=inner), noise(3, 4)


def integers_and_booleans() -> Made:
    x = keras.Input((4,))
    large = x > 0
    return keras.Model(x, [large, ops.argmax(x, axis=-1), ops.cast(large, "uint8")]), noise(3, 4)


def words() -> Made:
    def call(self: Any, v: Any) -> Any:
        return self.embedding(self.vectorize(v))

    vectorize = layers.TextVectorization(vocabulary=["cat", "dog", "the"], output_sequence_length=4, name="vectorize")
    texts = np.array(["the cat", "a dog the", "dog"], dtype=object)
    return model_of(call, vectorize=vectorize, embedding=layers.Embedding(9, 3, name="embedding")), texts


def ragged() -> Made:
    x = keras.Input((), dtype="string")
    vectorize = layers.TextVectorization(vocabulary=["cat", "dog", "the"], ragged=True, name="vectorize")
    return keras.Sequential([x, vectorize]), np.array(["the cat", "a dog the", "dog"], dtype=object)


def sparse() -> Made:
    x = keras.Input((3,), dtype="int32")
    y = layers.CategoryEncoding(6, output_mode="multi_hot", sparse=True, name="encode")(x)
    return keras.Model(x, layers.Dense(2)(y)), tokens(4, 3, below=6)


def operators_nested() -> Made:
    x = keras.Input((4,))
    inner = keras.Model(x, ops.softmax(ops.exp(x) * 2.0 - x[:, ::-1]), name="inner")
    y = keras.Input((4,))
    return keras.Model(y, layers.Lambda(lambda v: v**2, name="square")(inner(y))), noise(3, 4)


def open_shapes() -> Made:
    x = keras.Input((None, None, 3))
    inner = keras.Model(x, layers.Conv2D(4, 3, padding="same")(x), name="inner")
    return keras.Model(x, layers.GlobalMaxPooling2D()(inner(x))), noise(2, 7, 9, 3)


def scalars() -> Made:
    class Total(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return ops.sum(inputs)

    return model_of(lambda self, v: self.total(self.dense(v)), dense=layers.Dense(2), total=Total()), noise(3, 4)


def optional_input() -> Made:
    x, extra = keras.Input((4,), name="x"), keras.Input((4,), name="extra", optional=True)

    class Either(layers.Layer):
        def call(self, first: Any, second: Any = None) -> Any:
            return first if second is None else first + second

    return keras.Model([x, extra], layers.Dense(2)(Either()(x, extra))), [noise(3, 4), None]


def quantised() -> Made:
    model = keras.Sequential([keras.Input((8,)), layers.Dense(6, activation="relu"), layers.Dense(2)])
    model.quantize("int8")
    return model, noise(3, 8)


def compiled_for_xla() -> Made:
    model, x = functional_in_functional()
    model.compile("adam", "mse", jit_compile=True)
    return model, x


def augmented() -> Made:
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.RandomFlip(), layers.RandomRotation(0.2), layers.Conv2D(2, 3)], name="augmented"
    )
    return keras.Sequential([keras.Input((8, 8, 3)), model, layers.Flatten()]), noise(2, 8, 8, 3)


def inside_a_tf_function() -> Made:
    import tensorflow as tf

    def call(self: Any, v: Any) -> Any:
        return self.after(tf.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, self.looped(y)), (0, v))[1])

    return model_of(call, looped=layers.Dense(4, name="looped"), after=layers.Dense(2, name="after")), noise(3, 4)


def saved_model_layer() -> Made:
    inside = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    folder = tempfile.mkdtemp()
    inside.export(folder, verbose=False)
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(2)(layers.TFSMLayer(folder, call_endpoint="serve", name="saved")(x))), noise(
        3, 4
    )


def calls_call() -> Made:
    def call(self: Any, v: Any) -> Any:
        return self.seen(self.hidden.call(v))

    hidden = layers.Dense(4, name="hidden")
    hidden.build((None, 4))
    return model_of(call, hidden=hidden, seen=layers.Dense(2, name="seen")), noise(3, 4)


def numbered_names() -> Made:
    def call(self: Any, v: Any) -> Any:
        return self.literal(self.dense(self.dense(v)))

    return model_of(call, dense=layers.Dense(4, name="dense"), literal=layers.Dense(4, name="dense@1")), noise(3, 4)


ODD: tuple[Callable[[], Made], ...] = runnable(
    (
        functional_in_functional,
        sequential_around_a_base,
        doubly_nested,
        nested_called_twice,
        nested_twice_apart,
        nested_with_two_of_each,
        nested_with_a_dict,
        subclassed_in_functional,
        functional_in_subclassed,
        subclassed_in_subclassed,
        lists_and_dicts,
        siblings_of_one_name,
        called_many_times,
        grandchild_called_directly,
        never_called,
        control_flow,
        overridden_call,
        custom_layer,
        gives_a_dict,
        wrappers,
        wrappers_subclassed,
        returned_state,
        masks_through_nested,
        masks_in_subclassed,
        masking_before_nested,
        transformer_blocks,
        attention_of_each_kind,
        attention_over_masks,
        frozen_base,
        moving_parts_nested,
        half_precision_nested,
        integers_and_booleans,
        words,
        ragged,
        sparse,
        operators_nested,
        open_shapes,
        scalars,
        optional_input,
        quantised,
        compiled_for_xla,
        augmented,
        inside_a_tf_function,
        saved_model_layer,
        calls_call,
    )
)
