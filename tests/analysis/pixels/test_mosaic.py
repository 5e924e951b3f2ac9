from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis import GAP_LEVEL, NAN_LEVEL, Mosaic, columns_for, mosaic
from tests.analysis.strategies import RANGES, assert_levels_of, layers


def as_view_of_channels_last(channels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(channels, 0, -1)), -1, 0)


PLAIN = layers(hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9))
CHANNELS = st.one_of(PLAIN, PLAIN.map(as_view_of_channels_last))


def tile(picture: Mosaic, channel: int) -> npt.NDArray[np.uint8]:
    x0, y0, x1, y1 = picture.box(channel)
    return picture.pixels[y0:y1, x0:x1]


@settings(deadline=None)
@given(CHANNELS, RANGES, st.floats(0.2, 5), st.one_of(st.none(), st.integers(0, 3)))
def test_every_tile_shows_its_channel_and_the_rest_is_gap(
    channels: npt.NDArray[Any], ends: tuple[float, float], aspect: float, gap: int | None
) -> None:
    picture = mosaic(channels, low=ends[0], high=ends[1], aspect=aspect, gap=gap)
    seen = np.zeros(picture.pixels.shape, bool)
    for channel in range(len(channels)):
        assert_levels_of(tile(picture, channel), channels[channel], *ends)
        x0, y0, x1, y1 = picture.box(channel)
        assert not seen[y0:y1, x0:x1].any()
        seen[y0:y1, x0:x1] = True
        assert picture.channel_at(*picture.position(channel)) == channel
    assert seen.sum() == channels.size
    assert (picture.pixels[~seen] == GAP_LEVEL).all()
    assert (picture.pixels[seen] != GAP_LEVEL).all()
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    assert picture.reduction == 1


@settings(deadline=None)
@given(CHANNELS, st.data())
def test_an_order_changes_places_and_nothing_else(channels: npt.NDArray[Any], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(channels))))[: data.draw(st.integers(1, len(channels)))]
    picture = mosaic(channels, low=-5, high=5, order=order)
    assert picture.order.tolist() == order
    for position, channel in enumerate(order):
        assert picture.position(channel) == divmod(position, picture.columns)
        assert_levels_of(tile(picture, channel), channels[channel], -5, 5)


@settings(deadline=None)
@given(CHANNELS, st.data())
def test_each_channel_can_have_its_own_range(channels: npt.NDArray[Any], data: st.DataObject) -> None:
    ends = np.array(data.draw(st.lists(RANGES, min_size=len(channels), max_size=len(channels))))
    picture = mosaic(channels, low=ends[:, 0], high=ends[:, 1])
    for channel in range(len(channels)):
        assert_levels_of(tile(picture, channel), channels[channel], *ends[channel])


def test_a_big_layer_is_quantised_in_every_part() -> None:
    maps = np.random.default_rng(0).standard_normal((70, 65, 40)).astype(np.float32)
    maps[50, 3, 7] = np.nan
    channels = np.moveaxis(maps, -1, 0)
    lows = np.linspace(-2, 0, 40)
    for low in (-2.0, lows):
        picture = mosaic(channels, low=low, high=2.0)
        for channel in range(40):
            one = low if isinstance(low, float) else low[channel]
            assert_levels_of(tile(picture, channel), channels[channel], one, 2.0)


@settings(deadline=None)
@given(layers(st.tuples(st.integers(1, 4), st.integers(1, 30), st.integers(1, 30))), st.integers(20, 900))
def test_a_reduced_tile_shows_the_largest_magnitudes(channels: npt.NDArray[Any], max_pixels: int) -> None:
    picture = mosaic(channels, low=-50, high=50, max_pixels=max_pixels)
    factor = picture.reduction
    single = picture.tile_height == picture.tile_width == 1
    assert picture.pixels.size <= (max_pixels if factor == 1 else max_pixels // 2) or single
    wide = channels.astype(np.float64)
    for channel in range(len(channels)):
        shown = tile(picture, channel)
        for row, column in np.ndindex(shown.shape):
            square = wide[channel, row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
            if np.isnan(square).any():
                assert shown[row, column] == NAN_LEVEL
                continue
            largest = np.abs(square).max()
            strongest = largest if (square == largest).any() else -largest
            assert_levels_of(shown[row, column], np.array(strongest), -50, 50)


def test_no_more_is_reduced_than_needed() -> None:
    channels = np.zeros((4, 100, 100))
    assert mosaic(channels, low=0, high=1, max_pixels=50_000).reduction == 1
    assert mosaic(channels, low=0, high=1, max_pixels=40_000).reduction == 2
    assert mosaic(channels, low=0, high=1, max_pixels=20_000).reduction == 3  # with 2 it has more than half as many


@pytest.mark.parametrize(
    ("channels", "height", "width", "aspect"),
    [(96, 112, 112, 1.3), (7, 3, 5, 2.0), (64, 1, 100, 1.3), (1280, 1, 1, 1.3), (13, 9, 2, 0.5), (2, 1, 1, 1.0)],
)
def test_no_other_number_of_columns_gives_larger_tiles(channels: int, height: int, width: int, aspect: float) -> None:
    def scale(columns: int) -> float:
        return min(aspect / (columns * width), 1 / (-(-channels // columns) * height))

    chosen = columns_for(channels, height, width, aspect=aspect)
    assert scale(chosen) == pytest.approx(max(scale(columns) for columns in range(1, channels + 1)))
    equal = [c for c in range(1, channels + 1) if scale(c) == pytest.approx(scale(chosen))]
    assert -(-channels // chosen) * chosen == min(-(-channels // c) * c for c in equal)


def test_maps_have_a_gap_and_single_cells_have_none() -> None:
    assert mosaic(np.zeros((4, 112, 112)), low=0, high=1).gap == 4
    assert mosaic(np.zeros((4, 7, 7)), low=0, high=1).gap == 1
    assert mosaic(np.zeros((1280, 1, 1)), low=0, high=1).gap == 0


def test_long_sequences_lie_line_on_line() -> None:
    picture = mosaic(np.zeros((64, 1, 100)), low=0, high=1)
    assert (picture.columns, picture.gap, picture.pixels.shape) == (1, 0, (64, 100))


def test_outside_the_grid_there_is_no_channel() -> None:
    picture = mosaic(np.zeros((3, 2, 2)), low=0, high=1, aspect=1)
    assert (picture.rows, picture.columns) == (2, 2)
    assert picture.channel_at(1, 0) == 2
    for place in [(1, 1), (-1, 0), (0, -1), (0, 2), (2, 0)]:
        assert picture.channel_at(*place) is None
    with pytest.raises(IndexError, match="Channel 3"):
        picture.position(3)
    with pytest.raises(IndexError, match="Channel -1"):
        picture.box(-1)


@pytest.mark.parametrize("shape", [(0, 4, 4), (3, 0, 4), (3, 0, 0), (0, 0, 0)])
def test_with_no_values_the_picture_is_all_gap(shape: tuple[int, int, int]) -> None:
    picture = mosaic(np.zeros(shape), low=0, high=1)
    assert picture.pixels.size > 0
    assert (picture.pixels == GAP_LEVEL).all()
