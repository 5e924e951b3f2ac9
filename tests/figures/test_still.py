"""A view as PNGs, read back by Pillow."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from actwidget.figures import still_pngs


def figure(*traces, **layout):
    return {"data": list(traces), "layout": {"height": 240, "margin": dict.fromkeys("lrtb", 20), **layout}}


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def noise(size):
    colors = [[0, "#000000"], [0.3, "#ff0000"], [0.6, "#00ff00"], [1, "#ffffff"]]
    return {"type": "heatmap", "z": np.random.default_rng(0).random((size, size)), "colorscale": colors}


@pytest.mark.parametrize("line", ["x" * 500, "\x1b\u200b odd \n characters", "日本語", "1 × 2 ≤ 3"])
def test_every_line_is_cut_to_the_width(line):
    page = opened(still_pngs(figure(), [line, "second"]).page)
    assert page.shape[1] == 720
    ink = np.argwhere((page < 128).any(axis=-1))
    assert ink[:, 1].min() >= 10
    assert ink[:, 1].max() < 720 - 10


def test_what_is_for_print_has_the_numbers_below_the_figure_and_is_else_the_same():
    pngs = still_pngs(figure(), ["caption"], ["numbers", "advice"])
    page, printed = opened(pngs.page), opened(pngs.print)
    assert printed.shape[0] == page.shape[0] + 40
    np.testing.assert_allclose(printed[:250], page[:250], atol=40)  # each has colours of its own
    assert (printed[-52:] < 128).any()
    assert (page[-52:] > 250).all()


@pytest.mark.parametrize("most", [60_000, 20_000, 6_000])
def test_pictures_are_made_coarser_until_the_file_is_small_and_words_stay_sharp(most):
    words = opened(still_pngs(figure(), ["the caption"]).page)[:30]
    pngs = still_pngs(figure(noise(200)), ["the caption"], max_bytes=most)
    assert 1_000 < len(pngs.print) <= most
    assert np.abs(opened(pngs.page)[:30].mean(axis=-1) - words.mean(axis=-1)).max() < 64


def test_what_is_never_small_enough_is_no_picture():
    assert still_pngs(figure(noise(64)), ["caption"], max_bytes=500) is None


def test_a_tall_figure_is_cut_to_a_page_around_what_was_in_sight():
    rows = [{"type": "bar", "orientation": "h", "y": [90], "x": [1], "marker": {"color": "#0000ff"}}]
    axes = {"xaxis": {"range": [0, 1], "visible": False}, "yaxis": {"range": [100, 0], "visible": False}}
    tall = figure(*rows, **axes | {"height": 3_000, "meta": {"sticky": 40, "reveal": 2_680}})
    page = opened(still_pngs(tall, ["caption"]).page)
    assert page.shape[0] < 1_100
    blue = (page[..., 2] > 200) & (page[..., 0] < 60)
    assert blue.any()
