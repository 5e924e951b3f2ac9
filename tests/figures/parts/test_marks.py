"""Marks on pictures."""

from __future__ import annotations

from actwidget.figures.parts.marks import HALO, double_stroke, outlined
from actwidget.figures.parts.palette import ACCENT


def test_a_mark_is_a_coloured_stroke_over_a_wider_white_one():
    below, above = double_stroke({"type": "circle"}, width=2, dash="dot")
    assert (below["line"]["color"], above["line"]["color"], above["line"]["dash"]) == (HALO, ACCENT, "dot")
    assert below["line"]["width"] > above["line"]["width"] == 2


def test_both_strokes_follow_the_box():
    box = (1, 2, 3, 5)
    for shape in outlined(box, xref="x3"):
        assert tuple(shape[name] for name in ("x0", "y0", "x1", "y1")) == box
        assert shape["xref"] == "x3"
