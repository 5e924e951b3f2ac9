"""Quantiles and a histogram from one sort, against NumPy and against the histogram that is counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actwidget.analysis.distribution import distribution
from actwidget.analysis.histogram import histogram

SHARES = (0.0, 0.01, 0.25, 0.5, 0.99, 1.0)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 400),
    st.sampled_from([np.float32, np.float64, np.float16, np.int8]),
    st.sampled_from(["as drawn", "rectified", "clipped", "negative", "equal", "with NaN"]),
)
def test_it_gives_what_numpy_and_the_counted_histogram_give(seed, size, dtype, kind):
    values = np.random.default_rng(seed).normal(0, 3, size)
    values = {
        "rectified": np.maximum(values, 0),
        "clipped": np.clip(values, 0, 1),
        "negative": -np.abs(values),
        "equal": values * 0 + 3,
    }.get(kind, values).astype(dtype)
    if kind == "with NaN" and values.dtype.kind == "f":
        values[::3], values[1::5] = np.nan, np.inf
    found, counted = distribution(values, SHARES, upper=1.0), histogram(values, upper=1.0)
    finite = values[np.isfinite(values)].astype(np.float64)
    if finite.size:
        np.testing.assert_allclose(found.quantiles, np.quantile(finite, SHARES), rtol=1e-12, atol=1e-12)
    else:
        assert np.isnan(found.quantiles).all()
    for name in ("edges", "zeros", "at_upper", "total", "size", "channel_counts", "outside"):
        np.testing.assert_array_equal(getattr(found.histogram, name), getattr(counted, name))
    # A value within rounding of an edge may be counted beside it.
    assert np.abs(found.histogram.counts - counted.counts).sum() <= 4
    assert found.histogram.counts.sum() == counted.counts.sum()


def test_values_at_the_edges_are_counted_as_numpy_counts_them():
    values = np.array([1.0, 2.0, 2.0, 3.0], np.float32)
    assert distribution(values, [0.5], bins=2).histogram.counts.tolist() == np.histogram(values, 2)[0].tolist()


@pytest.mark.parametrize("value", [np.finfo(np.float64).max, np.finfo(np.float64).smallest_subnormal])
def test_the_greatest_and_the_least_numbers_are_counted(value):
    found = distribution(np.array([value, -value, value]), [0.5])
    assert found.histogram.counts.sum() == 3
    assert found.quantiles.tolist() == [value]
