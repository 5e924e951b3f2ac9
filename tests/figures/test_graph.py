"""The drawing of a network: where its boxes and lines are, and what they say."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actwidget.figures.network.graph import DrawnLayer, graph_spec
from actwidget.figures.network.graph_layout import HEADING, LANE, Box, Level, arrange
from actwidget.figures.parts.palette import ACCENT, WARNING


def level(count, lines, **more):
    return Level(tuple(f"n{index}" for index in range(count)), tuple(lines), **more)


def overlap(first: Box, second: Box) -> bool:
    across = abs(first.x - second.x) < (first.width + second.width) / 2
    return across and abs(first.y - second.y) < (first.height + second.height) / 2


def inside(inner: Box, outer: Box) -> bool:
    across = abs(inner.x - outer.x) <= (outer.width - inner.width) / 2 + 1e-6
    return across and abs(inner.y - outer.y) <= (outer.height - inner.height) / 2 + 1e-6


@st.composite
def acyclic(draw):
    """A random graph without cycles, its items in an order of execution."""
    count = draw(st.integers(1, 14))
    pairs = list(combinations(range(count), 2))
    lines = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=24)) if pairs else []
    return count, lines


@settings(max_examples=60, deadline=None, derandomize=True)
@given(graph=acyclic(), opened=st.integers(0, 13))
def test_no_two_boxes_overlap_and_every_line_goes_down_from_box_to_box(graph, opened):
    count, lines = graph
    inner = Level(("in/", "a", "b", "in/="), ((0, 1), (0, 2), (1, 2), (2, 3)), ends=frozenset({"in/", "in/="}))
    outer = level(count, lines, open={f"n{opened}": inner} if opened < count else {})
    found = arrange(outer)
    top = {key: found.boxes[key] for key in outer.items}
    assert not [pair for pair in combinations(top, 2) if overlap(top[pair[0]], top[pair[1]])]
    if opened < count:
        parts = {key: found.boxes[key] for key in inner.items}
        assert all(inside(box, top[f"n{opened}"]) for box in parts.values())
        heading = top[f"n{opened}"].y - top[f"n{opened}"].height / 2 + HEADING
        assert all(box.y - box.height / 2 >= heading - 1e-6 for box in parts.values())
        assert not [pair for pair in combinations(parts, 2) if overlap(parts[pair[0]], parts[pair[1]])]
    expected = {(f"n{source}", f"n{target}") for source, target in lines}
    assert {pair for pair in found.lines if pair[0].startswith("n")} == expected
    for (source, target), points in found.lines.items():
        start, end = found.boxes[source], found.boxes[target]
        np.testing.assert_allclose(points[0], [start.x, start.y + start.height / 2])
        np.testing.assert_allclose(points[-1], [end.x, end.y - end.height / 2])
        assert (np.diff(points[:, 1]) >= 0).all()
    assert all(abs(box.x) + box.width / 2 <= found.width / 2 + 1e-6 for box in found.boxes.values())
    assert all(box.y - box.height / 2 >= 0 and box.y + box.height / 2 <= found.height for box in found.boxes.values())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(graph=acyclic())
def test_a_line_passes_beside_the_boxes_that_it_does_not_belong_to(graph):
    found = arrange(level(*graph))
    for pair, points in found.lines.items():
        others = [box for key, box in found.boxes.items() if key not in pair]
        for (x, y), (next_x, next_y) in pairwise(points):
            for share in np.linspace(0, 1, 5):
                here = Box(x + (next_x - x) * share, y + (next_y - y) * share, 1, 1)
                assert not any(overlap(here, box) for box in others)


def test_lines_that_pass_a_row_beside_each_other_keep_apart():
    found = arrange(level(6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5), (0, 4), (0, 3)]))
    middle = found.boxes["n2"].y
    passing = [np.interp(middle, points[:, 1], points[:, 0]) for points in found.lines.values()]
    crossed = sorted(x for x, points in zip(passing, found.lines.values(), strict=True) if spans(points, middle))
    assert len(crossed) == 3
    assert min(np.diff(crossed)) >= LANE


def spans(points, y) -> bool:
    return points[0][1] < y < points[-1][1]


def test_the_same_network_is_arranged_the_same_and_layers_without_lines_have_a_place():
    lines = [(source, target) for source in range(30) for target in range(source + 1, 30) if source * target % 11 == 5]
    first, second = arrange(level(34, lines)), arrange(level(34, lines))
    assert first.boxes == second.boxes
    assert len(first.boxes) == 34


def test_an_empty_network_is_an_empty_drawing():
    found = arrange(Level((), ()))
    assert (found.boxes, found.lines) == ({}, {})
    assert graph_spec({}, found)["data"] == []


@pytest.fixture
def residual():
    """`x -> conv -> add`, with a skip connection from `x` to `add`."""
    layers = {
        "x": DrawnLayer("x", "x", "InputLayer 8×8×4"),
        "conv": DrawnLayer("conv", "conv", "Conv2D 8×8×4", ("148 parameters",), has_weights=True, warns=True),
        "add": DrawnLayer("add", "add", "Add 8×8×4"),
    }
    return layers, arrange(Level(("x", "conv", "add"), ((0, 1), (1, 2), (0, 2))))


def by_color(spec, color):
    return [trace for trace in spec["data"] if trace.get("line", {}).get("color") == color]


def extent(trace):
    return np.nanmin(trace["x"]), np.nanmin(trace["y"]), np.nanmax(trace["x"]), np.nanmax(trace["y"])


def test_the_selected_layer_and_its_lines_are_marked_and_a_warning_in_its_own_colour(residual):
    layers, arrangement = residual
    spec = graph_spec(layers, arrangement, selected="add")
    lines, _heads, frame = by_color(spec, ACCENT)
    ends = {tuple(points[-1]) for pair, points in arrangement.lines.items() if pair[1] == "add"}
    assert {(x, y) for x, y in zip(lines["x"], lines["y"], strict=True)} >= ends
    assert np.isnan(lines["x"]).sum() == 2  # of two lines
    box = arrangement.boxes["add"]
    left, top, right, bottom = extent(frame)
    assert (left, right) == pytest.approx((box.x - box.width / 2 - 5, box.x + box.width / 2 + 5))
    assert (top, bottom) == pytest.approx((box.y - box.height / 2 - 5, box.y + box.height / 2 + 5))
    (warned,) = by_color(spec, WARNING)
    box = arrangement.boxes["conv"]
    assert extent(warned) == pytest.approx(
        (box.x - box.width / 2, box.y - box.height / 2, box.x + box.width / 2, box.y + box.height / 2)
    )
    labels = next(trace for trace in spec["data"] if trace.get("meta") == "labels")
    assert [text.partition("<br>")[0] for text in labels["text"]] == ["x", "⚠ conv", "add"]


def test_the_pointer_finds_each_layer_over_the_width_of_its_box_and_nothing_that_is_no_layer(residual):
    layers, arrangement = residual
    targets = graph_spec({**layers, "x": DrawnLayer("", "input")}, arrangement)["data"][-1]
    assert [data[0] for data in targets["customdata"]] == ["conv"] * 3 + ["add"] * 3
    box = arrangement.boxes["conv"]
    assert np.abs(targets["x"][:3] - box.x).max() < box.width / 2
    assert set(targets["y"][:3]) == {np.float32(box.y)}
    assert targets["hovertext"][0] == "<b>conv</b><br>148 parameters"


def test_a_box_that_can_be_opened_has_a_button_which_the_page_knows():
    layers = {"inner": DrawnLayer("inner", "inner", inside=3), "out": DrawnLayer("out", "out")}
    arrangement = arrange(Level(("inner", "out"), ((0, 1),)))
    spec = graph_spec(layers, arrangement, selected="inner", key="closed")
    pan = spec["layout"]["meta"]["pan"]
    box = arrangement.boxes["inner"]
    x, y = pan["buttons"]["inner"]
    assert box.x < x < box.x + box.width / 2
    assert box.y - box.height / 2 < y < box.y
    assert (pan["key"], pan["selected"], pan["at"]) == ("closed", "inner", [*box])
    targets = spec["data"][-1]
    place = targets["customdata"].index(["inner", "toggle"])
    assert (targets["x"][place], targets["y"][place]) == pytest.approx((x, y))
    assert targets["hovertext"][place] == "Open: 3 inside"


def test_what_is_only_an_order_is_dotted(residual):
    layers, arrangement = residual
    spec = graph_spec(layers, arrangement, in_order={("x", "conv")})
    (dotted,) = [trace for trace in spec["data"] if trace.get("line", {}).get("dash") == "dot"]
    assert [dotted["x"][0], dotted["y"][0]] == pytest.approx([*arrangement.lines["x", "conv"][0]])
    assert np.isnan(dotted["x"]).sum() == 1


def test_hostile_names_are_text():
    name = "<img src=x onerror=alert(1)>"
    layers = {"a": DrawnLayer(name, name, name, (name,))}
    spec = graph_spec(layers, arrange(Level(("a",), ())), title=name)
    labels, targets = spec["data"][-2:]
    texts = [*labels["text"], *targets["hovertext"], spec["layout"]["title"]["text"]]
    assert len(texts) == 5
    assert not [text for text in texts if "<img" in text]


def test_the_steps_of_the_layout_are_not_logged():
    code = (
        "import logging; logging.basicConfig(level=logging.DEBUG)\n"
        "from actwidget.figures.network.graph_layout import Level, arrange\n"
        "arrange(Level(('a', 'b', 'c'), ((0, 1), (1, 2), (0, 2))))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "sugiyama" not in ran.stderr
    assert "connected" not in ran.stderr
