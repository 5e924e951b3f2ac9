"""What the figure of a comparison shows: its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actwidget.figures.parts.nonfinite import precise
from actwidget.figures.parts.palette import MUTED
from actwidget.figures.parts.text import colored, escape, number, probability
from actwidget.figures.values import CATEGORY_COLORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from actwidget.analysis.difference import Difference

COLORS = (MUTED, CATEGORY_COLORS[2])
"""The colours of the lines and bars of the two."""


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two that are compared.

    Attributes:
        name: What it is called.
        values: One sample of the layer, `(..., height, width, channels)`, `(time, units)` or `(units,)`.
        answer: The model's answer for it, in words; `""` if there is none.
        picture: The input, shape `(height, width, 1 or 3)`; `None` if it is no picture.
    """

    name: str
    values: NDArray[Any]
    answer: str = ""
    picture: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class ComparisonContent:
    """What the figure of a comparison shows.

    Attributes:
        title: The layer's path.
        sides: The two.
        difference: The values of the second minus those of the first.
        channel_label: What a channel is called.
        channel: The channel that is selected; without one, that which differs most is shown large.
        at: Of a volume the slice, an index for each axis before height and width; by default the middle.
        names: What the channels are called; `None` for their numbers.
        is_share: Whether the values are probabilities.
    """

    title: str
    sides: tuple[Side, Side]
    difference: Difference
    channel_label: str = "channel"
    channel: int | None = None
    at: tuple[int, ...] | None = None
    names: Sequence[str] | None = None
    is_share: bool = False

    @property
    def large(self) -> int:
        """The channel that is shown large."""
        return int(self.difference.order[0]) if self.channel is None else self.channel

    @property
    def legend(self) -> list[str]:
        """The names of the two, each behind a square in the colour of its lines and bars."""
        return [
            f"{colored('■', color)} {escape(side.name, 20)}" for side, color in zip(self.sides, COLORS, strict=True)
        ]

    def name_of(self, channel: int) -> str:
        """What a channel is called.

        Args:
            channel: Its index.

        Returns:
            "channel 3", or the name of a class.
        """
        return f"{self.channel_label} {channel}" if self.names is None else self.names[channel]

    def in_words(self, value: float) -> str:
        """A value as a person says it.

        Args:
            value: A probability, a number, or the difference of two.

        Returns:
            "94 %" for a probability, "1.23" for a number.
        """
        if self.is_share:
            return probability(value) if value >= 0 else f"-{probability(-value)}"
        return number(value) if abs(value) < float("inf") else precise(value)
