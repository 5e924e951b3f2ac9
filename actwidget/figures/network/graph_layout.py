"""Where the boxes and lines of a network graph go: rows from top to bottom, with few crossings."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Points = np.ndarray[tuple[int, int], np.dtype[np.float64]]

WIDTH, HEIGHT = 168.0, 38.0
"""The size of a layer's box. All lengths are pixels at the size at which names are easy to read."""
END_SIZE = (76.0, 24.0)
"""The size of an item that is no layer: what a level is given, or gives."""
GAP, ROW_GAP = 20.0, 30.0
"""The least space between boxes beside each other, and between rows."""
LANE = 28.0
"""The width that a line takes where it passes a row."""
PADDING, HEADING = 16.0, 26.0
"""The space around the boxes in an open box, and the height of its heading."""
_STEPS = 8
"""Of how many straight pieces a curve consists."""


class Box(NamedTuple):
    """A rectangle: its center and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class Level:
    """The items inside a box, or of the whole drawing, and the lines between them.

    Attributes:
        items: The keys of the items, in order of execution.
        lines: Pairs of items, as indices into `items`.
        open: For each item that is an open box what is inside it.
        ends: The items that are no layers but what the level is given, or gives; they are small.
    """

    items: tuple[str, ...]
    lines: tuple[tuple[int, int], ...]
    open: Mapping[str, Level] = field(default_factory=dict)
    ends: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Arrangement:
    """A level with all its items in place. The origin is its center at the top; y grows downwards.

    Attributes:
        boxes: The box of each item, items inside open boxes included.
        lines: For each line between two items, by their keys, its points, shape `(count, 2)`.
        width: Of the whole.
        height: Of the whole.
    """

    boxes: Mapping[str, Box]
    lines: Mapping[tuple[str, str], Points]
    width: float
    height: float


def missing_library() -> str | None:
    """What to install to have graphs arranged; `None` if it is there."""
    if find_spec("fast_sugiyama") is not None:
        return None
    return 'The graph is laid out by the package fast-sugiyama, which is not installed: pip install "actwidget[graph]"'


def arrange(level: Level) -> Arrangement:
    """Arranges a level and all open boxes in it.

    Sugiyama's method (1981) gives the rows and the order in them; the widths and heights of open boxes are then made
    room for.

    Args:
        level: What is to be drawn.

    Returns:
        Its arrangement; the same for the same level.
    """
    inner = {key: arrange(inside) for key, inside in level.open.items()}
    sizes = [
        (max(WIDTH, inner[key].width + 2 * PADDING), inner[key].height + HEADING + PADDING)
        if key in inner
        else END_SIZE
        if key in level.ends
        else (WIDTH, HEIGHT)
        for key in level.items
    ]
    places, chains = _places(len(level.items), level.lines)
    widths = {index: size[0] for index, size in enumerate(sizes)}
    columns = _columns(places, widths)
    rows = _rows(places, [height for _, height in sizes])
    left = min((columns[places[index][0]] - sizes[index][0] / 2 for index in range(len(sizes))), default=0.0)
    right = max((columns[places[index][0]] + sizes[index][0] / 2 for index in range(len(sizes))), default=0.0)
    lanes = [columns[places[index][0]] for index in places if index >= len(sizes)]
    left, right = min([left, *lanes]), max([right, *lanes])
    middle = (left + right) / 2
    boxes: dict[str, Box] = {}
    lines: dict[tuple[str, str], Points] = {}
    for index, key in enumerate(level.items):
        x, (top, bottom) = columns[places[index][0]] - middle, rows[places[index][1]]
        boxes[key] = Box(x, (top + bottom) / 2, *sizes[index])
        if key in inner:
            upper = boxes[key].y - sizes[index][1] / 2 + HEADING
            boxes |= {name: box._replace(x=box.x + x, y=box.y + upper) for name, box in inner[key].boxes.items()}
            lines |= {pair: points + np.array([x, upper]) for pair, points in inner[key].lines.items()}
    for source, target in level.lines:
        pair = level.items[source], level.items[target]
        start, end = boxes[pair[0]], boxes[pair[1]]
        passed = [(columns[places[dummy][0]] - middle, rows[places[dummy][1]]) for dummy in chains[source, target]]
        stops = [
            (start.x, start.y + start.height / 2),
            (start.x, rows[places[source][1]][1]),
            *((x, y) for x, ends in passed for y in ends),
            (end.x, rows[places[target][1]][0]),
            (end.x, end.y - end.height / 2),
        ]
        lines[pair] = _curve(stops)
    return Arrangement(boxes, lines, right - left, rows[-1][1] if rows else 0.0)


def _library() -> Callable[..., Any]:
    from fast_sugiyama import from_edges

    # It logs each of its steps, thousands of lines for a large network where all libraries' messages are shown.
    for name in ("rust-sugiyama", "connected_components"):
        if (logger := logging.getLogger(name)).level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
    return from_edges


_Places = dict[int, tuple[float, int]]
_Chains = dict[tuple[int, int], list[int]]


def _places(count: int, lines: Sequence[tuple[int, int]]) -> tuple[_Places, _Chains]:
    """The column and the row of each item, and of the points at which a longer line passes a row.

    Returns:
        For each item, and for each such point (numbered from `count`), its column in units of one box and its row; and
        for each line the numbers of its points.
    """
    from_edges = _library()
    places: _Places = {}
    chains: _Chains = {}
    right, lowest = 0.0, count
    # A component's own numbers for its items, so that those of its points can't be taken for items of another one.
    for members, inside in _components(count, lines):
        number = {item: index for index, item in enumerate(members)}
        if not inside:
            places[members[0]] = (right, 0)
            right += 1
            continue
        edges = [(number[source], number[target]) for source, target in inside]
        (found, width, height, pieces), *_ = from_edges(edges, vertex_spacing=1.0, dummy_vertices=True)
        names: dict[int | str, int] = {own: item for item, own in number.items()}
        for name, (x, y) in found:
            if name not in names:
                names[name] = lowest
                lowest += 1
            places[names[name]] = (round(right + x, 3), round(height - y))
        after: defaultdict[int, list[int]] = defaultdict(list)
        for source, target in pieces or []:
            after[names[source]].append(names[target])
        for source, target in inside:
            chains[source, target] = []
        for source in members:
            for step in after[source]:
                chain, target = [], step
                while target >= count:
                    chain.append(target)
                    target = after[target][0]
                chains[source, target] = chain
        right += width + 1
    return places, chains


def _components(count: int, lines: Iterable[tuple[int, int]]) -> Iterable[tuple[list[int], list[tuple[int, int]]]]:
    """The connected parts of a graph, each as its items and its lines, in the order of their first items."""
    group = list(range(count))

    def root(item: int) -> int:
        while group[item] != item:
            group[item] = item = group[group[item]]
        return item

    for source, target in lines:
        first, second = sorted((root(source), root(target)))
        group[second] = first
    parts: dict[int, tuple[list[int], list[tuple[int, int]]]] = {}
    for item in range(count):
        parts.setdefault(root(item), ([], []))[0].append(item)
    for line in lines:
        parts[root(line[0])][1].append(line)
    return parts.values()


def _columns(places: _Places, widths: Mapping[int, float]) -> dict[float, float]:
    """The x of each column, such that nothing in a row overlaps; columns keep their order and at least their share."""
    rows: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for item, (column, row) in places.items():
        rows[row].append((column, widths.get(item, LANE)))
    least: defaultdict[float, dict[float, float]] = defaultdict(dict)
    for cells in rows.values():
        for (left, width), (right, other) in pairwise(sorted(cells)):
            space = (width + other) / 2 + GAP
            least[right][left] = max(space, least[right].get(left, 0.0))
    found: dict[float, float] = {}
    last = 0.0
    for column in sorted({column for column, _ in places.values()}):
        # Between two columns that no row has side by side, half of their share is enough.
        free = found[last] + (column - last) * (LANE + GAP) if found else 0.0
        found[column] = max([free, *(found[left] + space for left, space in least[column].items() if left in found)])
        last = column
    return found


def _rows(places: _Places, heights: Sequence[float]) -> list[tuple[float, float]]:
    """The top and the bottom of each row."""
    tallest: dict[int, float] = {}
    for item, (_, row) in places.items():
        tallest[row] = max(tallest.get(row, 0.0), heights[item] if item < len(heights) else 0.0)
    tops, top = [], 0.0
    for row in range(max(tallest, default=-1) + 1):
        tops.append((top, top + tallest.get(row, 0.0)))
        top += tallest.get(row, 0.0) + ROW_GAP
    return tops


def _curve(stops: Sequence[tuple[float, float]]) -> Points:
    """A line through some points: straight where two are above each other, else a curve that is upright at its ends."""
    points = [stops[0]]
    for (x, y), (next_x, next_y) in pairwise(stops):
        if x != next_x:
            shares = np.arange(1, _STEPS) / _STEPS
            eased = shares * shares * (3 - 2 * shares)
            points += [*zip(x + (next_x - x) * eased, y + (next_y - y) * shares, strict=True)]
        if (next_x, next_y) != points[-1]:
            # Of a straight piece only the ends are needed.
            if len(points) > 1 and x == next_x == points[-2][0]:
                points.pop()
            points.append((next_x, next_y))
    return np.array(points, np.float64)
