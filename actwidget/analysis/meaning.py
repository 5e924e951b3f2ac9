"""What a layer's numbers stand for: activations, measurements, flags, or names of things."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from actwidget.analysis.categories import categories

Meaning = Literal["activations", "data", "flags", "names"]
"""What numbers stand for: values that units computed; measurements; true or false; names of things, by number.

Only activations can be dead, and only activations and data have a mean.
"""
_FEW_ROWS = 64


FlagsWhere = Literal["never", "one-hot", "zeros and ones"]
"""Where floats of a layer are flags: never, if each row holds a single 1, or if there are only zeros and ones."""


def meaning_of(
    values: npt.NDArray[Any], made: Meaning = "activations", *, flags_where: FlagsWhere = "never"
) -> Meaning:
    """Say what the numbers of a layer stand for.

    Args:
        values: `(samples, ..., channels)`.
        made: What they stand for as far as the layer alone tells.
        flags_where: Where floats are flags.

    >>> meaning_of(np.zeros((2, 3), bool)), meaning_of(np.zeros((2, 3), int)), meaning_of(np.zeros((2, 3)))
    ('flags', 'names', 'activations')
    """
    if values.dtype.kind == "b" or made == "flags":
        return "flags"
    if values.dtype.kind in "iu":
        # A picture of bytes holds measurements; all other integers count or name something.
        return "data" if values.dtype == np.uint8 or (values.ndim > 3 and categories(values[0]) is None) else "names"
    if (flags_where == "one-hot" and is_one_hot(values)) or (
        flags_where == "zeros and ones" and is_zeros_and_ones(values)
    ):
        return "flags"
    return made


def is_one_hot(values: npt.NDArray[Any]) -> bool:
    """Whether each row along the last axis holds a single 1 and otherwise zeros.

    >>> is_one_hot(np.eye(3)), is_one_hot(np.zeros((2, 3))), is_one_hot(np.ones((4, 1)))
    (True, False, False)
    """
    if values.ndim < 2 or values.shape[-1] < 2 or not values.size:
        return False
    rows = values.reshape(-1, values.shape[-1])
    # In most cases the first few rows already show that they are not one-hot.
    return all(
        bool(((part == 0) | (part == 1)).all() and (part.sum(axis=-1, dtype=np.float64) == 1).all())
        for part in (rows[:_FEW_ROWS], rows[_FEW_ROWS:])
    )


def is_zeros_and_ones(values: npt.NDArray[Any]) -> bool:
    """Whether there are only zeros and ones, as in a mask; zeros alone may just as well be units that are dead.

    >>> is_zeros_and_ones(np.array([0.0, 1.0])), is_zeros_and_ones(np.zeros(2)), is_zeros_and_ones(np.array([0.5, 1.0]))
    (True, False, False)
    """
    flat = values.reshape(-1)
    parts = (flat[:_FEW_ROWS], flat[_FEW_ROWS:])
    return all(bool(((part == 0) | (part == 1)).all()) for part in parts) and bool((flat == 1).any())
