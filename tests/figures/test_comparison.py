"""Two activations side by side, and their difference."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.analysis import LEVELS, NAN_LEVEL
from actwidget.analysis.difference import difference
from actwidget.figures import comparison_spec
from actwidget.figures.parts.palette import NAN_CSS
from tests.figures.tiles import decoded, tiles_of

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(6, 5, 8), (12, 4), (20,)])
def test_both_share_a_range_and_the_difference_is_centred_on_zero(shape):
    first, second = (RNG.normal(size=shape).astype("float32") for _ in range(2))
    apart = difference(first, second)
    figure = go.Figure(comparison_spec("conv", first, second, apart, names=("a", "b"), channel=2))
    bound = max(np.abs(first).max(), np.abs(second).max())
    ranges = [(first, bound), (second, bound), (second - first, np.abs(second - first).max())]
    for trace, (values, most) in zip(figure.data[::2], ranges, strict=True):
        by_channel = np.moveaxis(values.reshape(-1, 1, shape[-1]) if len(shape) < 3 else values, -1, 0)
        by_channel = by_channel.reshape(shape[-1], 1, -1) if len(shape) < 3 else by_channel
        found = tiles_of(trace, by_channel, apart.order, 0.9) / (LEVELS - 1) * 2 - 1
        np.testing.assert_allclose(found, by_channel[apart.order] / most, atol=1.02 / (LEVELS - 1))
    told = np.asarray(figure.data[5].customdata).reshape(-1, 3)[: shape[-1]]
    assert told[:, 0].tolist() == apart.order.tolist()
    assert (np.diff(told[:, 1]) <= 0).all()
    assert len(figure.layout.shapes) == 6


@pytest.mark.parametrize("depth", [None, 0, 2])
def test_volumes_are_compared_at_any_slice_and_their_channels_as_a_whole(depth):
    first = RNG.random((3, 6, 5, 4)).astype("float32")
    second = first.copy()
    second[0] += 5
    apart = difference(first, second)
    at = None if depth is None else (depth,)
    spec = comparison_spec("conv", first, second, apart, names=("a", "b"), at=at)
    figure, place = go.Figure(spec), 1 if depth is None else depth
    found = tiles_of(figure.data[4], np.moveaxis(apart.values[place], -1, 0), apart.order, 0.9)
    assert (found > 200).all() if place == 0 else len(np.unique(found)) == 1
    assert f"slice {place} (0 to 2)" in figure.layout.title.text.replace("<br>", " · ")
    told = np.asarray(figure.data[3].customdata).reshape(-1, 3)[:4]
    np.testing.assert_allclose(told[:, 2], second.reshape(-1, 4).mean(axis=0)[apart.order], rtol=1e-5)


def test_in_a_comparison_nan_has_its_colour():
    first = np.abs(RNG.normal(size=(4, 4, 3))).astype("float32")
    second = first.copy()
    second[1, 2, 0] = np.nan
    figure = go.Figure(comparison_spec("conv", first, second, difference(first, second), names=("a", "b")))
    assert [(decoded(trace) == NAN_LEVEL).sum() for trace in figure.data[::2]] == [0, 1, 1]


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "16 NaN in b"), (np.inf, "16 infinite in b"), (-np.inf, "16 infinite in b")]
)
@pytest.mark.filterwarnings("error")
def test_a_channel_broken_on_one_side_comes_first_and_is_counted_in_words(value, words):
    first = RNG.normal(size=(4, 4, 5)).astype("float32")
    second = first.copy()
    second[..., 2] = value
    figure = go.Figure(comparison_spec("conv", first, second, difference(first, second), names=("a", "b")))
    assert "largest finite difference 0.00" in figure.layout.title.text
    assert words in figure.layout.title.text
    assert NAN_CSS in figure.layout.title.text
    assert figure.data[5].customdata[0][0][0] == 2
    assert [(decoded(trace) == NAN_LEVEL).sum() for trace in figure.data[::2]] == [0, 16, 16]


def test_a_reduced_grid_and_a_slice_are_said_in_the_title():
    first, second = RNG.normal(size=(2, 3, 256, 256, 8)).astype("float32")
    apart = difference(first, second)
    said = comparison_spec("conv", first, second, apart, names=("a", "b"))["layout"]["title"]["text"]
    assert "slice 1 (0 to 2)" in said
    assert "shown at half size (strongest of each 2 × 2)" in said
    first, second = first[0, :9, :9], second[0, :9, :9]
    small = comparison_spec("conv", first, second, difference(first, second), names=("a", "b"))
    assert "shown" not in small["layout"]["title"]["text"]
    assert "slice" not in small["layout"]["title"]["text"]


def test_on_a_narrow_page_the_title_goes_on_in_further_lines():
    first, second = RNG.normal(size=(2, 3, 9, 9, 8)).astype("float32")
    layout = comparison_spec("a" * 50, first, second, difference(first, second), names=("a", "b"))["layout"]
    narrow = layout["meta"]["narrow"]
    assert narrow["title.text"].replace("<br>", " · ") == layout["title"]["text"].replace("<br>", " · ")
    assert narrow["title.text"].count("<br>") > layout["title"]["text"].count("<br>")
    assert narrow["margin.t"] > layout["margin"]["t"]
