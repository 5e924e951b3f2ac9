from __future__ import annotations

import sys

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from actwidget.errors import MissingPackageError, OptionError
from actwidget.samples import photo
from actwidget.samples.photos import _FILES


@pytest.mark.parametrize("name", _FILES)
def test_every_photo_is_a_square_of_pixels_from_0_to_255(name):
    picture = photo(name)
    assert picture.shape == (224, 224, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= 0
    assert 150 < picture.max() <= 255
    assert picture.std() > 3
    np.testing.assert_array_equal(picture, picture.round())


def test_without_a_size_it_is_the_middle_square_of_the_original():
    coffee = skimage.data.coffee()
    assert coffee.shape == (400, 600, 3)
    np.testing.assert_array_equal(photo("coffee", None), coffee[:, 100:500])
    rocket = skimage.data.rocket()
    left = (rocket.shape[1] - rocket.shape[0]) // 2
    np.testing.assert_array_equal(photo("rocket", None), rocket[:, left : left + rocket.shape[0]])


def test_a_grey_picture_has_three_equal_channels():
    camera = photo("camera", None)
    np.testing.assert_array_equal(camera, np.repeat(skimage.data.camera()[..., None], 3, axis=2))


def test_the_cat_is_called_chelsea():
    np.testing.assert_array_equal(photo("cat", None), photo("chelsea", None))
    np.testing.assert_array_equal(photo("cat", None), skimage.data.cat()[:, 75:375])


@given(size=st.integers(1, 300))
@settings(max_examples=20, deadline=None)
def test_any_size_gives_that_size_and_the_same_pixels_each_time(size):
    picture = photo("astronaut", size)
    assert picture.shape == (size, size, 3)
    np.testing.assert_array_equal(picture, photo("astronaut", size))
    assert abs(picture.mean() - photo("astronaut", None).mean()) < 12


def test_what_is_returned_can_be_written_to_without_changing_the_next_one():
    first = photo("coffee", 8)
    before = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(photo("coffee", 8), before)


def test_an_unknown_name_gives_the_closest_and_all():
    with pytest.raises(OptionError) as raised:
        photo("cofee")
    assert "No photo 'cofee'. Closest: 'coffee'." in str(raised.value)
    assert all(name in str(raised.value) for name in _FILES)
    with pytest.raises(OptionError, match=r"'\.\./README\.txt'"):
        photo("../README.txt")


@pytest.mark.parametrize("size", [0, -3, 2.5, "224", True, (224, 224)])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(OptionError, match="positive number of pixels or None, got"):
        photo("coffee", size)


def test_without_scikit_image_the_error_holds_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(MissingPackageError) as raised:
        photo("coffee")
    assert "scikit-image" in str(raised.value)
    assert 'pip install "actwidget[samples]"' in str(raised.value)
