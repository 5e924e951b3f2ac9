"""Creates the ipywidgets of an explorer with few messages to the page."""

from __future__ import annotations

from typing import Any

import ipywidgets

from actwidget.widgets.ipywidgets7 import with_tooltip


class Parts:
    """Creates widgets that share one layout, and one style for each widget class.

    By default, ipywidgets gives each widget its own layout and style, and each of these is one more message of 1 to
    2 kB to the page.
    """

    def __init__(self) -> None:
        """Creates no widgets yet."""
        self._layout = ipywidgets.Layout()
        self._styles: dict[Any, Any] = {}
        self._made: list[Any] = []

    def make(self, kind: Any, /, *args: Any, css: str = "", **options: Any) -> Any:
        """Creates a widget of class `kind` with the CSS class `css`; `add_class` would need one more message."""
        if kind in self._styles:
            options["style"] = self._styles[kind]
        if css:
            options["_dom_classes"] = (css,)
        widget = kind(*args, layout=self._layout, **with_tooltip(kind, options))
        self._made.append(widget)
        if widget.has_trait("style"):
            self._styles.setdefault(kind, widget.style)
        return widget

    def close(self) -> None:
        """Closes all widgets, including the layout and the styles, which ipywidgets would leave open."""
        for widget in [*self._made, *self._styles.values(), self._layout]:
            widget.close()
