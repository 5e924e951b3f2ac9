"""The terms of a value as lines, largest first, and as maps where the layer takes a window of its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.explorer.computed.place import Spot
from actwidget.explorer.layer_data import LayerData
from actwidget.figures.arithmetic.content import Row, Window
from actwidget.figures.arithmetic.lines import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from actwidget.explain.computation import Arithmetic, Term
    from actwidget.explain.computation.arithmetic_result import Products
    from actwidget.figures.arithmetic.content import Target

MOST_CELLS, MOST_WINDOW = 144, 1_000_000
"""In a larger window a click on a cell leads nowhere; of a still larger one no maps are drawn."""
PICK = "line:"
"""What a click on a line of terms chooses that stands for several of them, and the line's number."""
MOST_STEPS = 6


@dataclass(frozen=True, eq=False)
class Parts:
    """What the terms of a value are divided into: one term each, or those that take values of one input channel.

    Attributes:
        found: The arithmetic of the value.
        members: The numbers of the terms of each part, the largest part first.
        labels: What each is called.
        sums: What the products of each add up to, shape `(parts,)`.
        axes: The two axes along which the terms of a part lie, where these are drawn as maps.
    """

    found: Arithmetic
    members: Sequence[NDArray[np.intp]]
    labels: Sequence[str]
    sums: NDArray[Any]
    axes: tuple[int, int] | None


def parts_of(data: LayerData, found: Arithmetic, most: int) -> Parts:
    """Divides the terms.

    Args:
        data: The layer.
        found: The arithmetic of the value.
        most: How many parts are named; the others have no label.
    """
    terms = found.terms
    groups = terms.groups
    single = groups[0] if len(groups) == 1 else None
    axes: tuple[int, int] | None = None
    if single is not None and 1 < len(terms) <= MOST_WINDOW:
        varying = [axis for axis in range(single.indices.shape[1]) if np.ptp(single.indices[:, axis])]
        if len(varying) > 2:
            return Parts(found, *_by_channel(data, single, varying, most))
        axes = (varying[0], varying[1]) if len(varying) == 2 else None
    # Of products of the same size the one with the larger weight comes first: the winner of a pool may be zero.
    order = np.lexsort((-np.abs(terms.weights), -np.abs(terms.products)))
    labels = [_label(data, terms[int(each)], several=len(groups) > 1) for each in order[:most]]
    return Parts(found, [np.array([each]) for each in order[:most]], labels, terms.products[order], axes)


def _by_channel(
    data: LayerData, group: Products, varying: list[int], most: int
) -> tuple[list[NDArray[np.intp]], list[str], NDArray[Any], tuple[int, int]]:
    """For each input channel its terms, its name and their sum; and the two last of the other axes, to draw them."""
    rank = group.indices.shape[1]
    channel = _channel_axis(data, group.path, rank)
    plane = [axis for axis in varying if axis != channel][-2:]
    others = [axis for axis in varying if axis not in plane]
    keys, inverse = np.unique(group.indices[:, others], axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    sums = np.bincount(inverse, weights=group.products, minlength=len(keys))
    order = np.argsort(-np.abs(sums), kind="stable")
    names = keys[order[:most]].tolist()
    label = "channel" if others == [channel] else ""
    labels = [f"{label} {key[0]}" if label else _listed(key) for key in names]
    members = [np.flatnonzero(inverse == each) for each in order[:most]]
    return members, labels, sums[order], (plane[0], plane[1])


def _channel_axis(data: LayerData, path: str | None, rank: int) -> int:
    axis = None if path is None else data.sources.values.own_channel_axis(path).axis
    return rank - 1 if axis is None else axis % rank


def _listed(index: Sequence[int]) -> str:
    return f"[{', '.join(map(str, index))}]"


def _label(data: LayerData, term: Term, *, several: bool) -> str:
    """What a term is called: the place of its value, with the layer's name where there are several."""
    own = term.index[1:] if len(term.index) > 1 else term.index
    if term.path is None:
        return f"input {_listed(own)}" if "input" in term.reason else f"inside {_listed(own)}"
    word = data.sources.values.own_channel_axis(term.path).channel_label
    place = f"{word} {own[0]}" if len(own) == 1 and not several else _listed(own)
    return f"{term.path.rpartition('/')[2]} {place}" if several else place


def lines(parts: Parts, chosen: int, most: int) -> tuple[Row, ...]:
    """The sum line by line: its largest terms, all others together, the bias, and what is done after it.

    Args:
        parts: The terms.
        chosen: The number of the part that is marked.
        most: How many lines there are at most.
    """
    found = parts.found
    steps = _steps(found)
    with_sum = len(found.terms) != 1 or found.bias is not None or not steps
    room = max(3, most - len(steps) - with_sum - (found.bias is not None))
    count = len(parts.sums)
    shown = count if count <= room else room - 1
    numbers = list(range(min(shown, len(parts.members))))
    if numbers and chosen not in numbers:
        numbers[-1] = chosen
    rows = [_term(parts, number, is_marked=number == chosen) for number in numbers]
    if count > len(rows):
        rest = float(parts.sums.sum() - parts.sums[numbers].sum())
        rows.append(Row("rest", f"{count - len(rows):,} more", value=rest))
    if found.bias is not None:
        rows.append(Row("bias", "bias", value=found.bias))
    if with_sum:
        total = found.total if found.total is not None else float(found.terms.products.sum()) + (found.bias or 0.0)
        rows.append(Row("sum", "sum", value=total, is_result=not steps))
    return (*rows, *steps)


def _steps(found: Arithmetic) -> list[Row]:
    shown = found.steps[-MOST_STEPS:]
    rows = [Row("step", step.name, value=step.value, is_result=step is found.steps[-1]) for step in shown]
    if (hidden := len(found.steps) - len(shown)) > 0:
        words = tuple(f"{step.name}: {in_words(step.value)}" for step in found.steps[:hidden])
        rows.insert(0, Row("step", f"{hidden} earlier steps", value=found.steps[hidden - 1].value, hover=words))
    return rows


def _term(parts: Parts, number: int, *, is_marked: bool) -> Row:
    found, members = parts.found, parts.members[number]
    if len(members) > 1:
        hover = (f"{len(members)} products, {in_words(float(parts.sums[number]))} together", "click to see them above")
        target = found.path, f"{PICK}{number}"
        detail = f"{len(members)} products"
        return Row("term", parts.labels[number], detail, float(parts.sums[number]), target, hover, is_marked=is_marked)
    term = found.terms[int(members[0])]
    return Row(
        "term",
        parts.labels[number],
        f"{in_words(term.input)} × {in_words(term.weight)}",
        term.product,
        target_of(term.path, term.index),
        _about(term),
        is_marked=is_marked,
    )


def _about(term: Term) -> tuple[str, ...]:
    lines = [f"{term.path}{_listed(term.index)}" if term.path is not None else term.reason]
    lines.append(f"{term.input:.6g} × {term.weight:.6g} = {term.product:.6g}")
    lines += [f"the weight is made of {each.path}{_listed(each.index)}" for each in term.weight_from if each.path]
    return (*lines, "click to go to this value") if term.path is not None else tuple(lines)


def spot_of(path: str | None, index: Sequence[int]) -> Spot | None:
    """The value that a term takes; `None` where no path has it."""
    return None if path is None else Spot(path, tuple(index))


def target_of(path: str | None, index: Sequence[int]) -> Target | None:
    """The `customdata` of what leads to a value; `None` where no path has it."""
    spot = spot_of(path, index)
    return None if spot is None else (spot.path, str(spot))


def window_of(parts: Parts, chosen: int) -> Window | None:
    """The terms of a part as maps, or all terms where each is a part; `None` where they do not lie in a plane."""
    if parts.axes is None:
        return None
    found = parts.found
    is_grouped = len(parts.members[0]) > 1
    members = parts.members[chosen] if is_grouped else np.arange(len(found.terms))
    places = found.terms.groups[0].indices[members][:, list(parts.axes)]
    corners = [np.unique(places[:, axis], return_inverse=True) for axis in (0, 1)]
    (down, rows), (across, columns) = ((values, inverse.reshape(-1)) for values, inverse in corners)
    terms = found.terms
    maps = np.full((3, len(down), len(across)), np.nan)
    maps[:, rows, columns] = [terms.inputs[members], terms.weights[members], terms.products[members]]
    targets: list[list[Target | None]] = []
    if maps[0].size <= MOST_CELLS:
        targets = [[None] * len(across) for _ in down]
        for number, row, column in zip(members.tolist(), rows.tolist(), columns.tolist(), strict=True):
            term = terms[number]
            targets[row][column] = target_of(term.path, term.index)
    name = parts.labels[chosen] if is_grouped else ""
    return Window(maps[0], maps[1], maps[2], tuple(map(tuple, targets)), name)
