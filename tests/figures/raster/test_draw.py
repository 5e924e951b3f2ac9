"""Figures drawn by Pillow, read back pixel by pixel: each trace is where Plotly would have it."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from actwidget.figures.raster import draw_figure

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
MARGIN = {"l": 20, "r": 20, "t": 20, "b": 20}
BARE = {"visible": False}


def drawn(*traces, width=240, height=140, **layout):
    """The pixels of a figure whose axes go from (20, 20) to (220, 120) unless `layout` says otherwise."""
    layout = {"xaxis": {**BARE, "range": [0, 10]}, "yaxis": {**BARE, "range": [0, 10]}, "margin": MARGIN, **layout}
    return np.asarray(draw_figure({"data": list(traces), "layout": {"height": height, **layout}}, width))


def box_of(pixels, color):
    """`(left, top, right, bottom)` of the pixels of a colour."""
    rows, columns = np.nonzero((pixels == color).all(axis=-1))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def uri(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def test_a_picture_covers_the_units_that_its_pixels_are_and_keeps_its_colours():
    pixels = np.array([[RED, BLUE]], np.uint8)
    image = {"type": "image", "source": uri(pixels), "x0": 2.5, "y0": 5.5}
    found = drawn(image, yaxis={**BARE, "range": [10, 0]})
    assert box_of(found, RED) == (60, 70, 80, 80)
    assert box_of(found, BLUE) == (80, 70, 100, 80)


def test_the_first_row_of_a_heatmap_is_below_unless_the_axis_is_reversed():
    heatmap = {"type": "heatmap", "z": np.array([[0.0], [1.0]]), "colorscale": [[0, "#ff0000"], [1, "#0000ff"]]}
    auto = {"xaxis": BARE, "yaxis": BARE}
    assert box_of(drawn(heatmap, **auto), RED) == (20, 70, 220, 120)
    assert box_of(drawn(heatmap, xaxis=BARE, yaxis={**BARE, "autorange": "reversed"}), RED) == (20, 20, 220, 70)


def test_the_colours_of_a_shared_axis_hold_and_values_that_are_not_finite_are_empty():
    heatmap = {"type": "heatmap", "z": np.array([[0.0, 5.0, np.nan]]), "coloraxis": "coloraxis", "dx": 2, "x0": 1}
    axis = {"cmin": 0, "cmax": 5, "colorscale": [[0, "#ff0000"], [1, "#0000ff"]]}
    found = drawn(heatmap, coloraxis=axis, yaxis={**BARE, "range": [-0.5, 0.5]})
    assert (box_of(found, RED), box_of(found, BLUE)) == ((20, 20, 60, 120), (60, 20, 100, 120))
    assert (found[70, 110] == WHITE).all()


def test_bars_stand_on_zero_and_lie_where_they_are_horizontal():
    bar = {"type": "bar", "x": [5], "y": [4], "width": 2, "marker": {"color": "#ff0000"}}
    assert box_of(drawn(bar), RED) == (100, 80, 140, 120)
    assert box_of(drawn({**bar, "orientation": "h", "x": [5], "y": [4]}), RED) == (20, 70, 120, 90)


@pytest.mark.parametrize("options", [{}, {"barmode": "group"}])
def test_two_traces_of_bars_stand_beside_each_other_at_one_place(options):
    first, second = (
        {"type": "bar", "x": [5], "y": [4], "marker": {"color": color}} for color in ("#ff0000", "#0000ff")
    )
    found = drawn(first, second, bargap=0, **options)
    left, right = box_of(found, RED), box_of(found, BLUE)
    assert left[2] == right[0] == 120
    assert left[2] - left[0] == right[2] - right[0]


def test_bars_that_overlay_stand_at_one_place():
    first, second = (
        {"type": "bar", "x": [5], "y": [y], "marker": {"color": c}} for y, c in ((8, "#ff0000"), (4, "#0000ff"))
    )
    found = drawn(first, second, bargap=0, barmode="overlay")
    assert box_of(found, RED)[::2] == box_of(found, BLUE)[::2]


def test_names_along_an_axis_are_places_in_their_order():
    bar = {"type": "bar", "orientation": "h", "y": ["a", "b"], "x": [0, 10], "width": 1, "marker": {"color": "#ff0000"}}
    assert box_of(drawn(bar, yaxis={**BARE, "range": [-0.5, 1.5]}), RED) == (20, 20, 220, 70)


@pytest.mark.parametrize(("shape", "middle"), [("linear", 80), ("hv", 120), ("hvh", 120)])
def test_a_line_goes_straight_or_in_steps(shape, middle):
    line = {"type": "scatter", "x": [0, 10], "y": [0, 10], "line": {"color": "#ff0000", "width": 4, "shape": shape}}
    column = drawn(line)[:, 100]
    red = np.flatnonzero((column[:, 0] > 200) & (column[:, 1] < 120))
    assert abs(red.mean() - middle) < 4


def test_a_line_has_a_gap_where_a_value_is_missing_and_is_cut_at_its_panel():
    y = [5, 5, np.nan, 5, 50]
    found = drawn({"type": "scatter", "x": [0, 4, 5, 6, 10], "y": y, "line": {"color": "#ff0000", "width": 4}})
    assert (found[70, 50] == RED).all()
    assert (found[60:80, 120] == WHITE).all()
    assert (found[:18] == WHITE).all()


def test_axes_that_keep_a_ratio_shrink_to_where_they_are_told():
    square = {"type": "heatmap", "z": np.zeros((2, 2)), "colorscale": [[0, "#ff0000"], [1, "#ff0000"]]}
    axes = {"xaxis": {**BARE, "constraintoward": "left"}, "yaxis": {**BARE, "scaleanchor": "x"}}
    assert box_of(drawn(square, **axes), RED) == (20, 20, 120, 120)
    assert box_of(drawn(square, xaxis=BARE, yaxis=axes["yaxis"]), RED) == (70, 20, 170, 120)


def test_panels_lie_in_their_domains_and_what_is_out_of_sight_is_left_out():
    dot = {"type": "scatter", "mode": "markers", "x": [5], "y": [5], "marker": {"color": "#ff0000", "size": 10}}
    axes = {"xaxis2": {**BARE, "range": [0, 10], "domain": [0.5, 1]}, "yaxis2": {**BARE, "range": [0, 10]}}
    hidden = [{**dot, "visible": False}, {"type": "heatmap", "z": [[1]], "opacity": 0}, {"type": "surface", "z": [[1]]}]
    left, _, right, _ = box_of(drawn(*hidden, {**dot, "xaxis": "x2", "yaxis": "y2"}, **axes), RED)
    assert (left + right) / 2 == pytest.approx(170, abs=1)


def test_shapes_frame_what_they_are_around():
    frame = {"type": "rect", "x0": 2, "x1": 4, "y0": 0.25, "y1": 0.75, "yref": "paper", "line": {"color": "#ff0000"}}
    assert box_of(drawn(shapes=[frame]), RED) == (59, 44, 101, 96)


def test_texts_are_coloured_where_they_say_so_and_numbers_stand_along_axes():
    title = {"text": '<span style="color:#ff0000">red</span> &amp; black', "font": {"size": 12}}
    found = drawn(title=title)
    red = (found[..., 0] > 200) & (found[..., 1] < 120)
    assert np.nonzero(red)[1].max() < 20 + 40
    assert (found[:20, 60:] < 100).any()
    labelled = drawn({"type": "scatter", "x": [0], "y": [0]}, xaxis={"range": [0, 10], "tickvals": [2]})
    below = np.nonzero((labelled[122:] < 150).any(axis=-1))[1]
    assert below.mean() == pytest.approx(60, abs=2)


@pytest.mark.parametrize(("position", "left"), [(0, 24), (0.25, 74)])
def test_the_names_of_a_free_axis_begin_at_its_place_in_the_figure(position, left):
    free = {
        "range": [0, 10],
        "tickvals": [5],
        "ticktext": ["H"],
        "anchor": "free",
        "position": position,
        "side": "right",
    }
    dot = {"type": "scatter", "mode": "markers", "x": [5], "y": [9], "marker": {"color": "#ff0000", "size": 4}}
    found = drawn(
        dot, yaxis={**free, "range": [0, 10], "showgrid": False}, xaxis={**BARE, "range": [0, 10], "domain": [0.5, 1]}
    )
    assert np.nonzero((found[60:80] < 200).any(axis=-1))[1].min() == pytest.approx(left, abs=2)


def test_a_table_shows_its_rows_below_its_heads():
    table = {"type": "table", "header": {"values": ["a"]}, "cells": {"values": [[1, 2, 3, 4, 5, 6, 7]], "height": 20}}
    dark = (drawn(table) < 100).any(axis=-1)
    assert [bool(dark[20 + 20 * row : 40 + 20 * row].any()) for row in range(6)] == [*[True] * 5, False]
