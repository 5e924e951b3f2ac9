"""The figure's title."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.figures import (
    activation_figure,
    message_figure,
)
from actwidget.figures.parts.text import number
from tests.figures.activation.contents import SAMPLES, content


@pytest.mark.parametrize("kind", ["sequence", "many units"])
def test_where_there_is_no_colour_bar_the_title_says_the_range(kind):
    title = activation_figure(content(SAMPLES[kind])).layout.title.text
    bound = np.abs(SAMPLES[kind]).max()
    assert f"colours {-bound:.2f} to {bound:.2f}" in title


def test_two_layers_never_give_equal_figures_and_names_are_shown_literally():
    sample = SAMPLES["maps"]
    one, two = (activation_figure(content(sample, title=title)) for title in ("a", "b"))
    assert one != two
    hostile = activation_figure(content(sample, title="<a href='x'>&amp;</a>\n" + "x" * 500)).layout.title.text
    assert hostile.startswith("&lt;a href='x'&gt;&amp;amp;&lt;/a&gt; xxx")
    assert len(hostile) < 200
    assert "<b>" not in message_figure("<b>", "<i>").layout.title.text


def test_on_a_narrow_page_a_long_title_has_more_lines_and_a_short_one_has_one():
    short, long = (
        activation_figure(content(SAMPLES["maps"], title=title, channel=1, scaling="channel")).layout
        for title in ("conv", "conv" * 12)
    )
    assert "title.text" not in short.meta["narrow"]
    assert "<br>" not in short.title.text
    assert long.meta["narrow"]["title.text"].replace("<br>", " · ") == long.title.text.replace("<br>", " · ")
    assert long.meta["narrow"]["margin.t"] > short.margin.t


def test_the_title_says_the_range_of_the_grid_unless_each_channel_has_its_own():
    sample = np.abs(SAMPLES["maps"])
    title = activation_figure(content(sample)).layout.title.text
    assert f"colours {number(float(sample.min()))} to {number(float(sample.max()))}" in title
    assert "colours" not in activation_figure(content(sample, scaling="channel")).layout.title.text
