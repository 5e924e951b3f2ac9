"""Where the panels stand on a wide and on a narrow page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from actwidget.figures import Source, activation_figure
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT
from actwidget.figures.parts.text import visible_length
from tests.figures.activation.contents import RNG, SAMPLES, content


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("tokens", [None, ["counterrevolutionary"] * 64])
def test_on_a_narrow_page_the_other_panels_stand_side_by_side_below_the_grid(kind, tokens):
    figure = activation_figure(replace(content(SAMPLES[kind]), tokens=tokens)).layout
    narrow = figure.meta["narrow"]
    (grid, _), close, low = (narrow[f"yaxis{suffix}.domain"] for suffix in ("", "2", "3"))
    assert close[1] == low[1] < grid
    assert narrow["xaxis2.domain"][1] < narrow["xaxis3.domain"][0]
    # Their captions, and the labels of the grid's axis, have room between.
    tall = narrow["height"] - narrow.get("margin.t", 30) - narrow["margin.b"]
    first = narrow.get("annotations[0].text", figure.annotations[0].text)
    lines = max(text.count("<br>") + 1 for text in (first, figure.annotations[1].text))
    upright = narrow.get("xaxis.tickangle", figure.xaxis.tickangle) == 90
    labels = 0 if figure.xaxis.visible is False else 36 + 24 * upright
    assert (grid - close[1]) * tall >= 15 * lines + labels
    for axis in ("xaxis", "yaxis", "yaxis2"):
        assert figure[axis].visible is False or narrow["margin.l"] == 48


@pytest.mark.parametrize("scaling", ["layer", "robust", "channel"])
def test_a_long_title_is_neither_cut_nor_does_it_reach_a_caption(scaling):
    sample = RNG.normal(size=(60, 60, 5)).astype("float32")
    sample[0, 0], sample[1, 1] = np.nan, 900
    figure = activation_figure(content(sample, title="stage_3/" * 20, scaling=scaling)).layout
    last = figure.title.text.rpartition("<br>")[2]
    beside = 16 * (visible_length(last) > 50)  # beside the last line is a caption
    for text, limit, margin, first in (
        (figure.title.text, 88, figure.margin.t - beside, 30),
        (figure.meta["narrow"]["title.text"], 52, figure.meta["narrow"]["margin.t"], 24),
    ):
        lines = text.split("<br>")
        assert max(map(visible_length, lines)) <= limit
        drawn = text.index("5 NaN")
        assert scaling == "channel" or drawn < text.index("colours")  # what is wrong stands before how it is drawn
        assert margin == first + 16 * (len(lines) - 1)
    assert (figure.height, figure.meta["narrow"]["height"]) == (HEIGHT, NARROW_HEIGHT)


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("title", ["conv", "stage_3/" * 20])
def test_every_figure_is_as_high_as_its_panel_and_leaves_room_for_the_inspector(kind, title):
    figure = activation_figure(content(SAMPLES[kind], channel=1, title=title)).layout
    assert figure.height == HEIGHT
    tall = HEIGHT - figure.margin.t - figure.margin.b
    right = [figure[name] for name in figure if name.startswith("yaxis") and name != "yaxis"]
    lowest = min(axis.domain[0] for axis in right)
    # The labels of the histogram's axis are below it.
    assert figure.margin.b + lowest * tall - 16 >= 0.3 * HEIGHT
    assert all(axis.domain[0] < axis.domain[1] <= 1 for axis in right)
    assert figure.meta["narrow"]["height"] == NARROW_HEIGHT


def test_the_input_stands_beside_the_close_up():
    pixels = RNG.random((40, 30, 3)).astype("float32")
    shown = replace(
        content(SAMPLES["maps"], channel=1), source=Source(pixels, first=(1.5, 2), step=(4, 3), size=(5, 7))
    )
    figure = activation_figure(shown)
    (image,) = (trace for trace in figure.data if trace.type == "image" and trace.xaxis == "x5")
    layout = figure.layout
    assert layout.xaxis2.domain[1] < layout.xaxis5.domain[0]
    assert (layout.xaxis5.range, layout.yaxis5.range) == ((-0.5, 29.5), (39.5, -0.5))
    assert (image.x0 - image.dx / 2, image.y0 - image.dy / 2) == (-0.5, -0.5)
    crosshair = layout.meta["crosshair"]
    assert (list(crosshair["first"]), list(crosshair["step"]), list(crosshair["size"])) == ([1.5, 2], [4, 3], [5, 7])
    np.testing.assert_array_equal(np.asarray(figure.data[crosshair["trace"]].z), SAMPLES["maps"][..., 1])
