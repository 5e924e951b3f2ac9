"""Bars that are marked, and bars of values that are not finite."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.figures.parts.bars import bar_lengths, bar_marker, nonfinite_bars, nonfinite_marker
from actwidget.figures.parts.palette import ACCENT, MUTED, NAN_CSS


def test_a_marked_bar_has_the_accent_and_an_outline():
    marker = bar_marker([False, True])
    assert marker["color"] == [MUTED, ACCENT]
    assert marker["line"]["width"] == [0, 2]


@pytest.mark.parametrize(
    ("values", "lengths"),
    [
        ([1, -3, np.nan], [1, -3, 3]),
        ([np.inf, -np.inf, 0.5], [0.5, -0.5, 0.5]),
        ([np.nan, np.inf], [1, 1]),
        ([0, -np.inf], [0, -1]),
        ([2, 1], [2, 1]),
    ],
)
def test_what_is_not_finite_is_as_long_as_the_longest_of_the_others(values, lengths):
    found = bar_lengths(np.array(values, "float32"))
    assert found.dtype == np.float32
    assert found.tolist() == lengths


def test_what_is_not_finite_has_its_colour_and_name_and_keeps_its_outline():
    values = np.array([0.25, np.nan, -np.inf], "float32")
    marker = bar_marker([False, True, False])
    drawn = nonfinite_bars(values, marker)
    assert drawn["hovertext"] == ["0.25", "NaN", "-infinity"]
    assert drawn["text"] == ["", "NaN", "-infinity"]
    assert drawn["marker"] == {"color": [MUTED, NAN_CSS, NAN_CSS], "line": marker["line"]}
    assert nonfinite_marker(marker, np.ones(3, bool)) == marker
