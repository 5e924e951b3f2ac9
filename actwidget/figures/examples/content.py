"""What the figure of examples shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Shown:
    """One sample as the figure shows it: as a picture, as words, as a line, or by its number alone.

    Attributes:
        number: The sample's number in the data.
        value: The channel's largest value for it.
        label: Its class; `""` if that is not known.
        place: Where that value stands in the map, in words; `""` for a unit.
        pixels: The part of the picture that is shown, uint8 `(height, width, 3)`; `None` for no picture.
        words: The texts of its steps or the values of its features; empty for none.
        at: Which of the words the value stands at; `None` where that is not known.
        line: A sequence of numbers, shape `(steps, features)`; `None` for none.
        span: The steps of the line that the value depends on, from the first to the one after the last; `None` for all.
    """

    number: int
    value: float
    label: str = ""
    place: str = ""
    pixels: NDArray[Any] | None = None
    words: Sequence[str] = ()
    at: int | None = None
    line: NDArray[Any] | None = None
    span: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class ClassMeans:
    """The mean of a channel by class.

    Attributes:
        names: Of the classes.
        means: float64 `(classes,)`.
        marked: Those that the channel is about, by their place.
        total: How many classes there are; those that are left out have smaller means.
        sentence: What the channel is about, in words; `""` if there is nothing to say.
    """

    names: Sequence[str]
    means: NDArray[Any]
    marked: Sequence[int] = ()
    total: int = 0
    sentence: str = ""


@dataclass(frozen=True, eq=False)
class ExamplesContent:
    """What the figure shows.

    Attributes:
        title: The layer's path.
        words: What else stands in the title.
        examples: The samples, the largest value first.
        classes: The means by class; `None` without labels.
        marked: Which of the examples is marked; `None` for none.
        room: The width and height of the figure on the page, in pixels.
    """

    title: str
    words: Sequence[str]
    examples: Sequence[Shown]
    classes: ClassMeans | None = None
    marked: int | None = None
    room: tuple[int, int] = (800, 480)
