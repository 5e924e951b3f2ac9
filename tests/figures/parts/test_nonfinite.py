"""NaN and infinity in words and in their colour."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from actwidget.figures.parts.nonfinite import finite_or_nan, nonfinite_cells, nonfinite_legend, nonfinite_text
from actwidget.figures.parts.palette import NAN_CSS


@pytest.mark.parametrize("dtype", ["float16", "float64", ml_dtypes.bfloat16])
def test_what_is_not_finite_is_counted_in_words(dtype):
    values = np.ones((50, 50), dtype)
    assert nonfinite_text(values) == ""
    values[:, 0], values[:2, 1], values[3, 1] = np.nan, np.inf, -np.inf
    assert nonfinite_text(values) == "50 NaN, 3 infinite"


def test_whole_numbers_are_all_finite():
    assert nonfinite_text(np.arange(5)) == ""


def test_the_legend_has_the_colour_of_nan():
    assert nonfinite_legend("1 NaN") == f'<span style="color:{NAN_CSS}">■</span> 1 NaN'


def test_infinity_is_coloured_as_nan_and_finite_values_are_not_copied():
    values = np.array([1.0, np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(finite_or_nan(values), [1, np.nan, np.nan, np.nan])
    assert np.isinf(values).sum() == 2
    assert finite_or_nan(values[:1]).base is values


def test_cells_are_where_values_are_not_finite():
    values = np.array([[1, np.nan], [-np.inf, 0]], "float32")
    (trace,) = nonfinite_cells(values, xaxis="x2")
    np.testing.assert_array_equal(trace["z"], [[np.nan, 1], [1, np.nan]])
    assert {color for _, color in trace["colorscale"]} == {NAN_CSS}
    assert trace["xaxis"] == "x2"
    assert nonfinite_cells(np.zeros((2, 2))) == []
