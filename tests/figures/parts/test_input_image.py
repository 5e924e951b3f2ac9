"""Inputs that are pictures, as PNGs read back by Pillow."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from actwidget.figures.parts.input_image import input_picture, small_picture
from actwidget.figures.parts.palette import NAN_COLOR

RNG = np.random.default_rng(0)


def read(uri):
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    image.load()
    return image


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_pixel_of_an_input_that_is_no_number_has_the_colour_of_such_values(broken, channels):
    pixels = np.random.default_rng(5).random((6, 9, channels))
    whole = np.asarray(read(input_picture(pixels)[0]))
    pixels[2, 7, 0] = broken
    drawn = np.asarray(read(input_picture(pixels)[0])).copy()
    assert tuple(drawn[2, 7]) == NAN_COLOR
    drawn[2, 7] = whole[2, 7]
    np.testing.assert_array_equal(drawn, whole)


def test_an_input_of_no_number_at_all_is_drawn_in_that_colour():
    uri = input_picture(np.full((8, 8, 1), np.inf))[0]
    for drawn in (opened(small_picture(np.full((8, 8, 3), np.nan))), read(uri)):
        assert (np.asarray(drawn) == NAN_COLOR).all()


def test_a_thumbnail_is_made_of_pictures_alone():
    assert small_picture(RNG.random((20, 30, 3))).startswith(b"\x89PNG")
    assert small_picture(RNG.random((80, 30, 3))).startswith(b"\xff\xd8")  # a JPEG
    for other in (RNG.random((20, 30, 2)), RNG.random(20), RNG.random((8, 3, 3)), np.array([["a"]])):
        assert small_picture(other) is None


def test_a_large_input_is_scaled_down_and_a_small_thumbnail_is_scaled_up():
    uri, (height, width) = input_picture(np.zeros((900, 1300, 1)))
    assert (height, width) == read(uri).size[::-1] == (443, 640)
    assert opened(small_picture(np.zeros((28, 20, 3)))).size == (40, 56)
    assert max(opened(small_picture(np.zeros((500, 300, 3)))).size) == 72


def test_whole_numbers_up_to_16_are_grey_levels_of_that_range():
    values = np.arange(0, 16.0).reshape(4, 4, 1)
    shown = np.asarray(opened(small_picture(values, 4)))
    np.testing.assert_allclose(shown, values[..., 0] / 16 * 255, atol=1)


@pytest.mark.parametrize(("scale", "shift"), [(1, 0), (255, 0), (5, -2)])
def test_values_from_0_to_1_and_bytes_are_kept_and_others_are_stretched(scale, shift):
    values = np.linspace(0.25, 0.75, 48).reshape(6, 8, 1) * scale + shift
    shown = np.asarray(read(input_picture(values)[0]))[..., 0].astype(float)
    expected = values[..., 0] / scale * 255 if shift == 0 else np.linspace(0, 255, 48).reshape(6, 8)
    np.testing.assert_allclose(shown, expected, atol=1)
