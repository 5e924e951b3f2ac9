"""The JavaScript and CSS that lie beside the widgets."""

from __future__ import annotations

from importlib.resources import files


def asset(name: str) -> str:
    """The text of a file of this package.

    Widgets get their source as text: as a path, anywidget would watch the file and so keep every instance alive.
    """
    return files("actwidget.widgets").joinpath(name).read_text(encoding="utf-8")
