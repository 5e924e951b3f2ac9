"""An explorer as files and as outputs of a notebook: an offline page, a picture, a still."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actwidget.errors import MissingPackageError
from actwidget.figures import still_png
from actwidget.widgets import html
from actwidget.widgets.components.tree import packed_rows
from actwidget.widgets.page import html_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import plotly.graph_objects as go

    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.drawing import Drawing
    from actwidget.widgets.components.tree import Row
    from actwidget.widgets.still import Snapshot


def write_page(
    path: str | Path, heading: str, rows: Sequence[Row], drawings: Iterable[tuple[LayerNode, Drawing]], max_bytes: int
) -> list[str]:
    """Writes one HTML file in which layers can be browsed with no kernel and no network.

    Args:
        path: The file.
        heading: The model's name and size.
        rows: Those of the layer tree.
        drawings: What the page shows of each layer.
        max_bytes: How many bytes of pictures are stored at most; layers that would not fit are left out.

    Returns:
        The paths of the layers that are stored.
    """
    stored: dict[str, dict[str, Any]] = {}
    left = max_bytes
    for node, drawing in drawings:
        sent = drawing.figure
        arrays = [base64.b64encode(array).decode("ascii") for array in sent.arrays]
        size = sum(map(len, (sent.spec, *sent.images, *arrays)))
        facts = html.facts(drawing.facts)
        if size <= left:
            figure = {"spec": sent.spec, "images": sent.images, "arrays": arrays}
            stored[node.path] = {**figure, "alt": drawing.alt, "numbers": facts, "title": html.title(node)}
            left -= size
    first = next(iter(stored), "")
    Path(path).write_text(html_page(heading, packed_rows(rows), stored, first), encoding="utf-8")
    return list(stored)


def write_image(figure: go.Figure, path: str | Path, **options: Any) -> None:
    """Writes a figure as a picture, by Plotly's own means.

    Raises:
        MissingPackageError: Plotly needs a package or a program for it that is not there.
    """
    try:
        figure.write_image(str(path), **options)
    except (ValueError, ImportError, RuntimeError) as error:  # which one depends on the release of Plotly
        if "kaleido" not in str(error).lower():
            raise
        needed = 'kaleido to write a picture: pip install "actwidget[image]"'
        if "chrome" in str(error).lower():
            needed = "Chrome or Chromium to write a picture: install it, or run plotly_get_chrome"
        message = f"Plotly needs {needed}. to_html() needs nothing."
        raise MissingPackageError(message) from error


def picture_of(snapshot: Snapshot) -> str:
    """What is on screen as one PNG with a few lines of text, in base64."""
    lines = [snapshot.title, *textwrap.wrap(snapshot.alt, 100)]
    lines.append("A still picture. Run the cell for the live explorer.")
    return base64.b64encode(still_png(lines, snapshot.images)).decode("ascii")
