"""Names and titles as they stand in a figure."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.analysis.statistics import statistics
from actwidget.analysis.summary import summary
from actwidget.figures import overview_spec
from actwidget.figures.parts.text import seen_length, stacked, told_apart


@pytest.mark.parametrize("limit", [20, 24, 32])
@pytest.mark.parametrize(
    "names",
    [
        [f"stage_with_a_long_name_{number}_depthwise_convolution_relu" for number in range(12)],
        [f"{letter}_network_with_a_long_name_of_its_own/depthwise_convolution" for letter in "abcdef"],
        [f"the_same_long_network_for_every_layer_with_a_number_behind_{number}" for number in range(12)],
        ["in", "out", "a_name_that_is_too_long_for_any_of_these_limits"],
        ["same" * 20],
        [],
    ],
)
def test_long_names_are_cut_so_that_they_differ(names, limit):
    shown = told_apart(names, limit)
    assert len(set(shown)) == len(names)
    assert all(len(text) <= limit for text in shown)
    short = [name for name in names if len(name) <= limit]
    assert [text for text in shown if "…" not in text] == short


def test_the_overview_names_its_layers_apart_also_on_a_narrow_page(rows):
    figure = overview_spec(rows)["layout"]
    for texts in (figure["yaxis"]["ticktext"], figure["meta"]["narrow"]["yaxis.ticktext"]):
        assert len(set(texts)) == len(rows)
    assert max(map(len, figure["meta"]["narrow"]["yaxis.ticktext"])) <= 22


@pytest.fixture
def rows():
    value = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    names = [f"stage_with_a_long_name_{number}_depthwise_convolution_relu" for number in range(8)]
    return [summary(name, value, statistics(value), "channel") for name in names]


def test_a_title_loses_nothing_when_it_is_stacked():
    parts = [
        "a_layer",
        "3 <b>bold words</b>",
        "colours for 0.1 to 99.9 % of the values, <0.1 % below, <0.1 % above",
        "end",
    ]
    for limit in (12, 30, 62):
        lines = stacked(" · ".join(parts), limit)
        words = " ".join(lines).replace(" · ", " ")
        assert words == " ".join(parts)
        assert max(map(seen_length, lines)) <= limit
