from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis import GAP_LEVEL, LEVELS, NAN_LEVEL, Mosaic, columns_for, levels, mosaic, values_of
from tests.analysis.strategies import layers


def as_view_of_channels_last(channels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(channels, 0, -1)), -1, 0)


PLAIN = layers(hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9))
CHANNELS = st.one_of(PLAIN, PLAIN.map(as_view_of_channels_last))
RANGES = st.tuples(st.floats(-100, 100), st.floats(0.01, 200)).map(lambda ends: (ends[0], ends[0] + ends[1]))


def assert_levels_of(found: npt.NDArray[Any], values: npt.NDArray[Any], low: Any, high: Any) -> None:
    """The levels are those of the values, but for what lies within rounding of halfway between two."""
    wide = values.astype(np.float64)
    missing = np.isnan(wide)
    np.testing.assert_array_equal(found[missing], NAN_LEVEL)
    with np.errstate(invalid="ignore"):
        exact = np.clip((wide - low) / (high - low), 0, 1) * (LEVELS - 1)
    assert (np.abs(found - exact)[~missing] <= 0.5 + 0.01).all()


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


@settings(deadline=None)
@given(st.integers(0, 253), RANGES)
def test_levels_and_values_are_inverse(level: int, ends: tuple[float, float]) -> None:
    value = values_of(np.array([level], np.uint8), *ends)
    assert levels(value, *ends).tolist() == [level]


@settings(deadline=None)
@given(layers(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)), RANGES)
def test_levels_of_any_shape(values: npt.NDArray[Any], ends: tuple[float, float]) -> None:
    found = levels(values, *ends)
    assert found.shape == values.shape
    assert_levels_of(found, values, *ends)
    back = values_of(found, *ends)
    shown = np.isfinite(back)
    half = (ends[1] - ends[0]) / (LEVELS - 1) * 0.52
    clipped = np.clip(values.astype(np.float64), *ends)
    assert (np.abs(back - clipped)[shown] <= half).all()


def test_a_strided_view_has_its_levels() -> None:
    values = np.arange(240.0).reshape(4, 10, 6)[::2, ::-3, 1::2]
    assert_levels_of(levels(values, 0, 240), values, 0, 240)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ends", [(2.0, 2.0), (3.0, 1.0), (np.nan, np.nan), (0.0, np.nan)])
def test_without_a_range_finite_values_are_level_0(dtype: type, ends: tuple[float, float]) -> None:
    values = np.array([-np.inf, -5, 0, 2, 3e38, np.inf, np.nan], dtype)
    assert levels(values, *ends).tolist() == [0, 0, 0, 0, 0, LEVELS - 1, NAN_LEVEL]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ends", [(-3e38, 3e38), (1e-44, 9e-44), (1e6 + 0.03, 1e6 + 4), (-1.7e308, 1.7e308)])
def test_extreme_ranges_keep_their_levels(dtype: type, ends: tuple[float, float]) -> None:
    low, high = ends
    with np.errstate(over="ignore"):
        values = (low * np.linspace(1, 0, 9) + high * np.linspace(0, 1, 9)).astype(dtype)
    exact = values.astype(np.longdouble)
    expected = np.clip((exact - low) / (np.longdouble(high) - low), 0, 1) * (LEVELS - 1)
    assert (np.abs(levels(values, low, high) - expected) <= 0.51).all()


def test_bfloat16_has_its_levels() -> None:
    values = np.array([0, 0.5, 1, np.nan], dtype=ml_dtypes.bfloat16)
    assert levels(values, 0, 1).tolist() == [0, 126, 253, NAN_LEVEL]
