from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from actwidget.analysis.running.quantiles import PRECISION, RunningQuantiles
from tests.analysis.strategies import layers

SHARES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)
RNG = np.random.default_rng(0)
MANY = 3_000_001


@settings(deadline=None)
@given(layers(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=7)))
def test_quantiles_of_few_values_are_those_of_numpy(values: npt.NDArray[np.float32]) -> None:
    running = RunningQuantiles()
    for part in values:
        running.update(np.asarray(part))
    wide = values.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    wanted = np.quantile(finite, SHARES) if finite.size else np.full(len(SHARES), np.nan)
    np.testing.assert_allclose(running.result(SHARES), wanted, rtol=1e-6)


LARGE = {
    "both signs": RNG.normal(size=MANY).astype(np.float32),
    "many zeros": np.maximum(RNG.normal(size=MANY), 0).astype(np.float32),
    "huge": (np.abs(RNG.normal(size=MANY)) + 0.1) * 1e30,
    "tiny": (np.abs(RNG.normal(size=MANY)) + 0.1) * 1e-30,
    "one value": np.full(MANY, 6.0),
    "whole numbers": RNG.integers(-5, 6, MANY),
    "below zero": -1 - RNG.random(MANY, np.float32),
    "broken ones": np.where(RNG.random(MANY) < 0.1, np.nan, np.where(RNG.random(MANY) < 0.1, np.inf, 3.0)),
}


@pytest.mark.parametrize("name", LARGE)
def test_quantiles_of_very_many_values_are_right_to_a_thousandth(name: str) -> None:
    values, running = LARGE[name], RunningQuantiles()
    for part in np.array_split(values, 11):
        running.update(part)
    finite = values[np.isfinite(values)]
    near = 1e-5 if name == "both signs" else 0.0  # of a median near 0 a thousandth is less than two values are apart
    np.testing.assert_allclose(running.result(SHARES), np.quantile(finite, SHARES), rtol=PRECISION, atol=near)
    assert running.nbytes < 5e6


def test_of_nothing_they_are_not_known() -> None:
    running = RunningQuantiles()
    running.update(np.array([np.nan]))
    assert np.isnan(running.result([0.5])).all()
