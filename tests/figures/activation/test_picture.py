"""The picture of all channels, decoded and compared with the arrays it was made of."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.analysis import statistics
from actwidget.analysis.pixels.color_limits import limits
from actwidget.analysis.pixels.levels import GAP_LEVEL, LEVELS, NAN_LEVEL
from actwidget.analysis.pixels.mosaic import tiling
from actwidget.figures import ORDERS, activation_figure, channel_order, picture
from actwidget.figures.activation.picture import STRONGEST
from actwidget.figures.parts.palette import NAN_COLOR, ColorRange, palette
from tests.figures.activation.contents import RNG, SAMPLES, content, decoded, middle_of, shown_values


@pytest.mark.parametrize("order_name", list(ORDERS))
@pytest.mark.parametrize("kind", list(SAMPLES))
def test_the_grid_shows_every_channel_within_a_colour_step(kind, order_name):
    sample = SAMPLES[kind]
    shown = content(sample, order_name=order_name)
    values = middle_of(sample)[shown.picture.order]
    color = ColorRange.of(float(sample.min()), float(sample.max()))
    expected = (values - color.low) / (color.high - color.low)
    np.testing.assert_allclose(shown_values(activation_figure(shown), shown), expected, atol=0.51 / (LEVELS - 1))
    assert sorted(shown.picture.order.tolist()) == list(range(len(values)))


@pytest.mark.parametrize("kind", ["rectified maps", "maps", "sequence"])
def test_with_a_range_of_its_own_each_channel_uses_the_whole_scale(kind):
    sample = SAMPLES[kind]
    shown = content(sample, scaling="channel", order_name="mean")
    values = middle_of(sample)[shown.picture.order]
    flat = values.reshape(len(values), -1)
    low, high = flat.min(1), flat.max(1)
    if sample.min() < 0:
        high = np.maximum(-low, high)
        low = -high
    expected = (values - low[:, None, None]) / (high - low)[:, None, None]
    np.testing.assert_allclose(shown_values(activation_figure(shown), shown), expected, atol=0.51 / (LEVELS - 1))


def test_with_a_range_of_its_own_a_channel_of_one_sign_takes_that_half_of_the_scale():
    sample = np.empty((2, 2, 3), "float32")
    sample[..., 0] = [[14.1, 14.2], [14.1, 14.2]]
    sample[..., 1] = [[-5, -4], [-5, -4]]
    sample[..., 2] = [[-1, 2], [-1, 2]]
    shown = content(sample, scaling="channel")
    expected = np.array([[[0.5, 1]] * 2, [[0, 0.5]] * 2, [[0.25, 1]] * 2])
    np.testing.assert_allclose(shown_values(activation_figure(shown), shown), expected, atol=0.51 / (LEVELS - 1))


@pytest.mark.parametrize("shape", [(5000, 1000), (60_000, 20), (30, 40_000)])
@pytest.mark.parametrize("scaling", ["layer", "channel"])
def test_a_large_sequence_is_reduced_and_its_units_and_steps_stay_where_they_are(shape, scaling):
    sample = np.full(shape, 0.5, "float32")
    sample[0], sample[1] = 0, 1
    spike = (shape[0] - 2, shape[1] - 1)
    sample[spike] = 9
    shown = content(sample, channel=spike[1], scaling=scaling)
    figure = activation_figure(shown)
    image, over = figure.data[:2]
    levels = decoded(image.source)
    down, across = shown.picture.reduction
    assert levels.size <= 500_000
    assert levels.shape == (-(-shape[1] // down), -(-shape[0] // across))
    assert (image.x0 - across / 2, image.dx, image.y0 - down / 2, image.dy) == (-0.5, across, -0.5, down)
    assert levels[spike[1] // down, spike[0] // across] == LEVELS - 1
    words = [f"{by} {name}" for name, by in (("units", down), ("steps", across)) if by > 1]
    assert f"shown smaller (strongest of each {' × '.join(words)})" in figure.layout.title.text
    # Hover, click and the axes still count units and steps.
    assert [int(row[0][0]) for row in over.customdata] == list(range(shape[1]))
    assert figure.layout.xaxis.range == (-0.5, shape[0] - 0.5)
    assert figure.layout.yaxis.range == (shape[1] - 0.5, -0.5)
    assert figure.layout.shapes[0].y0 == spike[1] - 0.5
    assert "shown" not in activation_figure(content(sample[:100, :30])).layout.title.text


def test_values_that_are_no_numbers_have_a_colour_of_their_own():
    sample = np.abs(SAMPLES["maps"]).copy()
    sample[0, 0, 0], sample[1, 1, 1] = np.nan, np.inf
    shown = content(sample)
    levels = decoded(activation_figure(shown).data[0].source)
    x0, y0, _, _ = shown.picture.tiles.box(0)
    assert levels[int(y0), int(x0)] == NAN_LEVEL
    assert (levels == NAN_LEVEL).sum() == 2
    assert tuple(palette("viridis")[3 * NAN_LEVEL : 3 * NAN_LEVEL + 3]) == NAN_COLOR


def test_robust_colours_say_what_they_leave_out():
    sample = np.abs(RNG.normal(size=(50, 50, 6))).astype("float32")
    sample[:3, :3, 5] = 900
    shown = content(sample, scaling="robust", channel=5)
    ends = limits(sample)
    assert (shown.picture.color.low, shown.picture.color.high) == (ends.low, ends.high)
    assert ends.high < 10
    figure = activation_figure(shown)
    assert "(0.1 to 99.9 % of the values; <0.1 % below, <0.1 % above" in figure.layout.title.text
    values = np.clip(middle_of(sample), ends.low, ends.high)
    expected = (values - ends.low) / (ends.high - ends.low)
    np.testing.assert_allclose(shown_values(figure, shown), expected, atol=0.51 / (LEVELS - 1))


@pytest.mark.parametrize("depth", range(3))
def test_each_slice_of_a_volume_can_be_shown_and_is_named(depth):
    sample = SAMPLES["volume"]
    shown = content(sample, at=(depth,), channel=2)
    figure = activation_figure(shown)
    assert f"slice {depth} (0 to 2)" in figure.layout.title.text
    np.testing.assert_array_equal(np.asarray(figure.data[2].z), sample[depth, :, :, 2])
    color = shown.picture.color
    expected = (middle_of(sample[depth]) - color.low) / (color.high - color.low)
    np.testing.assert_allclose(shown_values(figure, shown), expected, atol=0.51 / (LEVELS - 1))


@pytest.mark.parametrize("fill", [0.0, 2.5, np.nan, np.inf])
def test_a_layer_of_one_value_is_drawn(fill):
    figure = activation_figure(content(np.full((4, 4, 3), fill, "float32"), channel=1))
    levels = decoded(figure.data[0].source)
    assert set(np.unique(levels)) <= {0, LEVELS // 2, LEVELS - 1, NAN_LEVEL, GAP_LEVEL}


def test_values_that_are_alone_in_their_channel_are_coloured_on_one_range():
    shown = content(SAMPLES["many units"], scaling="channel")
    assert shown.picture.scaling == "layer"
    figure = activation_figure(shown)
    levels = decoded(figure.data[0].source)
    assert len(np.unique(levels)) > 100
    assert "colours for each" not in figure.layout.title.text


def test_a_channel_without_variation_says_its_value_on_a_pale_tile():
    sample = RNG.normal(size=(6, 6, 4)).astype("float32")
    sample[..., 1], sample[..., 3] = 0, 0.25
    for scaling in ("layer", "channel"):
        shown = content(sample, scaling=scaling)
        figure = activation_figure(shown)
        levels = decoded(figure.data[0].source)
        (texts,) = (trace for trace in figure.data if trace.type == "scatter" and trace.mode == "text")
        assert list(texts.text) == ["0", "0.25"]
        for place, channel in enumerate((1, 3)):
            x0, y0, x1, y1 = shown.picture.tiles.box(channel)
            assert (levels[y0:y1, x0:x1] == GAP_LEVEL).all()
            assert (x0 < texts.x[place] < x1, y0 < texts.y[place] < y1) == (True, True)
        pale = np.asarray(figure.data[1].z).ravel()[:4]
        assert pale.tolist() == [0, 1, 0, 1]
        assert figure.data[1].opacity == 1


def test_many_channels_are_divided_into_pages_of_whole_rows():
    sample = RNG.normal(size=(4, 4, 30)).astype("float32")
    found = statistics(sample[np.newaxis])
    order = channel_order(found, "mean")
    tiles = tiling(30, 4, 4, room=(130, 90), least=40)
    assert tiles == (2, 3, 5)
    seen = []
    for page in range(tiles.pages):
        drawn = picture(sample, found, order, tiling=tiles, page=page)
        assert (drawn.tiles.rows, drawn.tiles.columns, drawn.page, drawn.pages) == (2, 3, page, 5)
        seen += drawn.tiles.order.tolist()
    assert seen == order.tolist()


def test_the_strongest_channels_come_first_where_that_is_asked():
    sample = RNG.normal(size=(5, 5, 4)).astype("float32") * [1, 9, 0, 3]
    sample[..., 0] -= 5
    assert channel_order(statistics(sample[np.newaxis]), STRONGEST).tolist() == [1, 0, 3, 2]
