"""Histograms brought to the same bins, against counting the values themselves."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.analysis.histogram import histogram
from actwidget.analysis.rebinning import rebinned

RNG = np.random.default_rng(0)


def counted(values, edges):
    return np.histogram(values, edges)[0] / values.size


@pytest.mark.parametrize("upper", [None, 6.0])
def test_shares_are_those_of_the_values_where_edges_fall_on_edges(upper):
    values = np.clip(np.round(RNG.normal(2, 3, 5_000) * 4) / 4, 0, 6)
    own = histogram(values, bins=23, upper=upper)
    # Every second edge of the histogram, and one below zero: no bin is split, so nothing has to be spread.
    edges = np.concatenate([[-1.0], own.edges[1:-1:2], [7.0]])
    found = rebinned([own], edges)[0]
    np.testing.assert_allclose(found, counted(values, edges), atol=1e-12)


def test_values_within_a_bin_count_as_evenly_spread():
    own = histogram(np.array([1.0, 2.0, 3.0, 5.0]), bins=2)  # 1 to 3 with two values, 3 to 5 with two
    np.testing.assert_allclose(rebinned([own], [1, 2, 4, 6]), [[0.25, 0.5, 0.25]])


def test_each_histogram_has_a_row_and_what_lies_outside_is_left_out():
    rows = rebinned([histogram(np.array([0.0, 0.0, 8.0, 9.0])), histogram(np.array([np.nan]))], [-1, 1, 2])
    np.testing.assert_array_equal(rows, [[0.5, 0.0], [0.0, 0.0]])
