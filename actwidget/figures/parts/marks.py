"""Marks that show on any picture: a coloured stroke over a wider white one."""

from __future__ import annotations

from typing import Any

from actwidget.figures.parts.palette import ACCENT

HALO = "#ffffff"


def double_stroke(shape: dict[str, Any], *, width: float = 2.5, dash: str = "solid") -> list[dict[str, Any]]:
    """The two shapes of one mark: blue on white can be told from any picture, whatever its colours are.

    Args:
        shape: A shape of the layout without its line.
        width: That of the coloured stroke, in pixels.
        dash: How the coloured stroke is broken, as plotly.js takes it.
    """
    below = {**shape, "line": {"color": HALO, "width": width + 2.5}}
    return [below, {**shape, "line": {"color": ACCENT, "width": width, "dash": dash}}]


def outlined(box: tuple[float, float, float, float], **axes: str) -> list[dict[str, Any]]:
    """The mark around a tile: a box `(x0, y0, x1, y1)`, on axes by `xref` and `yref`."""
    return double_stroke({"type": "rect", **dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)), **axes})
