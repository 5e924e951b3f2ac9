"""`Menu`: a drop-down with its label, whose tooltip arrives."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from actwidget.errors import shown
from actwidget.widgets.assets import asset


class Menu(anywidget.AnyWidget):
    """A drop-down with a label in front of it.

    The drop-down of ipywidgets 8 shows its tooltip only if it has no label.
    """

    _esm = asset("menu.js")

    choices: Any = traitlets.List().tag(sync=True)
    """What can be chosen: for each choice its value and its text."""
    value = traitlets.Unicode("").tag(sync=True)
    """The value that is chosen."""
    label = traitlets.Unicode("").tag(sync=True)
    """The label."""
    tip = traitlets.Unicode("").tag(sync=True)
    """The tooltip."""

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        return f"Menu({shown(self.label)}, value={shown(self.value)})"

    @traitlets.validate("value")
    def _known(self, proposal: dict[str, Any]) -> str:
        if proposal["value"] not in [value for value, _text in self.choices]:
            message = f"Expected one of {[value for value, _text in self.choices]}, got {shown(proposal['value'])}."
            raise traitlets.TraitError(message)
        return str(proposal["value"])
