"""The figure's contents, decoded and compared with the arrays they were made of."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from actwidget.analysis.histogram import histogram
from actwidget.analysis.pixels.color_limits import limits
from actwidget.analysis.pixels.levels import GAP_LEVEL, LEVELS, NAN_LEVEL
from actwidget.analysis.statistics import statistics
from actwidget.figures import ORDERS, View, activation_figure, channel_order, message_figure, picture, thumbnail_png
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT
from actwidget.figures.parts.palette import ACCENT, NAN_COLOR, NAN_CSS, ColorRange, palette
from actwidget.figures.parts.text import number, seen_length

RNG = np.random.default_rng(3)
SAMPLES = {
    "maps": RNG.normal(size=(9, 7, 10)).astype("float32"),
    "rectified maps": np.maximum(RNG.normal(size=(9, 7, 10)), 0).astype("float32"),
    "one pixel": RNG.normal(size=(1, 1, 300)).astype("float32"),
    "many units": RNG.normal(size=400).astype("float32"),
    "sequence": RNG.normal(size=(12, 5)).astype("float32"),
    "volume": RNG.normal(size=(3, 4, 4, 6)).astype("float32"),
    "whole numbers": RNG.integers(0, 9, (4, 4, 3)),
    "booleans": RNG.random((4, 4, 3)) > 0.5,
}


def view(sample, *, order_name="index", scaling="layer", channel=None, title="layer", names=None, at=None, label=None):
    numbers = statistics(sample[np.newaxis])
    own = None if channel is None else sample[..., channel]
    return View(
        title=title,
        picture=picture(sample, numbers, channel_order(numbers, order_name), scaling, at=at),
        numbers=numbers,
        histogram=histogram(sample, channel_values=own),
        channel=channel,
        order_name=order_name,
        class_names=names,
        label=label,
    )


def decoded(uri):
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert image.mode == "P"
    return np.asarray(image)


def shown_values(figure, shown):
    """The values that the picture's colours stand for, by position: (positions, height, width)."""
    levels = decoded(figure.data[0].source)
    drawn = shown.picture
    count, height, width = drawn.values.shape
    if drawn.tiles is None:
        tiles = [levels[row : row + 1] for row in range(count)]
    else:
        boxes = [drawn.tiles.box(channel) for channel in drawn.order.tolist()]
        tiles = [levels[int(y0) : int(y1), int(x0) : int(x1)] for x0, y0, x1, y1 in boxes]
    stacked = np.stack(tiles)
    assert stacked.shape == (count, height, width)
    assert (stacked < LEVELS).all()
    return stacked / (LEVELS - 1)


def middle_of(sample):
    while sample.ndim > 3:
        sample = sample[(len(sample) - 1) // 2]
    if sample.ndim == 1:
        return sample[:, np.newaxis, np.newaxis].astype(float)
    if sample.ndim == 2:
        return sample.T[:, np.newaxis, :].astype(float)
    return np.moveaxis(sample, -1, 0).astype(float)


@pytest.mark.parametrize("order_name", list(ORDERS))
@pytest.mark.parametrize("kind", list(SAMPLES))
def test_the_grid_shows_every_channel_within_a_colour_step(kind, order_name):
    sample = SAMPLES[kind]
    shown = view(sample, order_name=order_name)
    values = middle_of(sample)[shown.picture.order]
    color = ColorRange.of(float(sample.min()), float(sample.max()))
    expected = (values - color.low) / (color.high - color.low)
    np.testing.assert_allclose(shown_values(activation_figure(shown), shown), expected, atol=0.51 / (LEVELS - 1))
    assert sorted(shown.picture.order.tolist()) == list(range(len(values)))


@pytest.mark.parametrize("kind", ["rectified maps", "maps", "sequence"])
def test_with_a_range_of_its_own_each_channel_uses_the_whole_scale(kind):
    sample = SAMPLES[kind]
    shown = view(sample, scaling="channel", order_name="mean")
    values = middle_of(sample)[shown.picture.order]
    flat = values.reshape(len(values), -1)
    low, high = flat.min(1), flat.max(1)
    if sample.min() < 0:
        high = np.maximum(-low, high)
        low = -high
    expected = (values - low[:, None, None]) / (high - low)[:, None, None]
    np.testing.assert_allclose(shown_values(activation_figure(shown), shown), expected, atol=0.51 / (LEVELS - 1))


@pytest.mark.parametrize("kind", ["maps", "sequence", "many units"])
def test_each_cell_carries_its_channel_and_its_numbers(kind):
    sample = SAMPLES[kind]
    shown = view(sample, order_name="mean")
    over = activation_figure(shown).data[1]
    cells = np.asarray(over.customdata).reshape(-1, 5)[np.isfinite(np.asarray(over.z, float)).ravel()]
    flat = sample.reshape(-1, sample.shape[-1]).astype(float)
    channels = cells[:, 0].astype(int)
    assert channels.tolist() == shown.picture.order.tolist()
    expected = [flat.min(0), flat.max(0), flat.mean(0), 100 * (flat == 0).mean(0)]
    np.testing.assert_allclose(cells[:, 1:], np.stack(expected, -1)[channels], rtol=1e-4, atol=1e-5)


def test_the_close_up_is_the_channel_itself_and_the_mean_where_none_is_chosen():
    sample = SAMPLES["maps"]
    chosen, mean = (activation_figure(view(sample, channel=channel)).data[2] for channel in (4, None))
    np.testing.assert_array_equal(np.asarray(chosen.z), sample[..., 4])
    np.testing.assert_allclose(np.asarray(mean.z), sample.mean(-1), rtol=1e-5, atol=1e-6)
    figure = activation_figure(view(SAMPLES["sequence"], channel=2))
    line, ends = figure.data[2:4]
    np.testing.assert_array_equal(np.asarray(line.y), SAMPLES["sequence"][:, 2])
    # The first and the last step are as wide as the others.
    assert list(figure.layout.xaxis2.range) == [ends.x[0], ends.x[-1]] == [-0.5, 11.5]
    assert (ends.y[0], ends.y[-1]) == (line.y[0], line.y[-1])


def test_a_large_close_up_keeps_a_lone_spike_and_says_that_it_is_reduced():
    sample = np.zeros((600, 500, 2), "float32")
    sample[301, 77, 0] = -9
    figure = activation_figure(view(sample, channel=0))
    assert np.asarray(figure.data[2].z).min() == -9
    assert "reduced 4×" in figure.layout.annotations[0].text


@pytest.mark.parametrize("shape", [(5000, 1000), (60_000, 20), (30, 40_000)])
@pytest.mark.parametrize("scaling", ["layer", "channel"])
def test_a_large_sequence_is_reduced_and_its_units_and_steps_stay_where_they_are(shape, scaling):
    sample = np.full(shape, 0.5, "float32")
    sample[0], sample[1] = 0, 1
    spike = (shape[0] - 2, shape[1] - 1)
    sample[spike] = 9
    shown = view(sample, channel=spike[1], scaling=scaling)
    figure = activation_figure(shown)
    image, over = figure.data[:2]
    levels = decoded(image.source)
    down, across = shown.picture.reduced
    assert levels.size <= 500_000
    assert levels.shape == (-(-shape[1] // down), -(-shape[0] // across))
    assert (image.x0 - across / 2, image.dx, image.y0 - down / 2, image.dy) == (-0.5, across, -0.5, down)
    assert levels[spike[1] // down, spike[0] // across] == LEVELS - 1
    words = [f"{name} reduced {by}×" for name, by in (("units", down), ("steps", across)) if by > 1]
    assert f"{', '.join(words)} by largest magnitude" in figure.layout.title.text
    # Hover, click and the axes still count units and steps.
    assert [int(row[0][0]) for row in over.customdata] == list(range(shape[1]))
    assert figure.layout.xaxis.range == (-0.5, shape[0] - 0.5)
    assert figure.layout.yaxis.range == (shape[1] - 0.5, -0.5)
    assert figure.layout.shapes[0].y0 == spike[1] - 0.5
    assert "reduced" not in activation_figure(view(sample[:100, :30])).layout.title.text


def test_the_outline_is_on_the_chosen_tile():
    shown = view(SAMPLES["maps"], channel=3)
    (outline,) = activation_figure(shown).layout.shapes
    assert (outline.x0, outline.y0, outline.x1, outline.y1) == shown.picture.tiles.box(3)
    assert outline.line.color == ACCENT


def test_the_histogram_holds_all_values_and_writes_exact_zeros_out():
    sample = SAMPLES["rectified maps"]
    figure = activation_figure(view(sample, channel=1))
    layer, channel, cells = figure.data[3:]
    zero, own_zero = (sample == 0).mean(), (sample[..., 1] == 0).mean()
    for outline, told, share in ((layer, cells.z, zero), (channel, cells.customdata, own_zero)):
        assert np.sum(told) == pytest.approx(1 - share)
        np.testing.assert_array_equal(np.ravel(told), outline.y[:-1])
    low, high = sample[sample != 0].min(), sample.max()
    assert (layer.x0, layer.x0 + layer.dx * (len(layer.y) - 1)) == pytest.approx((low, high))
    assert (cells.x0 - cells.dx / 2, cells.dx) == pytest.approx((layer.x0, layer.dx))
    assert max(layer.y.max(), channel.y.max()) < cells.y[1] == figure.layout.yaxis3.range[1]
    text = figure.layout.annotations[1].text
    assert text == f"zeros {100 * zero:.0f} % of the layer,<br>{100 * own_zero:.0f} % of the channel"


def test_few_units_are_bars_in_order_and_the_strongest_stand_apart_by_name():
    sample = RNG.normal(size=6).astype("float32")
    figure = activation_figure(view(sample, order_name="mean", channel=2, names=["a<b", *"bcdef"]))
    order = np.argsort(-sample, kind="stable")
    np.testing.assert_array_equal(np.asarray(figure.data[0].y), sample[order])
    assert [row[0] for row in figure.data[0].customdata] == order.tolist()
    assert figure.data[0].marker.color[order.tolist().index(2)] == ACCENT
    names = np.array(["a&lt;b", "b", f'<span style="color:{ACCENT}">c</span>', *"def"])
    assert list(figure.layout.yaxis2.ticktext) == names[order].tolist()


def test_a_chosen_unit_is_marked_and_has_its_number_also_where_it_is_zero():
    sample = np.array([0.5, 0, -1, 2], "float32")
    figure = activation_figure(view(sample, channel=1))
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
    figure = activation_figure(view(sample, channel=2))
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


def test_values_that_are_no_numbers_have_a_colour_of_their_own():
    sample = np.abs(SAMPLES["maps"]).copy()
    sample[0, 0, 0], sample[1, 1, 1] = np.nan, np.inf
    shown = view(sample)
    levels = decoded(activation_figure(shown).data[0].source)
    x0, y0, _, _ = shown.picture.tiles.box(0)
    assert levels[int(y0), int(x0)] == NAN_LEVEL
    assert (levels == NAN_LEVEL).sum() == 2
    assert tuple(palette("viridis")[3 * NAN_LEVEL : 3 * NAN_LEVEL + 3]) == NAN_COLOR


def test_what_is_no_number_is_counted_in_words_and_coloured_close_up():
    sample = np.abs(SAMPLES["maps"]).copy()
    sample[0, 0, 4], sample[1, 1, 4], sample[2, 3, 4] = np.nan, np.inf, -np.inf
    figure = activation_figure(view(sample, channel=4))
    assert "1 NaN, 2 infinite" in figure.layout.title.text
    cells = figure.data[3]
    shown = np.isfinite(np.asarray(cells.z))
    np.testing.assert_array_equal(shown, ~np.isfinite(sample[..., 4]))
    assert np.asarray(cells.text)[shown].tolist() == ["NaN", "infinity", "-infinity"]
    assert cells.colorscale[0][1] == "#{:02x}{:02x}{:02x}".format(*NAN_COLOR)
    assert "NaN" not in activation_figure(view(SAMPLES["maps"], channel=4)).layout.title.text


def test_a_lone_nan_survives_where_a_large_close_up_is_reduced():
    sample = np.ones((600, 500, 1), "float32")
    sample[301, 77, 0] = np.nan
    cells = activation_figure(view(sample, channel=0)).data[3]
    assert np.argwhere(np.isfinite(np.asarray(cells.z))).tolist() == [[301 // 4, 77 // 4]]


def test_robust_colours_say_what_they_leave_out():
    sample = np.abs(RNG.normal(size=(50, 50, 6))).astype("float32")
    sample[:3, :3, 5] = 900
    shown = view(sample, scaling="robust", channel=5)
    ends = limits(sample)
    assert (shown.picture.color.low, shown.picture.color.high) == (ends.low, ends.high)
    assert ends.high < 10
    figure = activation_figure(shown)
    assert "colours for 0.1 to 99.9 % of the values, <0.1 % below, <0.1 % above" in figure.layout.title.text
    bar = figure.layout.coloraxis.colorbar
    assert bar.ticktext[-1].startswith("≥ ")
    assert bar.ticktext[0].startswith("≤ ")
    assert (bar.tickvals[-1], figure.layout.coloraxis.cmax) == (ends.high, ends.high)
    values = np.clip(middle_of(sample), ends.low, ends.high)
    expected = (values - ends.low) / (ends.high - ends.low)
    np.testing.assert_allclose(shown_values(figure, shown), expected, atol=0.51 / (LEVELS - 1))
    assert activation_figure(view(sample, channel=5)).layout.coloraxis.colorbar.ticktext is None


@pytest.mark.parametrize("depth", range(3))
def test_each_slice_of_a_volume_can_be_shown_and_is_named(depth):
    sample = SAMPLES["volume"]
    shown = view(sample, at=(depth,), channel=2)
    figure = activation_figure(shown)
    assert f"slice {depth} (0 to 2)" in figure.layout.title.text
    np.testing.assert_array_equal(np.asarray(figure.data[2].z), sample[depth, :, :, 2])
    color = shown.picture.color
    expected = (middle_of(sample[depth]) - color.low) / (color.high - color.low)
    np.testing.assert_allclose(shown_values(figure, shown), expected, atol=0.51 / (LEVELS - 1))


@pytest.mark.parametrize(("label", "channel"), [(3, None), (19, 3), (19, 18), (19, 19)])
def test_the_true_class_is_among_the_top_ones_and_marked(label, channel):
    sample = np.linspace(1, 0, 20).astype("float32")
    names = [f"class {unit}" for unit in range(20)]
    figure = activation_figure(view(sample, names=names, label=label, channel=channel))
    labels = list(figure.layout.yaxis2.ticktext)
    assert len(labels) == len(set(labels)) == 8
    labels = [re.sub("<[^>]*>", "", text) for text in labels]
    assert [text for text in labels if text.startswith("✓")] == [f"✓ class {label}"]
    assert [row[0] for row in figure.data[1].customdata] == [int(text.split()[-1]) for text in labels]
    assert channel is None or any(text.endswith(f"class {channel}") for text in labels)
    assert "✓ the true one" in figure.layout.annotations[0].text


@pytest.mark.parametrize("kind", ["sequence", "many units"])
def test_where_there_is_no_colour_bar_the_title_says_the_range(kind):
    title = activation_figure(view(SAMPLES[kind])).layout.title.text
    bound = np.abs(SAMPLES[kind]).max()
    assert f"colours {-bound:.2f} to {bound:.2f}" in title


@pytest.mark.parametrize("fill", [0.0, 2.5, np.nan, np.inf])
def test_a_layer_of_one_value_is_drawn(fill):
    figure = activation_figure(view(np.full((4, 4, 3), fill, "float32"), channel=1))
    levels = decoded(figure.data[0].source)
    assert set(np.unique(levels)) <= {0, LEVELS // 2, LEVELS - 1, NAN_LEVEL, GAP_LEVEL}


def test_two_layers_never_give_equal_figures_and_names_are_shown_literally():
    sample = SAMPLES["maps"]
    one, two = (activation_figure(view(sample, title=title)) for title in ("a", "b"))
    assert one != two
    hostile = activation_figure(view(sample, title="<a href='x'>&amp;</a>\n" + "x" * 500)).layout.title.text
    assert hostile.startswith("&lt;a href='x'&gt;&amp;amp;&lt;/a&gt; xxx")
    assert len(hostile) < 200
    assert "<b>" not in message_figure("<b>", "<i>").layout.title.text


def test_signed_values_are_centred_on_zero_and_others_span_their_range():
    assert ColorRange.of(-1, 3) == ColorRange(-3, 3, "balance")
    assert ColorRange.of(0, 6) == ColorRange(0, 6, "viridis")
    assert ColorRange.of(float("nan"), 1) == ColorRange(0, 1, "viridis")


@pytest.mark.parametrize("kind", SAMPLES)
@pytest.mark.parametrize("tokens", [None, ["counterrevolutionary"] * 64])
def test_on_a_narrow_page_the_other_panels_stand_side_by_side_below_the_grid(kind, tokens):
    figure = activation_figure(replace(view(SAMPLES[kind]), tokens=tokens)).layout
    narrow = figure.meta["narrow"]
    (grid, _), close, low = (narrow[f"yaxis{suffix}.domain"] for suffix in ("", "2", "3"))
    assert close[1] == low[1] < grid
    assert narrow["xaxis2.domain"][1] < narrow["xaxis3.domain"][0]
    # Their captions, and the labels of the grid's axis, have room between.
    tall = narrow["height"] - narrow.get("margin.t", 30) - narrow["margin.b"]
    first = narrow.get("annotations[0].text", figure.annotations[0].text)
    lines = max(text.count("<br>") + 1 for text in (first, figure.annotations[1].text))
    upright = narrow.get("xaxis.tickangle", figure.xaxis.tickangle) == 90
    labels = 0 if figure.xaxis.visible is False else 36 + 24 * upright
    assert (grid - close[1]) * tall >= 15 * lines + labels
    for axis in ("xaxis", "yaxis", "yaxis2"):
        assert figure[axis].visible is False or narrow["margin.l"] == 48


def test_on_a_narrow_page_a_long_title_has_more_lines_and_a_short_one_has_one():
    short, long = (
        activation_figure(view(SAMPLES["maps"], title=title, channel=1)).layout for title in ("conv", "conv" * 12)
    )
    assert "title.text" not in short.meta["narrow"]
    assert "<br>" not in short.title.text
    assert long.meta["narrow"]["title.text"].replace("<br>", " · ") == long.title.text.replace("<br>", " · ")
    assert long.meta["narrow"]["margin.t"] > short.margin.t


@pytest.mark.parametrize("scaling", ["layer", "robust", "channel"])
def test_a_long_title_is_neither_cut_nor_does_it_reach_a_caption(scaling):
    sample = RNG.normal(size=(60, 60, 5)).astype("float32")
    sample[0, 0], sample[1, 1] = np.nan, 900
    figure = activation_figure(view(sample, title="stage_3/" * 20, scaling=scaling)).layout
    last = figure.title.text.rpartition("<br>")[2]
    for text, limit, margin in (
        (figure.title.text, 88, figure.margin.t - 16 * (seen_length(last) > 50)),  # beside the last line is a caption
        (figure.meta["narrow"]["title.text"], 52, figure.meta["narrow"]["margin.t"]),
    ):
        lines = text.split("<br>")
        assert max(map(seen_length, lines)) <= limit
        assert text.index("5 NaN") < text.index("colours")  # what is wrong stands before how it is drawn
        assert margin == 30 + 16 * (len(lines) - 1)
    # The panels keep their height.
    assert figure.height - figure.margin.t == HEIGHT - 30
    assert figure.meta["narrow"]["height"] - figure.meta["narrow"]["margin.t"] == NARROW_HEIGHT - 30


def test_the_title_says_the_range_of_the_grid_where_the_bar_is_not_that_of_the_grid():
    sample = np.abs(SAMPLES["maps"])
    title = activation_figure(view(sample)).layout.title.text
    assert f"colours {number(float(sample.min()))} to {number(float(sample.max()))}" in title
    assert "colours" not in activation_figure(view(sample, channel=3)).layout.title.text
    assert "colours for each channel" in activation_figure(view(sample, scaling="channel")).layout.title.text


def test_many_tokens_name_few_steps_of_a_close_up_evenly_and_all_of_the_grid():
    tokens = [f"counterrevolutionary{step}" for step in range(36)]
    scores = replace(view(RNG.random((36, 36, 2)).astype("float32"), channel=0), noun="head", tokens=tokens)
    axes = activation_figure(scores).layout
    for axis in (axes.xaxis2, axes.yaxis2):
        assert list(axis.tickvals) == list(range(0, 36, 3))
        assert max(map(len, axis.ticktext)) <= 7
    assert (axes.xaxis2.tickangle, axes.yaxis2.tickangle) == (90, 0)
    steps = activation_figure(replace(view(RNG.random((36, 2)).astype("float32")), tokens=tokens)).layout
    assert len(steps.xaxis.ticktext) == 36
    assert len(steps.xaxis2.ticktext) == 12
    assert (steps.xaxis.tickangle, steps.margin.b) == (90, 60)
    words = replace(view(RNG.random((14, 2)).astype("float32")), tokens=["a", "slept"] * 7)
    some = activation_figure(words).layout
    assert (some.xaxis.tickangle, some.meta["narrow"]["xaxis.tickangle"]) == (0, 90)
    few = activation_figure(replace(view(RNG.random((3, 2)).astype("float32")), tokens=["a", "b", "c"])).layout
    assert (few.xaxis.tickangle, few.xaxis2.tickangle, few.margin.b) == (0, 0, 36)


def test_a_thumbnail_is_made_of_pictures_alone():
    assert thumbnail_png(RNG.random((20, 30, 3))).startswith("data:image/png;base64,")
    for other in (RNG.random((20, 30, 2)), RNG.random(20), RNG.random((8, 3, 3)), np.array([["a"]])):
        assert thumbnail_png(other) is None


@pytest.mark.parametrize("at", [None, (0,), (2,)])
def test_with_ranges_of_their_own_a_close_up_of_a_volume_has_the_colours_of_its_tile(at):
    sample = RNG.normal(size=(3, 4, 4, 2)).astype("float32")
    sample[0] *= 40
    figure = activation_figure(view(sample, scaling="channel", channel=1, at=at))
    bound = np.abs(sample[..., 1]).max()
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == pytest.approx((-bound, bound))


def test_values_that_are_alone_in_their_channel_are_coloured_on_one_range():
    shown = view(SAMPLES["many units"], scaling="channel")
    assert shown.picture.scaling == "layer"
    figure = activation_figure(shown)
    levels = decoded(figure.data[0].source)
    assert len(np.unique(levels)) > 100
    assert "colours for each" not in figure.layout.title.text


def test_steps_that_are_no_numbers_are_marked_at_the_foot_of_the_line():
    def marks(sample):
        (found,) = activation_figure(view(sample, channel=1)).select_traces({"type": "scatter", "mode": "markers"})
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


@pytest.mark.parametrize("given", [5, 7])
def test_tokens_name_steps_only_where_there_is_one_for_each(given):
    shown = replace(view(SAMPLES["sequence"], channel=1), tokens=["word"] * given)
    axes = activation_figure(shown).layout
    assert axes.xaxis.ticktext is None
    assert axes.xaxis2.ticktext is None
    named = activation_figure(replace(shown, tokens=["word"] * 12)).layout
    assert len(named.xaxis.ticktext) == 12


def test_numbers_of_bars_below_zero_are_on_the_other_side_and_have_room_there():
    def drawn(values):
        figure = activation_figure(view(np.array(values, "float32"), channel=1))
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
