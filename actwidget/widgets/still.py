"""The still picture of an explorer for where no kernel runs, in an output of its own beside the widget's.

Where a widget should be a host shows nothing else: JupyterLab says "model not found" in a notebook opened once more.
So the still is a second output. The explorer's own style hides it while the explorer is drawn beside it. With no kernel
it is not, and the still remains; its style hides what JupyterLab says in the widget's place.
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
"""A picture is made smaller till it takes no more than this; in a notebook it stands twice, in base64."""
WIDTH = 560
PAUSE = 5.0
"""So many seconds after the last change of view its still is sent: no click should have to wait for it."""
# What holds the outputs of one cell: in JupyterLab, Notebook and Voila, in VS Code, elsewhere (Colab) the whole page.
_AREA = ":is(.jp-OutputArea,.cell_container,body:not(:has(.jp-OutputArea,.cell_container)))"
_DRAWN = ".actw-plot-graph:first-child,.actw-table"  # before the graph stands what is said while there is none

_made: Counter[str] = Counter()  # how many explorers there were of each name


class Snapshot(NamedTuple):
    """What a still says of an explorer: the model, the alt text, the statistics as HTML, and the figure's pictures."""

    title: str
    alt: str
    numbers: str
    images: Sequence[str]


class Still:
    """The still picture of one explorer."""

    def __init__(self, about: str) -> None:
        """Nothing is shown yet.

        Args:
            about: What the explorer shows at first, in words. The still's name comes from it, the same on every run, so
                that an executed notebook does not change.
        """
        name = hashlib.sha256(about.encode(errors="replace")).hexdigest()[:12]
        _made[name] += 1
        self._key = f"{name}-{_made[name]}"
        self._shown = False
        self._timer: asyncio.TimerHandle | None = None
        self._snapshot: Callable[[], Snapshot] | None = None  # what the timer will show

    @property
    def live(self) -> str:
        """The class that the explorer has on the page."""
        return f"actw-live-{self._key}"

    @property
    def hiding(self) -> str:
        """The style rule that hides the still; it has to be on the page for as long as the explorer is.

        A still is hidden only beside a view of the explorer: one of another notebook, or of an earlier kernel, can have
        the same name.
        """
        area = f"{_AREA}:has(.{self.live} :is({_DRAWN}))"
        still = f".actw-still-{self._key}"
        return f"{area} :is({still},.jp-OutputArea-child:has({still})){{display:none}}"

    def show(self, snapshot: Snapshot) -> None:
        """Shows the still as an output of the running cell.

        Args:
            snapshot: What is on screen.
        """
        self._shown = True
        self._publish(snapshot, update=False)

    def later(self, snapshot: Callable[[], Snapshot]) -> None:
        """Brings what has been shown up to date, soon; without an event loop (no page is there) it stays."""
        self.cancel()
        if self._shown:
            with suppress(RuntimeError):
                self._snapshot = snapshot
                self._timer = asyncio.get_running_loop().call_later(PAUSE, weakly(self._follow))

    def _follow(self) -> None:
        if self._snapshot is not None:
            self._publish(self._snapshot(), update=True)

    def cancel(self) -> None:
        """Sends nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._snapshot = None, None

    def _publish(self, snapshot: Snapshot, *, update: bool) -> None:
        transient = {"display_id": f"actwidget-{self._key}"}
        publish(bundle(snapshot, self._key), transient=transient, update=update)


def weakly(method: Callable[[], None]) -> Callable[[], None]:
    """A method as a loop can wait to call it without keeping the method's owner alive."""
    weak = WeakMethod(method)

    def call() -> None:
        if (known := weak()) is not None:
            known()

    return call


def publish(data: dict[str, Any], **options: Any) -> None:
    """Makes an output of the running cell; `data` holds its forms by MIME type."""
    publish_display_data(data, **options)  # type: ignore[no-untyped-call]


def bundle(snapshot: Snapshot, key: str) -> dict[str, Any]:
    """The still as HTML with its numbers as text, and as a plain PNG for print."""
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
