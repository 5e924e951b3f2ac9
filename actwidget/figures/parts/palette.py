"""The colours of activations: one scale for values of one sign, and one centred on zero for values of both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from plotly.colors import get_colorscale, hex_to_rgb, sample_colorscale, unlabel_rgb

from actwidget.analysis.nonfinite import finite_range
from actwidget.analysis.pixels.levels import GAP_LEVEL, LEVELS, NAN_LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

ACCENT = "#1a6fe8"
"""What is selected. Blue beside the orange-brown of a warning differs to colour-blind eyes too."""
WARNING = "#c4480d"
MUTED = "#9aa4b2"
# Classes: apart from each other on white and on black, none of them the colour of a warning or of what is selected.
CLASS_COLORS = (
    "#3f8f5f", "#d08a1d", "#8a63d2", "#1f9fb0", "#c2407a", "#8f8420", "#5f7fae", "#a8674f", "#6bae2e", "#b08bd0",
)  # fmt: skip
NAN_COLOR = (255, 0, 200)
NAN_CSS = "#ff00c8"
# "balance" on a dark page, evenly spaced: zero is near the page's colour there too, and large magnitudes are bright.
DARK_BALANCE = (
    "#b9dcff", "#7fb8f5", "#4a90dd", "#2d67ad", "#28456e", "#2a2c31",
    "#6b3a35", "#a54a3d", "#dd6a4f", "#f39c7c", "#ffd3bd",
)  # fmt: skip


@dataclass(frozen=True)
class ColorRange:
    """Which values the ends of a colour scale stand for.

    Attributes:
        low: The value of the first colour.
        high: The value of the last colour.
        scale: The name of the Plotly colour scale.
    """

    low: float
    high: float
    scale: str

    @classmethod
    def over(cls, *arrays: NDArray[Any]) -> ColorRange:
        """The range for all finite values of some arrays; 0 to 1 where there is none.

        Args:
            *arrays: Numbers, of any shapes.

        Returns:
            What `of` gives for the least and the greatest of them.
        """
        ends = [end for values in arrays for end in finite_range(values) or ()]
        return cls.of(min(ends), max(ends)) if ends else cls.of(0, 1)

    @classmethod
    def of(cls, minimum: float, maximum: float) -> ColorRange:
        """The range for some values: centred on zero where they have both signs.

        Args:
            minimum: Of the values.
            maximum: Of the values.

        Returns:
            From `minimum` to `maximum` in viridis, or as far below zero as above in balance; 0 to 1 where one of the
            two is not finite.
        """
        if not np.isfinite([minimum, maximum]).all():
            return cls(0.0, 1.0, "viridis")
        if minimum < 0 < maximum:
            bound = max(-minimum, maximum)
            return cls(-bound, bound, "balance")
        return cls(float(minimum), float(maximum), "viridis")


@cache
def colorscale(scale: str) -> tuple[tuple[float, str], ...]:
    """A scale by name as plotly.js takes it, its colours written in hexadecimal, which is shortest."""
    steps = [
        (place, unlabel_rgb(color) if color[0] != "#" else hex_to_rgb(color)) for place, color in get_colorscale(scale)
    ]
    return tuple((round(place, 4), f"#{bytes(int(part) for part in rgb).hex()}") for place, rgb in steps)


def dark_colorscale(scale: str) -> tuple[tuple[float, str], ...] | None:
    """What a scale is on a dark page, as plotly.js takes it; `None` where it stays as it is."""
    if scale != "balance":
        return None
    return tuple((place / (len(DARK_BALANCE) - 1), color) for place, color in enumerate(DARK_BALANCE))


@cache
def palette(scale: str, *, dark: bool = False) -> bytes:
    """The 256 RGB entries of a palette picture: the colours of the scale, then those of NaN and of the gap.

    Args:
        scale: The name of a Plotly colour scale.
        dark: Whether it is that of a dark page.
    """
    other = dark_colorscale(scale) if dark else None
    steps = [list(step) for step in other or get_colorscale(scale)]
    colors = sample_colorscale(steps, np.linspace(0, 1, LEVELS).tolist(), colortype="rgb")
    entries = np.zeros((256, 3), np.uint8)
    entries[:LEVELS] = [[round(part) for part in unlabel_rgb(color)] for color in colors]
    entries[NAN_LEVEL] = NAN_COLOR
    entries[GAP_LEVEL] = 128
    return entries.tobytes()
