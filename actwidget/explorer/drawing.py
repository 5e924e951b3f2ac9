"""`Drawing`: the output of a view, for the widget and for the offline page alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from actwidget.errors import short
from actwidget.figures import message_figure
from actwidget.figures.parts.text import escape
from actwidget.figures.serialized import Serialized, serialize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from actwidget.explorer.description.facts import Fact
    from actwidget.explorer.description.inspection import Inspection
    from actwidget.explorer.navigation import Grid

FREE = 0.26
"""Below this share of its height the right third of a figure with an inspection is free."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table that is shown instead of the figure.

    Attributes:
        label: The accessible name of the table.
        columns: From the name of a column to its values, shape `(rows,)`; each row is a channel.
    """

    label: str
    columns: Mapping[str, ArrayLike]


@dataclass(frozen=True)
class Drawing:
    """The output of a view for one selection.

    Attributes:
        figure: The serialized figure.
        alt: The alt text of the figure.
        tell: Computes the statistics below the figure, as facts or as one sentence. It is a function because counting
            a large batch takes a while, and the figure can be sent before that.
        controls: The names of the controls that apply to this drawing; `None` for all controls of the view.
        grid: The items that the arrow keys move through.
        table: A table to show instead of the figure.
        inspection: What the inspector says of the selected channel; it stands over the lower right corner of the
            figure, which leaves it free, or below a narrow figure.
    """

    figure: Serialized
    alt: str
    tell: Callable[[], Sequence[Fact] | str] = str
    controls: tuple[str, ...] | None = None
    grid: Grid | None = None
    table: Table | None = None
    inspection: Inspection | None = None

    def __post_init__(self) -> None:
        """Limits the length of the alt text, which may contain very long layer names."""
        object.__setattr__(self, "alt", short(self.alt, 1500))

    @classmethod
    def of(cls, figure: Mapping[str, Any], alt: str, **more: Any) -> Drawing:
        """A drawing from a figure given as a dict of `data` and `layout`."""
        return cls(serialize(dict(figure)), alt, **more)

    @classmethod
    def message(cls, title: str, text: str) -> Drawing:
        """A drawing that shows one sentence instead of a picture."""
        return cls.of(message_figure(title, text).to_dict(), f"{title}: {text}")

    @property
    def nbytes(self) -> int:
        """The approximate size in bytes."""
        figure = self.figure
        # Large arrays are held twice: as numbers, and in their serialized form.
        return sum(map(len, (figure.spec, self.alt, *figure.images))) + 2 * sum(map(len, figure.arrays))

    @cached_property
    def facts(self) -> Sequence[Fact] | str:
        """The statistics below the figure: the result of `tell`, computed once."""
        return self.tell()

    @property
    def with_inspection(self) -> dict[str, Any]:
        """The figure as a dict, with the facts of the inspection as text in the corner that it leaves free."""
        figure = self.figure.figure
        if self.inspection is None or not self.inspection.facts:
            return figure
        lines = [f"{escape(fact.term)}: {escape(fact.text)}" for fact in self.inspection.facts]
        note = {"text": "<br>".join(lines), "x": 0.69, "y": FREE, "xref": "paper", "yref": "paper", "showarrow": False}
        note |= {"xanchor": "left", "yanchor": "top", "align": "left", "font": {"size": 12}}
        layout = figure["layout"]
        return {**figure, "layout": {**layout, "annotations": [*(layout.get("annotations") or ()), note]}}
