"""One channel close up: its values, its colours, and what is not finite."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.figures import (
    activation_figure,
)
from actwidget.figures.parts.palette import NAN_COLOR, NAN_CSS
from tests.figures.activation.contents import RNG, SAMPLES, content
from tests.rounding import assert_close


def test_the_close_up_is_the_channel_itself_and_the_mean_where_none_is_chosen():
    sample = SAMPLES["maps"]
    chosen, mean = (activation_figure(content(sample, channel=channel)).data[2] for channel in (4, None))
    np.testing.assert_array_equal(np.asarray(chosen.z), sample[..., 4])
    assert_close(np.asarray(mean.z), sample.mean(-1))
    figure = activation_figure(content(SAMPLES["sequence"], channel=2))
    line, ends = figure.data[2:4]
    np.testing.assert_array_equal(np.asarray(line.y), SAMPLES["sequence"][:, 2])
    # The first and the last step are as wide as the others.
    assert list(figure.layout.xaxis2.range) == [ends.x[0], ends.x[-1]] == [-0.5, 11.5]
    assert (ends.y[0], ends.y[-1]) == (line.y[0], line.y[-1])


def test_a_large_close_up_keeps_a_lone_spike_and_says_that_it_is_reduced():
    sample = np.zeros((600, 500, 2), "float32")
    sample[301, 77, 0] = -9
    figure = activation_figure(content(sample, channel=0))
    assert np.asarray(figure.data[2].z).min() == -9
    assert "close-up shown at 1/4 size" in figure.layout.title.text


def test_what_is_no_number_is_counted_in_words_and_coloured_close_up():
    sample = np.abs(SAMPLES["maps"]).copy()
    sample[0, 0, 4], sample[1, 1, 4], sample[2, 3, 4] = np.nan, np.inf, -np.inf
    figure = activation_figure(content(sample, channel=4))
    assert "1 NaN, 2 infinite" in figure.layout.title.text
    cells = figure.data[3]
    shown = np.isfinite(np.asarray(cells.z))
    np.testing.assert_array_equal(shown, ~np.isfinite(sample[..., 4]))
    assert np.asarray(cells.text)[shown].tolist() == ["NaN", "infinity", "-infinity"]
    assert cells.colorscale[0][1] == "#{:02x}{:02x}{:02x}".format(*NAN_COLOR)
    assert "NaN" not in activation_figure(content(SAMPLES["maps"], channel=4)).layout.title.text


def test_a_lone_nan_survives_where_a_large_close_up_is_reduced():
    sample = np.ones((600, 500, 1), "float32")
    sample[301, 77, 0] = np.nan
    cells = activation_figure(content(sample, channel=0)).data[3]
    assert np.argwhere(np.isfinite(np.asarray(cells.z))).tolist() == [[301 // 4, 77 // 4]]


@pytest.mark.parametrize("at", [None, (0,), (2,)])
def test_a_close_up_has_the_range_of_its_channel_whatever_the_colours_of_the_grid(at):
    sample = RNG.normal(size=(3, 4, 4, 2)).astype("float32")
    sample[0] *= 40
    for scaling in ("layer", "robust", "channel"):
        figure = activation_figure(content(sample, scaling=scaling, channel=1, at=at))
        bound = np.abs(sample[..., 1]).max()
        assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == pytest.approx((-bound, bound))
        assert figure.layout.coloraxis.showscale is False


def test_steps_that_are_no_numbers_are_marked_at_the_foot_of_the_line():
    def marks(sample):
        (found,) = activation_figure(content(sample, channel=1)).select_traces({"type": "scatter", "mode": "markers"})
        return found

    sample = RNG.normal(size=(6, 2)).astype("float32")
    sample[2, 1], sample[4, 1] = np.nan, -np.inf
    drawn = marks(sample)
    assert list(drawn.x) == [2, 4]
    assert list(drawn.hovertext) == ["NaN", "-infinity"]
    assert set(drawn.y) == {sample[np.isfinite(sample[:, 1]), 1].min()}
    assert drawn.marker.color == NAN_CSS
    sample[:, 1] = np.nan
    assert list(marks(sample).y) == [0] * 6
