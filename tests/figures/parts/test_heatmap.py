"""How far maps are reduced, and the axis of their colours."""

from __future__ import annotations

import pytest

from actwidget.figures.parts.heatmap import cell_positions, color_axis, dark_axis, reduction_factor, value_ticks
from actwidget.figures.parts.palette import ColorRange


@pytest.mark.parametrize("shape", [(1, 1), (256, 3), (257, 3), (3, 600), (1000, 1000)])
def test_a_reduced_map_is_no_longer_than_the_limit_and_no_smaller_than_needed(shape):
    factor = reduction_factor(shape)
    assert max(shape) / factor <= 256
    assert factor == 1 or max(shape) / (factor - 1) > 256


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_reduced_cells_cover_the_rows_and_columns_that_they_stand_for(factor):
    cells = cell_positions(factor)
    for start, step in ((cells["x0"], cells["dx"]), (cells["y0"], cells["dy"])):
        assert start - step / 2 == -0.5  # the edge of the first row and column
        assert step == factor
    assert cell_positions(1) == {}


def test_the_colours_of_equal_values_have_a_range():
    axis = color_axis(ColorRange(2, 2, "viridis"))
    assert (axis["cmin"], axis["cmax"]) == (2, 3)
    axis = color_axis(ColorRange(-1, 2, "viridis"))
    assert (axis["cmin"], axis["cmax"]) == (-1, 2)


def test_only_the_diverging_scale_changes_on_a_dark_page():
    assert dark_axis(ColorRange(0, 1, "viridis")) == {}
    (path, scale), *others = dark_axis(ColorRange(-1, 1, "balance")).items()
    assert (path, others, scale[0][0], scale[-1][0]) == ("coloraxis.colorscale", [], 0, 1)


def test_ticks_are_evenly_between_both_ends():
    ticks = value_ticks(-1, 1, 5)
    assert ticks["tickvals"] == [-1, -0.5, 0, 0.5, 1]
    assert ticks["ticktext"] == ["-1.00", "-0.50", "0.00", "0.50", "1.00"]
