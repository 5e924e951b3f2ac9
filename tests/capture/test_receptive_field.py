"""Receptive fields, against the gradient of a model in which nothing cancels out."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from actwidget.capture.semantics.channel_axis import channel_axis_of
from actwidget.capture.semantics.receptive_field import field_of, inputs_behind, receptive_field
from actwidget.capture.trace import trace
from tests.capture.deep_witness import as_array

layers, ops = keras.layers, keras.ops
FIRST = {"data_format": "channels_first"}


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
    hit = np.abs(as_array(tape.gradient(value, x))[0]).max(axis=-1) > 0
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
    model = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(448, 448, 3))
    (top, bottom), (left, right) = receptive_field(trace(model), path, (14, 14) if pixels < 200 else (6, 7))
    assert (bottom - top, right - left) == (pixels, pixels)


def touched(model, channels=-1):
    """Which pixels each cell depends on, shape `(cells..., pixels...)`: by a change of each in turn."""
    for weight in model.weights:
        if "kernel" in weight.name:
            weight.assign(np.random.default_rng(2).uniform(0.1, 1, weight.shape))
    shape = model.inputs[0].shape[1:]
    x = np.random.default_rng(3).random((1, *shape), dtype="float32")
    lengths = np.delete(shape, channels)
    # The unchanged one goes in the same batch: of another size it is rounded another way, and even so by a little.
    batch = np.repeat(x, 1 + lengths.prod(), axis=0)
    for row, pixel in enumerate(np.ndindex(*lengths), 1):
        np.moveaxis(batch[row], channels, -1)[pixel] += 1
    answers = np.asarray(model(batch, training=False), np.float64)
    moved = np.abs(answers[1:] - answers[:1]).max(axis=channels if channels < 0 else channels + 1)
    moved = moved > 1e-5 * np.abs(answers).max()
    return np.moveaxis(moved, 0, -1).reshape(*moved.shape[1:], *lengths)


def assert_none_or_all(model, known, channels=-1):
    """Asserts that every position has, where it is `known`, exactly the box that perturbation finds, and else none."""
    graph = trace(model)
    pixels = touched(model, channels)
    rank = pixels.ndim // 2
    for position in np.ndindex(*pixels.shape[:rank]):
        found = receptive_field(graph, graph.output, position)
        if not known:
            assert found is None, position
            continue
        hit = np.nonzero(pixels[position])
        assert found == tuple((int(index.min()), int(index.max()) + 1) for index in hit), position


def relu(x):
    return ops.average_pool(x, 3, 1, "same")


@pytest.mark.parametrize(
    "step",
    [
        layers.Conv2D(4, 3, activation=lambda x: ops.softmax(x, axis=(1, 2))),
        layers.Conv2D(4, 3, activation=layers.Softmax(axis=1)),
        layers.Conv2D(4, 3, activation=layers.LayerNormalization(axis=[1, 2])),
        layers.DepthwiseConv2D(3, activation=layers.Conv2D(2, 3, padding="same")),
        layers.Conv2D(4, 3, activation=layers.Activation(lambda x: ops.flip(x, axis=1))),
        layers.SeparableConv2D(4, 3, activation=relu),
        layers.Activation(relu),
        layers.Dense(4, activation=lambda x: ops.softmax(x, axis=1)),
    ],
    ids=lambda step: step.name,
)
def test_an_activation_that_can_mix_positions_is_not_taken_for_pointwise(step):
    model = keras.Model(x := keras.Input((8, 7, 2)), step(x))
    assert_none_or_all(model, known=False)


@pytest.mark.parametrize(
    "activation",
    [
        *("softmax", "relu", "swish", "log_softmax", None),
        *(keras.activations.gelu, ops.silu, tf.nn.relu),
        *(layers.ReLU(), layers.Softmax(), layers.Activation("tanh")),
    ],
)
def test_a_known_activation_changes_nothing(activation):
    model = keras.Model(x := keras.Input((7, 6, 2)), layers.Conv2D(3, 3, activation=activation)(x))
    assert_none_or_all(model, known=True)


def test_a_vector_may_go_through_any_activation():
    x = keras.Input((6, 5, 2))
    gate = layers.Dense(2, activation=lambda y: ops.minimum(y, 1e3))(layers.GlobalAveragePooling2D()(x))
    assert_none_or_all(keras.Model(x, layers.Multiply()([x, layers.Reshape((1, 1, 2))(gate)])), known=True)


def squeezed_first(x, keep):
    y = layers.Conv2D(4, 3, padding="same", **FIRST)(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True, **FIRST)(y) if keep else layers.Flatten()(y)
    gate = layers.Conv2D(4, 1, **FIRST)(gate) if keep else layers.Reshape((4, 1, 1))(layers.Dense(4)(gate))
    return layers.Multiply()([y, gate])


@pytest.mark.parametrize(
    ("after", "known"),
    [
        (layers.ReLU(), True),
        (layers.Softmax(axis=1), True),
        (layers.BatchNormalization(axis=1), True),
        (layers.LayerNormalization(axis=1), True),
        (layers.Conv2D(4, 3, strides=(2, 1), padding="same", **FIRST), True),
        (lambda y: layers.MaxPooling2D((1, 2), **FIRST)(layers.Cropping2D(1, **FIRST)(y)), True),
        (lambda y: layers.Concatenate(axis=1)([y, y]), True),
        (lambda y: squeezed_first(y, keep=True), True),
        (lambda y: squeezed_first(y, keep=False), True),
        (layers.Conv2D(4, 3, activation="softmax", **FIRST), False),
        (layers.Activation("softmax"), False),
        (layers.Softmax(), False),
        (layers.LayerNormalization(), False),
        (layers.Dense(6), False),
        (layers.Conv2D(3, 2), False),
        (lambda y: layers.Concatenate()([y, y]), False),
    ],
)
def test_where_the_channels_are_first_what_mixes_them_is_told_from_what_mixes_columns(after, known):
    x = keras.Input((2, 10, 7))
    assert_none_or_all(keras.Model(x, after(layers.Conv2D(4, 3, **FIRST)(x))), known, channels=0)


ACTIVATIONS = [None, "softmax", "sigmoid", layers.Softmax(axis=1), lambda y: ops.softmax(y, axis=2)]
PADDING = st.sampled_from(["valid", "same"])
LINK = st.one_of(
    st.builds(
        partial,
        st.just(layers.Conv2D),
        st.just(2),
        st.integers(1, 3),
        st.integers(1, 2),
        PADDING,
        activation=st.sampled_from(ACTIVATIONS),
    ),
    st.builds(partial, st.just(layers.AveragePooling2D), st.integers(1, 3), st.just(1), PADDING),
    st.builds(
        partial, st.just(layers.Cropping2D), st.tuples(st.tuples(st.integers(0, 2), st.just(0)), st.just((0, 1)))
    ),
    st.builds(partial, st.just(layers.Softmax), st.integers(1, 3)),
)


@given(st.lists(LINK, min_size=1, max_size=3), st.booleans())
@settings(max_examples=25, deadline=None)
def test_what_is_not_in_the_field_has_no_influence(links, channels_first):
    x = y = keras.Input((2, 11, 10) if channels_first else (11, 10, 2))
    for link in links:
        assume(min(y.shape[2:] if channels_first else y.shape[1:3]) >= 3)
        y = link(**(FIRST if channels_first and link.func is not layers.Softmax else {}))(y)
    model = keras.Model(x, y)
    graph, channels = trace(model), 0 if channels_first else -1
    if channel_axis_of(graph.nodes[graph.output], graph.operations[graph.output]).axis not in {channels, channels + 1}:
        return
    pixels = touched(model, channels)
    for position in np.ndindex(*pixels.shape[:2]):
        found = receptive_field(graph, graph.output, position)
        if found is not None:
            rows, columns = np.nonzero(pixels[position])
            assert set(rows) <= set(range(*found[0]))
            assert set(columns) <= set(range(*found[1]))


def two_inputs():
    a, b = keras.Input((9, 9, 2), name="a"), keras.Input((12, 12, 2), name="b")
    near = layers.Conv2D(2, 3, name="near")(a)
    far = layers.Conv2D(2, 6, name="far")(b)
    both = layers.Add(name="both")([near, far])
    return keras.Model([a, b], [layers.Add(name="odd")([near, layers.Lambda(lambda y: y, name="any")(far)]), both])


def test_a_layer_has_a_field_in_each_input_it_depends_on():
    graph = trace(two_inputs())
    fields = {
        path: [receptive_field(graph, path, (2, 1), input_index=index) for index in (0, 1)]
        for path in ("near", "far", "both")
    }
    assert fields == {
        "near": [((2, 5), (1, 4)), None],
        "far": [None, ((2, 8), (1, 7))],
        "both": [((2, 5), (1, 4)), ((2, 8), (1, 7))],
    }
    # What is not known of one input does not keep the other's from being known.
    assert [receptive_field(graph, "odd", (2, 1), input_index=index) for index in (0, 1)] == [((2, 5), (1, 4)), None]


def test_the_graph_tells_which_inputs_a_layer_depends_on():
    graph = trace(two_inputs())
    behind = {path: inputs_behind(graph, path) for path in ("a", "b", "near", "far", "both", "any", "odd")}
    assert behind == {"a": [0], "b": [1], "near": [0], "far": [1], "both": [0, 1], "any": [1], "odd": [0, 1]}


def test_inside_a_nested_model_too_the_inputs_are_told_apart():
    p, q = keras.Input((9, 9, 2)), keras.Input((9, 9, 2))
    inner = keras.Model([p, q], layers.Conv2D(2, 3, name="deep")(q), name="inner")
    a, b = keras.Input((9, 9, 2), name="a"), keras.Input((9, 9, 2), name="b")
    graph = trace(keras.Model([a, b], layers.Add(name="end")([b, layers.ZeroPadding2D(1)(inner([b, a]))])))
    assert (inputs_behind(graph, "inner/deep"), inputs_behind(graph, "inner")) == ([0], [0])
    assert receptive_field(graph, "inner/deep", (2, 2), input_index=0) == ((2, 5), (2, 5))
    assert inputs_behind(graph, "end") == [0, 1]


def test_of_a_layer_without_a_graph_the_inputs_are_not_told():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = layers.Conv2D(2, 3, name="conv")

        def call(self, x):
            return self.conv(x)

    model, x = Own(), np.zeros((1, 8, 8, 1), "float32")
    model(x)
    assert inputs_behind(trace(model, x), "conv") is None


def test_what_a_layer_holds_depends_on_no_other_inputs_than_the_layer():
    class Block(keras.Layer):
        def __init__(self):
            super().__init__(name="block")
            self.conv = layers.Conv2D(2, 3, name="conv")

        def call(self, x):
            return self.conv(x)

    a, b = keras.Input((9, 9, 2)), keras.Input((9, 9, 2))
    graph = trace(keras.Model([a, b], [a, Block()(b)]), [np.zeros((1, 9, 9, 2), "float32")] * 2)
    assert inputs_behind(graph, "block/conv") == [1]
    assert receptive_field(graph, "block/conv", (0, 0), input_index=1) is None


ODD = st.sampled_from([1, 3, 5])
ENDS = st.tuples(st.integers(0, 3), st.integers(0, 3))
SPACED = st.one_of(
    st.builds(partial, st.just(layers.Conv1D), st.just(1), ODD, st.integers(1, 2), PADDING),
    st.builds(partial, st.just(layers.AveragePooling1D), ODD, st.integers(1, 2), PADDING),
    st.builds(partial, st.just(layers.Conv1D), st.just(1), ODD, dilation_rate=st.integers(1, 2)),
    st.builds(partial, st.sampled_from([layers.Cropping1D, layers.ZeroPadding1D]), ENDS),
)


@given(st.integers(60, 67), st.lists(SPACED, max_size=3))
@settings(max_examples=30, deadline=None)
def test_an_impulse_where_a_position_is_said_to_lie_is_answered_by_it_and_alike_on_both_sides(length, steps):
    x = keras.Input((length, 1))
    y = layers.Identity()(x)
    for step in steps:
        y = step()(y)
    model = keras.Model(x, y)
    for weight in model.weights:
        weight.assign(np.full(weight.shape, float("bias" not in weight.name)))
    middle = y.shape[1] // 2
    graph = trace(model)
    (spacing,) = field_of(graph, graph.output, (0,)).spacing
    impulse = np.zeros((1, length, 1), "float32")
    impulse[0, int(spacing.first + spacing.step * middle)] = 1
    answer = np.asarray(model(impulse))[0, :, 0]
    assert answer[middle] > 0
    reach = min(middle, len(answer) - 1 - middle)
    np.testing.assert_allclose(answer[middle - reach : middle], answer[middle + reach : middle : -1], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "first", "step"),
    # By hand; of an even kernel, and of an odd one that moves by 2 over an even length, more of the zeros stand behind.
    [("same", (0, 0.5), 1), ("valid", (4, 4), 2), ("cropped", (3, 0), 1), ("residual", (-4, -2), 2)],
)
def test_where_a_map_lies_follows_from_kernels_and_padding(name, first, step):
    spacing = field_of(trace(MODELS[name]()), "end", (3, 2)).spacing
    assert [(each.first, each.step) for each in spacing] == [(start, step) for start in first]


def test_a_gate_that_sees_everything_does_not_move_a_map():
    model = squeezed()
    graph = trace(model)
    for position in ((0, 0), (4, 7)):
        field = field_of(graph, "end", position)
        assert field.spans == ((0, 9), (0, 9))
        assert [(each.first, each.step) for each in field.spacing] == [(0, 1), (0, 1)]


def test_what_has_no_place_is_given_none():
    x = keras.Input((11, 11, 1))
    everywhere = layers.Reshape((4, 4, 1))(layers.Dense(16)(layers.Flatten()(x)))
    uneven = layers.Add()([layers.Conv2D(1, 3, 2)(x), layers.Conv2D(1, 7)(x)])
    vector = keras.Input((16,))
    for given_, map_ in ((x, everywhere), (x, uneven), (vector, layers.Reshape((4, 4, 1))(vector))):
        graph = trace(keras.Model(given_, layers.Identity(name="end")(map_)))
        assert field_of(graph, "end", (1, 2)).spacing is None


def test_a_position_that_needs_all_of_what_is_mixed_anyway_has_a_field_but_no_place():
    x = keras.Input((5, 9, 2))
    y = layers.Conv2D(2, (5, 3), padding="same", name="end")(layers.Softmax(axis=1)(x))
    graph = trace(keras.Model(x, y))
    assert field_of(graph, "end", (0, 4)) is None
    field = field_of(graph, "end", (2, 4))
    assert (field.spans, field.spacing) == (((0, 5), (3, 6)), None)
