"""Names and titles in figures."""

from __future__ import annotations

import pytest

from actwidget.figures.parts.text import distinct_names, visible_length, wrapped


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
    shown = distinct_names(names, limit)
    assert len(set(shown)) == len(names)
    assert all(len(text) <= limit for text in shown)
    short = [name for name in names if len(name) <= limit]
    assert [text for text in shown if "…" not in text] == short


def test_a_title_loses_nothing_when_it_is_wrapped():
    parts = [
        "a_layer",
        "3 <b>bold words</b>",
        "colours for 0.1 to 99.9 % of the values, <0.1 % below, <0.1 % above",
        "end",
    ]
    for limit in (12, 30, 62):
        lines = wrapped(" · ".join(parts), limit)
        words = " ".join(lines).replace(" · ", " ")
        assert words == " ".join(parts)
        assert max(map(visible_length, lines)) <= limit
