"""One weight as a grid of kernels, one of them close up, and the histogram over its colours."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from actwidget.analysis import LEVELS, NAN_LEVEL
from actwidget.analysis.kernels.arrange import arranged
from actwidget.figures import KernelCloseup, WeightContent, draw_weight, weights_spec
from actwidget.figures.parts.layout import HEIGHT, NARROW_HEIGHT
from actwidget.figures.parts.palette import ACCENT, NAN_COLOR, NAN_CSS
from actwidget.figures.weights.closeup import in_digits
from tests.figures.tiles import decoded, tiles_of

RNG = np.random.default_rng(0)
ASPECT = 1.32


def spec(weight, entries=(1,), *, gates=(), **options):
    """The figure of a weight whose last two axes are inputs and outputs."""
    kernel = weight if weight.ndim > 1 else None
    shown = arranged(weight, kernel, **options)
    drawn = draw_weight("kernel", shown.columns, shown.pictures, "words", shown.kind)
    closeup = None
    if shown.kind != "vector":
        view = shown.view_of(entries)
        closeup = KernelCloseup(view.values, shown.values_of(entries), f"kernel {entries[0]}", view.words)
    channels = np.arange(drawn.entries)
    content = WeightContent("conv", drawn, closeup, tuple(entries), channels, "kernel", gates=gates)
    return weights_spec(content)


def figure(weight, *args, **options):
    return go.Figure(spec(weight, *args, **options))


def on(figure_, axis, kind):
    return [trace for trace in figure_.data if trace.type == kind and (trace.xaxis or "x") == axis]


def test_each_kernel_is_drawn_on_a_range_of_its_own_with_zero_in_the_middle():
    kernel = RNG.normal(size=(3, 3, 4, 6)).astype("float32")
    kernel[..., 5] *= 0.01
    (grid,) = on(figure(kernel, input_channel=2), "x", "image")
    expected = np.moveaxis(kernel[:, :, 2], -1, 0)
    expected = expected / np.abs(expected).max(axis=(1, 2), keepdims=True)
    found = tiles_of(grid, expected, np.arange(6), ASPECT) / (LEVELS - 1) * 2 - 1
    np.testing.assert_allclose(found, expected, atol=1.02 / (LEVELS - 1))


def test_kernels_of_three_colours_are_drawn_in_colour_and_zero_is_mid_grey():
    kernel = RNG.normal(size=(3, 5, 3, 4)).astype("float32")
    kernel[1, 2, :, 3] = 0
    found = figure(kernel, in_colour=True)
    (grid,) = on(found, "x", "image")
    pixels = decoded(grid)
    heights = kernel / np.abs(kernel).max(axis=(0, 1, 2))
    (cells,) = on(found, "x", "heatmap")
    columns, rows = np.asarray(cells.x), np.asarray(cells.y)
    for entry in range(4):
        y, x = divmod(entry, len(columns))
        top, left = int(rows[y] - 1.5), int(columns[x] - 2.5)
        tile = pixels[top : top + 3, left : left + 5]
        np.testing.assert_allclose(tile[..., :3] / 255 * 2 - 1, heights[..., entry], atol=0.012)
    assert 127 <= tile[1, 2, :3].min() <= tile[1, 2, :3].max() <= 128


def test_a_colour_kernel_close_up_has_its_colours_and_three_numbers_in_each_cell():
    kernel = RNG.normal(size=(3, 3, 3, 4)).astype("float32")
    found = figure(kernel, (2,), in_colour=True)
    (image,) = on(found, "x2", "image")
    own = kernel[..., 2]
    np.testing.assert_allclose(decoded(image)[..., :3] / 255 * 2 - 1, own / np.abs(own).max(), atol=0.012)
    (cells,) = on(found, "x2", "heatmap")
    np.testing.assert_array_equal(np.asarray(cells.customdata), own)
    (text,) = on(found, "x2", "scatter")
    numbers = [[float(each) for each in cell.split("<br>")] for cell in text.text]
    np.testing.assert_allclose(np.reshape(numbers, (3, 3, 3)), own, atol=0.0051)
    assert [found.layout.coloraxis.colorscale[end][1] for end in (0, -1)] == ["#000000", "#ffffff"]
    assert found.layout.coloraxis.cmax == -found.layout.coloraxis.cmin == pytest.approx(np.abs(own).max())


@pytest.mark.parametrize(("size", "numbers"), [((3, 3), True), ((7, 7), True), ((9, 9), False)])
def test_a_small_kernel_close_up_says_its_numbers(size, numbers):
    kernel = RNG.normal(size=(*size, 2, 5)).astype("float32")
    (cells,) = on(figure(kernel, (4,), input_channel=1), "x2", "heatmap")
    np.testing.assert_array_equal(np.asarray(cells.z), kernel[:, :, 1, 4])
    assert (cells.texttemplate is not None) == numbers
    if numbers:
        np.testing.assert_allclose(np.asarray(cells.text, float), kernel[:, :, 1, 4], atol=0.0051)


def test_a_kernel_of_many_input_channels_shows_them_all_side_by_side():
    kernel = RNG.normal(size=(3, 2, 20, 5)).astype("float32")
    (cells,) = on(figure(kernel, (3,)), "x2", "heatmap")
    told, values = np.asarray(cells.customdata), np.asarray(cells.z)
    there = np.isfinite(values)
    assert there.sum() == 3 * 2 * 20
    inputs, rows, columns = told[there].T
    np.testing.assert_array_equal(values[there], kernel[rows, columns, inputs, 3])
    assert len({tuple(each) for each in told[there].tolist()}) == 120


def test_the_strip_is_the_axis_of_the_histogram_in_the_colours_of_the_closeup():
    kernel = RNG.normal(size=(3, 3, 1, 5)).astype("float32")
    found = figure(kernel, (2,))
    strip = next(trace for trace in found.data if trace.yaxis == "y4")
    assert (strip.xaxis, strip.coloraxis) == ("x3", "coloraxis")
    cells = next(trace for trace in found.data if trace.meta == "bins" and trace.xaxis == "x3")
    low, high = kernel.min(), kernel.max()
    assert strip.z[0][0] == pytest.approx(low)
    assert strip.z[0][-1] == pytest.approx(high)
    np.testing.assert_allclose(found.layout.xaxis3.range, (low, high), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(cells.z)[0].sum(), 1, rtol=1e-6)
    own, _ = np.histogram(kernel[..., 2], bins=45, range=(low, high))
    np.testing.assert_allclose(np.ravel(cells.customdata), own / 9, rtol=1e-6)
    assert found.layout.coloraxis.showscale is False
    assert found.layout.xaxis3.title.text == "value of a weight"
    assert "kernel 2" in found.layout.annotations[1].text


def test_many_exact_zeros_are_left_out_of_the_histogram_and_said():
    kernel = RNG.normal(size=(40, 30)).astype("float32")
    kernel[:20] = 0
    found = figure(kernel)
    cells = next(trace for trace in found.data if trace.meta == "bins")
    counts, _ = np.histogram(kernel[20:], bins=48, range=(kernel.min(), kernel.max()))
    np.testing.assert_allclose(np.ravel(cells.z), counts / 600, rtol=1e-5)
    assert "without zeros" in found.layout.annotations[1].text


def test_a_matrix_is_one_picture_whose_values_are_said_and_its_column_is_close_up():
    matrix = RNG.normal(size=(12, 9)).astype("float32")
    found = figure(matrix, (4,))
    (grid,) = on(found, "x", "image")
    bound = np.abs(matrix).max()
    np.testing.assert_allclose(decoded(grid) / (LEVELS - 1) * 2 - 1, matrix / bound, atol=1.02 / (LEVELS - 1))
    (cells,) = on(found, "x", "heatmap")
    np.testing.assert_array_equal(np.asarray(cells.z), matrix)
    np.testing.assert_array_equal(np.asarray(cells.customdata)[..., 0], np.tile(np.arange(9), (12, 1)))
    (bars,) = on(found, "x2", "bar")
    np.testing.assert_array_equal(np.asarray(bars.y), matrix[:, 4])
    mark = found.layout.shapes[-1]
    assert (mark.x0, mark.x1, mark.y0, mark.y1, mark.line.color) == (3.5, 4.5, -0.5, 11.5, ACCENT)


def test_a_large_matrix_is_drawn_smaller_says_so_and_stays_light():
    large = RNG.normal(size=(2048, 1000)).astype("float32")
    found = spec(large, (7,))
    assert "shown at 1/3 size (strongest of each 3 × 3)" in found["layout"]["title"]["text"]
    grid = found["data"][0]
    block = large[:3, :3]
    strongest = block.flat[np.abs(block).argmax()]
    bound = np.abs(large).max()
    level = decoded(go.Image(source=grid["source"]))[0, 0]
    assert level / (LEVELS - 1) * 2 - 1 == pytest.approx(strongest / bound, abs=1.02 / (LEVELS - 1))
    assert (grid["x0"], grid["dx"]) == (1, 3)
    arrays = [value for trace in found["data"] for value in trace.values() if isinstance(value, np.ndarray)]
    assert sum(value.nbytes for value in arrays) < 40_000
    assert "shown" not in figure(large[:20, :15]).layout.title.text


@pytest.mark.parametrize("shape", [(12, 9), (3, 3, 4, 6), (3, 3, 3, 6)])
@pytest.mark.filterwarnings("error")
def test_one_nonfinite_weight_leaves_the_colours_of_the_others_and_is_counted(shape):
    weight = RNG.uniform(-0.25, 0.25, shape).astype("float32")
    weight[(1,) * len(shape)] = np.inf
    weight[(2,) * len(shape)] = np.nan
    in_colour, is_matrix = shape[-2] == 3, len(shape) == 2
    found = figure(weight, (1,), in_colour=in_colour, input_channel=None if in_colour or is_matrix else 1)
    title = found.layout.title.text.replace("<br>", " ")
    assert "1 NaN, 1 infinite" in title
    assert NAN_CSS in title
    pixels = decoded(on(found, "x", "image")[0])
    if in_colour:
        assert (pixels[..., :3] == NAN_COLOR).all(axis=-1).sum() == 2
    else:
        shown = weight if is_matrix else weight[:, :, 1]
        assert (pixels == NAN_LEVEL).sum() == np.sum(~np.isfinite(shown))
    assert len(np.unique(pixels)) > 10


def test_the_columns_of_a_unit_in_every_gate_are_close_up_beside_each_other():
    matrix = RNG.normal(size=(5, 12)).astype("float32")
    gates = ("input", "forget", "cell", "output")
    found = figure(matrix, (1, 4, 7, 10), gates=gates)
    (cells,) = on(found, "x2", "heatmap")
    np.testing.assert_array_equal(np.asarray(cells.z), matrix[:, [1, 4, 7, 10]])
    assert found.layout.xaxis2.ticktext == gates
    assert found.layout.xaxis.ticktext == gates
    assert found.layout.xaxis.tickvals == (1, 4, 7, 10)


@pytest.mark.parametrize("count", [6, 5000])
def test_a_vector_is_bars_or_a_line_without_a_closeup(count):
    values = RNG.normal(size=count).astype("float32")
    found = figure(values, (3,))
    trace = found.data[0]
    if count == 6:
        np.testing.assert_array_equal(np.asarray(trace.y), values)
        assert [color == ACCENT for color in trace.marker.color] == [False] * 3 + [True] + [False] * 2
    else:
        assert (trace.type, trace.dx) == ("scatter", 3)
        assert trace.y[1] == max(values[3:6], key=abs)
        assert found.data[1].x == (3,)
    assert not [each for each in found.data if each.xaxis == "x2"]


def test_bars_of_nonfinite_weights_are_as_long_as_the_longest_in_their_colour_and_by_name():
    found = figure(np.array([0.5, np.nan, -2, np.inf, -np.inf, 1]), (1, 2))
    bar = found.data[0]
    assert list(bar.y) == [0.5, 2, -2, 2, -2, 1]
    assert [color == NAN_CSS for color in bar.marker.color] == [False, True, False, True, True, False]
    assert list(bar.hovertext) == ["0.5", "NaN", "-2", "infinity", "-infinity", "1"]
    assert (bar.marker.line.color[1], bar.marker.line.width[1]) == (ACCENT, 2)


FORMS = {
    "colours": (RNG.normal(size=(3, 3, 3, 8)), {"in_colour": True}),
    "maps": (RNG.normal(size=(3, 3, 16, 40)), {}),
    "steps": (RNG.normal(size=(5, 16, 24)), {}),
    "volume": (RNG.normal(size=(3, 3, 3, 2, 4)), {}),
    "depthwise": (RNG.normal(size=(3, 3, 6, 2)), {"depthwise": True}),
    "matrix": (RNG.normal(size=(20, 30)), {}),
    "vector": (RNG.normal(size=30), {}),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_figures_have_the_height_of_the_panel_and_their_panels_stand_apart(form):
    weight, options = FORMS[form]
    layout = spec(weight, **options)["layout"]
    narrow = layout["meta"]["narrow"]
    assert (layout["height"], narrow["height"]) == (HEIGHT, NARROW_HEIGHT)
    names = [name for name in ("2", "3", "4") if f"yaxis{name}" in layout]
    for read in (lambda name: layout[name]["domain"], lambda name: narrow[f"{name}.domain"]):
        assert all(0 <= low < high <= 1 for low, high in (read(f"yaxis{name}") for name in ["", *names]))
    top, bottom = layout["margin"]["t"], layout["margin"]["b"]
    lowest = min(layout[f"yaxis{name}"]["domain"][0] for name in names)
    assert top + (1 - lowest) * (HEIGHT - top - bottom) <= 0.7 * HEIGHT - 30  # the inspector and the axis's labels
    assert all(layout[f"xaxis{name}"]["domain"][0] >= 0.69 for name in names if name != "4")
    assert narrow["yaxis.domain"][0] > narrow["yaxis3.domain"][1]


def test_numbers_have_the_digits_that_the_largest_needs():
    assert in_digits(np.array([[150.2, -3.0]])).tolist() == [["150.2", "-3.0"]]
    assert in_digits(np.array([3e-7, np.inf])).tolist() == ["3e-07", "infinity"]
    assert in_digits(np.zeros(2)).tolist() == ["0.00", "0.00"]
