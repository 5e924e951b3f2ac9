"""Maps reduced by the largest magnitude of each block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis.pixels.pooling import magnitude_pooled
from tests.analysis.strategies import layers

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@settings(deadline=None)
@given(layers(hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=8)), SIZES)
def test_each_block_keeps_its_largest_magnitude_with_its_sign(
    values: npt.NDArray[np.float32], size: tuple[int, int]
) -> None:
    found = magnitude_pooled(values, size)
    rows, columns = size
    assert found.shape == (*values.shape[:-2], -(-values.shape[-2] // rows), -(-values.shape[-1] // columns))
    for place in np.ndindex(found.shape):
        *maps, row, column = place
        block = values[(*maps, slice(row * rows, (row + 1) * rows), slice(column * columns, (column + 1) * columns))]
        block = block.astype(np.float64)
        largest = np.abs(block).max()  # NaN where there is one
        expected = largest if np.isnan(largest) or (block == largest).any() else -largest
        np.testing.assert_array_equal(found[place], expected)


def test_nan_is_kept_beside_infinity() -> None:
    assert np.isnan(magnitude_pooled(np.array([[np.inf, np.nan]]), (1, 2))).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3)])
def test_the_values_given_stay_as_they_are(size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=(6, 7))
    before = values.copy()
    magnitude_pooled(values, size)[...] = 0
    np.testing.assert_array_equal(values, before)
