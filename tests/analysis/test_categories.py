"""The distinct values of labels, flags and texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis.categories import MOST, categories

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=6)


@given(st.sampled_from([np.bool_, np.uint8, np.int64]).flatmap(lambda kind: hnp.arrays(kind, SHAPES)))
def test_few_distinct_values_are_told_apart_and_many_are_not(values):
    found, distinct = categories(values), np.unique(values)
    if len(distinct) > MOST:
        assert found is None
        return
    assert found.names == tuple(map(str, distinct.tolist()))
    np.testing.assert_array_equal(distinct[found.index], values)


@pytest.mark.parametrize("dtype", [object, "S5", "U5"])
def test_texts_are_categories_whatever_holds_them(dtype):
    values = np.array([["cat", "dog"], ["dog", "dog"]]).astype(dtype)
    if dtype is object:
        values[0, 0] = b"cat"
    found = categories(values)
    assert (found.names, found.index.tolist()) == (("cat", "dog"), [[0, 1], [1, 1]])


@pytest.mark.parametrize("values", [np.zeros((2, 2)), np.zeros(3, "complex64"), np.zeros((0, 4), int)])
def test_measured_values_and_none_at_all_are_no_categories(values):
    assert categories(values) is None
