"""Steps of a sequence, named by tokens."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from actwidget.figures import (
    activation_figure,
)
from tests.figures.activation.contents import RNG, SAMPLES, content


def test_many_tokens_name_few_steps_of_a_close_up_evenly_and_all_of_the_grid():
    tokens = [f"counterrevolutionary{step}" for step in range(36)]
    scores = replace(content(RNG.random((36, 36, 2)).astype("float32"), channel=0), channel_label="head", tokens=tokens)
    axes = activation_figure(scores).layout
    for axis in (axes.xaxis2, axes.yaxis2):
        assert list(axis.tickvals) == list(range(0, 36, 5))
        assert max(map(len, axis.ticktext)) <= 7
    assert (axes.xaxis2.tickangle, axes.yaxis2.tickangle) == (90, 0)
    steps = activation_figure(replace(content(RNG.random((36, 2)).astype("float32")), tokens=tokens)).layout
    assert len(steps.xaxis.ticktext) == 36
    assert len(steps.xaxis2.ticktext) == 12
    assert (steps.xaxis.tickangle, steps.margin.b) == (90, 62)
    words = replace(content(RNG.random((14, 2)).astype("float32")), tokens=["a", "slept"] * 7)
    some = activation_figure(words).layout
    assert (some.xaxis.tickangle, some.meta["narrow"]["xaxis.tickangle"]) == (0, 90)
    few = activation_figure(replace(content(RNG.random((3, 2)).astype("float32")), tokens=["a", "b", "c"])).layout
    assert (few.xaxis.tickangle, few.xaxis2.tickangle, few.margin.b) == (0, 0, 36)


def test_the_map_of_the_only_head_is_named_by_every_token():
    words = ["horse", "?", "the", "red", "cat"]
    scores = content(RNG.random((5, 5, 1)).astype("float32"), channel=0)
    one = activation_figure(replace(scores, channel_label="head", tokens=words)).layout
    left, top, right, bottom = scores.picture.tiles.box(0)
    for axis, start, end in ((one.xaxis, left, right), (one.yaxis, top, bottom)):
        assert list(axis.ticktext) == words
        assert axis.visible
        assert np.allclose(axis.tickvals, start + (np.arange(5) + 0.5) * (end - start) / 5)
    two = replace(content(RNG.random((5, 5, 2)).astype("float32"), channel=0), channel_label="head", tokens=words)
    for other in (two, replace(scores, tokens=words), replace(scores, channel_label="head")):
        assert activation_figure(other).layout.yaxis.ticktext is None


def test_a_close_up_of_many_single_letters_skips_none():
    line = "return the <largest> value".ljust(40, "·")
    shown = replace(content(RNG.random((40, 2)).astype("float32"), channel=0), tokens=list(line))
    axis = activation_figure(shown).layout.xaxis2
    assert unescape("".join(axis.ticktext)).replace("\xa0", " ") == line
    assert list(axis.tickvals) == [2, 7, 12, 17, 22, 27, 32, 37]
    assert axis.tickangle == 0
    few = activation_figure(replace(shown, picture=content(RNG.random((7, 2)).astype("float32")).picture))
    assert few.layout.xaxis2.ticktext is None
    last = replace(content(RNG.random((17, 2)).astype("float32")), tokens=list("ab cd" * 3 + "ef"))
    assert list(activation_figure(last).layout.xaxis2.tickvals) == [2, 7, 12, 15.5]


@pytest.mark.parametrize("given", [5, 7])
def test_tokens_name_steps_only_where_there_is_one_for_each(given):
    shown = replace(content(SAMPLES["sequence"], channel=1), tokens=["word"] * given)
    axes = activation_figure(shown).layout
    assert axes.xaxis.ticktext is None
    assert axes.xaxis2.ticktext is None
    named = activation_figure(replace(shown, tokens=["word"] * 12)).layout
    assert len(named.xaxis.ticktext) == 12


def test_a_veil_lies_over_each_run_of_masked_steps():
    mask = np.array([1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0], bool)
    layout = activation_figure(replace(content(SAMPLES["sequence"]), mask=mask)).layout
    assert [(shape.x0, shape.x1, shape.yref) for shape in layout.shapes] == [
        (0.5, 2.5, "y domain"),
        (4.5, 5.5, "y domain"),
        (10.5, 11.5, "y domain"),
    ]
    assert "4 of 12 steps masked" in layout.title.text


@pytest.mark.parametrize("mask", [np.ones(12, bool), np.ones(11, bool), None])
def test_without_masked_steps_there_is_no_veil(mask):
    layout = activation_figure(replace(content(SAMPLES["sequence"]), mask=mask)).layout
    assert layout.shapes == ()
    assert "masked" not in layout.title.text
