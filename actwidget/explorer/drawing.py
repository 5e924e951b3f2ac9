"""`Drawing`: what a view makes of a selection, for any screen or page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from actwidget.errors import short
from actwidget.figures import message_figure
from actwidget.figures.serialized import Serialized, serialize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from actwidget.explorer.facts import Fact
    from actwidget.explorer.navigation import Grid


@dataclass(frozen=True, eq=False)
class Table:
    """A table that is shown in the figure's place.

    Attributes:
        label: What it is called.
        columns: For each name the values of a column, shape `(rows,)`; a row is a channel.
    """

    label: str
    columns: Mapping[str, ArrayLike]


@dataclass(frozen=True)
class Drawing:
    """What is shown of a selection.

    Attributes:
        figure: The figure, as a page takes it.
        alt: A text that stands for the figure where it can't be seen.
        tell: Gives the statistics below the figure as facts, or a sentence. Those of a large batch take a while to
            count, and the figure can be on its way before.
        controls: The names of the controls that have a use here; `None` for all of the view's.
        grid: What arrow keys move through.
        table: What is shown in the figure's place.
    """

    figure: Serialized
    alt: str
    tell: Callable[[], Sequence[Fact] | str] = str
    controls: tuple[str, ...] | None = None
    grid: Grid | None = None
    table: Table | None = None

    def __post_init__(self) -> None:
        """Limits the length of the alt text, whatever names are in it."""
        object.__setattr__(self, "alt", short(self.alt, 1500))

    @classmethod
    def of(cls, figure: Mapping[str, Any], alt: str, **more: Any) -> Drawing:
        """The drawing of a figure that is a dict of `data` and `layout`."""
        return cls(serialize(dict(figure)), alt, **more)

    @classmethod
    def message(cls, title: str, text: str) -> Drawing:
        """One sentence in place of a picture."""
        return cls.of(message_figure(title, text).to_dict(), f"{title}: {text}")

    @property
    def nbytes(self) -> int:
        """About how many bytes it takes."""
        figure = self.figure
        # Large arrays are there twice: as numbers, and as the page takes them.
        return sum(map(len, (figure.spec, self.alt, *figure.images))) + 2 * sum(map(len, figure.arrays))

    @cached_property
    def facts(self) -> Sequence[Fact] | str:
        """What `tell` gives, counted once."""
        return self.tell()
