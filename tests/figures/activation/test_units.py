"""A vector as bars, and its strongest units by name."""

from __future__ import annotations

import re

import numpy as np
import pytest

from actwidget.figures import (
    activation_figure,
)
from actwidget.figures.parts.palette import ACCENT, NAN_COLOR
from tests.figures.activation.contents import RNG, content


def test_few_units_are_bars_in_order_and_the_strongest_stand_apart_by_name():
    sample = RNG.normal(size=6).astype("float32")
    figure = activation_figure(content(sample, order_name="mean", channel=2, names=["a<b", *"bcdef"]))
    order = np.argsort(-sample, kind="stable")
    np.testing.assert_array_equal(np.asarray(figure.data[0].y), sample[order])
    assert [row[0] for row in figure.data[0].customdata] == order.tolist()
    assert figure.data[0].marker.color[order.tolist().index(2)] == ACCENT
    names = np.array(["a&lt;b", "b", f'<span style="color:{ACCENT}">c</span>', *"def"])
    assert list(figure.layout.yaxis2.ticktext) == names[order].tolist()


def test_a_chosen_unit_is_marked_and_has_its_number_also_where_it_is_zero():
    sample = np.array([0.5, 0, -1, 2], "float32")
    figure = activation_figure(content(sample, channel=1))
    own = f'<span style="color:{ACCENT}">unit 1</span>'
    row = list(figure.layout.yaxis2.ticktext).index(own)
    written = figure.data[2]
    assert (written.mode, written.x, written.y) == ("text", (0, 0), (row, row + 1))
    assert written.text == ("\u00a00.00", "\u00a0-1.00")  # that of a bar below zero too, on the other side
    assert figure.data[1].marker.line.color[row] == ACCENT
    assert figure.layout.xaxis.ticktext[1] == f'<span style="color:{ACCENT}">1</span>'
    assert figure.data[0].marker.line.width[1] == 2


def test_units_that_are_no_numbers_are_bars_of_a_bounded_length_in_a_colour_of_their_own():
    sample = np.array([1, np.inf, np.nan, 2, -1, -np.inf], "float32")
    figure = activation_figure(content(sample, channel=2))
    bar, top, written = figure.data[:3]
    beside = dict(zip(written.y, written.text, strict=True))
    nan = "#{:02x}{:02x}{:02x}".format(*NAN_COLOR)
    for trace, lengths in ((bar, bar.y), (top, top.x)):
        assert np.isfinite(np.asarray(lengths, float)).all()
        assert np.abs(np.asarray(lengths, float)).max() == 2
        units = [row[0] for row in trace.customdata]
        words = {1: "infinity", 2: "NaN", 5: "-infinity"}
        columns = units, trace.marker.color, trace.text, trace.hovertext
        for row, (unit, color, text, told) in enumerate(zip(*columns, strict=True)):
            assert (color == nan) == (unit in words)
            if unit in words:
                seen = text or (trace is top and beside[row].strip())
                assert (seen, told) == (words[unit], words[unit])
    assert [row[0] for row in top.customdata] == [1, 3, 0, 4, 2, 5]


@pytest.mark.parametrize(("label", "channel"), [(3, None), (19, 3), (19, 18), (19, 19)])
def test_the_true_class_is_among_the_top_ones_and_marked(label, channel):
    sample = np.linspace(1, 0, 20).astype("float32")
    names = [f"class {unit}" for unit in range(20)]
    figure = activation_figure(content(sample, names=names, label=label, channel=channel))
    labels = list(figure.layout.yaxis2.ticktext)
    assert len(labels) == len(set(labels)) == 8
    labels = [re.sub("<[^>]*>", "", text) for text in labels]
    assert [text for text in labels if text.startswith("✓")] == [f"✓ class {label}"]
    assert [row[0] for row in figure.data[1].customdata] == [int(text.split()[-1]) for text in labels]
    assert channel is None or any(text.endswith(f"class {channel}") for text in labels)
    assert "✓ the true one" in figure.layout.annotations[0].text


def test_numbers_of_bars_below_zero_are_on_the_other_side_and_have_room_there():
    def drawn(values):
        figure = activation_figure(content(np.array(values, "float32"), channel=1))
        (written,) = figure.select_traces({"type": "scatter", "mode": "text"})
        (bar,) = (trace for trace in figure.select_traces({"type": "bar"}) if trace.orientation == "h")
        assert [text != "" for text in bar.text] == [length > 0 for length in bar.x]
        assert list(written.y) == [row for row, length in enumerate(bar.x) if length <= 0]
        assert set(written.textposition.split()) == {"middle", "right"}
        return [text.strip() for text in written.text], list(figure.layout.xaxis2.range)

    texts, ends = drawn([0.5, -0.01, -0.3, 0.2, 0])
    assert texts == ["0.00", "-0.01", "-0.30"]
    assert ends == pytest.approx([-0.3, 0.5])
    assert drawn([0.1, -1, -2])[1] == pytest.approx([-2, 0.1 + 1.6])
    assert drawn([-np.inf, -1, 0])[1] == pytest.approx([-1, 0.8])
    assert drawn([0, 0, 0])[1] == [0, 1]
