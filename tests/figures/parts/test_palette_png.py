"""Colour levels as a PNG, read back by Pillow."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from actwidget.analysis.pixels.levels import GAP_LEVEL, NAN_LEVEL
from actwidget.figures.parts.palette import NAN_COLOR, palette
from actwidget.figures.parts.palette_png import palette_png


def read(uri):
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    image.load()
    return image


def opened(levels, scale="viridis"):
    return read(palette_png(levels, scale))


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 255)))
def test_every_level_is_where_it_was(levels):
    image = opened(levels)
    assert image.mode == "P"
    np.testing.assert_array_equal(np.asarray(image), levels)


def test_levels_of_any_order_in_memory_are_read_right():
    levels = np.arange(200, dtype=np.uint8).reshape(10, 20)
    for view in (levels.T, levels[::-1, ::2], np.asfortranarray(levels)):
        np.testing.assert_array_equal(np.asarray(opened(view)), view)


@pytest.mark.parametrize("scale", ["viridis", "balance"])
def test_levels_have_the_colours_of_the_scale_and_the_gap_is_transparent(scale):
    colors = np.asarray(opened(np.arange(256, dtype=np.uint8)[np.newaxis], scale).convert("RGBA"))[0]
    np.testing.assert_array_equal(colors[:, :3], np.frombuffer(palette(scale), np.uint8).reshape(256, 3))
    assert tuple(colors[NAN_LEVEL]) == (*NAN_COLOR, 255)
    assert np.flatnonzero(colors[:, 3] == 0).tolist() == [GAP_LEVEL]
    assert set(colors[:, 3]) == {0, 255}


def test_a_diverging_picture_brings_its_palette_for_dark_pages():
    png = base64.b64decode(palette_png(np.arange(256, dtype=np.uint8)[np.newaxis], "balance").partition(",")[2])
    # As `plot/dark.js` does it: the content and the checksum of one chunk over those of another.
    assert (png[37:41], png[817:821]) == (b"PLTE", b"daRk")
    dark = bytearray(png)
    dark[41:813] = png[821:1593]
    for name, part in ((False, png), (True, bytes(dark))):
        colors = np.asarray(Image.open(io.BytesIO(part)).convert("RGB"))[0]
        np.testing.assert_array_equal(colors, np.frombuffer(palette("balance", dark=name), np.uint8).reshape(256, 3))
    assert b"daRk" not in base64.b64decode(palette_png(np.zeros((2, 2), np.uint8), "viridis").partition(",")[2])
