"""Arrays as layers give them: any numeric dtype, with NaN and infinities where the dtype has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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
