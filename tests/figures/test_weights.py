"""Weights as pictures, bars and histograms."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.analysis import LEVELS, NAN_LEVEL, mosaic
from actwidget.analysis.kernels import kernel_pictures
from actwidget.figures import weights_spec
from actwidget.figures.parts.palette import ACCENT, MUTED, NAN_CSS
from actwidget.figures.parts.text import number
from actwidget.figures.weights import weight_words
from tests.figures.tiles import decoded, tiles_of

RNG = np.random.default_rng(0)


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
    assert "shown at 1/3 size (strongest of each 3 × 3)" in weights_layout(kernel=large)["annotations"][0]["text"]
    assert "shown" not in weights_layout(kernel=small)["annotations"][0]["text"]


@pytest.mark.parametrize("shape", [(12, 9), (3, 3, 4, 6)])
@pytest.mark.filterwarnings("error")
def test_one_nonfinite_weight_leaves_the_colours_of_the_others_and_is_counted(shape):
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


def test_bars_of_nonfinite_weights_are_as_long_as_the_longest_in_their_colour_and_by_name():
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
    assert [shape.xref for shape in figure.layout.shapes] == ["x3"] * 4
    for shape, picture in zip(figure.layout.shapes[::2], [0, 2], strict=True):
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
