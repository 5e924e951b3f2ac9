"""`Composite`: a box of ipywidgets that is also an anywidget with children, which is all that marimo shows of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Iterable


def in_marimo() -> bool:
    """Whether this code runs in a marimo notebook."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


class Composite(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no type hints
    """A box that marimo can show, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Creates the box; the arguments are those of `ipywidgets.VBox`."""
        if in_marimo():  # elsewhere these would only make each notebook larger
            assets = {"_esm": asset("composite.js"), "_css": asset("composite.css")}
            self.add_traits(**{name: traitlets.Unicode(text).tag(sync=True) for name, text in assets.items()})
        super().__init__(*args, **kwargs)

    def share(self, names: Iterable[str]) -> None:
        """Makes traits part of the state that the page has."""
        names = list(names)
        self.keys = [*self.keys, *names]
        self.send_state(names)
