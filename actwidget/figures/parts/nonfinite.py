"""What a figure's title says of the values beside its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.dtypes import as_floats
from actwidget.figures.parts.palette import NAN_CSS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def broken(values: NDArray[Any]) -> str:
    """How many values are no numbers, in words; empty where all are finite.

    >>> broken(np.array([1.0, np.nan, np.inf, -np.inf]))
    '1 NaN, 2 infinite'
    """
    numbers = as_floats(np.asarray(values))
    if np.isfinite(numbers).all():
        return ""
    counts = [(np.count_nonzero(np.isnan(numbers)), "NaN"), (np.count_nonzero(np.isinf(numbers)), "infinite")]
    return ", ".join(f"{count:,} {name}" for count, name in counts if count)


def in_their_colour(words: str) -> str:
    """What `broken` says, beside the colour in which such values are drawn."""
    return f'<span style="color:{NAN_CSS}">■</span> {words}'


def reduced(factor: int) -> str:
    """How a grid was made smaller; empty where every value has its pixel."""
    return f"reduced {factor}× by largest magnitude" if factor > 1 else ""


def finite_or_nan(values: NDArray[Any]) -> NDArray[Any]:
    """Values to be coloured, infinity as NaN: the colour of the highest value would hide it."""
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)
