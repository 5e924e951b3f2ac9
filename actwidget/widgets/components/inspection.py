"""`InspectionPanel`: the numbers of the selected channel as a list, and buttons for what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from ipywidgets import CallbackDispatcher

from actwidget.errors import short
from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actwidget.explorer.description.inspection import Inspection


class InspectionPanel(anywidget.AnyWidget):
    """Shows an `Inspection`; it takes no room while there is none."""

    _esm = asset("inspection.js")
    _css = asset("inspection.css")

    content = traitlets.Dict().tag(sync=True)
    """The `title`, the `facts` as `[term, text, is a warning]`, and the `actions` as `[label, tooltip]`."""

    def __init__(self, **kwargs: Any) -> None:
        """Shows nothing yet."""
        self._acted = CallbackDispatcher()
        self._changes: list[Mapping[str, Any]] = []
        super().__init__(**kwargs)
        self.on_msg(self._answer)

    def show(self, inspection: Inspection | None) -> None:
        """Shows an inspection, or nothing."""
        self._changes = [] if inspection is None else [action.changes for action in inspection.actions]
        self.content = inspection_content(inspection)

    def on_action(self, callback: Callable[[Mapping[str, Any]], None]) -> None:
        """Registers a function that is called with what a button changes of the selection."""
        self._acted.register_callback(callback)

    def _answer(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        index = content.get("action")
        if isinstance(index, int) and 0 <= index < len(self._changes):
            self._acted(self._changes[index])

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        return f"InspectionPanel({self.content.get('title', '')!r})"


def inspection_content(inspection: Inspection | None) -> dict[str, Any]:
    """An inspection as JSON values, which the page shows as text."""
    if inspection is None:
        return {}
    return {
        "title": short(inspection.title, 60),
        "facts": [[fact.term, short(fact.text, 120), fact.warns] for fact in inspection.facts],
        "actions": [[short(action.label, 60), action.tip] for action in inspection.actions],
    }
