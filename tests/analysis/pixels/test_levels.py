from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis import LEVELS, NAN_LEVEL, levels, values_of
from tests.analysis.strategies import RANGES, assert_levels_of, layers


@settings(deadline=None)
@given(st.integers(0, 253), RANGES)
def test_levels_and_values_are_inverse(level: int, ends: tuple[float, float]) -> None:
    value = values_of(np.array([level], np.uint8), *ends)
    assert levels(value, *ends).tolist() == [level]


@settings(deadline=None)
@given(layers(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)), RANGES)
def test_levels_of_any_shape(values: npt.NDArray[Any], ends: tuple[float, float]) -> None:
    found = levels(values, *ends)
    assert found.shape == values.shape
    assert_levels_of(found, values, *ends)
    back = values_of(found, *ends)
    shown = np.isfinite(back)
    half = (ends[1] - ends[0]) / (LEVELS - 1) * 0.52
    clipped = np.clip(values.astype(np.float64), *ends)
    assert (np.abs(back - clipped)[shown] <= half).all()


def test_a_strided_view_has_its_levels() -> None:
    values = np.arange(240.0).reshape(4, 10, 6)[::2, ::-3, 1::2]
    assert_levels_of(levels(values, 0, 240), values, 0, 240)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ends", [(2.0, 2.0), (3.0, 1.0), (np.nan, np.nan), (0.0, np.nan)])
def test_without_a_range_finite_values_are_level_0(dtype: type, ends: tuple[float, float]) -> None:
    values = np.array([-np.inf, -5, 0, 2, 3e38, np.inf, np.nan], dtype)
    assert levels(values, *ends).tolist() == [0, 0, 0, 0, 0, LEVELS - 1, NAN_LEVEL]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ends", [(-3e38, 3e38), (1e-44, 9e-44), (1e6 + 0.03, 1e6 + 4), (-1.7e308, 1.7e308)])
def test_extreme_ranges_keep_their_levels(dtype: type, ends: tuple[float, float]) -> None:
    low, high = ends
    with np.errstate(over="ignore"):
        values = (low * np.linspace(1, 0, 9) + high * np.linspace(0, 1, 9)).astype(dtype)
    exact = values.astype(np.longdouble)
    expected = np.clip((exact - low) / (np.longdouble(high) - low), 0, 1) * (LEVELS - 1)
    assert (np.abs(levels(values, low, high) - expected) <= 0.51).all()


def test_bfloat16_has_its_levels() -> None:
    values = np.array([0, 0.5, 1, np.nan], dtype=ml_dtypes.bfloat16)
    assert levels(values, 0, 1).tolist() == [0, 126, 253, NAN_LEVEL]
