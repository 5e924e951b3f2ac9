"""The still: a snapshot of an explorer for places without a kernel, in a second output below that of the widget.

It is a separate output because a notebook never falls back from a widget to another form of the same output: when a
saved notebook is opened again, JupyterLab shows "model not found" instead. While the explorer is on the page, its style
hides the still. Without a kernel the explorer is missing, so the still is visible, and the still's own style hides
JupyterLab's message.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import math
from collections import Counter
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakMethod

from IPython.display import publish_display_data

from actwidget.figures import still_png
from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_BYTES = 60_000
"""A picture is scaled down until it takes no more bytes than this; the notebook file contains it twice, in base64."""
WIDTH = 560
PAUSE = 5.0
"""The still is updated this many seconds after the last change of the view, so that no click has to wait for it."""
# The element with the outputs of one cell: in JupyterLab, Notebook and Voila; in VS Code; elsewhere (Colab) the page.
_AREA = ":is(.jp-OutputArea,.cell_container,body:not(:has(.jp-OutputArea,.cell_container)))"
# A figure or table that has been drawn. A graph that has not been drawn yet is preceded by a message, so it is not the
# first child.
_DRAWN = ".actw-plot-graph:first-child,.actw-table"

_made: Counter[str] = Counter()  # how many explorers were created under each name


class Snapshot(NamedTuple):
    """The contents of a still: the model's name, the alt text, the statistics as HTML, and the figure's pictures."""

    title: str
    alt: str
    numbers: str
    images: Sequence[str]


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
        self._shown = False
        self._timer: asyncio.TimerHandle | None = None
        self._snapshot: Callable[[], Snapshot] | None = None  # takes the snapshot when the timer fires

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
        area = f"{_AREA}:has(.{self.live} :is({_DRAWN}))"
        still = f".actw-still-{self._key}"
        return f"{area} :is({still},.jp-OutputArea-child:has({still})){{display:none}}"

    def show(self, snapshot: Snapshot) -> None:
        """Shows the still as an output of the running cell.

        Args:
            snapshot: The contents of the still.
        """
        self._shown = True
        self._publish(snapshot, update=False)

    def later(self, snapshot: Callable[[], Snapshot]) -> None:
        """Schedules an update of a still that is shown; without an event loop there is no page to update."""
        self.cancel()
        if self._shown:
            with suppress(RuntimeError):
                self._snapshot = snapshot
                self._timer = asyncio.get_running_loop().call_later(PAUSE, weakly(self._update))

    def _update(self) -> None:
        if self._snapshot is not None:
            self._publish(self._snapshot(), update=True)

    def cancel(self) -> None:
        """Cancels a scheduled update."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._snapshot = None, None

    def _publish(self, snapshot: Snapshot, *, update: bool) -> None:
        transient = {"display_id": f"actwidget-{self._key}"}
        publish(bundle(snapshot, self._key), transient=transient, update=update)


def weakly(method: Callable[[], None]) -> Callable[[], None]:
    """A function that calls a method if the method's owner still exists, and does not keep the owner alive."""
    reference = WeakMethod(method)

    def call() -> None:
        if (alive := reference()) is not None:
            alive()

    return call


def publish(data: dict[str, Any], **options: Any) -> None:
    """Adds an output to the running cell; `data` maps MIME types to representations of it."""
    publish_display_data(data, **options)  # type: ignore[no-untyped-call]


def bundle(snapshot: Snapshot, key: str) -> dict[str, Any]:
    """The still as HTML with the statistics as text, and as a plain PNG for print."""
    png = _bounded(snapshot.images) if snapshot.images else None
    picture = f'<img alt="{escape(snapshot.alt)}" src="data:image/png;base64,{png}">' if png else ""
    text = _HTML.format(
        key=key,
        style=asset("still.css"),
        title=escape(snapshot.title),
        picture=picture,
        alt=escape(snapshot.alt),
        numbers=snapshot.numbers,
    )
    return {"text/html": text} | ({"image/png": png} if png else {})


def _bounded(images: Sequence[str]) -> str | None:
    width = WIDTH
    while width > WIDTH // 16:
        png = still_png([], images, width=width)
        if len(png) <= MAX_BYTES:
            return base64.b64encode(png).decode("ascii")
        width = int(width * min(0.9 * math.sqrt(MAX_BYTES / len(png)), 0.9))
    return None


_HTML = """<style>{style}</style>
<figure class="actw-still actw-still-{key}">
<p><strong>{title}</strong></p>
{picture}
<p>{alt}</p>
{numbers}
<figcaption>A still picture: no kernel runs the explorer. Run the cell to bring it back.</figcaption>
</figure>"""
