"""The range and the scale of colours."""

from __future__ import annotations

import numpy as np
import pytest
from plotly.colors import hex_to_rgb, sample_colorscale, unlabel_rgb

from actwidget.analysis import GAP_LEVEL, LEVELS, NAN_LEVEL
from actwidget.figures.parts.palette import ACCENT, NAN_COLOR, WARNING, ColorRange, colorscale, dark_colorscale, palette


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


# Full protanopia and deuteranopia: Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation
# of color vision deficiency", table 1, for linear RGB.
COLOUR_BLIND = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


def linear(color):
    share = np.array(hex_to_rgb(color)) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("kind", COLOUR_BLIND)
def test_selection_and_warning_differ_to_colour_blind_eyes(kind):
    seen = [np.array(COLOUR_BLIND[kind]) @ linear(color) for color in (ACCENT, WARNING)]
    blue = [color[2] - color[:2].mean() for color in seen]
    assert blue[0] > 0.4
    assert blue[1] < 0


def luminance(color):
    return linear(color) @ [0.2126, 0.7152, 0.0722]


def test_zero_is_light_on_a_light_page_and_dark_on_a_dark_one():
    light, dark = colorscale("balance"), dark_colorscale("balance")
    middle = {place: color for place, color in light if abs(place - 0.5) < 0.03}
    assert all(luminance(color) > 0.7 for color in middle.values())
    assert dark[len(dark) // 2][0] == 0.5
    assert luminance(dark[len(dark) // 2][1]) < 0.03
    rising = [luminance(color) for _, color in dark]
    assert rising[5:] == sorted(rising[5:])
    assert rising[5::-1] == sorted(rising[5::-1])
    assert dark_colorscale("viridis") is None


def test_the_palette_of_a_dark_page_has_the_same_colours_for_nan_and_the_gap():
    light, dark = (np.frombuffer(palette("balance", dark=dark), np.uint8).reshape(256, 3) for dark in (False, True))
    assert (light[:LEVELS] != dark[:LEVELS]).any(axis=1).mean() > 0.95
    np.testing.assert_array_equal(light[LEVELS:], dark[LEVELS:])
    assert palette("viridis", dark=True) == palette("viridis")
