"""What is said of a layer, and what is between two of them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actwidget.analysis.diagnostics import QUANTILES, summary, warnings
from actwidget.analysis.difference import difference
from actwidget.analysis.statistics import statistics
from actwidget.errors import InvalidInputsError, MissingPackageError

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5))


def test_a_healthy_layer_has_no_warnings():
    assert warnings(statistics(np.random.default_rng(0).normal(size=(4, 5, 6)))) == ()


@pytest.mark.parametrize(
    ("values", "bounds", "text"),
    [
        ([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]], None, "2 of 3 heads dead"),
        ([[3.0, 1.0], [3.0, 2.0]], None, "1 of 2 heads constant"),
        ([[np.nan, 1.0], [3.0, 2.0]], None, "1 NaN"),
        ([[np.inf, 1.0], [3.0, -np.inf]], None, "2 infinite"),
        ([[6.0, 6.0], [6.0, 1.0]], (0.0, 6.0), "75% of the values saturated"),
    ],
)
def test_what_is_wrong_is_said_in_words(values, bounds, text):
    assert text in warnings(statistics(np.array(values), bounds=bounds), "head")


def test_of_one_value_a_channel_nothing_is_called_dead():
    numbers = statistics(np.array([[0.0, 0.0, 0.0, 2.0]]))
    assert numbers.dead == 3
    assert warnings(numbers, "unit") == ()
    assert warnings(statistics(np.zeros((2, 4))), "unit") == ("4 of 4 units dead",)


def test_of_one_sample_it_is_said_that_it_is_one():
    maps = np.ones((1, 3, 3, 2)) * [0.0, 5.0]
    assert warnings(statistics(maps)) == (
        "1 of 2 channels dead in one sample",
        "1 of 2 channels constant in one sample",
    )


def test_what_names_things_is_never_unwell():
    tokens = np.zeros((3, 4), int)
    assert summary("tokens", tokens, statistics(tokens), "unit", meaning="names").warnings == ()
    assert summary("tokens", tokens, statistics(tokens), "unit").warnings == ("4 of 4 units dead",)


@given(shape=SHAPES, seed=st.integers(0, 9), broken=st.booleans())
def test_quantiles_are_those_of_the_finite_values(shape, seed, broken):
    values = np.random.default_rng(seed).normal(size=shape)
    if broken:
        values.flat[0] = np.nan
    row = summary("layer", values, statistics(values))
    finite = values[np.isfinite(values)]
    expected = np.quantile(finite, QUANTILES) if finite.size else np.full(5, np.nan)
    np.testing.assert_allclose(row.quantiles, expected, rtol=1e-6)
    assert row.path == "layer"


@given(shape=SHAPES, seed=st.integers(0, 9))
def test_the_difference_is_numpys(shape, seed):
    first, second = np.random.default_rng(seed).normal(size=(2, *shape)).astype("float16")
    found = difference(first, second)
    expected = second.astype("float64") - first
    np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.mean_absolute, np.abs(expected).mean(axis=(0, 1)), rtol=1e-5, atol=1e-6)
    assert found.largest == pytest.approx(np.abs(expected).max(), rel=1e-5)
    assert np.all(np.diff(found.mean_absolute[found.order]) <= 0)


def test_two_shapes_have_no_difference():
    with pytest.raises(InvalidInputsError, match=r"\(2, 3\) and \(2, 4\)"):
        difference(np.zeros((2, 3)), np.zeros((2, 4)))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_a_channel_that_is_finite_on_one_side_only_differs_most(broken, side):
    pair = [np.array([[3.0, 1.0, 5.0], [3.0, 1.0, 5.0]]), np.array([[3.0, 1.0, 9.0], [3.0, 2.0, 9.0]])]
    pair[side][0, 1] = broken
    found = difference(*pair)
    assert found.order.tolist() == [1, 2, 0]
    assert found.broken.tolist() == [0, 1, 0]
    assert found.mean_absolute.tolist() == [0.0, 1.0, 4.0]
    assert found.largest == 4.0
    assert np.isfinite(found.values).sum() == 5


def test_what_is_broken_in_the_same_way_on_both_sides_differs_in_nothing():
    one = np.array([[np.nan, np.inf, 1.0]])
    found = difference(one, one + np.array([[0, 0, 0.5]]))
    assert found.broken.tolist() == [0, 0, 0]
    assert found.order.tolist() == [2, 0, 1]
    assert difference(one, np.array([[np.inf, -np.inf, 1.0]])).broken.tolist() == [1, 1, 0]


def test_two_finite_values_of_float32_are_apart_however_far_they_are():
    found = difference(np.full((1, 1), -3e38, "float32"), np.full((1, 1), 3e38, "float32"))
    assert found.largest == pytest.approx(6e38)
    assert found.broken.tolist() == [0]
    assert np.isfinite(found.values).all()


def test_statistics_as_a_frame():
    numbers = statistics(np.random.default_rng(0).normal(size=(4, 3)))
    frame = numbers.to_frame()
    assert type(frame).__name__ == "DataFrame"
    np.testing.assert_array_equal(frame["mean"], numbers.per_channel.mean)
    assert frame.index.name == "channel"


def test_without_pandas_the_frame_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingPackageError, match="pip install pandas"):
        statistics(np.ones((2, 2))).to_frame()
