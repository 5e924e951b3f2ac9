"""Models of Keras 2 (tf_keras), one for each kind of thing that a model can hold."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

Input, Model = tf_keras.Input, tf_keras.Model
MODELS = {}


def model(build):
    """Adds a function that builds a model."""
    MODELS[build.__name__] = build
    return build


def application(name, **options):
    """Adds a model of `tf_keras.applications` with random weights."""

    def build():
        settings = {"weights": None, "classes": 5, "input_shape": (64, 64, 3)} | options
        return getattr(tf_keras.applications, name)(**settings)

    MODELS[name] = build


for each in ("MobileNetV2", "ResNet50V2", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0"):
    application(each)
application("VGG16", include_top=False)


@model
def recurrent():
    x = Input((5,), dtype="int32")
    y = layers.LSTM(4, return_sequences=True)(layers.Embedding(9, 3, mask_zero=True)(x))
    return Model(x, layers.Dense(2)(layers.SimpleRNN(3)(layers.GRU(3, return_sequences=True)(y))))


@model
def recurrent_settings():
    x = Input((5, 3))
    y = layers.GRU(4, reset_after=False, return_sequences=True, implementation=1)(x)
    return Model(x, [layers.LSTM(3, go_backwards=True, unroll=True)(y), layers.LSTM(3, use_bias=False)(y)])


@model
def bidirectional():
    x = Input((5, 3))
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode="sum")(x)
    backward = layers.GRU(2, go_backwards=True, name="back")
    return Model(x, layers.Bidirectional(layers.GRU(2), backward_layer=backward)(y))


@model
def given_states():
    x, h = Input((4, 3)), Input((2,))
    y, a, b = layers.LSTM(2, return_state=True)(x, initial_state=[h, h])
    return Model([x, h], [y, layers.Bidirectional(layers.LSTM(2))(x, initial_state=[h, a, b, h])])


@model
def kept_states():
    x = Input(batch_shape=(2, 4, 3))
    built = Model(x, layers.LSTM(2, stateful=True)(x))
    built(tf.ones((2, 4, 3)))
    return built


@model
def cells():
    x = Input((3, 4))
    y = layers.RNN([layers.LSTMCell(4), layers.GRUCell(4)], return_sequences=True)(x)
    return Model(x, layers.TimeDistributed(layers.Dense(3))(y))


@model
def model_at_each_step():
    frame = Input((8, 8, 1))
    cnn = Model(frame, layers.Flatten()(layers.BatchNormalization()(layers.Conv2D(2, 3)(frame))))
    x = Input((3, 8, 8, 1))
    return Model(x, layers.LSTM(3)(layers.TimeDistributed(cnn)(x)))


@model
def convolutional_recurrent():
    x = Input((3, 8, 8, 2))
    return Model(x, layers.ConvLSTM2D(3, 3)(layers.ConvLSTM2D(2, 3, return_sequences=True)(x)))


@model
def separable():
    x = Input((8, 8, 3))
    y = layers.SeparableConv2D(4, 3)(layers.DepthwiseConv2D(3, depth_multiplier=2)(x))
    return Model(x, layers.Conv2DTranspose(3, 2, strides=2)(layers.Conv2D(4, 2, dilation_rate=2)(y)))


@model
def sequences():
    x = Input((12, 4))
    y = layers.Conv1DTranspose(4, 3)(layers.SeparableConv1D(4, 2)(layers.DepthwiseConv1D(3)(x)))
    y = layers.SpatialDropout1D(0.2)(layers.Conv1D(4, 2, padding="causal", dilation_rate=2)(y))
    return Model(x, layers.GlobalMaxPooling1D()(layers.AveragePooling1D()(layers.Masking()(y))))


@model
def volumes():
    x = Input((6, 6, 6, 2))
    y = layers.MaxPooling3D()(layers.UpSampling3D()(layers.Conv3D(3, 2)(layers.ZeroPadding3D()(x))))
    return Model(x, layers.GlobalAveragePooling3D(keepdims=True)(layers.Conv3DTranspose(2, 2)(y)))


@model
def attention():
    x, v = Input((5, 8)), Input((7, 8))
    y, scores = layers.MultiHeadAttention(2, 4)(x, v, return_attention_scores=True)
    y = layers.LayerNormalization()(layers.Add()([x, y]))
    y = layers.MultiHeadAttention(2, 4, value_dim=3, output_shape=6)(y, value=v)
    return Model([x, v], {"answer": y, "scores": scores})


@model
def causal_attention():
    x = Input((5,), dtype="int64")
    y = layers.Embedding(9, 8, mask_zero=True)(x)
    return Model(x, layers.MultiHeadAttention(2, 4)(y, y, use_causal_mask=True))


@model
def dot_attention():
    x, v = Input((5, 8)), Input((7, 8))
    found = [layers.Attention(use_scale=True)([x, v]), layers.AdditiveAttention()([x, v])]
    return Model([x, v], [*found, layers.Dot(2, normalize=True)([x, v])])


@model
def shared_and_nested():
    i, dense = Input((4,)), layers.Dense(4, activation="relu", name="shared")
    inner = Model(i, dense(dense(i)), name="inner")
    stack = tf_keras.Sequential([Input((4,)), layers.Dense(4), tf_keras.Sequential([layers.BatchNormalization()])])
    x = Input((4,))
    return Model(x, layers.Concatenate()([inner(stack(x)), inner(x), dense(x)]))


@model
def inputs_by_name():
    a, b = Input((4,), name="a"), Input((3,), name="b")
    y = layers.Concatenate()([a, b])
    return Model({"a": a, "b": b}, {"sum": layers.Dense(4)(y), "class": layers.Dense(2, activation="softmax")(y)})


@model
def stack_that_saw_a_batch():
    built = tf_keras.Sequential([layers.Dense(4), layers.LeakyReLU(), layers.Dense(2, activation=layers.ReLU(3.0))])
    built(tf.zeros((3, 5)))
    return built


@model
def compiled():
    built = tf_keras.Sequential([Input((4,)), layers.Dense(3, activation="gelu"), layers.Dense(2)])
    built.compile("adam", "mse")
    built.fit(np.ones((8, 4)), np.ones((8, 2)), verbose=0)
    return built


@model
def frozen():
    x = Input((4,))
    normal = layers.BatchNormalization()
    normal.trainable = False
    base = Model(x, layers.Dense(3)(normal(x)), name="base")
    base.trainable = False
    y = Input((3, 4))
    each = layers.TimeDistributed(base)(y)
    still = layers.TimeDistributed(layers.Dense(3, trainable=False))(each)
    return Model(y, layers.Dense(2)(base(layers.Dense(4)(layers.Flatten()(still)), training=False)))


@model
def half_precision():
    half = tf_keras.mixed_precision.Policy("mixed_float16")
    x = Input((8, 8, 3))
    y = layers.BatchNormalization(dtype=half)(layers.Conv2D(4, 3, dtype=half)(x))
    return Model(x, layers.Dense(2, dtype="float32")(layers.Flatten(dtype=half)(y)))


@model
def regularized():
    x = Input((4,))
    options = {"kernel_regularizer": "l2", "bias_constraint": tf_keras.constraints.MaxNorm(3.0)}
    y = layers.Dense(3, kernel_initializer=tf_keras.initializers.HeUniform(seed=3), **options)(x)
    return Model(
        x, layers.ActivityRegularization(0.1)(layers.Dense(2, bias_initializer=tf.constant_initializer(2.0))(y))
    )


@model
def activations():
    x = Input((6,))
    names = ["relu", "gelu", "selu", "elu", "softplus", "softsign", "swish", "mish", "exponential", "hard_sigmoid"]
    names += ["tanh", "sigmoid", "softmax", "leaky_relu", "relu6", "log_softmax", "linear"]
    return Model(x, [layers.Activation(name)(x) for name in names])


@model
def activation_layers():
    x = Input((4, 4, 2))
    kinds = (
        layers.ELU(),
        layers.ThresholdedReLU(),
        layers.ReLU(6.0, 0.1),
        layers.Softmax(axis=1),
        layers.LeakyReLU(0.2),
    )
    return Model(x, [layers.PReLU(shared_axes=[1, 2])(x), *(layer(x) for layer in kinds)])


@model
def normalizations():
    x = Input((8, 8, 4))
    y = layers.GroupNormalization(2)(layers.BatchNormalization(momentum=0.5, epsilon=0.1)(x))
    y = layers.BatchNormalization(renorm=True)(y)
    y = layers.experimental.SyncBatchNormalization()(layers.UnitNormalization()(y))
    return Model(x, layers.LayerNormalization(axis=[1, 2])(layers.BatchNormalization(axis=2, scale=False)(y)))


@model
def pictures():
    x = Input((16, 16, 3))
    y = layers.Rescaling(1 / 127.5, offset=-1)(layers.CenterCrop(12, 12)(layers.Resizing(15, 15)(x)))
    y = layers.RandomRotation(0.2)(layers.RandomFlip()(layers.RandomContrast(0.2)(y)))
    y = layers.UpSampling2D(interpolation="bilinear")(layers.Cropping2D()(layers.ZeroPadding2D()(y)))
    return Model(x, layers.GaussianNoise(0.1)(layers.SpatialDropout2D(0.3)(layers.RandomZoom(0.2)(y))))


@model
def shapes():
    x = Input((4, 6))
    y = layers.Permute((2, 1))(layers.RepeatVector(3)(layers.Flatten()(x)))
    return Model(x, layers.EinsumDense("abc,cd->abd", (None, 5))(layers.Reshape((8, 9))(y)))


@model
def numbers_known():
    rng = np.random.default_rng(0)
    learned, bins = layers.Normalization(), layers.Discretization(num_bins=4)
    learned.adapt(rng.normal(3, 2, (50, 4)).astype("float32"))
    bins.adapt(rng.normal(size=(100, 1)).astype("float32"))
    x = Input((4,))
    given = layers.Normalization(mean=[1.0, 2.0, 3.0, 4.0], variance=2.0)(x)
    return Model(x, [learned(x), given, bins(x), layers.Discretization([0.0, 1.0])(x)])


@model
def texts():
    text = layers.TextVectorization(output_sequence_length=6)
    text.adapt(["a cat sat on", "the mat and the dog"])
    x = Input((1,), dtype="string")
    return Model(x, layers.GlobalAveragePooling1D()(layers.Embedding(text.vocabulary_size(), 4)(text(x))))


@model
def rare_words():
    text = layers.TextVectorization(output_mode="tf_idf")
    text.adapt(["a cat sat on", "the mat and the dog", "a dog"])
    x = Input((1,), dtype="string")
    return Model(x, layers.Dense(3)(text(x)))


@model
def lookups():
    a, b = Input((1,), dtype="string", name="a"), Input((1,), dtype="int64", name="b")
    numbers = layers.IntegerLookup(output_mode="one_hot")
    numbers.adapt([1, 5, 7, 7])
    words = layers.StringLookup(vocabulary=["x", "y"])
    return Model({"a": a, "b": b}, [layers.CategoryEncoding(5)(words(a)), numbers(b), layers.Hashing(7)(a)])


@model
def open_shapes():
    x, y = Input((None, None, 3)), Input((None, 4))
    return Model([x, y], [layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(x)), layers.LSTM(2)(y)])


def with_other_weights(built):
    """The model with weights that no initializer gives, so that two which are exchanged are noticed."""
    rng = np.random.default_rng(1)
    skipped = (layers.Normalization, layers.Discretization, layers.TextVectorization)
    for layer in built._flatten_layers(include_self=False):
        if not isinstance(layer, (*skipped, layers.StringLookup, layers.IntegerLookup, tf_keras.Model)):
            for weight in layer._trainable_weights + layer._non_trainable_weights:
                value = rng.normal(scale=0.2, size=weight.shape)
                weight.assign(value**2 + 0.1 if "variance" in weight.name else value)
    return built
