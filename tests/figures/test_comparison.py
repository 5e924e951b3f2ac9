"""Comparisons, weights and the overview: what is drawn is what was given."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from actwidget.analysis.difference import difference
from actwidget.analysis.kernels import kernel_pictures
from actwidget.analysis.pixels.levels import LEVELS, NAN_LEVEL
from actwidget.analysis.pixels.mosaic import mosaic
from actwidget.analysis.statistics import statistics
from actwidget.analysis.summary import QUANTILES, summary
from actwidget.figures import comparison_spec, overview_spec, weights_spec
from actwidget.figures.parts.palette import ACCENT, MUTED, NAN_CSS, WARNING
from actwidget.figures.parts.text import number
from actwidget.figures.weights import weight_words

RNG = np.random.default_rng(0)


def decoded(trace):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(trace.source.partition(",")[2]))))


def tiles_of(trace, values, order, aspect):
    """The values, 0 to 1, of each channel's tile in its order."""
    shown = decoded(trace)
    tiles = mosaic(values, low=0, high=1, order=order, aspect=aspect)
    assert tiles.pixels.shape == shown.shape
    boxes = [tiles.box(channel) for channel in order.tolist()]
    return np.stack([shown[y0:y1, x0:x1] for x0, y0, x1, y1 in boxes])


@pytest.mark.parametrize("shape", [(6, 5, 8), (12, 4), (20,)])
def test_both_share_a_range_and_the_difference_is_centred_on_zero(shape):
    first, second = (RNG.normal(size=shape).astype("float32") for _ in range(2))
    apart = difference(first, second)
    figure = go.Figure(comparison_spec("conv", first, second, apart, names=("a", "b"), channel=2))
    bound = max(np.abs(first).max(), np.abs(second).max())
    ranges = [(first, bound), (second, bound), (second - first, np.abs(second - first).max())]
    for trace, (values, most) in zip(figure.data[::2], ranges, strict=True):
        by_channel = np.moveaxis(values.reshape(-1, 1, shape[-1]) if len(shape) < 3 else values, -1, 0)
        by_channel = by_channel.reshape(shape[-1], 1, -1) if len(shape) < 3 else by_channel
        found = tiles_of(trace, by_channel, apart.order, 0.9) / (LEVELS - 1) * 2 - 1
        np.testing.assert_allclose(found, by_channel[apart.order] / most, atol=1.02 / (LEVELS - 1))
    told = np.asarray(figure.data[5].customdata).reshape(-1, 3)[: shape[-1]]
    assert told[:, 0].tolist() == apart.order.tolist()
    assert (np.diff(told[:, 1]) <= 0).all()
    assert len(figure.layout.shapes) == 3


@pytest.mark.parametrize("depth", [None, 0, 2])
def test_volumes_are_compared_at_any_slice_and_their_channels_as_a_whole(depth):
    first = RNG.random((3, 6, 5, 4)).astype("float32")
    second = first.copy()
    second[0] += 5
    apart = difference(first, second)
    at = None if depth is None else (depth,)
    spec = comparison_spec("conv", first, second, apart, names=("a", "b"), at=at)
    figure, place = go.Figure(spec), 1 if depth is None else depth
    found = tiles_of(figure.data[4], np.moveaxis(apart.values[place], -1, 0), apart.order, 0.9)
    assert (found > 200).all() if place == 0 else len(np.unique(found)) == 1
    assert f"slice {place} (0 to 2)" in figure.layout.title.text.replace("<br>", " · ")
    told = np.asarray(figure.data[3].customdata).reshape(-1, 3)[:4]
    np.testing.assert_allclose(told[:, 2], second.reshape(-1, 4).mean(axis=0)[apart.order], rtol=1e-5)


def test_in_a_comparison_nan_has_its_colour():
    first = np.abs(RNG.normal(size=(4, 4, 3))).astype("float32")
    second = first.copy()
    second[1, 2, 0] = np.nan
    figure = go.Figure(comparison_spec("conv", first, second, difference(first, second), names=("a", "b")))
    assert [(decoded(trace) == NAN_LEVEL).sum() for trace in figure.data[::2]] == [0, 1, 1]


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "16 NaN in b"), (np.inf, "16 infinite in b"), (-np.inf, "16 infinite in b")]
)
@pytest.mark.filterwarnings("error")
def test_a_channel_broken_on_one_side_comes_first_and_is_counted_in_words(value, words):
    first = RNG.normal(size=(4, 4, 5)).astype("float32")
    second = first.copy()
    second[..., 2] = value
    figure = go.Figure(comparison_spec("conv", first, second, difference(first, second), names=("a", "b")))
    assert "largest finite difference 0.00" in figure.layout.title.text
    assert words in figure.layout.title.text
    assert NAN_CSS in figure.layout.title.text
    assert figure.data[5].customdata[0][0][0] == 2
    assert [(decoded(trace) == NAN_LEVEL).sum() for trace in figure.data[::2]] == [0, 16, 16]


def test_a_reduced_grid_and_a_slice_are_said_in_the_title():
    first, second = RNG.normal(size=(2, 3, 256, 256, 8)).astype("float32")
    apart = difference(first, second)
    said = comparison_spec("conv", first, second, apart, names=("a", "b"))["layout"]["title"]["text"]
    assert "slice 1 (0 to 2)" in said
    assert "reduced 2× by largest magnitude" in said
    first, second = first[0, :9, :9], second[0, :9, :9]
    small = comparison_spec("conv", first, second, difference(first, second), names=("a", "b"))
    assert "reduced" not in small["layout"]["title"]["text"]
    assert "slice" not in small["layout"]["title"]["text"]


def test_on_a_narrow_page_the_title_goes_on_in_further_lines():
    first, second = RNG.normal(size=(2, 3, 9, 9, 8)).astype("float32")
    layout = comparison_spec("a" * 50, first, second, difference(first, second), names=("a", "b"))["layout"]
    narrow = layout["meta"]["narrow"]
    assert narrow["title.text"].replace("<br>", " · ") == layout["title"]["text"].replace("<br>", " · ")
    assert narrow["title.text"].count("<br>") > layout["title"]["text"].count("<br>")
    assert narrow["margin.t"] > layout["margin"]["t"]


@pytest.mark.parametrize("chosen", [{}, {"input_channel": 2}])
def test_kernels_are_drawn_as_they_were_chosen_and_the_title_says_how(chosen):
    kernel = RNG.normal(size=(3, 3, 4, 6)).astype("float32")
    bias = RNG.normal(size=6).astype("float32")
    shown = kernel_pictures(kernel, **chosen)
    arrays = {"kernel": kernel, "bias": bias}
    marks, words = {"kernel": [1], "bias": [1]}, {"kernel": shown.words}
    figure = go.Figure(weights_spec("conv", arrays, {"kernel": shown.values}, marks, words))
    grid, _, _, bars, _, cells = figure.data
    pictures = np.moveaxis(shown.values, -1, 0)
    found = tiles_of(grid, pictures, np.arange(len(pictures)), 2.4) / (LEVELS - 1) * 2 - 1
    np.testing.assert_allclose(found, pictures / np.abs(pictures).max(), atol=1.02 / (LEVELS - 1))
    np.testing.assert_array_equal(np.asarray(bars.y), bias)
    assert bars.marker.color[1] == ACCENT
    assert np.sum(cells.z) == bias.size
    bound = np.abs(pictures).max()
    told = figure.layout.annotations[0].text
    assert told.endswith(f"{shown.words} · colours {number(-bound)} to {number(bound)}")


def weights_layout(**weights):
    return weights_spec("dense", weights, {})["layout"]


def test_a_matrix_that_is_drawn_smaller_says_so():
    large, small = RNG.normal(size=(2000, 1500)), RNG.normal(size=(20, 15))
    assert weights_layout(kernel=large)["annotations"][0]["text"].endswith("reduced 3× by largest magnitude")
    assert "reduced" not in weights_layout(kernel=small)["annotations"][0]["text"]


@pytest.mark.parametrize("shape", [(12, 9), (3, 3, 4, 6)])
@pytest.mark.filterwarnings("error")
def test_one_broken_weight_leaves_the_colours_of_the_others_and_is_counted(shape):
    weight = RNG.uniform(-0.25, 0.25, shape).astype("float32")
    weight[(1,) * len(shape)] = np.inf
    weight[(2,) * len(shape)] = np.nan
    kernels = kernel_pictures(weight, input_channel=1)
    pictures = {} if kernels is None else {"kernel": kernels.values}
    figure = go.Figure(weights_spec("layer", {"kernel": weight}, pictures))
    told = figure.layout.annotations[0].text
    shown = weight if kernels is None else kernels.values
    bound = np.abs(shown[np.isfinite(shown)]).max()
    assert f"colours {number(-bound)} to {number(bound)}" in told
    assert told.endswith("1 NaN, 1 infinite")
    assert NAN_CSS in told
    assert (decoded(figure.data[0]) == NAN_LEVEL).sum() == np.sum(~np.isfinite(shown))
    assert len(np.unique(decoded(figure.data[0]))) > 10
    assert weight_words(weight).endswith(", 1 NaN, 1 infinite")


def test_bars_of_broken_weights_are_as_long_as_the_longest_in_their_colour_and_by_name():
    bias = np.array([0.5, np.nan, -2, np.inf, -np.inf, 1])
    arrays = {"bias": bias, "whole": np.arange(3.0)}
    figure = go.Figure(weights_spec("layer", arrays, {}, {"bias": [1, 2], "whole": [0]}))
    broken, whole = (trace for trace in figure.data if trace.type == "bar")
    assert list(broken.y) == [0.5, 2, -2, 2, -2, 1]
    assert list(broken.marker.color) == [MUTED, NAN_CSS, ACCENT, NAN_CSS, NAN_CSS, MUTED]
    assert list(broken.hovertext) == ["0.5", "NaN", "-2", "infinity", "-infinity", "1"]
    assert list(broken.text) == ["", "NaN", "", "infinity", "-infinity", ""]
    assert (broken.marker.line.color[1], broken.marker.line.width[1]) == (ACCENT, 2)
    assert list(whole.marker.color) == [ACCENT, MUTED, MUTED]
    assert whole.text is None


def test_a_weight_of_more_axes_can_be_shown_as_a_matrix_and_several_pictures_be_marked():
    weight = RNG.normal(size=(4, 2, 3)).astype("float32")
    pictures = {"heads": weight.reshape(4, 6), "kernel": weight}
    marks = {"heads": [1], "kernel": [0, 2]}
    figure = go.Figure(weights_spec("layer", {"heads": weight, "kernel": weight}, pictures, marks))
    matrix, kernel = (trace for trace in figure.data if trace.type == "image")
    bound = np.abs(weight).max()
    np.testing.assert_allclose(
        decoded(matrix) / (LEVELS - 1) * 2 - 1, weight.reshape(4, 6) / bound, atol=1.02 / (LEVELS - 1)
    )
    tiles = mosaic(np.moveaxis(weight, -1, 0), low=0, high=1, aspect=2.4)
    assert tiles.pixels.shape == decoded(kernel).shape
    assert [shape.xref for shape in figure.layout.shapes] == ["x3", "x3"]
    for shape, picture in zip(figure.layout.shapes, [0, 2], strict=True):
        x0, y0, x1, y1 = tiles.box(picture)
        assert shape.x0 <= x0 < x1 <= shape.x1
        assert shape.y0 <= y0 < y1 <= shape.y1


@pytest.mark.parametrize(
    "words", ["", "mean over 64 input channels, and more that makes of it a line that is too long"]
)
def test_on_a_narrow_page_no_panel_of_the_weights_is_beside_another(words):
    weights = {"kernel": RNG.normal(size=(8, 6)), "gamma": RNG.normal(size=6), "other": RNG.normal(size=(5, 4))}
    layout = weights_spec("dense", weights, {}, words={"kernel": words})["layout"]
    narrow = layout["meta"]["narrow"]
    assert narrow["height"] > layout["height"]
    suffixes = ["", "2", "3", "4", "5", "6"]
    below = 1.0
    for place, suffix in enumerate(suffixes):
        low, high = narrow[f"yaxis{suffix}.domain"]
        assert narrow[f"xaxis{suffix}.domain"] == [0, 1]
        assert 0 <= low < high < below
        if place % 2 == 0:
            lines = narrow[f"annotations[{place // 2}].text"].count("<br>") + 1
            assert narrow[f"annotations[{place // 2}].y"] == pytest.approx(high)
            assert (below - high) * (narrow["height"] - 70) >= 15 * lines
        below = low


def test_the_overview_holds_the_quantiles_of_each_layer_as_shares_of_its_largest_magnitude():
    values = {"one": RNG.normal(size=(4, 9, 5)) * 30, "two": np.maximum(RNG.normal(size=(4, 9, 5)), 0) * 0.01}
    values["two"][..., :2] = 0
    rows = [summary(path, batch, statistics(batch)) for path, batch in values.items()]
    figure = go.Figure(overview_spec(rows, "net", "one"))
    whiskers, boxes, medians, zeros, dead = figure.data
    for row, batch in enumerate(values.values()):
        relative = np.quantile(batch, QUANTILES) / np.abs(batch).max()
        for line, ends in ((whiskers, (0, 4)), (boxes, (1, 3))):
            np.testing.assert_allclose(np.asarray(line.x)[3 * row : 3 * row + 2], relative[list(ends)])
        assert medians.x[row] == pytest.approx(relative[2])
        assert zeros.x[row] == pytest.approx((batch == 0).mean())
    assert list(dead.x) == [0, 0.4]
    assert list(medians.marker.color) == [ACCENT, WARNING]
    assert [each[0] for each in medians.customdata] == ["one", "two"]
    assert "2 of 5 channels dead" in medians.hovertext[1]
