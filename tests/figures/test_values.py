"""Labels, flags and texts as they are shown."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.figures import values_spec
from actwidget.figures.parts.text import visible_length

RNG = np.random.default_rng(0)


def table_of(figure):
    cells = figure.data[0].cells.values
    return [list(row) for row in zip(*cells[1:], strict=True)]


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(9, 12), (9, 12, 1)])
def test_a_picture_of_few_values_has_a_colour_for_each(dtype, shape):
    sample = RNG.integers(0, 2 if dtype == "bool" else 5, shape).astype(dtype)
    figure = go.Figure(values_spec("argmax", sample))
    (trace,) = figure.data
    names = np.array([str(value) for value in np.unique(sample).tolist()])
    flat = sample.reshape(9, 12)
    assert names[np.asarray(trace.z)].tolist() == [[str(value) for value in row] for row in flat.tolist()]
    assert [list(row) for row in trace.text] == names[np.asarray(trace.z)].tolist()
    (legend,) = figure.layout.annotations
    for place, name in enumerate(names):
        share = 100 * np.mean(flat.astype(str) == name)
        color = trace.colorscale[2 * place][1]
        assert trace.colorscale[2 * place + 1][1] == color
        assert f'<span style="color:{color};fill-opacity:1">■</span> {name}: {share:.0f}' in legend.text
    assert len({color for _, color in trace.colorscale}) == len(names)
    assert f"{len(names)} distinct values" in figure.layout.title.text


def test_a_legend_of_long_names_has_lines_for_all_of_them():
    names = np.array([f"a class with a long name {letter}" for letter in "abcdefgh"])
    layout = values_spec("argmax", names[RNG.integers(0, 8, (9, 12))])["layout"]
    narrow = layout["meta"]["narrow"]
    for text, limit, bottom in (
        (layout["annotations"][0]["text"], 88, layout["margin"]["b"]),
        (narrow["annotations[0].text"], 52, narrow["margin.b"]),
    ):
        lines = text.split("<br>")
        assert len(lines) > 1
        assert max(map(visible_length, lines)) <= limit + 8  # gaps are a little wider than dots
        assert text.count("■") == 8
        assert bottom == 36 + 16 * (len(lines) - 1)


def test_of_several_channels_the_first_is_shown_and_the_title_says_so():
    sample = RNG.integers(0, 3, (5, 6, 4))
    figure = go.Figure(values_spec("flags", sample))
    np.testing.assert_array_equal(np.unique(sample)[np.asarray(figure.data[0].z)], sample[..., 0])
    assert "the first of 4 channels" in figure.layout.title.text


@pytest.mark.parametrize("channel", [None, 0, 1])
def test_of_several_channels_what_is_drawn_is_counted_alone(channel):
    sample = np.zeros((5, 6, 2), bool)
    sample[..., 1] = True
    sample[0, 0, 1] = False
    layout = values_spec("flags", sample, channel=channel)["layout"]
    title, legend = layout["title"]["text"], layout["annotations"][0]["text"]
    assert ("channel 1 of 2" if channel == 1 else "channel 0 of 2" if channel == 0 else "the first of 2") in title
    assert ("2 distinct values" if channel == 1 else "1 distinct value ") in title
    assert ("False: 3.3 %" if channel == 1 else "False: 100 %") in legend
    assert ("True: 97 %" if channel == 1 else "True: 0 %") in legend


def test_a_large_picture_is_reduced_so_that_a_lone_value_stays_and_the_title_says_so():
    sample = np.full((600, 500), 3)
    sample[:, :100], sample[301, 477] = 9, 5
    figure = go.Figure(values_spec("argmax", sample))
    (trace,) = figure.data
    shown = np.array([3, 5, 9])[np.asarray(trace.z)]
    assert shown.shape == (200, 167)
    assert np.argwhere(shown == 5).tolist() == [[301 // 3, 477 // 3]]
    assert (shown[:, :33] == 9).all()
    assert (trace.x0, trace.dx) == (1, 3)
    assert "shown at 1/3 size (rarest of each 3 × 3)" in figure.layout.title.text


@pytest.mark.parametrize("dtype", [object, "U", "S"])
def test_texts_are_a_table_and_are_shown_literally(dtype):
    words = np.array([["<b>", "naïve"], ["a", "b&c"]] if dtype != "S" else [["<b>", "x"], ["a", "b&c"]])
    figure = go.Figure(values_spec("lookup", words.astype(dtype), sample_number=3))
    second = "x" if dtype == "S" else "naïve"
    assert table_of(figure) == [["&lt;b&gt;", second], ["a", "b&amp;c"]]
    assert figure.layout.title.text == "lookup · 2 × 2 of text · sample 3"


def test_a_vector_of_many_integers_is_a_table_with_a_row_each():
    sample = np.arange(30) * 7
    figure = go.Figure(values_spec("ids", sample))
    assert table_of(figure) == [[str(value)] for value in sample.tolist()]
    assert list(figure.data[0].cells.values[0]) == [str(row) for row in range(30)]


def test_what_does_not_fit_in_a_table_is_said():
    figure = go.Figure(values_spec("many", np.arange(300 * 20).reshape(300, 20)))
    rows = table_of(figure)
    assert (len(rows), len(rows[0])) == (200, 12)
    assert "the first 200 of 300 rows, 12 of 20 columns" in figure.layout.title.text


@pytest.mark.parametrize("sample", [np.array("one"), np.array(7), np.zeros((0, 3), int), np.array([], object)])
def test_a_single_value_and_none_at_all_are_shown(sample):
    figure = go.Figure(values_spec("odd", sample))
    assert len(table_of(figure)) == (1 if sample.ndim == 0 else 0)
