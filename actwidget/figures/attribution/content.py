"""What a figure of attributions shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from actwidget.analysis.pixels.color_limits import limits
from actwidget.figures.parts.palette import ColorRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from actwidget.figures.overlay import Placement

Kind = Literal["picture", "text", "bars", "steps", "signal"]
PERCENTILES = (0.5, 99.5)
"""The colours of a picture's attributions leave out what is beyond these: a few pixels are often much larger."""


@dataclass(frozen=True, eq=False)
class Part:
    """The attributions of one input, or of a layer.

    Attributes:
        name: What they are of.
        kind: How they are drawn.
        values: For a `"picture"` shape `(rows, columns)`, for `"steps"` shape `(steps, features)`, otherwise one value
            for each token, bar or step.
        pixels: The picture below them, shape `(height, width, 1 or 3)`.
        place: Where the values of a map lie over the picture; `None` if they are stretched over it.
        labels: The tokens of a text, or the names of bars.
        given: The input itself, where it is drawn as a line, shape `(steps,)`, or is said of each bar.
        items: The number of each bar if a click on it selects that channel.
        marked: The bar that is selected.
        note: What is said of it besides its name.
    """

    name: str
    kind: Kind
    values: NDArray[Any]
    pixels: NDArray[Any] | None = None
    place: Placement | None = None
    labels: Sequence[str] = ()
    given: NDArray[Any] | None = None
    items: Sequence[int] | None = None
    marked: int | None = None
    note: str = ""

    @property
    def has_colors(self) -> bool:
        """Whether its values are colours, which a strip has to explain."""
        return self.kind != "bars"


@dataclass(frozen=True, eq=False)
class AttributionContent:
    """What the figure shows.

    Attributes:
        title: Above it: parts separated by dots.
        parts: For each input its attributions.
        detail: What stands beside them; `None` for nothing.
        meaning: What a colour stands for, in a few words.
        is_signed: Whether values can be negative, so that zero is in the middle of the colours.
        room: The width and height of the figure on the page, in pixels, into which a text is broken.
    """

    title: Sequence[str]
    parts: Sequence[Part]
    detail: Part | None = None
    meaning: str = "contribution"
    is_signed: bool = True
    room: tuple[int, int] = field(default=(800, 480))

    @property
    def has_text(self) -> bool:
        """Whether words stand on the colours."""
        return any(part.kind == "text" for part in self.parts)

    @property
    def color(self) -> ColorRange:
        """The range of the colours, which is one for all parts."""
        arrays = [part.values for part in self.parts if part.has_colors]
        if not arrays and self.detail is not None:
            arrays = [self.detail.values]
        ends: list[tuple[float, float]] = []
        for values in arrays:
            is_picture = values.ndim == 2 and values.size > 1_000
            found = limits(values, PERCENTILES if is_picture else (0, 100))
            ends.append((found.low, found.high))
        low, high = min((end[0] for end in ends), default=0.0), max((end[1] for end in ends), default=1.0)
        if self.is_signed:
            bound = max(abs(low), abs(high)) or 1.0
            return ColorRange(-bound, bound, "balance")
        return ColorRange(min(0.0, low), high if high > 0 else 1.0, "viridis")

    @property
    def beyond(self) -> float:
        """The share of the coloured values that lie beyond the ends of the colours."""
        color = self.color
        values = [part.values.reshape(-1) for part in self.parts if part.has_colors]
        if not values:
            return 0.0
        every = np.concatenate(values)
        return float(np.mean((every < color.low) | (every > color.high)))
