"""`Composite`: a box of ipywidgets that in marimo is one anywidget with children.

Of all ipywidgets, marimo shows anywidgets alone. But it keeps the state of every ipywidget on the page, and gives the
script of an anywidget access to all of them. So the script `composite.js` draws the box with what is in it: anywidgets
as themselves, boxes and controls as plain elements.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Sequence


def in_marimo() -> bool:
    """Whether this code runs in a marimo notebook: in the editor, as an app or as a script."""
    marimo = sys.modules.get("marimo")
    return marimo is not None and marimo.app_meta().mode in ("edit", "run", "script")


class Composite(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no type hints
    """A column of widgets, which marimo can show too, as such or by `marimo.ui.anywidget`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Creates the box; the arguments are those of `ipywidgets.VBox`."""
        if in_marimo():  # elsewhere these would make every notebook larger, for nothing
            texts = {"_esm": asset("composite.js"), "_css": asset("composite.css")}
            self.add_traits(**{name: traitlets.Unicode(text).tag(sync=True) for name, text in texts.items()})
        super().__init__(*args, **kwargs)

    def share(self, names: Sequence[str]) -> None:
        """Makes traits part of the widget's state.

        In marimo they are then part of the widget's value, and a cell that reads the widget runs again when a person
        changes one of them on the page.

        Args:
            names: The names of the traits.
        """
        self.set_trait("keys", [*self.traits(sync=True), *names])
        self.send_state(list(names))
