"""Comparing values that two ways of computing give in float32, where the order of the sums differs."""

from __future__ import annotations

from typing import Any

import numpy as np


def tolerances(expected: Any) -> dict[str, float]:
    """What rounding may change: it goes by the largest terms of a sum, however close to 0 the sum itself is."""
    expected = np.asarray(expected)
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=1)
    return {"rtol": 1e-5, "atol": 1e-6 * float(largest)}


def assert_close(found: Any, expected: Any, *, err_msg: str = "") -> None:
    """Fails unless both are equal but for rounding."""
    np.testing.assert_allclose(found, expected, **tolerances(expected), err_msg=err_msg)


def are_close(found: Any, expected: Any) -> bool:
    """Whether both are equal but for rounding."""
    return np.allclose(found, expected, **tolerances(expected))
