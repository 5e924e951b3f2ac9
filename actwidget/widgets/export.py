"""Exports of an explorer: an offline page and an image file."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actwidget.errors import MissingPackageError
from actwidget.widgets import html
from actwidget.widgets.components.tree import packed_rows
from actwidget.widgets.page import html_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import plotly.graph_objects as go

    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.drawing import Drawing
    from actwidget.widgets.components.tree import Row

WIDTH, SCALE = 1000, 2
"""The width of a picture of a figure, in the units of its layout, and how many pixels each of them has."""


def write_page(
    path: str | Path, heading: str, rows: Sequence[Row], drawings: Iterable[tuple[LayerNode, Drawing]], max_bytes: int
) -> list[str]:
    """Writes one HTML file in which layers can be browsed without a kernel or a network.

    Args:
        path: The file to write.
        heading: The model's name and size.
        rows: The rows of the layer tree.
        drawings: The layers to store, each with its drawing.
        max_bytes: How many bytes of pictures are stored at most; layers that do not fit are left out.

    Returns:
        The paths of the layers that were stored.
    """
    stored: dict[str, dict[str, Any]] = {}
    remaining = max_bytes
    for node, drawing in drawings:
        serialized = drawing.figure
        arrays = [base64.b64encode(array).decode("ascii") for array in serialized.arrays]
        size = sum(map(len, (serialized.spec, *serialized.images, *arrays)))
        facts = html.facts(drawing.facts)
        if size <= remaining:
            figure = {"spec": serialized.spec, "images": serialized.images, "arrays": arrays}
            stored[node.path] = {**figure, "alt": drawing.alt, "numbers": facts, "title": html.title(node, "")}
            remaining -= size
    first = next(iter(stored), "")
    Path(path).write_text(html_page(heading, packed_rows(rows), stored, first), encoding="utf-8")
    return list(stored)


def write_image(figure: go.Figure, path: str | Path, **options: Any) -> None:
    """Writes a figure to an image file with Plotly, by default in the size that it has on a wide screen.

    Raises:
        MissingPackageError: A package or program that Plotly needs for this is not installed.
    """
    try:
        figure.write_image(str(path), **{"width": WIDTH, "height": figure.layout.height, "scale": SCALE, **options})
    except (ValueError, ImportError, RuntimeError) as error:  # the class depends on the release of Plotly
        if "kaleido" not in str(error).lower():
            raise
        needed = 'kaleido to write a picture: pip install "actwidget[image]"'
        if "chrome" in str(error).lower():
            needed = "Chrome or Chromium to write a picture: install it, or run plotly_get_chrome"
        message = f"Plotly needs {needed}. to_html() needs nothing."
        raise MissingPackageError(message) from error
