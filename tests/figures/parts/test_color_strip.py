"""The strip of a scale's colours."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.figures.parts.color_strip import color_strip
from actwidget.figures.parts.palette import ColorRange


@pytest.mark.parametrize("color", [ColorRange(-2, 2, "balance"), ColorRange(0, 6, "viridis")])
def test_the_strip_spans_the_range_and_each_cell_has_the_value_of_its_place(color):
    trace = color_strip(color, xaxis="x3", yaxis="y4")
    cells = trace["z"][0]
    assert (cells[0], cells[-1], cells[32]) == (color.low, color.high, (color.low + color.high) / 2)
    assert trace["x0"] - trace["dx"] / 2 == pytest.approx(color.low)
    assert trace["x0"] + (len(cells) - 0.5) * trace["dx"] == pytest.approx(color.high)
    centres = trace["x0"] + trace["dx"] * np.arange(len(cells))
    np.testing.assert_allclose(centres, cells, atol=(color.high - color.low) / len(cells))
    assert go.Figure(trace).data[0].coloraxis == "coloraxis"


def test_a_range_of_one_value_still_has_a_strip():
    trace = color_strip(ColorRange(3, 3, "viridis"), xaxis="x", yaxis="y")
    assert trace["dx"] > 0
    assert trace["z"][0, 0] == 3
