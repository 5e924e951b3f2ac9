from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from actwidget.figures.every_sample import PAGE, every_sample_spec
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT


def spec_of(values: np.ndarray, selected: int = 0, labels: list[str] | None = None, **options) -> dict:
    samples = list(range(10, 10 + len(values)))
    labels = labels or [""] * len(values)
    return every_sample_spec("conv", values, samples=samples, labels=labels, selected=10 + selected, **options)


def levels_of(spec: dict) -> np.ndarray:
    source = next(trace["source"] for trace in spec["data"] if trace["type"] == "image")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def cells_of(spec: dict) -> dict:
    return next(trace for trace in spec["data"] if "customdata" in trace)


@pytest.mark.parametrize("shape", [(3, 8, 8), (20, 14, 7), (PAGE, 100, 100), (5, 30), (PAGE, 200), (1, 1, 1), (7,)])
def test_plotly_takes_it_and_it_is_as_high_as_the_panel(shape):
    spec = spec_of(np.random.default_rng(0).normal(size=shape))
    layout = go.Figure(spec).layout
    assert layout.height == HEIGHT
    assert layout.meta["narrow"]["height"] == NARROW_HEIGHT


def test_all_tiles_are_on_one_range_and_each_is_at_its_place():
    values = np.stack([np.full((4, 4), level) for level in (0.0, 0.5, 1.0, 0.25, 0.75)])
    spec = spec_of(values)
    pixels, cells = levels_of(spec), cells_of(spec)
    found = {}
    for row, y in zip(cells["customdata"], cells["y"], strict=True):
        for cell, x in zip(row, cells["x"], strict=True):
            if cell is not None:
                found[cell[1]] = pixels[int(y), int(x)] / 253
    assert found.keys() == set(range(10, 15))
    np.testing.assert_allclose([found[10 + n] for n in range(5)], [0, 0.5, 1, 0.25, 0.75], atol=0.01)


@pytest.mark.parametrize("room", [(800, HEIGHT), (360, NARROW_HEIGHT)])
@pytest.mark.parametrize("shape", [(PAGE, 64, 64), (PAGE, 10, 40), (PAGE, 40, 10), (PAGE, 32)])
def test_a_full_page_has_tiles_of_24_pixels(shape, room):
    spec = spec_of(np.random.default_rng(0).normal(size=shape), room=room)
    height, width = levels_of(spec).shape
    panel = room[1] - spec["layout"]["margin"]["t"] - spec["layout"]["margin"]["b"]
    scale = min((room[0] - 16) / width, panel * (1 - spec["layout"]["yaxis"]["domain"][0]) / height)
    box = spec["layout"]["shapes"][0]
    assert max(box["x1"] - box["x0"], box["y1"] - box["y0"]) * scale >= 24


def test_tiles_fill_the_room_that_there_is():
    values = np.random.default_rng(0).normal(size=(12, 50, 50))
    for room, columns in (((880, HEIGHT), 6), ((360, NARROW_HEIGHT), 3)):
        cells = cells_of(spec_of(values, room=room))
        assert len(cells["x"]) == columns


def test_a_click_carries_the_number_of_the_sample():
    for values in (np.zeros((3, 4, 4)), np.zeros((3, 9)), np.zeros(3)):
        cells = cells_of(spec_of(values))["customdata"]
        flat = cells if values.ndim == 1 else [cell for row in cells for cell in row if cell]
        assert [cell[:2] for cell in flat] == [["sample", 10], ["sample", 11], ["sample", 12]]


def test_single_values_are_bars():
    bar = spec_of(np.array([1.0, -2.0, np.nan]))["data"][0]
    assert bar["type"] == "bar"
    np.testing.assert_array_equal(bar["y"][:2], [1, -2])
    assert bar["hovertext"][2] == "NaN"


def test_captions_are_the_numbers_with_what_else_is_known_as_far_as_it_fits():
    captions = lambda spec: next(trace["text"] for trace in spec["data"] if trace.get("mode") == "text")  # noqa: E731
    assert captions(spec_of(np.zeros((2, 4, 4)), labels=["cat", ""])) == ["<b>10 cat</b>", "11"]
    many = captions(spec_of(np.zeros((30, 4, 4)), labels=["a very long name"] * 30))
    assert all(len(text) < 20 for text in many)


@pytest.mark.parametrize("room", [(880, HEIGHT), (360, NARROW_HEIGHT)])
def test_sequences_lie_over_the_whole_width(room):
    spec = spec_of(np.random.default_rng(0).normal(size=(6, 200)), room=room)
    assert len(cells_of(spec)["y"]) == 6
    height, width = levels_of(spec).shape
    panel = (room[1] - 60) * (1 - spec["layout"]["yaxis"]["domain"][0])
    assert width / height > 0.9 * (room[0] - 16) / panel


def test_the_colours_around_zero_are_dark_on_a_dark_page():
    axis = "coloraxis.colorscale"
    assert spec_of(np.random.default_rng(0).normal(size=(3, 8, 8)))["layout"]["meta"]["dark"][axis]
    assert axis not in spec_of(np.random.default_rng(0).random((3, 8, 8)))["layout"]["meta"]["dark"]


def test_the_colour_strip_has_the_range_of_the_values():
    spec = spec_of(np.stack([np.full((2, 2), -1.0), np.full((2, 2), 3.0)]))
    assert spec["layout"]["xaxis2"]["range"] == [-3, 3]
    assert (spec["layout"]["coloraxis"]["cmin"], spec["layout"]["coloraxis"]["cmax"]) == (-3, 3)
