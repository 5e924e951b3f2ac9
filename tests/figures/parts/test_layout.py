"""What the layouts of all figures share."""

from __future__ import annotations

import pytest

from actwidget.figures.parts.layout import HEIGHT, base_layout, caption, needs_upright


def test_a_short_title_leaves_the_height_and_the_margin():
    layout = base_layout("conv · 8 channels")
    assert (layout["title"]["text"], layout["height"], layout["margin"]["t"]) == ("conv · 8 channels", HEIGHT, 30)
    assert layout["meta"]["narrow"] == {}


@pytest.mark.parametrize("parts", [5, 12, 30])
def test_each_further_line_of_a_title_makes_the_figure_higher(parts):
    layout = base_layout(" · ".join(["a part of it"] * parts), height=300)
    narrow = layout["meta"]["narrow"]
    for text, height, top in (
        (layout["title"]["text"], layout["height"], layout["margin"]["t"]),
        (narrow["title.text"], narrow["height"], narrow["margin.t"]),
    ):
        extra = 16 * text.count("<br>")
        assert (height, top) == (300 + extra, 30 + extra)


def test_a_last_line_that_would_reach_a_caption_is_set_above_it():
    short, long = "a" * 50, "a" * 51
    assert base_layout(short, captioned=True)["margin"]["t"] == 30
    assert base_layout(long, captioned=True)["margin"]["t"] == 46
    assert base_layout(long)["margin"]["t"] == 30


def test_attributes_replace_the_usual_ones():
    layout = base_layout("conv", showlegend=True, meta={"narrow": {"height": 9}, "other": 1})
    assert layout["showlegend"] is True
    assert layout["meta"] == {"narrow": {"height": 9}, "other": 1}


@pytest.mark.parametrize(("texts", "upright"), [(["a"] * 20, False), (["abc"] * 20, True), ([], False)])
def test_labels_are_upright_where_they_would_not_fit_side_by_side(texts, upright):
    assert needs_upright(texts, 40) == upright


def test_a_caption_stands_above_its_corner():
    drawn = caption("text", 0.5, 0.9)
    assert (drawn["x"], drawn["y"], drawn["yanchor"], drawn["xref"]) == (0.5, 0.9, "bottom", "paper")
