"""Moments of each channel, and those of two batches joined."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis.moments import channel_moments, saturates
from tests.analysis.strategies import layers

BATCHES = layers(hnp.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=7))


@settings(deadline=None)
@given(BATCHES, st.integers(0, 7))
def test_the_moments_of_two_parts_joined_are_those_of_the_rows(batch: npt.NDArray[np.float32], cut: int) -> None:
    found = channel_moments(batch[:cut]).joined(channel_moments(batch[cut:]))
    rows = batch.reshape(-1, batch.shape[-1]).astype(np.float64)
    finite = np.isfinite(rows)
    assert (found.samples, found.rows) == (len(batch), len(rows))
    assert found.finite.tolist() == finite.sum(axis=0).tolist()
    assert found.nan.tolist() == np.isnan(rows).sum(axis=0).tolist()
    assert found.zeros.tolist() == (rows == 0).sum(axis=0).tolist()
    for channel, column in enumerate(rows.T):
        values = column[np.isfinite(column)]
        low, high = (values.min(), values.max()) if values.size else (np.inf, -np.inf)
        mean = values.mean() if values.size else np.nan
        squares = ((values - mean) ** 2).sum() if values.size else 0.0
        assert (found.minimum[channel], found.maximum[channel]) == (low, high)
        np.testing.assert_allclose([found.mean[channel], found.squares[channel]], [mean, squares], 1e-9, 1e-9)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (None, False),
        ((None, None), False),
        ((0, None), False),
        ((0, 6), True),
        ((0, 1), True),
        ((-1, 1), True),
        ((-1, None), True),
    ],
)
def test_a_rectifier_without_an_upper_bound_does_not_saturate(
    bounds: tuple[float | None, float | None] | None, *, expected: bool
) -> None:
    assert saturates(bounds) == expected
