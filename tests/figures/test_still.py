"""A view as a PNG, read back by Pillow."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from actwidget.figures import still_png


def uri(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def opened(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_small_picture_is_enlarged_by_a_whole_factor_and_keeps_its_colours():
    pixels = np.array([[[255, 0, 0], [0, 0, 255]], [[0, 255, 0], [255, 255, 0]]], "uint8")
    page = opened(still_png([], [uri(pixels)], width=224))
    picture = page[18:218, 12:212]
    np.testing.assert_allclose(picture, pixels.repeat(100, axis=0).repeat(100, axis=1), atol=3)


def test_a_wide_picture_is_reduced_to_the_width():
    pixels = np.zeros((100, 1000, 3), "uint8")
    page = opened(still_png([], [uri(pixels)], width=224))
    dark = np.argwhere((page < 30).all(axis=-1))
    assert np.ptp(dark, axis=0).tolist() == [19, 199]


@pytest.mark.parametrize("line", ["x" * 500, "\x1b\u200b odd \n characters", "", "日本語"])
def test_every_line_is_cut_to_the_width(line):
    page = opened(still_png([line, "second"], [], width=200))
    assert page.shape == (2 * 12 + 2 * 20, 200, 3)
    ink = np.argwhere((page < 128).any(axis=-1))
    assert ink[:, 1].min() >= 12
    assert ink[:, 1].max() < 200 - 12
