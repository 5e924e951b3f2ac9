"""How one value is computed, with the numbers it is computed from; a click on a term leads to its value."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import kind_of
from actwidget.explorer.computed.finding import found_at
from actwidget.explorer.computed.place import (
    Index,
    Spot,
    changes_to,
    chosen_place,
    in_words,
    index_at,
    options_with,
    plane_words,
    spots,
    walked_to,
)
from actwidget.explorer.computed.terms import PICK, lines, parts_of, spot_of, window_of
from actwidget.explorer.controls import Number, Paths
from actwidget.explorer.description.facts import Fact
from actwidget.explorer.description.inspection import Action, Inspection
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.figures.arithmetic.content import ArithmeticContent, Plane, Row
from actwidget.figures.arithmetic.figure import arithmetic_spec
from actwidget.figures.arithmetic.lines import in_words as value_in_words
from actwidget.figures.parts.palette import ColorRange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.explain.computation import Arithmetic
    from actwidget.explorer.computed.terms import Parts
    from actwidget.explorer.controls import Control
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection

TRAIL = Paths("arithmetic_trail")
"""The values of the walk, from the one where it began to the one on screen: `"conv[0, 3, 4, 17]"`."""
TERM = Number("arithmetic_term", "term", count=1000, start=0, follows=("layer", "channel", "position", "slice"))
MOST_LINES, BELOW_WINDOW = 15, 11
"""How many lines of the sum have room, and how many where the maps of a window stand above them."""


@register
class ArithmeticView(View):
    """The terms of one value, their sum, and what is done after it."""

    name = "arithmetic"
    label = "Arithmetic"
    question = "How is this one value computed?"
    place = 47
    controls = ("channel", TERM, "slice")
    figure_options = (TRAIL,)

    def available(self, data: LayerData) -> str | None:
        """Of every layer that gives numbers."""
        if data.missing is not None:
            return data.missing
        return None if data.is_numeric else "This layer gives text, which no arithmetic on numbers leads to."

    def fitted(self, control: Control, data: LayerData, selection: Selection) -> Control | None:
        """The terms by their size, as far as they are listed; nothing where there is one alone."""
        if self.available(data) is not None:
            return None
        parts = _found(data, selection)
        count = min(len(parts.members), len(parts.sums), MOST_LINES)
        if parts.found.result is None or count < 2 or not isinstance(control, Number):
            return None
        return replace(control, count=count)

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """The arithmetic of the value that is chosen, or else of the largest one of the channel."""
        place = chosen_place(data, selection, _last(selection))
        parts = _found(data, selection)
        found = parts.found
        chosen = min(selection.option(TERM), max(len(parts.members) - 1, 0))
        is_known = found.result is not None
        window = window_of(parts, chosen) if is_known else None
        most = MOST_LINES if window is None else BELOW_WINDOW
        rows = lines(parts, chosen, most) if is_known else _inputs(found)
        content = ArithmeticContent(
            title=data.path,
            place=in_words(data, place),
            value=found.value,
            result=found.result,
            rows=rows,
            caption=_caption(parts),
            window=window,
            plane=_plane(data, place),
            sample=data.own_sample if data.samples > 1 else None,
            reason=found.reason,
        )
        walk = _walk(data, selection)
        inspection = Inspection(
            _title(data, place),
            _facts(found, walk),
            tuple(_actions(data, selection, parts, chosen)),
        )
        computed = "" if found.result is None else f", computed {value_in_words(found.result)}"
        alt = f"{found.text}. Captured {value_in_words(found.value)}{computed}."
        columns = 1 if content.plane is None or not content.plane.is_block else content.plane.values.shape[1]
        grid = Grid(np.arange(data.channel_count), columns) if data.value.ndim else None
        return Drawing.of(arithmetic_spec(content), alt, grid=grid, inspection=inspection)

    def layer_clicked(self, path: str, part: str, data: LayerData, selection: Selection) -> Mapping[str, Any]:
        """Goes to the value that a term takes, or marks the line that was clicked; of a tensor shows the largest."""
        if part.startswith(PICK) and path == data.path:
            return {"options": options_with(selection, **{TERM.name: int(part.removeprefix(PICK))})}
        return _step(data, selection, Spot.read(part) or Spot(path, ()))

    def cell_clicked(self, row: int, column: int, data: LayerData, selection: Selection) -> Mapping[str, Any] | None:
        """Chooses another value of the layer."""
        place = _place_of_cell(data, chosen_place(data, selection, _last(selection)), row, column)
        if place is None:
            return {}
        spot = Spot(data.path, index_at(data, place))
        walk = [*_walk(data, selection)[:-1], spot]
        return _changed(data, selection, spot, walk)


def _last(selection: Selection) -> Spot | None:
    trail = spots(selection.option(TRAIL))
    return trail[-1] if trail else None


def _here(data: LayerData, selection: Selection) -> Spot:
    return Spot(data.path, index_at(data, chosen_place(data, selection, _last(selection))))


def _walk(data: LayerData, selection: Selection) -> list[Spot]:
    """The walk, which ends with the value on screen."""
    here, trail = _here(data, selection), spots(selection.option(TRAIL))
    known = [each for each in trail if each.path in data.sources.session.graph.nodes]
    return [*known[:-1], here] if known and known[-1].path == here.path else [here]


def _step(data: LayerData, selection: Selection, spot: Spot) -> Mapping[str, Any]:
    return _changed(data, selection, spot, walked_to(_walk(data, selection), _here(data, selection), spot))


def _changed(data: LayerData, selection: Selection, spot: Spot, walk: Any) -> Mapping[str, Any]:
    options = options_with(selection, **{TRAIL.name: tuple(map(str, walk)), TERM.name: None})
    return {**changes_to(data, spot), "options": options}


def _found(data: LayerData, selection: Selection) -> Parts:
    return parts_of(data, found_at(data, _here(data, selection).index), MOST_LINES)


def _caption(parts: Parts) -> str:
    """What stands above the lines."""
    found = parts.found
    groups = found.terms.groups
    paths = list(dict.fromkeys(group.path for group in groups))
    if not groups:
        return "no terms"
    one = len(found.terms) == 1
    if paths == [None]:
        return f"{'a value' if one else 'values'} {groups[0].reason} × {'weight' if one else 'weights'}"
    source = paths[0] if len(paths) == 1 else f"{len(paths)} layers"
    if one:
        return f"the value of {source} × weight"
    each = "input channels" if parts.axes is not None and len(parts.members[0]) > 1 else "values"
    return f"{each} of {source} × weights, the largest first"


def _inputs(found: Arithmetic) -> tuple[Row, ...]:
    """The tensors that a layer was given whose arithmetic is not known."""
    return tuple(
        Row(
            "input",
            f"input {given.path or given.reason}",
            target=None if given.path is None else (given.path, ""),
            hover=(" × ".join(map(str, given.shape)), *(("click to go there",) if given.path else ())),
        )
        for given in found.inputs
    )


def _title(data: LayerData, place: Index) -> str:
    return in_words(data, place).capitalize() or data.path


def _facts(found: Arithmetic, walk: list[Spot]) -> tuple[Fact, ...]:
    facts = [Fact("captured", value_in_words(found.value))]
    if found.result is not None:
        facts.append(Fact("computed", f"{value_in_words(found.result)} from {len(found.terms):,} terms"))
    if len(walk) > 1:
        facts.append(Fact("walk", f"{len(walk) - 1} steps from {walk[0]}"))
    return tuple(facts)


def _actions(data: LayerData, selection: Selection, parts: Parts, chosen: int) -> list[Action]:
    """Buttons for what a click does in the figure, and one back."""
    found, actions = parts.found, []
    walk = _walk(data, selection)
    if len(walk) > 1:
        before = walk[-2]
        actions.append(Action(f"Back to {before}", _step(data, selection, before), "the value before this one"))
    if found.result is None:
        for given in found.inputs:
            if given.path is not None:
                changes = _step(data, selection, Spot(given.path, ()))
                actions.append(Action(f"Go to {given.path}", changes, "its largest value"))
        return actions[:3]
    if not len(parts.members):
        return actions
    members = parts.members[chosen]
    largest = int(members[np.argmax(np.abs(found.terms.products[members]))])
    term = found.terms[largest]
    if (spot := spot_of(term.path, term.index)) is not None:
        tip = f"the value that the chosen term takes: {spot}"
        actions.append(Action("Go to its value", _step(data, selection, spot), tip))
    sources = [spot_of(source.path, source.index) for source in term.weight_from[:1]]
    tip = "the value that its weight is made of"
    return actions + [
        Action("Go to its weight", _step(data, selection, spot), f"{tip}: {spot}") for spot in sources if spot
    ]


def _plane(data: LayerData, place: Index) -> Plane | None:
    """The layer's values as one map: a channel of feature maps, a sequence, or a vector broken into rows."""
    values = np.asarray(data.value, np.float32)
    color = ColorRange.over(values)
    match kind_of(data.value.shape, data.value.dtype):
        case "maps" | "volume":
            shown = values[place[:-3]][..., place[-1]]
            at = f" of slice {', '.join(map(str, place[:-3]))}" if len(place) > 3 else ""
            name = f"{data.channel_label} {place[-1]}" if data.channel_axis.axis is not None else "the values"
            words = plane_words(data)
            return Plane(shown, (place[-3], place[-2]), ColorRange.over(shown), f"{name}{at}: click a value", words)
        case "sequence":
            words = (data.channel_label, "step")
            return Plane(values.T, (place[1], place[0]), color, "steps and units: click a value", words)
        case "units":
            columns = _columns(len(values))
            block = np.full(-(-len(values) // columns) * columns, np.nan, np.float32)
            block[: len(values)] = values
            label = data.channel_label
            caption = f"all {len(values):,} {label}s in rows of {columns}: click one"
            cell = place[0] // columns, place[0] % columns
            return Plane(block.reshape(-1, columns), cell, color, caption, ("row", label), is_block=True)
        case _:
            return None


def _columns(count: int) -> int:
    """How many units of a vector stand in a row."""
    return min(count, max(isqrt(count * 4 // 3), 1))


def _place_of_cell(data: LayerData, place: Index, row: int, column: int) -> Index | None:
    """The value that a cell of the map stands for."""
    match kind_of(data.value.shape, data.value.dtype):
        case "maps" | "volume":
            found: Index = (*place[:-3], row, column, place[-1])
        case "sequence":
            found = (column, row)
        case "units":
            found = (row * _columns(data.value.shape[0]) + column,)
        case _:
            return None
    fits = all(0 <= at < length for at, length in zip(found, data.value.shape, strict=True))
    return found if fits else None
