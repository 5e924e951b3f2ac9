"""Exports of an explorer: an offline page and an image file."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actwidget.errors import MissingPackageError
from actwidget.widgets import html
from actwidget.widgets.components.choices import tab_items
from actwidget.widgets.components.inspection import inspection_content
from actwidget.widgets.components.table import packed_columns
from actwidget.widgets.components.tree import packed_rows
from actwidget.widgets.stored.page import html_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from actwidget.explorer.shown import Shown
    from actwidget.widgets.screen import Screen

LEAST = 2_000
"""No drawing takes fewer bytes than this in a page."""
WIDTH, SCALE = 1000, 2
"""The width of a picture of a figure, in the units of its layout, and how many pixels each of them has."""


def write_page(path: str | Path, screen: Screen, drawings: Iterable[Shown], max_bytes: int) -> list[str]:
    """Writes one HTML file in which layers can be browsed without a kernel or a network.

    Args:
        path: The file to write.
        screen: What the page looks like.
        drawings: What to store, the most wanted first: layers, and the whole network.
        max_bytes: How many bytes of pictures are stored at most; drawings that do not fit are left out.

    Returns:
        The paths of the layers that were stored.
    """
    layers: dict[str, dict[str, Any]] = {}
    network: dict[str, Any] = {"title": "", "tabs": [], "views": {}}
    remaining = max_bytes
    for shown in drawings:
        if remaining < LEAST:
            break
        view = _stored(shown)
        size = len(json.dumps(view))
        if size > remaining:
            continue
        remaining -= size
        owner = network if shown.is_of_network else layers.setdefault(shown.node.path, {"views": {}})
        title = html.title(shown.heading, shown.sentence)
        owner |= {"title": title, "tabs": tab_items(shown.tabs), "views": {**owner["views"], shown.view: view}}
    contents = {
        "rows": packed_rows(screen.tree.rows),
        "marks": screen.tree.marks,
        "layers": layers,
        "network": network,
        "scope": screen.scope.value if network["views"] else "layer",
        "selected": next(iter(layers), ""),
    }
    Path(path).write_text(html_page(screen.heading, contents), encoding="utf-8")
    return list(layers)


def _stored(shown: Shown) -> dict[str, Any]:
    """What the page holds of a layer or a network in one view: a figure, or the table in its place."""
    drawing, inspection = shown.drawing, shown.drawing.inspection
    # Of the buttons only those can work that go to another view.
    actions = () if inspection is None else tuple(each for each in inspection.actions if [*each.changes] == ["show"])
    view = {
        "alt": drawing.alt,
        "numbers": html.facts(drawing.facts),
        "inspection": inspection_content(inspection and replace(inspection, actions=actions)),
        "goes": [action.changes["show"] for action in actions],
    }
    if drawing.table is None:
        arrays = [base64.b64encode(array).decode("ascii") for array in drawing.figure.arrays]
        return {**view, "spec": drawing.figure.spec, "images": drawing.figure.images, "arrays": arrays}
    columns, values = packed_columns(drawing.table.columns)
    packed = base64.b64encode(values).decode("ascii")
    return {**view, "table": {"label": drawing.table.label, "columns": columns, "values": packed}}


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
