"""`PlotView`: shows a Plotly figure in a notebook and stores nothing but the figure in it."""

from __future__ import annotations

import base64
import gzip
import secrets
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import plotly.graph_objects as go
import traitlets
from ipywidgets import CallbackDispatcher
from plotly.offline import get_plotlyjs

from actwidget.errors import OptionError
from actwidget.figures.serialized import PNG, Serialized, serialize
from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "Escape", "Enter")
_KERNEL = secrets.token_hex(4)


@cache
def plotlyjs_gzipped() -> bytes:
    """The plotly.js of the installed plotly package, compressed."""
    return gzip.compress(get_plotlyjs().encode("utf-8"), compresslevel=6, mtime=0)


def _packed(images: list[str]) -> list[bytes]:
    return [base64.b64decode(image.removeprefix(PNG)) for image in images]


def _drawable(figure: go.Figure | Serialized) -> tuple[go.Figure | None, Serialized]:
    """The Plotly figure, if one was given, and the serialized figure."""
    if isinstance(figure, go.Figure):
        return figure, serialize(figure.to_dict())
    if isinstance(figure, Serialized):
        return None, figure
    message = f"Expected a plotly.graph_objects.Figure, got {type(figure).__name__}."
    raise OptionError(message)


class PlotView(anywidget.AnyWidget):
    """Shows a `plotly.graph_objects.Figure`.

    The first view on a page loads plotly.js from the kernel (1.5 MB compressed, from the installed plotly package).
    Later views reuse it, and the notebook file does not contain it. Setting `figure` redraws all views.

    Example:
        >>> import plotly.graph_objects as go
        >>> view = PlotView(go.Figure(go.Bar(y=[1, 3, 2])), alt="Three bars")
        >>> view
        PlotView(1 trace)
    """

    _esm = asset("plot.js")
    _css = asset("plot.css")

    alt = traitlets.Unicode("").tag(sync=True)
    """The alt text of the figure."""
    busy = traitlets.Bool(False).tag(sync=True)
    """Whether the next figure is being computed; meanwhile the last one is dimmed."""
    arrows = traitlets.Bool(False).tag(sync=True)
    """Whether the figure can be focused and reports key presses, see `on_key`."""
    _kernel = traitlets.Unicode(_KERNEL).tag(sync=True)  # a page can show views of several kernels
    # The figure's width and height on the page in pixels, in steps: the page sets it. Empty before it is on a page.
    _room = traitlets.List(traitlets.Int()).tag(sync=True)
    _spec = traitlets.Unicode("").tag(sync=True)
    # What the page of any figure told last: a further explorer is drawn for it at once, so that its pictures go once.
    _latest_room: ClassVar[tuple[int, int] | None] = None
    # Pictures and large arrays are separate traits, so that a redraw with the same ones does not send them again. They
    # are bytes, which the kernel, the server and the page pass on without parsing them as text.
    _images = traitlets.List(traitlets.Bytes()).tag(sync=True)
    _arrays = traitlets.List(traitlets.Bytes()).tag(sync=True)

    def __init__(self, figure: go.Figure | None = None, **kwargs: Any) -> None:
        """Shows a figure.

        Args:
            figure: The figure; by default an empty one.
            **kwargs: `alt`, and what `anywidget.AnyWidget` takes.
        """
        self._clicked = CallbackDispatcher()
        self._pressed = CallbackDispatcher()
        self._hovered: Callable[[int], bytes] | None = None
        self._figure, self._shown = _drawable(go.Figure() if figure is None else figure)
        shown = self._shown
        super().__init__(_images=_packed(shown.images), _arrays=shown.arrays, _spec=shown.spec, **kwargs)
        self.on_msg(self._answer)

    # Not a trait: traitlets would compare the figures at each assignment, which takes as long as drawing one.
    @property
    def figure(self) -> go.Figure:
        """The figure that is shown; assigning another one redraws all views.

        Raises:
            OptionError: The assigned value is not a `plotly.graph_objects.Figure`.
        """
        if self._figure is None:
            self._figure = go.Figure(self._shown.figure)
        return self._figure

    @figure.setter
    def figure(self, figure: go.Figure | Serialized) -> None:
        before = self._shown.images
        self._figure, self._shown = _drawable(figure)
        with self.hold_sync():
            if self._shown.images != before:  # selecting another channel often leaves the pictures unchanged
                self._images = _packed(self._shown.images)
            self._arrays = self._shown.arrays
            self._spec = self._shown.spec

    @property
    def room(self) -> tuple[int, int] | None:
        """The figure's width and height on the page, in pixels, in steps.

        Before its page has told them, they are those of the figure whose page told them last; `None` before any has.
        """
        return (self._room[0], self._room[1]) if len(self._room) == 2 else PlotView._latest_room

    @traitlets.observe("_room")
    def _remember_room(self, _change: Any) -> None:
        PlotView._latest_room = self.room

    @property
    def images(self) -> list[str]:
        """The pictures in the figure (of its image traces), as data URIs of PNGs, in the order of the traces."""
        return list(self._shown.images)

    def on_click(self, callback: Callable[[list[Any]], None], *, remove: bool = False) -> None:
        """Registers a function that is called with the `customdata` of each point or cell that is clicked.

        Args:
            callback: A function of one argument, a list.
            remove: Whether to unregister it instead.
        """
        if not callable(callback):
            message = f"Expected a callable of one argument, got {type(callback).__name__}."
            raise OptionError(message)
        self._clicked.register_callback(callback, remove=remove)

    def on_key(self, callback: Callable[[str], None], *, remove: bool = False) -> None:
        """Registers a function that is called with the name of each key pressed in the figure: `"ArrowLeft"`, ...

        Args:
            callback: A function of one argument, the name of a key.
            remove: Whether to unregister it instead.
        """
        self._pressed.register_callback(callback, remove=remove)

    def on_hover(self, picture_of: Callable[[int], bytes] | None) -> None:
        """Sets what gives a small picture of the sample under the pointer, in traces with `meta="thumbnails"`.

        Args:
            picture_of: A function of the sample's number, the second entry of the point's `customdata` after
                `"scanned"`. It returns the bytes of a PNG or JPEG, `b""` for none.
        """
        self._hovered = picture_of

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        count = len(self.figure.data)
        return f"PlotView({count} trace{'s' * (count != 1)})"

    def _answer(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("kind") == "plotly.js":
            self.send({"kind": "plotly.js"}, buffers=[plotlyjs_gzipped()])
        elif content.get("kind") == "click" and isinstance(content.get("customdata"), list):
            self._clicked(content["customdata"])
        elif content.get("kind") == "hover" and isinstance(number := content.get("sample"), int):
            picture = b"" if self._hovered is None else self._hovered(number)
            self.send({"kind": "thumbnail", "sample": number}, buffers=[picture])
        elif content.get("kind") == "key" and content.get("key") in KEYS:
            self._pressed(content["key"])
