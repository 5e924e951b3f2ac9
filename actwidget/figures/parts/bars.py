"""Bars: the marked ones outlined, NaN and infinity bounded in length and in a colour of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.parts.nonfinite import precise
from actwidget.figures.parts.palette import ACCENT, MUTED, NAN_CSS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def bar_marker(marked: Sequence[bool]) -> dict[str, Any]:
    """The colours and outlines of bars; the outline shows a marked bar of length zero too."""
    colors = [ACCENT if each else MUTED for each in marked]
    return {"color": colors, "line": {"width": [2 if each else 0 for each in marked], "color": colors}}


def nonfinite_bars(values: NDArray[Any], marker: dict[str, Any]) -> dict[str, Any]:
    """What changes in a trace of bars where some values are NaN or infinite: these get a length, a colour and a name.

    Args:
        values: Those of the bars, shape `(bars,)`.
        marker: The marker of the trace, with a colour for each bar.
    """
    finite = np.isfinite(values)
    texts = [precise(value) for value in values.tolist()]
    return {
        "y": bar_lengths(values),
        "marker": nonfinite_marker(marker, finite),
        "hovertext": texts,
        "text": ["" if is_finite else text for text, is_finite in zip(texts, finite.tolist(), strict=True)],
        "textposition": "inside",
        "insidetextanchor": "middle",
    }


def bar_lengths(values: NDArray[Any]) -> NDArray[Any]:
    """The lengths of bars: NaN and infinity are as long as the longest of the others."""
    finite = np.isfinite(values)
    longest = float(np.abs(values[finite]).max(initial=0)) or 1.0
    return np.where(finite, values, np.where(values == -np.inf, -longest, longest)).astype(values.dtype)


def nonfinite_marker(marker: dict[str, Any], finite: NDArray[np.bool_]) -> dict[str, Any]:
    """A marker of bars with the colour of NaN where values are not finite; the outlines still mark what is chosen."""
    colors = [
        color if is_finite else NAN_CSS for color, is_finite in zip(marker["color"], finite.tolist(), strict=True)
    ]
    return {**marker, "color": colors}
