"""Which dtypes are numbers, and what they are computed in."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from actwidget.analysis.dtypes import as_floats, is_numeric


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int64", "uint8", "bool", ml_dtypes.bfloat16, ml_dtypes.int4])
def test_numbers_are_numeric(dtype: object) -> None:
    assert is_numeric(dtype)


@pytest.mark.parametrize("dtype", ["string", "object", "U3", "S3", "complex64", "datetime64[s]", "V4", [("a", "f4")]])
def test_what_has_no_order_of_numbers_is_not_numeric(dtype: object) -> None:
    assert not is_numeric(dtype)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int16, np.int32, np.bool_, ml_dtypes.int4])
def test_floats_hold_every_integer_exactly(dtype: type) -> None:
    whole = dtype not in (np.bool_, ml_dtypes.int4)
    values = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max] if whole else [0, 1]).astype(dtype)
    assert as_floats(values).astype(np.int64).tolist() == values.astype(np.int64).tolist()
