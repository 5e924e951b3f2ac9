"""Attributions as figures: over a picture, as coloured words, as bars, and several inputs together."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from actwidget.figures.attribution.content import AttributionContent, Part
from actwidget.figures.attribution.figure import attribution_figure, attribution_spec, detail_of
from actwidget.figures.attribution.reduced import part_of
from actwidget.figures.attribution.scale import AGAINST, FOR, PLAIN
from actwidget.figures.parts.palette import NAN_CSS

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 16, 3)).astype("uint8")


def figure(*parts, detail=None, **more):
    return go.Figure(attribution_spec(AttributionContent(["method", "target"], list(parts), detail, **more)))


def decoded(trace):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(trace.source.partition(",")[2]))))


def test_the_values_lie_over_the_picture_and_zero_is_in_the_middle_of_the_colours():
    values = RNG.normal(size=(12, 16)).astype("float32")
    drawn = figure(Part("the input", "picture", values, pixels=PIXELS))
    picture, cells, strip = drawn.data
    np.testing.assert_array_equal(np.asarray(cells.z), values)
    assert (cells.x0, cells.dx, cells.y0, cells.dy) == (0, 1, 0, 1)
    assert drawn.layout.coloraxis.cmin == -drawn.layout.coloraxis.cmax
    scale = dict(drawn.layout.coloraxis.colorscale)
    assert scale[0.5].endswith(",0.000)")  # the picture shows where nothing contributes
    assert (strip.z[0][0], strip.coloraxis) == (drawn.layout.coloraxis.cmin, "coloraxis")
    grey = decoded(picture).astype(int)
    np.testing.assert_allclose(grey[..., 0], PIXELS @ [0.299, 0.587, 0.114], atol=1.01)
    assert (grey[..., 0] == grey[..., 2]).all()


def test_under_sizes_the_picture_keeps_its_colours():
    drawn = figure(Part("the input", "picture", np.ones((3, 4)), pixels=PIXELS), is_signed=False)
    picture, cells, _ = drawn.data
    np.testing.assert_array_equal(decoded(picture), PIXELS)
    assert (cells.dx, cells.dy) == (4, 4)  # stretched over the picture
    assert drawn.layout.coloraxis.cmin == 0


def test_a_few_extreme_pixels_do_not_blank_the_others_and_it_is_said():
    values = np.linspace(0, 0.5, 1_600, dtype="float32").reshape(40, 40)
    values[0, :3] = 100
    drawn = figure(Part("the input", "picture", values))
    assert drawn.layout.coloraxis.cmax == pytest.approx(0.5, rel=0.01)
    beyond = np.mean(np.abs(values) > drawn.layout.coloraxis.cmax)
    assert f"({100 * beyond:.1f} % beyond)" in drawn.layout.annotations[-1].text


def test_the_picture_of_the_values_alone_has_the_colours_of_their_signs():
    detail = Part("by itself", "picture", np.array([[1.0, -1.0], [0.0, 0.5]], "float32"))
    drawn = figure(Part("the input", "picture", detail.values, pixels=PIXELS), detail=detail)
    pixels = decoded(drawn.data[2])
    assert [bytes(pixels[0, place, :3]).hex() for place in (0, 1)] == [FOR[1:], AGAINST[1:]]
    assert pixels[1, 0, 3] == 0 < pixels[1, 1, 3] < pixels[0, 0, 3]


def test_words_stand_in_lines_on_the_colours_of_their_values():
    words = ["the", "cat", "sat", "on", "the", "mat"]
    values = np.array([0, 1, -2, 0.5, 0, np.nan], "float32")
    drawn = figure(Part("text", "text", values, labels=words), room=(300, 480))
    cells, texts, _ = drawn.data
    assert list(texts.text) == words
    grid = np.asarray(cells.z)
    for word, value, x, y in zip(words, values, texts.x, texts.y, strict=True):
        row = grid[int(y), int(x - len(word) / 2) : int(x + len(word) / 2)]
        np.testing.assert_array_equal(row, np.full(len(word), value))
    assert max(texts.y) > 0  # the page is too narrow for one line
    assert drawn.layout.coloraxis.cmax == 2
    assert NAN_CSS in drawn.layout.title.text


def test_of_a_text_that_is_too_long_the_beginning_is_shown_and_it_is_said():
    words = [f"word{number}" for number in range(1_500)]
    drawn = figure(Part("text", "text", np.zeros(1_500), labels=words))
    shown = len(drawn.data[1].text)
    assert 100 < shown < 1_500
    assert f"the first {shown} of 1,500 tokens" in drawn.layout.title.text


def test_short_texts_have_larger_letters():
    sizes = [
        figure(Part("text", "text", np.zeros(count), labels=["word"] * count)).data[1].textfont.size
        for count in (5, 100, 400)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]


def test_bars_are_sorted_by_size_and_coloured_by_sign_and_a_click_selects_a_channel():
    part = Part("units", "bars", np.array([0.5, -3, 2]), labels=["a", "b", "c"], items=range(3), marked=2)
    drawn = figure(part)
    bar, written = drawn.data
    assert list(bar.x) == [-3, 2, 0.5]
    assert [list(each) for each in bar.customdata] == [[1], [2], [0]]
    assert list(bar.marker.color) == [AGAINST, FOR, FOR]
    names = drawn.layout.yaxis.ticktext
    assert (names[0], names[2]) == ("b", "a")
    assert "<b>c</b>" in names[1]
    assert [text.strip("\u00a0") for text in written.text] == ["-3", "2", "0.5"]
    assert list(figure(part, is_signed=False).data[0].marker.color) == [PLAIN] * 3


def test_of_many_features_the_strongest_are_shown_and_it_is_said():
    values = np.arange(1_000) / 1_000
    drawn = figure(Part("features", "bars", values, labels=[f"feature {number}" for number in range(1_000)]))
    count = len(drawn.data[0].x)
    assert drawn.layout.yaxis.ticktext[0] == "feature 999"
    assert f"the strongest {count} of 1,000" in drawn.layout.title.text


def test_several_inputs_have_a_panel_each_and_beside_them_what_each_adds_up_to():
    image = part_of(RNG.normal(size=(12, 16, 3)), PIXELS.astype("float32"), "input image", is_signed=True)
    ages = part_of(np.array([2.0]), np.array([40.0]), "input age", is_signed=True)
    drawn = figure(image, ages, detail=detail_of([image, ages], adds_up=True))
    captions = [each.text for each in drawn.layout.annotations]
    assert captions[:3] == ["input image", "input age", "each input adds up to"]
    sums = drawn.data[-3]
    np.testing.assert_allclose(sorted(sums.x), sorted([image.values.sum(), 2.0]), rtol=1e-5)
    assert drawn.layout.yaxis.domain[0] > drawn.layout.yaxis2.domain[1]


def test_series_are_coloured_steps_with_the_line_of_the_input():
    given = RNG.normal(size=(30, 1)).astype("float32")
    part = part_of(given * 2, given, "the input", is_signed=True)
    cells, line, _ = figure(part).data
    np.testing.assert_array_equal(np.asarray(cells.z), 2 * given.T)
    np.testing.assert_array_equal(line.y, given[:, 0])
    wide = part_of(np.ones((30, 5)), RNG.normal(size=(30, 5)), "the input", is_signed=True)
    assert np.asarray(figure(wide).data[0].z).shape == (5, 30)


@pytest.mark.parametrize(
    ("values", "given", "kind", "shape"),
    [
        (np.ones((12, 16, 3)), PIXELS.astype("float32"), "picture", (12, 16)),
        (np.ones((3, 12, 16)), np.moveaxis(PIXELS, -1, 0).astype("float32"), "picture", (12, 16)),
        (np.ones((4, 5)), PIXELS, "picture", (4, 5)),
        (np.ones((6, 12, 16, 1)), np.ones((6, 12, 16, 1)), "picture", (12, 16)),
        (np.ones(7), np.arange(7), "text", (7,)),
        (np.ones(7), np.ones(7), "bars", (7,)),
        (np.ones(()), np.ones(()), "bars", (1,)),
        (np.ones(7), np.ones((7, 4)), "signal", (7,)),
        (np.ones((5, 4, 3)), None, "picture", (5, 4)),
    ],
)
def test_each_kind_of_input_is_drawn_in_its_way(values, given, kind, shape):
    part = part_of(values, given, "the input", is_signed=True)
    assert (part.kind, part.values.shape) == (kind, shape)
    assert figure(part).data


def test_of_a_volume_the_slice_with_the_most_is_shown_and_it_is_said():
    values = np.zeros((5, 8, 8, 1))
    values[3, 2, 2] = -4
    part = part_of(values, np.ones_like(values), "the input", is_signed=True)
    assert part.values[2, 2] == -4
    assert "slice 3 of 5" in figure(part).layout.annotations[0].text


def test_a_figure_by_itself_is_made_from_arrays():
    drawn = attribution_figure("saliency · class 3", [(np.array([1.0, -2.0]), np.ones(2))], ["values"], is_signed=False)
    assert list(drawn.data[0].x) == [2, 1]
    assert "saliency · class 3" in drawn.layout.title.text
    signed = attribution_figure("occlusion", [(RNG.normal(size=(12, 16, 3)), PIXELS)], ["values"])
    assert signed.layout.coloraxis.cmin < 0
