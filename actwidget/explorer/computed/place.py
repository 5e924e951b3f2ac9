"""Which value of a layer is computed: chosen by channel, position and slice, or by the walk that led to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import kind_of
from actwidget.explorer.layer_data import LayerData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actwidget.capture.access.session import Session
    from actwidget.explorer.selection import Selection

Index = tuple[int, ...]
"""The index of a value in an activation as the model gives it, the sample first."""
_SPOT = re.compile(r"(.*)\[([\d, ]*)\]", re.DOTALL)


@dataclass(frozen=True)
class Spot:
    """One value of one layer.

    Attributes:
        path: The layer's path.
        index: The index of the value in the layer's activation, the sample first.
    """

    path: str
    index: Index

    def __str__(self) -> str:
        """As it stands in the state of an explorer.

        >>> str(Spot("conv", (0, 3, 4, 17))), Spot.read("conv[0, 3, 4, 17]")
        ('conv[0, 3, 4, 17]', Spot(path='conv', index=(0, 3, 4, 17)))
        """
        return f"{self.path}[{', '.join(map(str, self.index))}]"

    @classmethod
    def read(cls, text: str) -> Spot | None:
        """From a text as `str` gives it; `None` for another one."""
        found = _SPOT.fullmatch(text)
        if found is None:
            return None
        return cls(found[1], tuple(int(each) for each in found[2].split(",") if each.strip()))


def has_samples(data: LayerData) -> bool:
    """Whether the first axis of the layer's activation is that of the samples."""
    return has_samples_at(data.sources.session, data.path, data.sample)


def has_samples_at(session: Session, path: str, sample: int) -> bool:
    """Whether the first axis of an activation is that of the samples.

    Keras declares a single sample behind a sum with a constant of one, such as the embeddings of positions, whatever
    the batch has; there the activation itself tells.
    """
    if not session.has_no_batch_axis(path):
        return True
    row, shape = session.row(path, sample), session.graph.nodes[path].output_shape
    return row is not None and shape is not None and row.value.ndim < len(shape)


def index_at(data: LayerData, place: Index) -> Index:
    """From a place in `data.value`, whose channels are last, to the index in the activation."""
    own, axis = list(place), data.channel_axis.axis
    if own and axis is None:
        own.pop()
    elif own and axis is not None:
        own.insert(axis % (len(place) + 1) - 1, own.pop())
    return (data.own_sample, *own) if has_samples(data) else tuple(own)


def place_at(data: LayerData, index: Index) -> Index:
    """The reverse of `index_at`, for any sample; no activation is needed for it."""
    own, axis = list(index[1:] if has_samples(data) else index), data.channel_axis.axis
    if own:
        own.append(0 if axis is None else own.pop(axis % (len(own) + 1) - 1))
    return tuple(own)


def chosen_place(data: LayerData, selection: Selection, last: Spot | None) -> Index:
    """The value that is chosen, as a place in `data.value`; where nothing says which, it is the largest one.

    Args:
        data: The selected layer, which has values.
        selection: Its channel, position and slice, as far as they are chosen, hold in any case.
        last: The value that a walk has led to; if it is one of this layer, it says the rest.
    """
    value = data.value
    fixed = _fixed(data, selection)
    walked = None if last is None or last.path != data.path else place_at(data, last.index)
    if walked is not None and len(walked) == value.ndim and _is_within(walked, value.shape):
        return tuple(fixed.get(axis, at) for axis, at in enumerate(walked))
    part = value[tuple(fixed.get(axis, slice(None)) for axis in range(value.ndim))]
    numbers = np.asarray(part, np.float64)
    flat = int(np.argmax(np.where(np.isnan(numbers), -np.inf, numbers)))
    free = iter(np.unravel_index(flat, part.shape) if part.shape else ())
    return tuple(fixed[axis] if axis in fixed else int(next(free)) for axis in range(value.ndim))


def _is_within(place: Index, shape: Index) -> bool:
    return all(0 <= at < length for at, length in zip(place, shape, strict=True))


def _fixed(data: LayerData, selection: Selection) -> dict[int, int]:
    """From each axis of `data.value` along which a place is chosen to the index there."""
    last = data.value.ndim - 1
    fixed: dict[int, int] = {}
    if selection.channel is not None and last >= 0:
        fixed[last] = selection.channel
    if selection.position is not None and kind_of(data.value.shape, data.value.dtype) == "maps":
        fixed |= {0: selection.position[0], 1: selection.position[1]}
    if selection.slice is not None and (at := data.slice_at(selection.slice)):
        fixed |= dict(enumerate(at))
    return {axis: at for axis, at in fixed.items() if at < data.value.shape[axis]}


def changes_to(data: LayerData, spot: Spot) -> dict[str, Any]:
    """What of a selection changes if a value is chosen: layer, sample, channel, position and slice.

    Nothing runs for it where the shape of the activation is known, so that it can be told before it is wanted.

    Args:
        data: The layer on screen.
        spot: The value; without an index the largest one of the layer.
    """
    layer = LayerData(data.sources, spot.path, data.sample)
    changes: dict[str, Any] = {"layer": spot.path}
    if spot.index and has_samples(layer) and data.batch_size > 1:
        changes["sample"] = spot.index[0]
    changes |= dict.fromkeys(("channel", "position", "slice"))
    place = place_at(layer, spot.index)
    if place and layer.channel_axis.axis is not None:
        changes["channel"] = place[-1]
    if place and all(layer.map_size):
        changes["position"] = place[:2]
    if place and (lengths := layer.slice_lengths):
        changes["slice"] = int(np.ravel_multi_index(place[: len(lengths)], lengths))
    return changes


def in_words(data: LayerData, place: Index) -> str:
    """Where a value is, as a person says it."""
    if not place:
        return ""
    *others, channel = place
    parts = []
    match kind_of(data.value.shape, data.value.dtype):
        case "sequence":
            parts = [f"step {others[0]}"]
        case "maps":
            down, across = plane_words(data)
            parts = [f"{down} {others[0]}, {across} {others[1]}"]
        case "volume":
            parts = [f"slice {', '.join(map(str, others[:-2]))}, row {others[-2]}, column {others[-1]}"]
        case _:
            pass
    names = data.class_names
    if data.channel_axis.axis is not None:
        name = names[channel] if names and len(others) == 0 and channel < len(names) and not data.is_binary else ""
        own = f"{data.channel_label} {channel}"
        parts.append(f"{name} ({own})" if name else own)
    return ", ".join(parts)


def plane_words(data: LayerData) -> tuple[str, str]:
    """What the rows and the columns of the layer's maps are called."""
    return ("query", "key") if data.channel_label == "head" else ("row", "column")


def spots(trail: Sequence[str] | None) -> list[Spot]:
    """The values of a walk, from its beginning to where it has led."""
    return [spot for text in trail or () if (spot := Spot.read(text)) is not None]


def walked_to(trail: Sequence[Spot], here: Spot, target: Spot) -> tuple[Spot, ...]:
    """The walk after a step; a step to a value that it has come by goes back to that.

    Args:
        trail: The walk so far. It goes on if it has led to the layer on screen, otherwise another one begins.
        here: The value on screen.
        target: Where the step leads.

    Returns:
        The values, at most `MOST` of them.
    """
    before = [*trail[:-1], here] if trail and trail[-1].path == here.path else [here]
    if target in before:
        return tuple(before[: before.index(target) + 1])
    return tuple([*before, target][-MOST:])


MOST = 100
"""The longest walk that is kept."""


def options_with(selection: Selection, **options: Any) -> Mapping[str, Any]:
    """The options of a selection with some changed; those that are `None` are left out."""
    changed = {**dict(selection.options), **options}
    return {name: value for name, value in changed.items() if value is not None}
