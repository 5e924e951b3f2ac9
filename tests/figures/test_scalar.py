"""One number for each sample."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.figures import scalar_spec
from actwidget.figures.parts.palette import ACCENT, NAN_CSS

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(7,), (7, 1), (250,)])
def test_one_number_a_sample_over_the_batch(shape):
    values = RNG.normal(size=shape).astype("float32")
    figure = go.Figure(scalar_spec("price", values, sample=2))
    bar = figure.data[0]
    np.testing.assert_array_equal(np.asarray(bar.y), values.ravel())
    assert list(map(list, bar.customdata)) == [["sample", index] for index in range(values.size)]
    assert f"sample 2: {values.ravel()[2]:.2f}"[:-1] in figure.layout.title.text
    marked = bar.marker.color.index(ACCENT) if bar.type == "bar" else figure.data[1].x[0]
    assert marked == 2


def test_samples_that_are_no_numbers_are_counted():
    title = scalar_spec("loss", np.array([1.0, np.nan, np.inf]))["layout"]["title"]["text"]
    assert "2 NaN or infinite" in title
    assert "1.00 to 1.00" in title
    assert "3 samples" in scalar_spec("loss", np.full(3, np.nan))["layout"]["title"]["text"]


def test_numbers_of_samples_that_are_none_are_bars_of_a_bounded_length_in_a_colour_of_their_own():
    values = np.array([0.5, np.nan, -2.0, np.inf, -np.inf], "float32")
    figure = go.Figure(scalar_spec("price", values, sample=1))
    bar = figure.data[0]
    np.testing.assert_array_equal(np.asarray(bar.y), np.array([0.5, 2, -2, 2, -2], "float32"))
    assert [color == NAN_CSS for color in bar.marker.color] == [False, True, False, True, True]
    assert list(bar.text) == ["", "NaN", "", "infinity", "-infinity"]
    assert list(bar.marker.line.width) == [0, 2, 0, 0, 0]
    assert "<b>sample 3</b><br>inf" in bar.hovertext
    assert NAN_CSS in figure.layout.title.text
