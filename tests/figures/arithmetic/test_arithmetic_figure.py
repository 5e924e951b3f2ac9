"""The figure of one value's arithmetic, from data made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.figures.arithmetic.content import ArithmeticContent, Plane, Row, Window
from actwidget.figures.arithmetic.figure import arithmetic_spec
from actwidget.figures.parts.palette import ColorRange

ROWS = (
    Row("term", "channel 2", "9 products", 0.5, ("conv", "line:0"), ("9 products",), is_marked=True),
    Row("term", "[3, 4, 1]", "0.50 × -0.60", -0.3, ("before", "before[0, 3, 4, 1]"), ("before[0, 3, 4, 1]",)),
    Row("rest", "12 more", value=0.1),
    Row("bias", "bias", value=0.2),
    Row("sum", "sum", value=0.5),
    Row("step", "relu", value=0.5, is_result=True),
)
INPUTS = np.array([[1.0, 2.0], [np.nan, 4.0]])
TARGETS = ((("before", "a"), ("before", "b")), (None, ("before", "c")))
WINDOW = Window(INPUTS, np.full((2, 2), 0.5), INPUTS / 2, TARGETS, "channel 2")
PLANE = Plane(np.arange(12.0).reshape(3, 4), (1, 2), ColorRange.of(0, 11), "channel 3: click a value")
CONTENT = ArithmeticContent("conv", "row 1, column 2, channel 3", 0.5, 0.5, ROWS, "values × weights", WINDOW, PLANE, 0)


def figure(content=CONTENT):
    return go.Figure(arithmetic_spec(content))


def texts(found):
    return [text for trace in found.data if trace.type == "scatter" for text in trace.text]


def test_the_sum_is_written_out_line_by_line():
    found = texts(figure())
    for text in ("[3, 4, 1]", "0.50 × -0.60", "= -0.30", "12 more", "bias", "= 0.50"):
        assert text in found
    assert "<b>→ 0.50</b>" in found
    assert any("channel 2" in text and "color:" in text for text in found)  # the chosen one


def test_the_title_says_what_was_captured_and_what_was_computed():
    title = figure().layout.title.text
    assert title == "conv · row 1, column 2, channel 3 · captured 0.50, computed 0.50 · sample 0"


def test_what_is_added_up_has_bars_from_zero():
    bars = figure().data[4]
    assert (bars.xaxis, list(bars.x), list(bars.y)) == ("x2", [0.5, -0.3, 0.1, 0.2], [0, 1, 2, 3])


def test_a_click_on_a_line_or_on_a_cell_of_the_window_carries_where_it_leads():
    found = figure()
    expected = [["conv", "line:0"], ["before", "before[0, 3, 4, 1]"], None, None, None, None]
    assert [each if each is None else list(each) for each in found.data[0].customdata] == expected
    maps = [trace for trace in found.data if trace.type == "heatmap"]
    assert len(maps) == 4
    for drawn in maps[:3]:
        assert [[each and tuple(each) for each in row] for row in drawn.customdata] == [list(row) for row in TARGETS]


def test_the_maps_of_the_window_hold_its_numbers_and_nothing_where_there_is_padding():
    maps = [trace for trace in figure().data if trace.type == "heatmap"][:3]
    for drawn, values in zip(maps, (INPUTS, WINDOW.weights, WINDOW.products), strict=True):
        np.testing.assert_array_equal(np.asarray(drawn.z), values.astype("float32"))
    assert [list(row) for row in maps[0].text] == [["1.00", "2.00"], ["", "4.00"]]
    captions = [each.text for each in figure().layout.annotations]
    assert captions == ["values × weights", "channel 2", "× weight", "= product, sum 3.50", "channel 3: click a value"]


def test_the_value_is_marked_among_those_of_the_layer_which_keys_move_in():
    layout = figure().layout
    mark = layout.shapes[-1]
    assert (mark.x0, mark.y0, mark.x1, mark.y1, mark.xref) == (1.5, 0.5, 2.5, 1.5, "x3")
    assert tuple(layout.meta["crosshair"]["pinned"]) == (1, 2)
    block = replace(PLANE, is_block=True, words=("row", "unit"))
    found = figure(replace(CONTENT, plane=block))
    assert "crosshair" not in found.layout.meta
    assert found.data[-1].text[1][2] == 6


@pytest.mark.parametrize("window", [None, WINDOW])
@pytest.mark.parametrize("plane", [None, PLANE])
def test_nothing_stands_over_anything_else_and_all_are_as_high(window, plane):
    found = arithmetic_spec(replace(CONTENT, window=window, plane=plane))
    layout = found["layout"]
    narrow = layout["meta"]["narrow"]
    assert (layout["height"], narrow["height"]) == (480, 600)
    for places in ({}, narrow):
        boxes = []
        for name in layout:
            if name.startswith("xaxis") and name != "xaxis2":
                other = name.replace("x", "y", 1)
                across = places.get(f"{name}.domain", layout[name]["domain"])
                down = places.get(f"{other}.domain", layout[other]["domain"])
                assert 0 <= across[0] < across[1] <= 1
                assert 0 <= down[0] < down[1] <= 1
                boxes.append((*across, *down))
        for number, one in enumerate(boxes):
            for two in boxes[number + 1 :]:
                assert one[1] <= two[0] or two[1] <= one[0] or one[3] <= two[2] or two[3] <= one[2]


def test_where_the_arithmetic_is_not_known_it_says_why_and_shows_the_inputs():
    rows = (Row("input", "input before", target=("before", ""), hover=("1 × 8",)),)
    reason = "How Own 'own' computes its values is not known here. Go on with its inputs, one by one, by clicks."
    content = ArithmeticContent("own", "unit 3", 0.25, None, rows, reason=reason)
    found = figure(content)
    assert "computed" not in found.layout.title.text
    said = found.layout.annotations[0].text
    assert said.replace("<br>", " ") == reason
    assert max(map(len, said.split("<br>"))) <= 88
    narrow = found.layout.meta["narrow"]["annotations[0].text"]
    assert narrow.replace("<br>", " ") == reason
    assert max(map(len, narrow.split("<br>"))) <= 48
    assert list(found.data[0].customdata[0]) == ["before", ""]


def test_numbers_that_are_not_finite_have_a_name_and_a_bar_of_bounded_length():
    rows = (
        Row("term", "unit 0", "NaN × 1.00", np.nan),
        Row("term", "unit 1", "1.00 × 2.00", 2.0),
        Row("sum", "sum", value=np.nan, is_result=True),
    )
    found = figure(replace(CONTENT, rows=rows, value=np.nan, result=np.nan, window=None))
    assert "captured NaN, computed NaN" in found.layout.title.text
    assert "= NaN" in texts(found)
    bars = next(trace for trace in found.data if trace.xaxis == "x2")
    assert list(bars.x) == [2.0, 2.0]
    assert bars.marker.color[0] == "#ff00c8"


def test_a_dark_page_has_its_own_middle_of_each_diverging_scale():
    both = np.array([[-1.0, 1.0]])
    window = Window(both, both, both)
    plane = Plane(both, (0, 0), ColorRange.over(both), "channel 0")
    dark = figure(replace(CONTENT, window=window, plane=plane)).layout.meta["dark"]
    assert set(dark) == {f"coloraxis{number}.colorscale" for number in ("", 2, 3, 4)}
