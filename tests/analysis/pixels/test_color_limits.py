"""The ends of a colour scale, against numpy's own percentiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis import limits
from tests.analysis.strategies import layers

ARRAYS = layers(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=9))
PERCENTILES = st.tuples(st.floats(0, 50), st.floats(50, 100))


def check(values, percentiles):
    found = limits(values, percentiles)
    wide = values.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    if not finite.size:
        assert (found.low, found.high, found.below, found.above) == (0, 1, 0, 0)
        return
    low = np.quantile(finite, percentiles[0] / 100, method="lower")
    high = np.quantile(finite, percentiles[1] / 100, method="higher")
    if low == high:
        low, high = finite.min(), finite.max()
    assert found.diverging == (finite.min() < 0 < finite.max())
    if found.diverging:
        high = max(abs(low), abs(high))
        low = -high
    assert (found.low, found.high) == (low, high)
    assert found.below == pytest.approx((finite < low).mean())
    assert found.above == pytest.approx((finite > high).mean())
    assert found.clipped == bool(((finite < low) | (finite > high)).any())


@given(ARRAYS, PERCENTILES)
def test_the_range_is_that_of_the_percentiles(values, percentiles):
    check(values, percentiles)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16"])
@pytest.mark.parametrize("shape", [(30_001,), (3, 40, 50, 7)])
@pytest.mark.parametrize("percentiles", [(0.1, 99.9), (0, 100), (2, 98), (25, 50), (49, 51)])
def test_the_short_way_for_many_values_gives_the_same(dtype, shape, percentiles):
    rng = np.random.default_rng(0)
    signed = (rng.standard_normal(shape) * 50).astype(dtype)
    for values in (
        signed,
        np.maximum(signed, 0),
        -np.abs(signed),
        np.sort(signed.ravel()),
        np.sort(signed.ravel())[::-1],
    ):
        check(values, percentiles)


def test_a_lone_spike_among_zeros_spans_the_scale():
    values = np.zeros((1, 300, 300, 1), "float32")
    values[0, 7, 9] = 5
    found = limits(values)
    assert (found.low, found.high, found.clipped) == (0, 5, False)


def test_no_more_is_left_out_than_the_percentiles_say():
    values = np.random.default_rng(1).standard_cauchy(200_000).astype("float32")
    found = limits(values, (1, 99))
    assert 0 < found.below <= 0.01
    assert 0 < found.above <= 0.01
    assert found.high < np.abs(values).max() / 100
