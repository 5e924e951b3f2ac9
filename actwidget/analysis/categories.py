"""Values that name something rather than measure it: labels, flags, texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from actwidget.analysis.axes import is_numeric
from actwidget.analysis.float_errors import any_errstate

MOST = 8
Meaning = Literal["activations", "data", "flags", "names"]
"""What numbers stand for: what units made of their inputs; what was measured or counted; yes or no; things by number.

Only a unit that computes can be dead, and only what is measured has a mean.
"""
_FEW_ROWS = 64


@dataclass(frozen=True, eq=False)
class Categories:
    """Which distinct values there are, and where.

    Attributes:
        names: The distinct values as text, in rising order.
        counts: int64 `(categories,)`, how often each is there.
        index: intp, in the shape of the values, which of them it is.
    """

    names: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    index: npt.NDArray[np.intp]


@any_errstate
def categories(values: npt.NDArray[Any], most: int = MOST) -> Categories | None:
    """Tell the distinct values apart, where they are so few that each can have a colour of its own.

    Args:
        values: Integers, booleans or texts of any shape.
        most: How many distinct values are still few.

    Returns:
        The categories; None for values of another dtype, for none at all, and for more than `most` distinct ones.

    >>> found = categories(np.array([[True, False], [True, True]]))
    >>> found.names, found.counts.tolist(), found.index.tolist()
    (('False', 'True'), [1, 3], [[1, 0], [1, 1]])
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
        return None  # most often the first few say it already
    distinct, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(distinct) > most:
        return None
    names = tuple(str(name) for name in distinct.tolist())
    return Categories(names, counts.astype(np.int64), index.reshape(values.shape))


def meaning_of(values: npt.NDArray[Any], made: Meaning = "activations", *, may_be_flags: bool = False) -> Meaning:
    """Say what numbers stand for.

    Args:
        values: `(samples, ..., channels)`.
        made: What is known of them without looking.
        may_be_flags: Whether floats that are one-hot are flags by their nature.

    >>> meaning_of(np.zeros((2, 3), bool)), meaning_of(np.zeros((2, 3), int)), meaning_of(np.zeros((2, 3)))
    ('flags', 'names', 'activations')
    """
    if values.dtype.kind == "b" or made == "flags":
        return "flags"
    if values.dtype.kind in "iu":
        # A picture of bytes is a measurement; all other integers count or name something.
        return "data" if values.dtype == np.uint8 or (values.ndim > 3 and categories(values[0]) is None) else "names"
    return "flags" if may_be_flags and is_one_hot(values) else made


def is_one_hot(values: npt.NDArray[Any]) -> bool:
    """Whether there is a single 1 among zeros along the last axis, wherever one looks.

    >>> is_one_hot(np.eye(3)), is_one_hot(np.zeros((2, 3))), is_one_hot(np.ones((4, 1)))
    (True, False, False)
    """
    if values.ndim < 2 or values.shape[-1] < 2 or not values.size:
        return False
    rows = values.reshape(-1, values.shape[-1])
    # Most often the first few say it already.
    return all(
        bool(((part == 0) | (part == 1)).all() and (part.sum(axis=-1, dtype=np.float64) == 1).all())
        for part in (rows[:_FEW_ROWS], rows[_FEW_ROWS:])
    )


def text_of(value: Any) -> str:
    r"""Give a value as a person reads it: bytes decoded, numbers in a few digits.

    >>> text_of(b"na\xc3\xafve"), text_of(np.float32(0.1)), text_of(np.int64(7))
    ('naïve', '0.1', '7')
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
