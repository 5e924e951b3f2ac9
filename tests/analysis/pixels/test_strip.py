"""Small pictures of layers."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.analysis.pixels.levels import GAP_LEVEL, NAN_LEVEL
from actwidget.analysis.pixels.strip import STRIP_HEIGHT, STRIP_WIDTH, resized, strip, telling_channels

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "shape", [(), (1,), (7,), (1000,), (5, 3), (300, 200), (4, 4, 2), (90, 30, 5), (3, 200, 4), (4, 5, 6, 2), (2, 0)]
)
def test_a_picture_of_any_shape_has_one_size(shape):
    assert strip(RNG.normal(size=shape)).shape == (STRIP_HEIGHT, STRIP_WIDTH)


def test_the_channels_that_vary_most_are_shown_and_constant_ones_never_beside_them():
    value = np.zeros((8, 8, 4))
    value[..., 1] = 100
    value[..., 2] = RNG.normal(size=(8, 8))
    value[..., 3] = 5 * RNG.normal(size=(8, 8))
    assert telling_channels(value, 3) == [3, 2]
    picture = strip(value)
    for place, channel in enumerate((3, 2)):
        tile = picture[:, 42 * place : 42 * place + 40]
        ranked = np.argsort(value[..., channel].ravel())
        small = tile[2::5, 2::5].ravel()
        assert (np.diff(small[ranked].astype(int)) >= 0).all()
        assert (small.min(), small.max()) == (0, 253)
    assert (picture[:, 84:] == GAP_LEVEL).all()


def test_of_constant_channels_one_is_shown():
    assert telling_channels(np.ones((3, 3, 2)), 3) == [0]
    assert (strip(np.ones((4, 4, 2)))[:, :40] == 0).all()


def test_a_sequence_runs_from_left_to_right_and_a_vector_is_a_bar_code():
    steps = np.repeat(np.arange(4.0)[:, None], 2, axis=1)
    picture = strip(steps)
    assert (picture == picture[:1]).all()
    assert picture[0, [0, 40, 80, 123]].tolist() == [0, 84, 169, 253]
    bar_code = strip(np.arange(4.0))
    assert bar_code[20].tolist() == picture[0].tolist()
    assert (bar_code[:8] == GAP_LEVEL).all()
    assert (bar_code[32:] == GAP_LEVEL).all()


def test_nan_stays_nan():
    assert (strip(np.array([0.0, np.nan, 1.0]))[20, 42:82] == NAN_LEVEL).all()


def test_resizing_keeps_means_and_nearest_values():
    values = RNG.normal(size=(12, 30))
    np.testing.assert_allclose(resized(values, 4, 10), values.reshape(4, 3, 10, 3).mean(axis=(1, 3)))
    np.testing.assert_array_equal(resized(values, 24, 60), values.repeat(2, axis=0).repeat(2, axis=1))
