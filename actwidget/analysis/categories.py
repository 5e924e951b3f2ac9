"""The distinct values of an activation that holds labels, flags or texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import is_numeric
from actwidget.analysis.float_errors import ignore_float_errors

MOST = 8


@dataclass(frozen=True, eq=False)
class Categories:
    """The distinct values of an array, and where each of them is.

    Attributes:
        names: The distinct values as text, in ascending order.
        index: intp, of the shape of the values: the place of each value in `names`.
    """

    names: tuple[str, ...]
    index: npt.NDArray[np.intp]


@ignore_float_errors
def categories(values: npt.NDArray[Any], most: int = MOST) -> Categories | None:
    """Find the distinct values, if they are few enough that each can have its own colour.

    Args:
        values: Integers, booleans or texts of any shape.
        most: How many distinct values there may be.

    Returns:
        The categories; None for values of another dtype, for none at all, and for more than `most` distinct ones.

    >>> found = categories(np.array([[True, False], [True, True]]))
    >>> found.names, found.index.tolist()
    (('False', 'True'), [[1, 0], [1, 1]])
    >>> categories(np.array([0.5, 1.0])) is None
    True
    """
    values = np.asarray(values)
    measured = is_numeric(values.dtype) and values.dtype.kind not in "iub"
    if not values.size or measured or values.dtype.kind not in "iubUSOT":
        return None
    if values.dtype.kind not in "iub":
        values = np.array([text_of(item) for item in values.ravel()]).reshape(values.shape)
    elif values.size > 10 * most and len(np.unique(values.ravel()[: 10 * most])) > most:
        return None  # in most cases the first few values already show that
    distinct, index = np.unique(values, return_inverse=True)
    if len(distinct) > most:
        return None
    names = tuple(str(name) for name in distinct.tolist())
    return Categories(names, index.reshape(values.shape))


def text_of(value: Any) -> str:
    r"""Give a value as a person reads it: bytes decoded, numbers in a few digits.

    >>> text_of(b"na\xc3\xafve"), text_of(np.float32(0.1)), text_of(np.int64(7))
    ('naïve', '0.1', '7')
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
