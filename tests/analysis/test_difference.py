"""How much two activations differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actwidget.analysis.difference import difference
from actwidget.errors import InvalidInputsError
from tests.rounding import assert_close

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5))


@given(shape=SHAPES, seed=st.integers(0, 9))
def test_the_difference_is_numpys(shape, seed):
    first, second = np.random.default_rng(seed).normal(size=(2, *shape)).astype("float16")
    found = difference(first, second)
    expected = second.astype("float64") - first
    assert_close(found.values, expected)
    assert_close(found.mean_absolute, np.abs(expected).mean(axis=(0, 1)))
    assert found.largest == pytest.approx(np.abs(expected).max(), rel=1e-5)
    assert np.all(np.diff(found.mean_absolute[found.order]) <= 0)


def test_two_shapes_have_no_difference():
    with pytest.raises(InvalidInputsError, match=r"\(2, 3\) and \(2, 4\)"):
        difference(np.zeros((2, 3)), np.zeros((2, 4)))


@pytest.mark.parametrize("nonfinite", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_a_channel_that_is_finite_on_one_side_only_differs_most(nonfinite, side):
    pair = [np.array([[3.0, 1.0, 5.0], [3.0, 1.0, 5.0]]), np.array([[3.0, 1.0, 9.0], [3.0, 2.0, 9.0]])]
    pair[side][0, 1] = nonfinite
    found = difference(*pair)
    assert found.order.tolist() == [1, 2, 0]
    assert found.nonfinite.tolist() == [0, 1, 0]
    assert found.mean_absolute.tolist() == [0.0, 1.0, 4.0]
    assert found.largest == 4.0
    assert np.isfinite(found.values).sum() == 5


def test_values_that_are_nonfinite_in_the_same_way_on_both_sides_do_not_differ():
    one = np.array([[np.nan, np.inf, 1.0]])
    found = difference(one, one + np.array([[0, 0, 0.5]]))
    assert found.nonfinite.tolist() == [0, 0, 0]
    assert found.order.tolist() == [2, 0, 1]
    assert difference(one, np.array([[np.inf, -np.inf, 1.0]])).nonfinite.tolist() == [1, 1, 0]


def test_two_finite_values_of_float32_are_apart_however_far_they_are():
    found = difference(np.full((1, 1), -3e38, "float32"), np.full((1, 1), 3e38, "float32"))
    assert found.largest == pytest.approx(6e38)
    assert found.nonfinite.tolist() == [0]
    assert np.isfinite(found.values).all()
