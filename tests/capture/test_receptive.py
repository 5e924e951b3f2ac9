"""Receptive fields, against the gradient of a model in which nothing cancels out."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given
from hypothesis import strategies as st

from actwidget.capture.receptive import Window, receptive_field
from actwidget.capture.tree import trace

layers = keras.layers


def seen_by_gradient(model, path, position):
    """The box around every pixel from which a gradient comes; all weights are ones, so that none cancels out."""
    for layer in model._flatten_layers():
        for weight in getattr(layer, "weights", []):
            if "kernel" in weight.name or "gamma" in weight.name or "variance" in weight.name:
                weight.assign(tf.ones_like(weight.value) * 0.1)
    graph = trace(model)
    sub = keras.Model(graph.inputs, graph.tensors[path])
    # A ramp, so that average and maximum alike have someone to ask.
    x = tf.Variable(tf.random.stateless_uniform(model.inputs[0].shape[1:], (1, 2), 0.5, 1.0)[tf.newaxis])
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(sub(x, training=False)[(0, *position)])
    hit = np.abs(tape.gradient(value, x).numpy()[0]).max(axis=-1) > 0
    if not hit.any():
        return tuple((0, 0) for _ in position)
    return tuple((int(index.min()), int(index.max()) + 1) for index in np.nonzero(hit))


def chain(*steps, size=(19, 17)):
    x = keras.Input((*size, 2))
    y = x
    for step in steps:
        y = step(y)
    return keras.Model(x, layers.Identity(name="end")(y))


def residual():
    x = keras.Input((17, 15, 2))
    y = layers.Conv2D(3, 3, padding="same", strides=2)(x)
    z = layers.BatchNormalization()(layers.Conv2D(3, 5, padding="same")(y))
    z = layers.Add()([y, layers.Activation("softplus")(z)])
    z = layers.Concatenate()([z, layers.Conv2D(2, 1)(y)])
    return keras.Model(x, layers.Identity(name="end")(layers.ZeroPadding2D(((2, 0), (1, 3)))(z)))


def squeezed():
    x = keras.Input((9, 9, 2))
    y = layers.Conv2D(4, 3, padding="same")(x)
    gate = layers.Reshape((1, 1, 4))(layers.Dense(4, activation="sigmoid")(layers.GlobalAveragePooling2D()(y)))
    return keras.Model(x, layers.Identity(name="end")(layers.Multiply()([y, gate])))


def shared_nested():
    inner = keras.Sequential([keras.Input((13, 13, 2)), layers.Conv2D(2, 3, padding="same")])
    x = keras.Input((13, 13, 2))
    return keras.Model(x, layers.Identity(name="end")(inner(inner(x))))


def causal():
    x = keras.Input((12, 2))
    y = layers.Conv1D(3, 3, dilation_rate=2, padding="causal")(x)
    return keras.Model(x, layers.Identity(name="end")(layers.Conv1D(3, 2, padding="causal")(y)))


def volume():
    x = keras.Input((7, 8, 9, 2))
    y = layers.AveragePooling3D(2)(layers.Conv3D(2, (1, 3, 2), padding="same")(x))
    return keras.Model(x, layers.Identity(name="end")(y))


MODELS = {
    "same": lambda: chain(layers.Conv2D(3, 3, padding="same"), layers.Conv2D(3, (1, 4), padding="same")),
    "strided": lambda: chain(layers.Conv2D(3, 3, 2, padding="same"), layers.DepthwiseConv2D(4, 2, padding="same")),
    "valid": lambda: chain(layers.Conv2D(3, 5), layers.AveragePooling2D(3, 2), layers.SeparableConv2D(2, 2)),
    "dilated": lambda: chain(layers.Conv2D(3, 3, dilation_rate=3), layers.Conv2D(2, 2, dilation_rate=(1, 2))),
    "cropped": lambda: chain(layers.Cropping2D(((3, 1), (0, 2))), layers.Conv2D(2, 3, padding="same")),
    "scaled": lambda: chain(layers.Rescaling(2.0), layers.Conv2D(2, 2), lambda y: keras.ops.relu(y * 3 + 1)),
    "residual": residual,
    "squeezed": squeezed,
    "nested": shared_nested,
    "causal": causal,
    "volume": volume,
}


@pytest.mark.parametrize("name", MODELS)
def test_the_field_is_where_the_gradient_comes_from(name):
    model = MODELS[name]()
    lengths = model.output.shape[1:-1]
    rng = np.random.default_rng(0)
    places = [tuple(0 for _ in lengths), tuple(length - 1 for length in lengths)]
    places += [tuple(int(rng.integers(length)) for length in lengths) for _ in range(4)]
    for position in places:
        expected = seen_by_gradient(model, "end", position)
        if ((0, 0)) in expected:  # padding alone along one axis is nothing at all
            expected = None
        found = receptive_field(trace(model), "end", position)
        if expected is None:
            assert any(start >= stop for start, stop in found), position
        else:
            assert found == expected, position


@pytest.mark.parametrize(
    "step",
    [
        layers.Conv2DTranspose(2, 3),
        layers.Resizing(5, 5),
        layers.Permute((2, 1, 3)),
        layers.Lambda(lambda x: x[:, ::-1]),
        layers.Softmax(axis=1),
        layers.Reshape((17, 19, 2)),
        layers.LayerNormalization(axis=(1, 2)),
        layers.Concatenate(axis=1),
    ],
    ids=lambda step: step.name,
)
def test_what_is_not_known_is_not_guessed(step):
    model = chain(layers.Conv2D(2, 3, padding="same"), (lambda y: step([y, y])) if "concat" in step.name else step)
    position = [0] * (len(model.output.shape) - 2)
    assert receptive_field(trace(model), "end", position) is None


def test_a_users_class_with_a_familiar_name_is_not_trusted():
    class ReLU(keras.Layer):
        def call(self, x):
            return keras.ops.flip(x, axis=1)

    assert receptive_field(trace(chain(ReLU())), "end", (0, 0)) is None


def test_inside_a_nested_model_the_way_leads_out():
    inner = keras.Sequential([keras.Input((9, 9, 3)), layers.Conv2D(2, 3, name="deep")], name="inner")
    x = keras.Input((11, 11, 2))
    model = keras.Model(x, layers.Flatten()(inner(layers.Conv2D(3, 3)(x))))
    assert receptive_field(trace(model), "inner/deep", (2, 0)) == ((2, 7), (0, 5))


def test_a_nested_model_that_is_given_one_tensor_twice_needs_all_that_either_use_needs():
    wide, narrow = keras.Input((9, 9, 2)), keras.Input((9, 9, 2))
    far = layers.Conv2D(2, 5, padding="same")(wide)
    inner = keras.Model(
        [wide, narrow], layers.Add(name="sum")([far, layers.Conv2D(2, 3, padding="same")(narrow)]), name="inner"
    )
    x = keras.Input((9, 9, 2))
    y = layers.Rescaling(2.0)(x)
    model = keras.Model(x, layers.Identity(name="end")(inner([y, y])))
    for path in ("end", "inner/sum"):
        assert receptive_field(trace(model), path, (4, 4)) == ((2, 7), (2, 7)), path


@pytest.mark.parametrize(
    # By hand, a 3x3 kernel adds twice the product of the strides before it: 3 + 4 + 4 + 8 + 8, and so on.
    ("name", "path", "pixels"),
    [("MobileNetV2", "block_3_project", 27), ("ResNet50", "conv3_block2_out", 67), ("VGG16", "block5_pool", 212)],
)
def test_a_real_network_has_the_one_computed_by_hand(name, path, pixels):
    model = getattr(keras.applications, name)(weights=None, input_shape=(448, 448, 3))
    (top, bottom), (left, right) = receptive_field(trace(model), path, (14, 14) if pixels < 200 else (6, 7))
    assert (bottom - top, right - left) == (pixels, pixels)


STEP = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from(["valid", "same", "causal"]))


def tapped(sources, window, positions):
    """For each position of an output the set of input indices that its taps reach."""
    reached = []
    for position in range(positions):
        start = position * window.stride - window.before
        taps = [start + tap * window.dilation for tap in range(window.size)]
        reached.append(set().union(*(sources[tap] for tap in taps if 0 <= tap < len(sources))))
    return reached


@given(st.integers(1, 24), st.lists(STEP, max_size=4))
def test_windows_span_exactly_what_their_taps_reach(length, steps):
    sources, windows = [{index} for index in range(length)], []
    for size, stride, dilation, padding in steps:
        now = len(sources)
        reach = (size - 1) * dilation + 1
        window, positions = {
            "valid": (Window(now, size, stride, dilation), (now - reach) // stride + 1),
            "same": (Window.same(now, size, stride, dilation), -(-now // stride)),
            "causal": (Window.causal(now, size, stride, dilation), -(-now // stride)),
        }[padding]
        assume(positions > 0)
        sources = tapped(sources, window, positions)
        windows.append(window)
    without_gaps = all(dilation == 1 and stride <= size for size, stride, dilation, _ in steps)
    for position, reached in enumerate(sources):
        span = (position, position + 1)
        for window in reversed(windows):
            span = window.seen(span)
        assert reached <= set(range(*span))
        if without_gaps and reached:
            assert span == (min(reached), max(reached) + 1)


def test_a_window_of_padding_alone_sees_nothing():
    assert Window(4, 1, before=2).seen((0, 2)) == (0, 0)
    assert Window(4, 1, before=2).seen((0, 0)) == (0, 0)
