"""The figure of What if: the answer before and after, and how far each layer moved."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.figures.what_if import BELOW, WhatIfContent, what_if_spec


def content(**changes):
    given = {
        "title": "conv: channel 3 off",
        "kind": "classes",
        "names": ["cat", "dog", "<b>cup</b>"],
        "before": np.array([0.1, 0.7, 0.2]),
        "after": np.array([0.1, 0.3, 0.6]),
        "layers": ["conv", "block/relu", "head"],
        "moved": [0.5, 0.25, 0.125],
        "edited": frozenset({"conv"}),
    }
    return WhatIfContent(**given | changes)


def test_the_bars_are_the_answer_before_and_after_the_likeliest_class_before_first():
    before, after, _ = what_if_spec(content())["data"]
    assert before["x"] == [0.7, 0.2, 0.1]
    assert after["x"] == [0.3, 0.6, 0.1]
    assert [text.strip("\u00a0") for text in after["text"]] == ["30 %", "60 %", "10 %"]


def test_a_bar_for_each_layer_leads_to_its_comparison():
    layers = what_if_spec(content())["data"][-1]
    assert layers["y"] == [0.5, 0.25, 0.125]
    assert layers["customdata"] == [["conv", "compare"], ["block/relu", "compare"], ["head", "compare"]]
    assert "moved by 25 %" in layers["hovertext"][1]
    assert "changed itself" in layers["hovertext"][0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": None, "names": [], "before": np.zeros(0), "after": np.zeros(0)},
        {"layers": [], "moved": []},
        {"moved": [np.inf, np.nan, 0.0]},
        {"before": np.array([np.nan, np.inf, 0.2]), "kind": "scores"},
        {"before": np.array([-3.0, 0.0, -1.0]), "kind": "scores"},
    ],
)
def test_plotly_takes_the_figure_whatever_the_values(changes):
    assert go.Figure(what_if_spec(content(**changes))).layout.title.text == "conv: channel 3 off"


def test_names_are_no_markup():
    spec = what_if_spec(content())
    assert not any("<b>cup" in text for text in spec["layout"]["yaxis"]["ticktext"])
    assert not any("<b>cup" in text.removeprefix("<b>") for text in spec["data"][0]["hovertext"])


def test_on_a_wide_page_the_corner_of_the_list_of_changes_is_free():
    assert what_if_spec(content())["layout"]["yaxis2"]["domain"][0] == BELOW


def test_the_words_say_how_a_class_changes():
    assert content().change_of(1) == "dog 70 % \u2192 30 %"
