"""Arrays as layers give them: any numeric dtype, with NaN and infinities where the dtype has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis import LEVELS, NAN_LEVEL

FLOATS = (np.float16, np.float32, np.float64)
INTEGERS = (np.bool_, np.uint8, np.int8, np.int32, np.int64)


def _elements(dtype: type[np.generic]) -> st.SearchStrategy[Any]:
    if dtype is np.bool_:
        return st.booleans()
    if dtype in INTEGERS:
        return st.integers(0 if dtype is np.uint8 else -100, 100)
    width = np.dtype(dtype).itemsize * 8
    common = st.sampled_from([0.0, -0.0, 1.0, 6.0, -1.0, 0.5])
    usual = st.floats(-1000, 1000, width=width)  # type: ignore[arg-type]
    odd = st.sampled_from([np.nan, np.inf, -np.inf])
    return st.one_of(common, usual, usual, odd)


def layers(shape: st.SearchStrategy[tuple[int, ...]]) -> st.SearchStrategy[npt.NDArray[Any]]:
    """Arrays of a shape, of any numeric dtype."""
    return st.sampled_from(FLOATS + INTEGERS).flatmap(lambda dtype: hnp.arrays(dtype, shape, elements=_elements(dtype)))


RANGES = st.tuples(st.floats(-100, 100), st.floats(0.01, 200)).map(lambda ends: (ends[0], ends[0] + ends[1]))


def assert_levels_of(found: npt.NDArray[Any], values: npt.NDArray[Any], low: Any, high: Any) -> None:
    """The levels are those of the values, but for what lies within rounding of halfway between two."""
    wide = values.astype(np.float64)
    missing = np.isnan(wide)
    np.testing.assert_array_equal(found[missing], NAN_LEVEL)
    with np.errstate(invalid="ignore"):
        exact = np.clip((wide - low) / (high - low), 0, 1) * (LEVELS - 1)
    assert (np.abs(found - exact)[~missing] <= 0.5 + 0.01).all()
