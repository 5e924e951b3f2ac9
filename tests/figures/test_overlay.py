"""A channel over the input picture."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from actwidget.figures import Placement, overlay_spec
from actwidget.figures.overlay import veil
from actwidget.figures.parts.palette import NAN_CSS, ColorRange

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (40, 60, 3)).astype("uint8")
VALUES = RNG.normal(size=(10, 12)).astype("float32")


def decoded(trace):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(trace.source.partition(",")[2]))))


def spans(trace, count, x, dx):
    """The first and the last coordinate that a trace covers."""
    return trace[x] - trace[dx] / 2, trace[x] + trace[dx] * (count - 0.5)


def test_the_input_is_shown_pixel_for_pixel_and_the_channel_is_stretched_over_it():
    figure = go.Figure(overlay_spec("conv", PIXELS, VALUES, channel=3))
    picture, channel, alone, strip = figure.data
    assert (strip.coloraxis, strip.z[0][-1]) == ("coloraxis", figure.layout.coloraxis.cmax)
    np.testing.assert_array_equal(decoded(picture), PIXELS)
    np.testing.assert_array_equal(decoded(alone), PIXELS)
    np.testing.assert_array_equal(np.asarray(channel.z), VALUES)
    for x, dx, inside, outside in (("x0", "dx", 12, 60), ("y0", "dy", 10, 40)):
        assert spans(channel, inside, x, dx) == pytest.approx((-0.5, outside - 0.5))
        assert spans(picture, outside, x, dx) == pytest.approx((-0.5, outside - 0.5))
    assert "channel 3 stretched over the input" in figure.layout.title.text
    assert figure.layout.coloraxis.cmin == -figure.layout.coloraxis.cmax == -np.abs(VALUES).max()


def test_each_cell_says_where_it_is_and_is_no_channel():
    cells = np.asarray(go.Figure(overlay_spec("conv", PIXELS, VALUES)).data[1].customdata)
    np.testing.assert_array_equal(cells[..., 1:], np.moveaxis(np.indices((10, 12)), 0, -1))
    assert (cells[..., 0] == -1).all()


def test_a_large_input_and_a_large_map_are_reduced_and_still_lie_on_each_other():
    pixels, values = np.zeros((900, 1300, 1)), np.zeros((600, 500), "float32")
    pixels[0, 0], values[400, 77] = 1, -5
    figure = go.Figure(overlay_spec("conv", pixels, values))
    picture, channel, *_ = figure.data
    assert max(decoded(picture).shape) == 640
    rows, columns = np.asarray(channel.z).shape
    assert np.asarray(channel.z).min() == -5
    assert spans(picture, decoded(picture).shape[1], "x0", "dx") == pytest.approx((-0.5, 1299.5))
    assert spans(channel, rows, "y0", "dy") == pytest.approx((-0.5, 899.5))
    assert spans(channel, columns, "x0", "dx")[1] == pytest.approx(columns * 3 * 1300 / 500 - 0.5)
    assert "shown at 1/3 size" in figure.layout.title.text


def test_the_box_is_marked_and_enlarged_and_its_size_said():
    layout = go.Figure(overlay_spec("conv", PIXELS, VALUES, cell=(2, 7), box=(4, 30, 20, 60))).layout
    cell, box = layout.shapes[1::2]
    assert (cell.x0, cell.x1, cell.y0, cell.y1) == pytest.approx((34.5, 39.5, 7.5, 11.5))
    assert (box.x0, box.x1, box.y0, box.y1) == pytest.approx((29.5, 59.5, 3.5, 19.5))
    assert layout.xaxis2.range == (29.5, 59.5)
    assert layout.yaxis2.range == (19.5, 3.5)
    assert "depends on 16 × 30 of 40 × 60 pixels" in layout.title.text
    assert "row 2, column 7" in layout.annotations[0].text


@pytest.mark.parametrize("size", [(10, 12), (700, 500)])
def test_a_map_whose_place_is_known_lies_there_with_the_frame_on_its_cell(size):
    values = np.zeros(size, "float32")
    values[8, 6] = 1
    place = Placement(top=5.5, left=-2, down=4, across=2)
    figure = go.Figure(overlay_spec("conv", PIXELS, values, cell=(8, 6), box=(0, 0, 9, 9), place=place))
    channel, frame = figure.data[1], figure.layout.shapes[0]
    row, column = np.argwhere(np.asarray(channel.z) == 1)[0]
    factor = channel.dx / 2
    assert factor == channel.dy / 4 == (1 if size == (10, 12) else 3)
    # The first cell of the square that is drawn: half a square before its middle, half a cell on.
    assert channel.x0 + channel.dx * (column - 0.5) + 1 == -2 + 2 * (column * factor)
    assert channel.y0 + channel.dy * (row - 0.5) + 2 == 5.5 + 4 * (row * factor)
    assert (frame.x0 + frame.x1, frame.y0 + frame.y1) == (2 * (-2 + 6 * 2), 2 * (5.5 + 8 * 4))
    assert (frame.x1 - frame.x0, frame.y1 - frame.y0) == (2, 4)
    assert "over the input" in figure.layout.title.text
    assert "stretched" not in figure.layout.title.text


@pytest.mark.parametrize(
    "place",
    [
        Placement(3, 3, 4, 4),  # the last row goes from 37 to 41
        Placement(-3, -2, 4, 7),
        Placement(9, 9, 1, 1),
        None,
    ],
)
def test_cells_over_padding_are_cut_off_at_the_edge_of_the_input(place):
    layout = go.Figure(overlay_spec("conv", PIXELS, VALUES, place=place)).layout
    assert (layout.xaxis.range, layout.yaxis.range) == ((-0.5, 59.5), (39.5, -0.5))
    assert (layout.xaxis2.range, layout.yaxis2.range) == ((-0.5, 59.5), (39.5, -0.5))


def test_a_cell_of_which_it_is_not_known_what_it_sees_says_so():
    layout = go.Figure(overlay_spec("conv", PIXELS, VALUES, cell=(2, 7))).layout
    assert "receptive field can't be computed" in layout.title.text
    assert len(layout.shapes) == 2
    assert "receptive" not in go.Figure(overlay_spec("conv", PIXELS, VALUES)).layout.title.text


def test_an_input_is_called_as_asked():
    figure = go.Figure(overlay_spec("conv", PIXELS, VALUES, source="input <b>", cell=(0, 0), box=(0, 0, 0, 0)))
    assert "stretched over input &lt;b&gt;" in figure.layout.title.text
    assert "not on input &lt;b&gt;" in figure.layout.title.text
    assert figure.layout.annotations[0].text == "input &lt;b&gt;"


def test_nan_and_infinity_have_their_colour():
    values = VALUES.copy()
    values[0, 0], values[3, 4] = np.nan, np.inf
    figure = go.Figure(overlay_spec("conv", PIXELS, values))
    nonfinite = figure.data[2]
    np.testing.assert_array_equal(np.isfinite(np.asarray(nonfinite.z)), ~np.isfinite(values))
    assert nonfinite.colorscale[0][1] == NAN_CSS
    assert "2 NaN or infinite" in figure.layout.title.text


@pytest.mark.parametrize(
    ("pixels", "values"),
    [(np.zeros((40, 60, 5)), VALUES), (np.zeros(9), VALUES), (PIXELS, np.zeros(4)), (PIXELS, VALUES[:0])],
)
def test_without_a_picture_or_a_map_there_is_none(pixels, values):
    assert overlay_spec("conv", pixels, values) is None


@pytest.mark.parametrize(("scale", "silent"), [("viridis", 0), ("balance", 8)])
def test_the_input_shows_through_where_the_channel_is_silent(scale, silent):
    alphas = [float(color.rstrip(")").split(",")[-1]) for _, color in veil(scale)]
    assert alphas[silent] == min(alphas) == 0
    assert alphas[-1] == max(alphas) < 1


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_a_channel_of_one_value_is_drawn(fill):
    figure = go.Figure(overlay_spec("conv", PIXELS, np.full((3, 3), fill, "float32"), color=ColorRange.of(fill, fill)))
    assert figure.layout.coloraxis.cmax > figure.layout.coloraxis.cmin
