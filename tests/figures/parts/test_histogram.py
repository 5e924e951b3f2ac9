"""The traces of a histogram."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.figures.parts.histogram import histogram_traces

HEIGHTS, EDGES = np.array([1.0, 4.0, 0.0, 2.0]), np.linspace(-1, 3, 5)


@pytest.mark.parametrize("part", [None, np.array([0.5, 0.0, 0.0, 6.0])])
def test_outlines_and_cells_are_over_their_bins(part):
    traces, (bottom, top) = histogram_traces(EDGES, HEIGHTS, "%{z}", part, xaxis="x3")
    area, *lines, cells = traces
    assert len(lines) == (part is not None)
    for trace, heights in zip([area, *lines], [HEIGHTS, part], strict=False):
        ends = trace["x0"] + trace["dx"] * np.arange(len(trace["y"]))
        np.testing.assert_allclose(ends, EDGES)
        np.testing.assert_array_equal(trace["y"][:-1], heights)
        assert trace["line"]["shape"] == "hv"
    centres = cells["x0"] + cells["dx"] * np.arange(4)
    np.testing.assert_allclose(centres, (EDGES[1:] + EDGES[:-1]) / 2)
    np.testing.assert_array_equal(cells["z"], [HEIGHTS])
    assert (bottom, cells["y"]) == (0, [0, top])
    assert top > (4 if part is None else 6)
    assert {trace["xaxis"] for trace in traces} == {"x3"}
    if part is not None:
        np.testing.assert_array_equal(cells["customdata"][..., 0], [part])


def test_a_histogram_of_nothing_has_a_height():
    assert histogram_traces(EDGES, np.zeros(4), "")[1] == [0, 1]
