"""The weights of a layer as the explorer shows them: pictures by value, words, marks, the input channel."""

from __future__ import annotations

import base64
import io

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import actwidget as aw
from actwidget.analysis.pixels.levels import LEVELS
from actwidget.analysis.pixels.mosaic import mosaic
from actwidget.capture.semantics.weights import PACKED, UNPACKED, weights_of
from actwidget.errors import ChannelError
from actwidget.figures.parts.palette import ACCENT, NAN_CSS
from actwidget.figures.parts.text import number
from actwidget.keras_internals.versions import INT4_ALONG_INPUTS, INT4_STAYS_PACKED, NO_INT4

RNG = np.random.default_rng(5)
MAPS = (8, 8, 6)


def explorer_of(layer, shape, **chosen):
    x = keras.Input(shape)
    model = keras.Model(x, layer(x, x) if isinstance(layer, layers.MultiHeadAttention) else layer(x))
    return aw.LayerExplorer(model, RNG.random((1, *shape), dtype="float32"), layer="l", show="weights", **chosen)


def redraw(explorer):
    explorer.channel, chosen = None if explorer.channel == 0 else 0, explorer.channel
    explorer.channel = chosen


def told(explorer):
    return explorer.figure.layout.title.text.replace("<br>", " · ")


def focus(explorer, weight):
    explorer.options = {**explorer.options, "weight": weight}


def picture(explorer):
    return next(trace for trace in explorer.figure.data if trace.type == "image" and trace.xaxis in {None, "x"})


def on(explorer, axis, kind):
    return [trace for trace in explorer.figure.data if trace.type == kind and (trace.xaxis or "x") == axis]


def accents(explorer, weight):
    """Which bars of a vector have the accent's colour."""
    focus(explorer, weight)
    (bar,) = on(explorer, "x", "bar")
    color = bar.marker.color
    return [] if isinstance(color, str) else [i for i, each in enumerate(color) if each == ACCENT]


def facts(explorer):
    return {term: text for term, text, _ in explorer._screen.inspection.content["facts"]}


def tiles_of(image, shape):
    """The levels of each picture, 0 to 253; `shape` is `(pictures, height, width)`."""
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(image.source.partition(",")[2]))))
    tiles = mosaic(np.zeros(shape), low=0, high=1, aspect=1.32)
    assert tiles.pixels.shape == shown.shape
    boxes = [tiles.box(channel) for channel in range(shape[0])]
    return [shown[y0:y1, x0:x1] for x0, y0, x1, y1 in boxes], boxes


def outlined(explorer, boxes):
    corners = [(s.x0, s.x1, s.y0, s.y1) for s in explorer.figure.layout.shapes[1::2]]
    middles = [((x0 + x1) / 2, (y0 + y1) / 2) for x0, x1, y0, y1 in corners]
    return [next(i for i, (x0, y0, x1, y1) in enumerate(boxes) if x0 <= x <= x1 and y0 <= y <= y1) for x, y in middles]


SIGNED = {
    # Of two filters one is +1 everywhere, the other -1: where each of them lies in Keras's kernel, and in the pictures.
    "Conv1DTranspose": (layers.Conv1DTranspose(5, 3, name="l"), (12, 2), (..., 0, slice(None)), 5, (1, 3)),
    "Conv2DTranspose": (layers.Conv2DTranspose(5, 3, name="l"), (8, 8, 2), (..., 0, slice(None)), 5, (3, 3)),
    "Conv3DTranspose": (layers.Conv3DTranspose(5, 3, name="l"), (4, 4, 4, 2), (..., 0, slice(None)), 5, (3, 3)),
    "DepthwiseConv1D": (layers.DepthwiseConv1D(3, name="l"), (12, 4), (..., 0, 0), 4, (1, 3)),
    "DepthwiseConv2D": (layers.DepthwiseConv2D(3, name="l"), (8, 8, 4), (..., 0, 0), 4, (3, 3)),
    "SeparableConv1D": (layers.SeparableConv1D(5, 3, name="l"), (12, 4), (..., 0, 0), 4, (1, 3)),
    "SeparableConv2D": (layers.SeparableConv2D(5, 3, name="l"), (8, 8, 4), (..., 0, 0), 4, (3, 3)),
}


@pytest.mark.parametrize("name", SIGNED)
def test_each_filter_has_its_own_picture(name):
    layer, shape, place, pictures, size = SIGNED[name]
    explorer = explorer_of(layer, shape)
    kernel = np.zeros(layer.weights[0].shape, "float32")
    kernel[place] = 1
    kernel[(place[0], 1, place[2])] = -1
    layer.weights[0].assign(kernel)
    redraw(explorer)
    found, _ = tiles_of(picture(explorer), (pictures, *size))
    assert {int(level) for level in found[0].ravel()} == {LEVELS - 1}
    assert {int(level) for level in found[1].ravel()} == {0}
    for other in found[2:]:
        assert np.abs(other / (LEVELS - 1) - 0.5).max() < 0.01


def test_a_transposed_kernel_has_as_many_input_channels_as_the_layer():
    explorer = explorer_of(layers.Conv2DTranspose(5, 3, name="l"), (8, 8, 2), channel=4)
    assert "3 × 3 × 5 × 2, mean over 2 input channels" in told(explorer)
    _, boxes = tiles_of(picture(explorer), (5, 3, 3))
    assert outlined(explorer, boxes) == [4]
    explorer.input_channel = 1
    assert "input channel 1 of 2" in told(explorer)
    assert accents(explorer, "bias") == [4]
    with pytest.raises(ChannelError, match="from 0 to 1"):
        explorer.input_channel = 4


def test_a_grouped_convolution_says_so():
    explorer = explorer_of(layers.Conv2D(6, 3, groups=3, name="l"), MAPS)
    assert "mean over 2 input channels of each of 3 groups" in told(explorer)


STEPPERS = {
    "attention": (lambda: layers.MultiHeadAttention(2, 3, name="l"), (6, 8), None),
    "heads": (lambda: layers.EinsumDense("abc,cde->abde", (None, 4, 2), name="l"), (6, 8), None),
    "depthwise": (lambda: layers.DepthwiseConv1D(3, name="l"), (12, 4), None),
    "separable": (lambda: layers.SeparableConv2D(5, 3, name="l"), MAPS, None),  # its second kernel is a matrix
    "one by one": (lambda: layers.Conv2D(5, 1, name="l"), MAPS, None),
    "nested": (lambda: keras.Sequential([layers.Conv2D(4, 3), layers.Conv2D(5, 3)], name="l"), MAPS, 0),
    "behind one": (lambda: keras.Sequential([layers.Dense(1), layers.Conv2D(4, 3)], name="l"), MAPS, None),
    "memory": (lambda: layers.ConvLSTM2D(3, 3, name="l"), (2, 6, 6, 2), 0),
    "far down": (lambda: keras.Sequential([*dense(3), layers.Conv2D(3, 2)], name="l"), MAPS, 6),
    "user's": (lambda: Mixing(name="l"), (6, 4), None),
}


def dense(count):
    return [layers.Dense(2) for _ in range(count)]


class Mixing(layers.Layer):
    """A layer of the user's, with a weight of three axes and a vector."""

    def build(self, shape):
        self.mixture = self.add_weight(name="kernel", shape=(3, 2, shape[-1]))
        self.shift = self.add_weight(name="bias", shape=(shape[-1],))

    def call(self, x):
        return x * keras.ops.sum(self.mixture) + self.shift


@pytest.mark.parametrize("name", STEPPERS)
def test_the_input_channel_is_offered_where_it_acts_and_acts_where_it_is_offered(name):
    make, shape, acts_on = STEPPERS[name]
    explorer = explorer_of(make(), shape)
    stepper = explorer._screen.controls.widget("input_channel")
    if acts_on is None:
        assert stepper is None
        with pytest.raises(ChannelError, match="none to choose"):
            explorer.input_channel = 1
        return
    assert stepper in explorer._screen.controls.box.children
    focus(explorer, list(weights_of(explorer.model.get_layer("l")))[acts_on])
    before = picture(explorer).source
    stepper._field.value = "1"
    assert explorer.input_channel == 1
    assert f"input channel 1 of {stepper.maximum + 1}" in told(explorer)
    assert picture(explorer).source != before


def test_heads_are_a_matrix_of_all_of_them():
    layer = layers.MultiHeadAttention(2, 3, name="l")
    explorer = explorer_of(layer, (6, 8))
    layer.query_dense.kernel.assign(np.where(np.arange(2)[:, None] == 0, 1.0, -1.0) * np.ones((8, 2, 3)))
    redraw(explorer)
    assert "8 × 2 × 3, as a matrix of 8 × 6" in told(explorer)
    (levels,), _ = tiles_of(picture(explorer), (1, 8, 6))
    np.testing.assert_array_equal(levels, np.tile([LEVELS - 1] * 3 + [0] * 3, (8, 1)))


def test_each_direction_marks_its_own_unit_in_every_gate():
    explorer = explorer_of(layers.Bidirectional(layers.LSTM(3), name="l"), (6, 4), channel=5)
    forward, backward = (name for name in weights_of(explorer.model.get_layer("l")) if name.endswith("bias"))
    assert [accents(explorer, name) for name in (forward, backward)] == [[], [2, 5, 8, 11]]
    explorer.channel = 1
    assert [accents(explorer, name) for name in (forward, backward)] == [[1, 4, 7, 10], []]


def test_every_gate_of_a_recurrent_filter_is_outlined():
    explorer = explorer_of(layers.ConvLSTM2D(3, 3, name="l"), (2, 6, 6, 2), channel=1)
    _, boxes = tiles_of(picture(explorer), (12, 3, 3))
    assert outlined(explorer, boxes) == [1, 4, 7, 10]
    focus(explorer, "recurrent_kernel")
    assert outlined(explorer, boxes) == [1, 4, 7, 10]
    assert accents(explorer, "bias") == [1, 4, 7, 10]


def test_of_a_nested_model_only_what_gives_its_output_is_marked():
    nested = keras.Sequential([layers.Conv2D(4, 3), layers.ReLU(), layers.Conv2D(4, 3)], name="l")
    explorer = explorer_of(nested, MAPS, channel=2)
    first, first_bias, last, last_bias = weights_of(nested)
    focus(explorer, last)
    _, boxes = tiles_of(picture(explorer), (4, 3, 3))
    assert outlined(explorer, boxes) == [2]
    focus(explorer, first)
    assert outlined(explorer, boxes) == []
    assert [accents(explorer, name) for name in (first_bias, last_bias)] == [[], [2]]


def test_of_a_layer_of_the_users_nothing_is_marked_or_claimed():
    explorer = explorer_of(Mixing(name="l"), (6, 4), channel=2)
    assert "mean over axis 1" in told(explorer)
    assert "channel" not in told(explorer)
    assert not explorer.figure.layout.shapes
    assert accents(explorer, "bias") == []


def test_read_along_another_axis_no_channel_is_marked():
    explorer = explorer_of(layers.Conv2D(5, 3, name="l"), MAPS, channel=2)
    assert accents(explorer, "bias") == [2]
    explorer.reading = "first"
    assert explorer.channel == 2
    assert accents(explorer, "bias") == []
    focus(explorer, "kernel")
    assert not explorer.figure.layout.shapes


@pytest.mark.not_where(INT4_STAYS_PACKED)
def test_four_bits_are_shown_as_weights_not_as_bytes():
    x = keras.Input((8,))
    model = keras.Model(x, layers.Dense(6, name="l")(x))
    model.get_layer("l").quantize("int4")
    explorer = aw.LayerExplorer(model, RNG.random((2, 8)), layer="l", show="weights")
    kernel = weights_of(model.get_layer("l"))["kernel"].values
    focus(explorer, "kernel")
    assert f"<b>kernel</b> 8 × 6, {UNPACKED} · colours" in told(explorer)
    assert f"kernel: (8, 6), {UNPACKED}, {kernel.min():.2f} to {kernel.max():.2f}" in explorer._screen.plot.alt
    (levels,), _ = tiles_of(picture(explorer), (1, 8, 6))
    bound = np.abs(kernel).max()
    np.testing.assert_allclose(levels / (LEVELS - 1) * 2 - 1, kernel / bound, atol=1.02 / (LEVELS - 1))


@pytest.mark.not_where(NO_INT4)
def test_bytes_that_stay_packed_are_called_so():
    x = keras.Input((8,))
    model = keras.Model(x, layers.Dense(6, name="l")(x))
    model.get_layer("l").quantize("int4")
    model.get_layer("l").enable_lora(2)
    explorer = aw.LayerExplorer(model, RNG.random((2, 8)), layer="l", show="weights")
    rows, columns = (4, 6) if INT4_ALONG_INPUTS.applies else (8, 3)
    focus(explorer, "kernel")
    assert f"<b>kernel</b> {rows} × {columns}, {PACKED}" in told(explorer)
    assert f"kernel: ({rows}, {columns}), {PACKED}" in explorer._screen.plot.alt


def test_bars_of_broken_weights_have_their_colour():
    layer = layers.Dense(5, name="l")
    explorer = explorer_of(layer, (8,), channel=3)
    focus(explorer, "bias")
    layer.bias.assign([0, 1, np.nan, -np.inf, 4])
    redraw(explorer)
    bars = next(trace for trace in explorer.figure.data if trace.type == "bar")
    assert [color == NAN_CSS for color in bars.marker.color] == [False, False, True, True, False]
    assert list(bars.y) == [0, 1, 4, -4, 4]
    assert list(bars.hovertext) == ["0", "1", "NaN", "-infinity", "4"]
    assert list(bars.marker.line.width) == [0, 0, 0, 2, 0]


ALL_KINDS = {
    # A layer, its input, and for each weight the values of the close-up, by an indexing of their own.
    "Conv1D": (lambda: layers.Conv1D(4, 3, name="l"), (9, 2), {"kernel": lambda w, c: w[:, :, c].T}),
    "Conv2D": (lambda: layers.Conv2D(4, 3, name="l"), (8, 8, 1), {"kernel": lambda w, c: w[:, :, 0, c]}),
    "Conv3D": (lambda: layers.Conv3D(4, 3, name="l"), (5, 5, 5, 1), {"kernel": lambda w, c: w[1, :, :, 0, c]}),
    "depthwise": (
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, name="l"),
        (8, 8, 2),
        {"kernel": lambda w, c: w[:, :, c // 2, c % 2]},
    ),
    "separable": (
        lambda: layers.SeparableConv2D(4, 3, name="l"),
        (8, 8, 2),
        {"pointwise_kernel": lambda w, c: w[0, 0, :, c]},
    ),
    "transposed": (lambda: layers.Conv2DTranspose(4, 3, name="l"), (8, 8, 1), {"kernel": lambda w, c: w[:, :, c, 0]}),
    "Dense": (lambda: layers.Dense(4, name="l"), (7,), {"kernel": lambda w, c: w[:, c]}),
    "Embedding": (lambda: layers.Embedding(11, 4, name="l"), (3,), {"embeddings": lambda w, c: w[:, c]}),
    "LSTM": (
        lambda: layers.LSTM(4, name="l"),
        (6, 3),
        {
            "kernel": lambda w, c: np.stack([w[:, 4 * gate + c] for gate in range(4)], axis=1),
            "recurrent_kernel": lambda w, c: w.reshape(4, 4, 4)[:, :, c],
        },
    ),
    "GRU": (lambda: layers.GRU(4, name="l"), (6, 3), {"kernel": lambda w, c: w.reshape(3, 3, 4)[:, :, c]}),
}


def closeup_of(explorer):
    found = [trace for trace in explorer.figure.data if trace.xaxis == "x2"]
    return np.asarray(found[0].z if found[0].type == "heatmap" else found[0].y)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_the_closeup_has_the_values_that_keras_has(kind):
    make, shape, expected = ALL_KINDS[kind]
    layer = make()
    explorer = explorer_of(layer, shape)
    for weight in layer.weights:
        weight.assign(RNG.normal(size=weight.shape))
    redraw(explorer)
    explorer.channel = 2
    names = [weight.name for weight in layer.weights]
    for name, indexed in expected.items():
        focus(explorer, name)
        own = indexed(layer.get_weights()[names.index(name)], 2)
        np.testing.assert_allclose(closeup_of(explorer), own, rtol=1e-6)
        if own.size == layer.get_weights()[names.index(name)].size // 4:
            assert facts(explorer)["norm"].startswith(f"{np.linalg.norm(own):.2f}, number ")
            assert facts(explorer)["mean"] == number(own.mean())


def test_the_norms_rank_counts_all_gates_of_a_unit():
    layer = layers.LSTM(3, name="l")
    explorer = explorer_of(layer, (6, 2), channel=1)
    kernel = np.zeros((2, 12), "float32")
    kernel[:, 0], kernel[:, 1], kernel[:, 4], kernel[:, 8] = 3, 2, 2.5, 0
    layer.cell.kernel.assign(kernel)
    redraw(explorer)
    assert facts(explorer)["norm"] == f"{np.sqrt(2 * 4 + 2 * 6.25):.2f}, number 1 of 3"
    explorer.channel = 0
    assert facts(explorer)["norm"] == f"{np.sqrt(18):.2f}, number 2 of 3"
    assert explorer._screen.inspection.content["title"] == "Unit 0"
    explorer.channel = None
    assert explorer._screen.inspection.content["title"] == "Unit 1, the largest"
    assert not explorer.figure.layout.shapes[2 * 3 :]


def test_batch_normalization_has_all_four_numbers_of_a_channel():
    layer = layers.BatchNormalization(name="l")
    explorer = explorer_of(layer, (6, 6, 3), channel=2)
    for place, weight in enumerate(layer.weights):
        weight.assign(np.arange(3) + 10 * place)
    redraw(explorer)
    assert facts(explorer) == {"gamma": "2.00", "beta": "12.00", "moving_mean": "22.00", "moving_variance": "32.00"}
    assert accents(explorer, "moving_mean") == [2]
    np.testing.assert_array_equal(np.asarray(on(explorer, "x", "bar")[0].y), [20, 21, 22])


def colour_model():
    x = keras.Input((16, 16, 3))
    y = layers.ZeroPadding2D(1)(layers.Rescaling(1 / 127.5, offset=-1)(x))
    y = layers.Conv2D(5, 3, name="first")(y)
    y = layers.Conv2D(3, 1, name="mixed")(y)
    return keras.Model(x, layers.Conv2D(4, 3, name="later")(y))


def test_only_kernels_that_see_the_colours_of_the_input_are_in_colour():
    explorer = aw.LayerExplorer(colour_model(), RNG.random((1, 16, 16, 3)), layer="first", show="weights", channel=3)
    kernel = explorer.model.get_layer("first").get_weights()[0]
    assert "input channels 0, 1, 2 as red, green, blue, 0 is mid grey, each kernel on its own range" in told(explorer)
    (cells,) = on(explorer, "x2", "heatmap")
    np.testing.assert_array_equal(np.asarray(cells.customdata), kernel[..., 3])
    explorer.input_channel = 2
    np.testing.assert_array_equal(closeup_of(explorer), kernel[:, :, 2, 3])
    assert "red" not in told(explorer)
    explorer.input_channel = None
    explorer.layer = "later"
    assert "mean over 3 input channels" in told(explorer)


def test_a_click_on_a_kernel_selects_its_channel():
    explorer = aw.LayerExplorer(colour_model(), RNG.random((1, 16, 16, 3)), layer="first", show="weights")
    (cells,) = on(explorer, "x", "heatmap")
    place = np.asarray(cells.customdata)[0, 1].tolist()
    explorer._clicked(place)
    assert explorer.channel == 1
    assert explorer._screen.inspection.content["title"] == "Kernel 1"


def test_the_weight_is_chosen_by_name_and_kept_where_the_next_layer_has_it():
    explorer = aw.LayerExplorer(colour_model(), RNG.random((1, 16, 16, 3)), layer="first", show="weights")
    dropdown = explorer._screen.controls.widget("weight")
    assert [value for value, _ in dropdown.choices] == ["kernel", "bias"]
    dropdown.value = "bias"
    assert explorer.state()["options"] == {"weight": "bias"}
    assert "<b>bias</b> 5" in told(explorer)
    explorer.layer = "later"
    assert "<b>bias</b> 4" in told(explorer)
    explorer.options = {"weight": "gamma"}
    assert "<b>kernel</b>" in told(explorer)
    assert dropdown.value == "kernel"
