"""NaN and infinity left out, and counted."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from actwidget.analysis.nonfinite import finite_range, finite_values, nonfinite_counts
from tests.analysis.strategies import layers


@settings(deadline=None)
@given(layers(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)))
def test_the_finite_values_and_their_range_are_those_of_plain_numpy(values):
    wide = values.astype(np.float64)
    expected = wide[np.isfinite(wide)]
    line, extremes = finite_values(values)
    assert line.ndim == 1
    np.testing.assert_array_equal(np.sort(line), np.sort(expected))
    assert extremes == ((expected.min(), expected.max()) if expected.size else None)
    assert finite_range(values) == extremes


def test_where_all_values_are_finite_they_are_not_copied():
    maps = np.random.default_rng(0).random((4, 5, 6), np.float32)
    for view in (maps, np.moveaxis(maps, -1, 0)):
        assert np.shares_memory(finite_values(view)[0], maps)


def test_half_precision_is_widened():
    values = np.array([1, np.inf, -2], ml_dtypes.bfloat16)
    line, extremes = finite_values(values)
    assert (line.dtype, line.tolist(), extremes) == (np.float32, [1, -2], (-2, 1))


@pytest.mark.parametrize(
    ("nan", "infinite", "words"),
    [(0, 0, []), (3, 0, ["3 NaN"]), (0, 1, ["1 infinite"]), (1, 1, ["1 NaN", "1 infinite"])],
)
def test_only_what_occurs_is_counted_in_words(nan, infinite, words):
    assert nonfinite_counts(nan, infinite) == words
