"""`CodePanel`: a button that shows a piece of code and copies it."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from actwidget.widgets.assets import asset


class CodePanel(anywidget.AnyWidget):
    """A button that unfolds a panel with source code and a button that copies it."""

    _esm = asset("code.js")
    _css = asset("code.css")

    code = traitlets.Unicode("").tag(sync=True)
    """The source."""
    note = traitlets.Unicode("").tag(sync=True)
    """A sentence above the source."""
    label = traitlets.Unicode("Code").tag(sync=True)
    """The label of the button."""

    def __init__(self, code: str = "", **kwargs: Any) -> None:
        """Shows `code` when the button is pressed."""
        super().__init__(code=code, **kwargs)

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        return f"CodePanel({len(self.code.splitlines())} lines)"
