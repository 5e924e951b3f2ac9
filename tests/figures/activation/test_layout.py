"""Where the panels stand on a wide and on a narrow page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from actwidget.figures import (
    activation_figure,
)
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
    for text, limit, margin in (
        (
            figure.title.text,
            88,
            figure.margin.t - 16 * (visible_length(last) > 50),
        ),  # beside the last line is a caption
        (figure.meta["narrow"]["title.text"], 52, figure.meta["narrow"]["margin.t"]),
    ):
        lines = text.split("<br>")
        assert max(map(visible_length, lines)) <= limit
        assert text.index("5 NaN") < text.index("colours")  # what is wrong stands before how it is drawn
        assert margin == 30 + 16 * (len(lines) - 1)
    # The panels keep their height.
    assert figure.height - figure.margin.t == HEIGHT - 30
    assert figure.meta["narrow"]["height"] - figure.meta["narrow"]["margin.t"] == NARROW_HEIGHT - 30
