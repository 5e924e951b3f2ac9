"""Which dtypes are numbers, and the floats in which they are computed with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int64]

# How the names of dtypes begin that numpy does not know itself: bfloat16, float8_e4m3fn, int4.
_EXTENSION_NUMBERS = ("bfloat", "float", "int", "uint")


def is_numeric(dtype: Any) -> bool:
    """Whether values of a dtype can be put on a colour scale.

    Args:
        dtype: A numpy dtype, or the name of one as Keras gives it (`"bfloat16"`, `"string"`).

    Returns:
        True for floats (bfloat16 and the float8 types too), integers and booleans; False for strings, objects,
        dates, and complex numbers, which have no order.
    """
    try:
        known = np.dtype(dtype)
    except TypeError:
        return str(dtype).startswith(_EXTENSION_NUMBERS)
    # Types from ml_dtypes (bfloat16, float8, int4) are no np.floating: numpy calls them void, but for the name.
    return known.kind in "fiub" or (known.kind == "V" and known.name.startswith(_EXTENSION_NUMBERS))


def as_floats(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give numbers in a dtype that numpy computes with quickly and precisely.

    Args:
        values: Numbers of any shape and any numeric dtype.

    Returns:
        The same shape as float32 (for what float32 holds exactly: half precision, booleans, integers of up to 16
        bits) or float64 (everything wider). An array that is float32 or float64 already is returned itself.
    """
    dtype = values.dtype
    if dtype in (np.float32, np.float64):
        return values
    narrow = dtype.itemsize <= 2 or dtype.kind == "V"
    return values.astype(np.float32 if narrow else np.float64)
