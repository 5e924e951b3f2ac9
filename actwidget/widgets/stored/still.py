"""The still: a snapshot of an explorer for places without a kernel, in a second output below that of the widget.

It shows the view that was on screen when the cell ran, and stays as it is: what a person clicks later belongs to no
cell. It is a separate output because a notebook never falls back from a widget to another form of the same output: when
a saved notebook is opened again, JupyterLab shows "model not found" instead. While the explorer is on the page, its
style hides the still. Without a kernel the explorer is missing, so the still is visible, and the still's own style
hides JupyterLab's message.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from IPython.display import publish_display_data

from actwidget.errors import short
from actwidget.figures import still_pngs
from actwidget.widgets import html
from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actwidget.explorer.description.facts import Fact
    from actwidget.explorer.drawing import Table
    from actwidget.explorer.shown import Shown
    from actwidget.figures.still import Pngs

ADVICE = "Snapshot. Run this cell for the interactive explorer."
ROWS, ROW = 16, 24
"""How many rows of a table a still shows, and the height of each in pixels."""
# The element with the outputs of one cell: in JupyterLab, Notebook and Voila; in VS Code; elsewhere (Colab) the page.
_AREA = ":is(.jp-OutputArea,.cell_container,body:not(:has(.jp-OutputArea,.cell_container)))"
# A figure that is not drawn and will not be, because no kernel is behind it. One that has a kernel is only loading.
_WAITING = ".jupyter-widgets-disconnected .actw-plot-waiting:not(.actw-plot-failed)"

_made: Counter[str] = Counter()  # how many explorers were created under each name


class Snapshot(NamedTuple):
    """The contents of a still.

    Attributes:
        caption: The layer, the view, the sample, and what the layer gives.
        heading: The model's name and size.
        alt: The alt text of the figure.
        facts: The statistics of the layer.
        figure: The figure, as a dict of `data` and `layout`.
    """

    caption: str
    heading: str
    alt: str
    facts: Sequence[Fact] | str
    figure: Mapping[str, Any]

    @classmethod
    def of(cls, heading: str, shown: Shown) -> Snapshot:
        """A snapshot of what is on screen.

        Args:
            heading: The model's name and size.
            shown: What is on screen.
        """
        drawing = shown.drawing
        figure = drawing.with_inspection if drawing.table is None else _table_figure(drawing.table)
        return cls(shown.caption, heading, drawing.alt, drawing.facts, figure)

    @property
    def numbers(self) -> str:
        """The statistics in one line."""
        facts = self.facts
        return facts if isinstance(facts, str) else " · ".join(f"{fact.term} {fact.text}" for fact in facts)


class Still:
    """The still of one explorer."""

    def __init__(self, about: str) -> None:
        """Shows nothing yet.

        Args:
            about: A description of the explorer's initial view. The still is named after it, so that its name is the
                same on every run and an executed notebook does not change.
        """
        name = hashlib.sha256(about.encode(errors="replace")).hexdigest()[:12]
        _made[name] += 1
        self._key = f"{name}-{_made[name]}"

    @property
    def live(self) -> str:
        """The CSS class of the explorer's element on the page."""
        return f"actw-live-{self._key}"

    @property
    def hiding(self) -> str:
        """The CSS rule that hides the still; it has to be on the page for as long as the explorer is.

        It hides the still only in an output area that contains the explorer, since a still of another notebook, or of
        an earlier kernel, can have the same name.
        """
        area = f"{_AREA}:has(.{self.live}):not(:has(.{self.live} {_WAITING}))"
        still = f".actw-still-{self._key}"
        return f"{area} :is({still},.jp-OutputArea-child:has({still})){{display:none}}"

    def show(self, snapshot: Snapshot) -> None:
        """Shows the still as an output of the running cell.

        Args:
            snapshot: The contents of the still.
        """
        publish(bundle(snapshot, self._key))

    def hold_place(self) -> None:
        """Adds an empty output to the running cell, which `fill_place` turns into the still later on."""
        publish({"text/html": _PLACE.format(key=self._key)}, transient=self._place)

    def fill_place(self, snapshot: Snapshot) -> None:
        """Shows the still where its place is; without one nothing happens.

        Args:
            snapshot: The contents of the still.
        """
        publish(bundle(snapshot, self._key), transient=self._place, update=True)

    @property
    def _place(self) -> dict[str, str]:
        return {"display_id": f"actw-still-{self._key}"}


def publish(data: dict[str, Any], **options: Any) -> None:
    """Adds an output to the running cell; `data` maps MIME types to representations of it."""
    publish_display_data(data, **options)  # type: ignore[no-untyped-call]


def bundle(snapshot: Snapshot, key: str) -> dict[str, Any]:
    """The still as HTML with the statistics as text, and as a plain PNG for print.

    Args:
        snapshot: Its contents.
        key: What tells it from other stills of a page.
    """
    pngs = _pngs(snapshot)
    picture = f"<p><strong>{escape(snapshot.caption)}</strong></p>"  # otherwise it is in the picture
    if pngs is not None:
        alt = escape(f"{snapshot.caption}. {snapshot.alt}")
        picture = f'<img alt="{alt}" src="data:image/png;base64,{_base64(pngs.page)}">'
    text = _HTML.format(
        key=key, style=asset("still.css"), picture=picture, numbers=html.facts(snapshot.facts), advice=ADVICE
    )
    return {"text/html": text, **_printed(pngs)}


def picture_of(snapshot: Snapshot) -> dict[str, Any]:
    """The still as a plain PNG alone; empty where the view can't be made small enough."""
    return _printed(_pngs(snapshot))


def _pngs(snapshot: Snapshot) -> Pngs | None:
    return still_pngs(snapshot.figure, [snapshot.caption, snapshot.heading], [snapshot.numbers, ADVICE])


def _printed(pngs: Pngs | None) -> dict[str, Any]:
    return {} if pngs is None else {"image/png": _base64(pngs.print)}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _table_figure(table: Table) -> dict[str, Any]:
    """The first rows of a table as a figure."""
    columns = {name: np.asarray(values) for name, values in table.columns.items()}
    count = min((len(values) for values in columns.values()), default=0)
    cells = [[_cell(value) for value in values[:ROWS].tolist()] for values in columns.values()]
    trace = {"type": "table", "header": {"values": list(columns)}, "cells": {"values": cells, "height": ROW}}
    words = short(table.label) + (f" · the first {ROWS} of {count:,}" if count > ROWS else "")
    title = {"text": escape(words), "font": {"size": 12}, "x": 0, "xref": "paper"}
    margin = {"l": 8, "r": 8, "t": 30, "b": 8}
    return {"data": [trace], "layout": {"title": title, "margin": margin, "height": ROW * (min(count, ROWS) + 1) + 46}}


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


_PLACE = '<span class="actw-still-{key}"></span>'
_HTML = """<style>{style}</style>
<figure class="actw-still actw-still-{key}">
{picture}
{numbers}
<figcaption>{advice}</figcaption>
</figure>"""
