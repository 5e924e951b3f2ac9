"""Two activations beside each other, and their difference."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.analysis import LEVELS, NAN_LEVEL
from actwidget.analysis.difference import difference
from actwidget.figures import ComparisonContent, Side, comparison_order, comparison_spec
from actwidget.figures.comparison.figure import ASPECT, MOST_TILES
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT
from actwidget.figures.parts.palette import ACCENT, NAN_CSS
from tests.figures.tiles import decoded, tiles_of

RNG = np.random.default_rng(0)


def content_of(first, second, **more):
    sides = Side("a", first, more.pop("answer", "")), Side("b", second)
    return ComparisonContent("conv", sides, difference(first, second), **more)


def compared(first, second, **more):
    """The figure, checked by Plotly."""
    return go.Figure(comparison_spec(content_of(first, second, **more)))


def pair(*shape):
    return [RNG.normal(size=shape).astype("float32") for _ in range(2)]


def closeups(figure):
    """The heatmaps of the channel that is large: on both sides, and the difference."""
    return [trace for trace in figure.data if trace.type == "heatmap" and trace.coloraxis and len(trace.z) > 1]


def strips(figure):
    return [trace for trace in figure.data if trace.type == "heatmap" and trace.coloraxis and len(trace.z) == 1]


@pytest.mark.parametrize("shape", [(6, 5, 8), (12, 4)])
def test_the_tiles_of_both_share_a_range_and_those_of_the_difference_are_centred_on_zero(shape):
    first, second = pair(*shape)
    apart = difference(first, second)
    figure = compared(first, second, channel=2)
    bound = max(np.abs(first).max(), np.abs(second).max())
    ranges = [(first, bound), (second, bound), (second - first, np.abs(second - first).max())]
    for trace, (values, most) in zip(figure.data[:6:2], ranges, strict=True):
        by_channel = np.moveaxis(values.reshape(-1, 1, shape[-1]) if len(shape) < 3 else values, -1, 0)
        by_channel = by_channel.reshape(shape[-1], 1, -1) if len(shape) < 3 else by_channel
        found = tiles_of(trace, by_channel, apart.order, ASPECT) / (LEVELS - 1) * 2 - 1
        np.testing.assert_allclose(found, by_channel[apart.order] / most, atol=1.02 / (LEVELS - 1))
    told = np.asarray(figure.data[5].customdata).reshape(-1, 3)[: shape[-1]]
    assert told[:, 0].tolist() == apart.order.tolist()
    assert (np.diff(told[:, 1]) <= 0).all()
    marked = [shape for shape in figure.layout.shapes if shape.line.color == ACCENT]
    assert [mark.xref for mark in marked] == ["x", "x2", "x3"]


@pytest.mark.parametrize("channel", [None, 0, 5])
def test_one_channel_is_large_on_both_sides_and_as_difference_each_with_its_own_range(channel):
    first, second = pair(9, 7, 6)
    figure = compared(first, second, channel=channel)
    large = difference(first, second).order[0] if channel is None else channel
    one, two = first[..., large], second[..., large]
    for trace, expected in zip(closeups(figure), (one, two, two - one), strict=True):
        np.testing.assert_allclose(np.asarray(trace.z), expected, atol=1e-6)
    bound = max(np.abs(one).max(), np.abs(two).max())
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == pytest.approx((-bound, bound))
    most = np.abs(two - one).max()
    assert (figure.layout.coloraxis2.cmin, figure.layout.coloraxis2.cmax) == pytest.approx((-most, most))
    assert [trace.coloraxis for trace in closeups(figure)] == ["coloraxis", "coloraxis", "coloraxis2"]
    for strip, end in zip(strips(figure), (bound, most), strict=True):
        assert (np.min(strip.z), np.max(strip.z)) == pytest.approx((-end, end))
    words = f"channel {large} large" if channel is None else f"channel {channel}: number"
    assert words in figure.layout.title.text.replace("</span>", "")


def test_of_a_sequence_one_unit_is_a_line_for_each_side_and_one_for_the_difference():
    first, second = pair(12, 4)
    figure = compared(first, second, channel=3)
    lines = [trace for trace in figure.data if trace.type == "scatter"]
    for line, expected in zip(lines, (first[:, 3], second[:, 3], second[:, 3] - first[:, 3]), strict=True):
        np.testing.assert_allclose(line.y, expected, atol=1e-6)
    assert lines[0].line.color != lines[1].line.color
    assert lines[0].line.dash != lines[1].line.dash  # told apart without colours, too


@pytest.mark.parametrize(("units", "channel"), [(30, None), (30, 4), (3, 1), (1, None)])
def test_of_a_vector_the_units_that_differ_most_are_bars_by_name(units, channel):
    first, second = pair(units)
    names = [f"kind {unit}" for unit in range(units)]
    content = content_of(first, second, channel=channel, names=names)
    figure = go.Figure(comparison_spec(content))
    ranked = np.argsort(-np.abs(second - first), kind="stable").tolist()
    shown = ranked[:10]
    if channel is not None and channel not in shown:
        shown[-1] = channel
    one, two, apart = (trace for trace in figure.data if trace.type == "bar")
    np.testing.assert_allclose(one.x, first[shown], atol=1e-6)
    np.testing.assert_allclose(two.x, second[shown], atol=1e-6)
    np.testing.assert_allclose(apart.x, (second - first)[shown], atol=1e-6)
    assert [text.split(">")[-2 if "<" in text else -1].split("<")[0] for text in figure.layout.yaxis.ticktext] == [
        names[unit] for unit in shown
    ]
    assert [each[0] for each in one.customdata] == shown
    assert comparison_order(content, {"data": figure.data}) == (shown, 1)


def test_shares_are_said_in_percent():
    first, second = np.array([0.9, 0.1], "float32"), np.array([0.25, 0.75], "float32")
    figure = compared(first, second, names=["cat", "dog"], is_share=True)
    texts = next(trace for trace in figure.data if trace.type == "scatter").text
    assert [text.strip("\u00a0") for text in texts] == ["-65 %", "65 %"]
    assert "largest difference 65 %" in figure.layout.title.text


def test_the_inputs_and_the_answers_of_both_stand_above():
    first, second = pair(6, 5, 8)
    pictures = RNG.integers(0, 255, (2, 20, 30, 3), "uint8")
    sides = [
        Side(name, values, answer, shown)
        for name, values, answer, shown in zip("ab", (first, second), ("cat 94 %", "dog 7 %"), pictures, strict=True)
    ]
    figure = go.Figure(comparison_spec(ComparisonContent("conv", (sides[0], sides[1]), difference(first, second))))
    texts = [note.text for note in figure.layout.annotations]
    assert "<b>a</b><br>cat 94 %" in texts
    assert "<b>b</b><br>dog 7 %" in texts
    assert "<b>difference</b><br>b minus a" in texts
    thumbnails = [trace for trace in figure.data if trace.type == "image"][3:]
    for thumbnail, expected in zip(thumbnails, pictures, strict=True):
        np.testing.assert_array_equal(decoded(thumbnail), expected)


@pytest.mark.parametrize("shape", [(6, 5, 8), (12, 4), (20,), (3, 6, 5, 60)])
def test_the_figure_is_as_high_as_its_panel_and_nothing_in_it_overlaps(shape):
    layout = compared(*pair(*shape), channel=1).layout
    assert (layout.height, layout.meta["narrow"]["height"]) == (HEIGHT, NARROW_HEIGHT)
    axes = [name[5:] for name in layout.to_plotly_json() if name.startswith("xaxis")]
    narrow = layout.meta["narrow"]
    wide = [(layout[f"xaxis{each}"].domain, layout[f"yaxis{each}"].domain) for each in axes]
    small = [(narrow[f"xaxis{each}.domain"], narrow[f"yaxis{each}.domain"]) for each in axes]
    for boxes in (wide, small):
        for place, (x, y) in enumerate(boxes):
            assert 0 <= x[0] < x[1] <= 1
            assert 0 <= y[0] < y[1] <= 1
            for other_x, other_y in boxes[place + 1 :]:
                is_apart = x[1] <= other_x[0] or other_x[1] <= x[0] or y[1] <= other_y[0] or other_y[1] <= y[0]
                assert is_apart


def test_of_many_channels_those_that_differ_most_have_a_tile_and_the_selected_one():
    first, second = pair(4, 4, 100)
    ranked = difference(first, second).order.tolist()
    content = content_of(first, second, channel=ranked[90])
    figure = comparison_spec(content)
    order, columns = comparison_order(content, figure)
    assert order == [*ranked[: MOST_TILES - 1], ranked[90]]
    cells = np.asarray(figure["data"][1]["customdata"])[..., 0]
    assert cells.ravel()[:MOST_TILES].tolist() == order
    assert cells.shape[1] == columns
    assert f"{MOST_TILES} of 100 shown" in figure["layout"]["title"]["text"]
    assert "number 91 of 100" in figure["layout"]["title"]["text"].replace("<br>", " · ")


@pytest.mark.parametrize("depth", [None, 0, 2])
def test_volumes_are_compared_at_any_slice_and_their_channels_as_a_whole(depth):
    first = RNG.random((3, 6, 5, 4)).astype("float32")
    second = first.copy()
    second[0] += 5
    apart = difference(first, second)
    at = None if depth is None else (depth,)
    figure, place = compared(first, second, at=at), 1 if depth is None else depth
    found = tiles_of(figure.data[4], np.moveaxis(apart.values[place], -1, 0), apart.order, ASPECT)
    assert (found > 200).all() if place == 0 else len(np.unique(found)) == 1
    assert f"slice {place} (0 to 2)" in figure.layout.title.text.replace("<br>", " · ")
    told = np.asarray(figure.data[3].customdata).reshape(-1, 3)[:4]
    np.testing.assert_allclose(told[:, 2], second.reshape(-1, 4).mean(axis=0)[apart.order], rtol=1e-5)
    np.testing.assert_array_equal(closeups(figure)[1].z, second[place, ..., apart.order[0]])


def test_in_a_comparison_nan_has_its_colour():
    first = np.abs(RNG.normal(size=(4, 4, 3))).astype("float32")
    second = first.copy()
    second[1, 2, 0] = np.nan
    figure = compared(first, second)
    assert [(decoded(trace) == NAN_LEVEL).sum() for trace in figure.data[:6:2]] == [0, 1, 1]
    broken = [
        trace
        for trace in figure.data
        if trace.type == "heatmap" and trace.colorscale and trace.colorscale[0][1] == NAN_CSS
    ]
    assert [np.isfinite(np.asarray(trace.z, float)).sum() for trace in broken] == [1, 1]  # in B and the difference


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "16 NaN in b"), (np.inf, "16 infinite in b"), (-np.inf, "16 infinite in b")]
)
@pytest.mark.filterwarnings("error")
def test_a_channel_broken_on_one_side_comes_first_and_is_counted_in_words(value, words):
    first = RNG.normal(size=(4, 4, 5)).astype("float32")
    second = first.copy()
    second[..., 2] = value
    figure = compared(first, second)
    assert "largest finite difference 0.00" in figure.layout.title.text
    assert words in figure.layout.title.text
    assert NAN_CSS in figure.layout.title.text
    assert figure.data[5].customdata[0][0][0] == 2
    assert [(decoded(trace) == NAN_LEVEL).sum() for trace in figure.data[:6:2]] == [0, 16, 16]


def test_a_reduced_grid_and_a_slice_are_said_in_the_title():
    first, second = RNG.normal(size=(2, 3, 256, 256, 8)).astype("float32")
    said = compared(first, second).layout.title.text
    assert "slice 1 (0 to 2)" in said
    assert "tiles shown at half size (strongest of each 2 × 2)" in said
    assert "close-up shown at half size (strongest of each 2 × 2)" in said.replace("<br>", " ")
    small = compared(first[0, :9, :9], second[0, :9, :9]).layout.title.text
    assert "shown" not in small
    assert "slice" not in small


def test_on_a_narrow_page_the_title_goes_on_in_further_lines():
    first, second = RNG.normal(size=(2, 3, 9, 9, 8)).astype("float32")
    sides = Side("a", first), Side("b", second)
    layout = comparison_spec(ComparisonContent("a" * 50, sides, difference(first, second)))["layout"]
    narrow = layout["meta"]["narrow"]
    assert narrow["title.text"].replace("<br>", " · ") == layout["title"]["text"].replace("<br>", " · ")
    assert narrow["title.text"].count("<br>") > layout["title"]["text"].count("<br>")
    assert narrow["margin.t"] > layout["margin"]["t"]
