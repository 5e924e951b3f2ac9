"""One layer as a row of the overview."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from actwidget.analysis.statistics import statistics
from actwidget.analysis.summary import QUANTILES, summary, summary_from_quantiles

SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5))


def test_values_that_name_things_have_no_warnings():
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


def test_a_summary_from_quantiles_is_that_of_the_values():
    values = np.random.default_rng(0).normal(size=(3, 4, 5))
    values[..., 2] = 0
    found = statistics(values)
    whole = summary("layer", values, found, "head")
    again = summary_from_quantiles("layer", np.quantile(values, QUANTILES), found, "head")
    assert vars(again) == vars(whole)
    assert (whole.dead, whole.zeros) == (0.2, 0.2)
    assert summary("layer", values, found, meaning="data").dead == 0
