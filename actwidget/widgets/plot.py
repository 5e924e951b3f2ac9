"""`PlotView`: a Plotly figure in a notebook, at the cost of the figure alone."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import anywidget
import plotly.graph_objects as go
import traitlets
from ipywidgets import CallbackDispatcher
from plotly.offline import get_plotlyjs
from plotly.utils import PlotlyJSONEncoder

from actwidget.errors import OptionError
from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Callable

_PLACEHOLDER = "actwidget:image:"


@cache
def plotlyjs_gzipped() -> bytes:
    """The plotly.js of the installed plotly package, compressed."""
    return gzip.compress(get_plotlyjs().encode("utf-8"), compresslevel=6, mtime=0)


class PlotView(anywidget.AnyWidget):
    """Shows a `plotly.graph_objects.Figure`.

    The first view on a page asks the kernel for plotly.js (1.5 MB, compressed, from the installed plotly package);
    later ones find it there, and nothing of it is saved in the notebook. Setting `figure` redraws all views.

    Attributes:
        figure: The figure; assign a new one to show it.
        alt: A text that stands for the figure where it can't be seen.

    Example:
        >>> import plotly.graph_objects as go
        >>> view = PlotView(go.Figure(go.Bar(y=[1, 3, 2])), alt="Three bars")
        >>> view
        PlotView(1 trace)
    """

    _esm = asset("plot.js")
    _css = asset("plot.css")

    alt = traitlets.Unicode("", help="A text that stands for the figure.").tag(sync=True)
    _spec = traitlets.Unicode("").tag(sync=True)
    # Pictures travel apart from the rest, so that a redraw with the same picture does not send it again.
    _images = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, figure: go.Figure | None = None, **kwargs: Any) -> None:
        """Shows `figure`, or an empty one."""
        self._clicked = CallbackDispatcher()
        super().__init__(**kwargs)
        self.figure = go.Figure() if figure is None else figure
        self.on_msg(self._answer)

    # No trait: at each assignment traitlets would compare the figures, which takes as long as drawing one.
    @property
    def figure(self) -> go.Figure:
        """The figure that is shown."""
        return self._figure

    @figure.setter
    def figure(self, figure: go.Figure) -> None:
        if not isinstance(figure, go.Figure):
            message = f"Expected a plotly.graph_objects.Figure, got {type(figure).__name__}."
            raise OptionError(message)
        self._figure = figure
        self._show()

    def on_click(self, callback: Callable[[list[Any]], None], *, remove: bool = False) -> None:
        """Calls `callback` with the `customdata` of a point or cell that was clicked.

        Args:
            callback: A function of one argument.
            remove: Whether to stop calling it.
        """
        self._clicked.register_callback(callback, remove=remove)

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        count = len(self.figure.data)
        return f"PlotView({count} trace{'s' * (count != 1)})"

    def _show(self) -> None:
        spec = self._figure.to_dict()
        pictures = [trace for trace in spec["data"] if trace["type"] == "image" and trace.get("source")]
        images = [trace["source"] for trace in pictures]
        for index, trace in enumerate(pictures):
            trace["source"] = f"{_PLACEHOLDER}{index}"
        # Colours come from the page, so the template that every figure carries stays here.
        spec["layout"].pop("template", None)
        with self.hold_sync():
            self._images = images
            # Not plotly's to_json, which writes each slash (of these base64 is full) as six characters.
            self._spec = json.dumps(spec, cls=PlotlyJSONEncoder, separators=(",", ":"))

    def _answer(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("kind") == "plotly.js":
            self.send({"kind": "plotly.js"}, buffers=[plotlyjs_gzipped()])
        elif content.get("kind") == "click" and isinstance(content.get("customdata"), list):
            self._clicked(content["customdata"])
