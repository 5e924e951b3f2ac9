"""What is added up quickly is what NumPy finds in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actwidget.scanning.counting.batch_sums import batch_sums

RANDOM = np.random.default_rng(0)
CASES: dict[str, Any] = {
    "ReLU": np.maximum(RANDOM.normal(size=(40, 9, 5)), 0),
    "far from 0": RANDOM.normal(size=(40, 9, 5)) + np.array([1e4, 1e2, 10, 1, 0]),
    "constant and 0": np.ones((40, 9, 5)) * [0, 1, 3, 1e-30, -0.7],
    "tiny": RANDOM.normal(size=(40, 9, 5)) * [1e-20, 1e-30, 1, 1e-25, 1e-14],
    "huge": RANDOM.normal(size=(40, 9, 5)) * [1e20, 1e30, 1, 1e25, 1e15],
    "many samples": RANDOM.random((700, 4, 3)) < 0.9,
}


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_moments_and_sums_are_those_of_float64(case: str, kind: Any) -> None:
    with np.errstate(over="ignore"):
        values = CASES[case].astype(kind)
    if not np.isfinite(values).all():
        values = np.zeros_like(values)
    exact = values.astype(np.float64)
    found, count = batch_sums([values], (0.0, 1.0)), exact.shape[0] * exact.shape[1]
    deviation, size = exact.std((0, 1)), np.abs(exact).max((0, 1))
    assert (np.abs(found.moments.mean - exact.mean((0, 1))) <= 2e-7 * size + 1e-6 * deviation).all()
    # A value of float32 is itself only right to some of its digits.
    assert (np.abs(np.sqrt(found.moments.squares / count) - deviation) <= 1e-5 * deviation + 1e-7 * size).all()
    np.testing.assert_array_equal(found.moments.minimum, exact.min((0, 1)))
    np.testing.assert_array_equal(found.moments.maximum, exact.max((0, 1)))
    np.testing.assert_array_equal(found.moments.zeros, (exact == 0).sum((0, 1)))
    np.testing.assert_array_equal(found.moments.saturated, ((exact >= 0.999) | (exact <= 0.001)).sum((0, 1)))
    assert (np.abs(found.means(slice(3)) - exact[:3].mean(1)) <= 1e-6 * size).all()


def test_what_is_not_finite_is_counted_and_left_out() -> None:
    values = CASES["ReLU"].astype(np.float32)
    values[3, 2, 1], values[4, 0, 0], values[7] = np.nan, -np.inf, np.nan
    found = batch_sums([values], None)
    assert found.moments.nan.tolist() == [9, 10, 9, 9, 9]
    assert found.moments.infinite.tolist() == [1, 0, 0, 0, 0]
    masked = np.ma.masked_invalid(values.astype(np.float64))
    np.testing.assert_allclose(found.moments.mean, masked.mean((0, 1)), rtol=1e-12)
    np.testing.assert_allclose(found.means(slice(None)), np.ma.filled(masked.mean(1), np.nan), rtol=1e-12)


def test_batches_with_and_without_nan_are_added_up_together() -> None:
    clean = CASES["ReLU"].astype(np.float32)
    holes = clean[:5].copy()
    holes[2] = np.nan
    found = batch_sums([clean, holes, clean], None)
    every = np.concatenate([clean, holes, clean]).astype(np.float64)
    masked = np.ma.masked_invalid(every)
    assert found.moments.nan.tolist() == [9] * 5
    np.testing.assert_allclose(found.moments.mean, masked.mean((0, 1)), rtol=1e-6)
    np.testing.assert_allclose(found.means(slice(None)), np.ma.filled(masked.mean(1), np.nan), rtol=1e-6)
    assert found.moments.samples == len(every)
