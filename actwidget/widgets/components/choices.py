"""`Choices`: one of several named things is chosen, by tabs or by a switch of a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anywidget
import traitlets

from actwidget.errors import shown
from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actwidget.explorer.registry import Tab


class Choices(anywidget.AnyWidget):
    """A row of tabs or of joined buttons. One that can't be chosen is dimmed, and its tooltip says why.

    Example:
        >>> choices = Choices(label="Scope", items=[{"name": "layer", "label": "Layer"}], value="layer")
        >>> choices
        Choices('layer')
    """

    _esm = asset("choices.js")
    _css = asset("choices.css")

    items = traitlets.List(traitlets.Dict()).tag(sync=True)
    """What can be chosen: `name`, `label`, and as options `tip`, a tooltip, and `reason`, why it can't be chosen."""
    value = traitlets.Unicode("").tag(sync=True)
    """The name of what is chosen. It need not be among the items: then none is marked."""
    label = traitlets.Unicode("").tag(sync=True)
    """The accessible name of the row, which is on screen in a row of controls."""
    kind = traitlets.Enum(["tabs", "segments"], default_value="tabs").tag(sync=True)
    """How the row looks and what it is for assistive technology: tabs, or a switch of joined buttons."""

    def show_tabs(self, tabs: Iterable[Tab], chosen: str) -> None:
        """Shows the tabs of views.

        Args:
            tabs: The tabs in their order.
            chosen: The name of the view on screen.
        """
        items = tab_items(tabs)
        with self.hold_sync():
            if items != self.items:
                self.items = items
            self.value = chosen

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        return f"Choices({shown(self.value)})"


def tab_items(tabs: Iterable[Tab]) -> list[dict[str, str]]:
    """Tabs as the `items` of a `Choices`."""
    return [
        {"name": tab.name, "label": tab.label, "tip": tab.question}
        | ({"reason": tab.reason} if tab.reason is not None else {})
        for tab in tabs
    ]
