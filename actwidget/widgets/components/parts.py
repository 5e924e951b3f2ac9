"""The small widgets that an explorer is put together from."""

from __future__ import annotations

from typing import Any

import ipywidgets


class Parts:
    """Makes widgets that share one layout, and one style for each kind.

    ipywidgets gives each widget a layout and a style of its own: each is one more message of 1 to 2 kB to the page.
    """

    def __init__(self) -> None:
        """Has made nothing yet."""
        self._layout = ipywidgets.Layout()
        self._styles: dict[Any, Any] = {}
        self._made: list[Any] = []

    def make(self, kind: Any, *args: Any, css: str = "", **options: Any) -> Any:
        """A widget of a class, with the CSS class `css` from the start (`add_class` is a message more)."""
        if kind in self._styles:
            options["style"] = self._styles[kind]
        if css:
            options["_dom_classes"] = (css,)
        widget = kind(*args, layout=self._layout, **options)
        self._made.append(widget)
        if widget.has_trait("style"):
            self._styles.setdefault(kind, widget.style)
        return widget

    def close(self) -> None:
        """Closes all that was made; layouts and styles are widgets too, which ipywidgets leaves open."""
        for widget in [*self._made, *self._styles.values(), self._layout]:
            widget.close()
