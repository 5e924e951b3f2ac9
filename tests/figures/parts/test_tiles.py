"""The cells over a grid of tiles."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.analysis import mosaic
from actwidget.figures.parts.tiles import hover_cells, tile_cells, tile_image


@pytest.mark.parametrize("shape", [(5, 8, 6), (7, 1, 1), (1, 4, 4), (12, 1, 20)])
def test_each_cell_lies_over_the_tile_of_its_channel(shape):
    order = np.random.default_rng(0).permutation(shape[0])
    tiles = mosaic(np.zeros(shape), low=0, high=1, order=order)
    heatmap = tile_cells(tiles, np.stack([np.arange(shape[0]), np.arange(shape[0]) ** 2], axis=-1), "hover")
    seen = []
    for row, column in np.ndindex(tiles.rows, tiles.columns):
        channel = tiles.channel_at(row, column)
        if channel is None:
            assert np.isnan(heatmap["z"][row, column])
            continue
        seen.append(channel)
        x0, y0, x1, y1 = tiles.box(channel)
        assert (heatmap["x"][column], heatmap["y"][row]) == ((x0 + x1) / 2, (y0 + y1) / 2)
        assert heatmap["customdata"][row, column].tolist() == [channel, channel**2]
        assert np.isfinite(heatmap["z"][row, column])
    assert sorted(seen) == list(range(shape[0]))


def test_a_cell_without_a_channel_has_no_hover():
    trace = hover_cells(np.array([[1, -1]]), np.array([[5], [6]]), "hover")
    np.testing.assert_array_equal(trace["z"], [[0, np.nan]])
    assert trace["customdata"][0, 0].tolist() == [6]
    assert trace["hoverongaps"] is False
    assert trace["opacity"] == 0


def test_a_pixel_of_the_picture_is_a_unit_of_the_axes():
    image = tile_image("data:", xaxis="x3")
    assert (image["x0"] - image["dx"] / 2, image["y0"] - image["dy"] / 2, image["xaxis"]) == (0, 0, "x3")
