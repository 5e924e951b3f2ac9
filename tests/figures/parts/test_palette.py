"""The range and the scale of colours."""

from __future__ import annotations

import numpy as np
import pytest
from plotly.colors import sample_colorscale, unlabel_rgb

from actwidget.analysis import GAP_LEVEL, LEVELS, NAN_LEVEL
from actwidget.figures.parts.palette import NAN_COLOR, ColorRange, colorscale, palette


def test_signed_values_are_centred_on_zero_and_others_span_their_range():
    assert ColorRange.of(-1, 3) == ColorRange(-3, 3, "balance")
    assert ColorRange.of(0, 6) == ColorRange(0, 6, "viridis")
    assert ColorRange.of(float("nan"), 1) == ColorRange(0, 1, "viridis")


def test_a_range_spans_the_finite_values_of_all_arrays():
    arrays = np.array([[1.0, np.nan]]), np.array([5, 2], "uint8"), np.array([np.inf])
    assert ColorRange.over(*arrays) == ColorRange(1, 5, "viridis")
    assert ColorRange.over(*arrays, np.array([-7.0])) == ColorRange(-7, 7, "balance")
    assert ColorRange.over(np.array([np.nan]), np.empty(0)) == ColorRange(0, 1, "viridis")


@pytest.mark.parametrize("scale", ["viridis", "balance"])
def test_a_palette_has_the_colours_of_its_scale_and_those_of_nan(scale):
    entries = np.frombuffer(palette(scale), np.uint8).reshape(256, 3)
    shares = np.linspace(0, 1, LEVELS).tolist()
    expected = [unlabel_rgb(color) for color in sample_colorscale(scale, shares, colortype="rgb")]
    np.testing.assert_allclose(entries[:LEVELS], expected, atol=0.5)
    assert tuple(entries[NAN_LEVEL]) == NAN_COLOR
    assert GAP_LEVEL == 255
    steps = colorscale(scale)
    assert [steps[0][0], steps[-1][0]] == [0, 1]
    ends = [tuple(bytes.fromhex(color[1:])) for _, color in (steps[0], steps[-1])]
    np.testing.assert_allclose(ends, [expected[0], expected[-1]], atol=1)
