"""How NaN and infinity are shown: by name, by number, and in a colour of their own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.nonfinite import nonfinite_counts
from actwidget.figures.parts.palette import NAN_CSS
from actwidget.figures.parts.text import colored

if TYPE_CHECKING:
    from numpy.typing import NDArray


_NAN, _INFINITY, _MINUS_INFINITY = "NaN", "infinity", "-infinity"


def nonfinite_name(value: float) -> str:
    """What a value that is not finite is called.

    >>> nonfinite_name(float("nan"))
    'NaN'
    """
    return _NAN if math.isnan(value) else _INFINITY if value > 0 else _MINUS_INFINITY


def nonfinite_names(values: NDArray[Any]) -> NDArray[np.str_]:
    """What values that are not finite are called; many at a time are much faster than one by one.

    >>> nonfinite_names(np.array([np.nan, np.inf, -np.inf])).tolist()
    ['NaN', 'infinity', '-infinity']
    """
    return np.where(np.isnan(values), _NAN, np.where(values > 0, _INFINITY, _MINUS_INFINITY))


def precise(value: float) -> str:
    """A value for hover, in five digits or by name.

    >>> precise(0.5), precise(float("inf"))
    ('0.5', 'infinity')
    """
    return f"{value:.5g}" if math.isfinite(value) else nonfinite_name(value)


def nonfinite_text(values: NDArray[Any]) -> str:
    """How many values are NaN or infinite, in words; empty where all are finite.

    >>> nonfinite_text(np.array([1.0, np.nan, np.inf, -np.inf]))
    '1 NaN, 2 infinite'
    """
    numbers = as_floats(np.asarray(values))
    if np.isfinite(numbers).all():
        return ""
    nan, infinite = (int(np.count_nonzero(found)) for found in (np.isnan(numbers), np.isinf(numbers)))
    return ", ".join(nonfinite_counts(nan, infinite))


def nonfinite_legend(words: str) -> str:
    """Words on values that are not finite, with a square in the colour in which these are drawn."""
    return f"{colored('■', NAN_CSS)} {words}"


def finite_or_nan(values: NDArray[Any]) -> NDArray[Any]:
    """Values to be coloured, infinity as NaN: in the colour of the highest value it would not be noticed."""
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, np.nan)


def nonfinite_cells(values: NDArray[Any], **attributes: Any) -> list[dict[str, Any]]:
    """A heatmap that gives the cells which another heatmap leaves empty the colour of NaN.

    Args:
        values: Those of the other heatmap, shape `(rows, columns)`.
        **attributes: Its axes and where its cells lie, and how this one responds to hover.

    Returns:
        One trace, or none where all values are finite.
    """
    finite = np.isfinite(values)
    if finite.all():
        return []
    cells = {
        "type": "heatmap",
        "z": np.where(finite, np.nan, 1).astype(np.float32),
        "colorscale": [[0, NAN_CSS], [1, NAN_CSS]],
        "showscale": False,
        "hoverongaps": False,
    }
    return [{**cells, **attributes}]
