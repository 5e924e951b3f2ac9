"""The edits of an explorer: which changes are made behind which layers, checked, as JSON, in code and in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.capture.access.submodel import reason_against
from actwidget.capture.edits.edit import check_goes_on, edit, fitted_change
from actwidget.capture.edits.layers import Ablate, Replace, Scale
from actwidget.capture.structure.selectors import select
from actwidget.errors import OptionError, shown
from actwidget.figures.parts.text import number

if TYPE_CHECKING:
    import keras

    from actwidget.capture.structure.model_graph import ModelGraph

Change = Ablate | Scale | Replace
_CLASSES: dict[str, type[Any]] = {"Ablate": Ablate, "Scale": Scale, "Replace": Replace}
_EXPECTED = "Expected edits as {layer: [Ablate(17), Scale(3, 0.5), Replace(array)]}"


@dataclass(frozen=True)
class Edit:
    """One change behind one layer. Edits of equal numbers are equal.

    Attributes:
        path: The layer's path.
        key: What the change is made of.
        change: The Keras layer that makes it.
    """

    path: str
    key: tuple[Any, ...]
    change: Change = field(compare=False)

    @classmethod
    def of(cls, path: str, change: Change) -> Edit:
        """The edit by a layer behind a path."""
        return cls(path, _key(change), change)

    @property
    def channels(self) -> tuple[int, ...]:
        """The channels that it changes; empty for all."""
        return () if isinstance(self.change, Replace) else tuple(self.change.channels)

    @property
    def words(self) -> str:
        """What it does, in a few words: "channels 3, 7 off"."""
        change = self.change
        if isinstance(change, Replace):
            return "replaced by an array"
        named = f"channel{'s' * (len(change.channels) != 1)} {listed_channels(change.channels)}"
        if isinstance(change, Scale):
            return f"{named} × {number(change.factor)}"
        return f"{named} off" if change.value == 0 else f"{named} = {number(change.value)}"

    @property
    def code(self) -> str:
        """Python code that makes the change."""
        change = self.change
        if isinstance(change, Replace):
            return "aw.Replace(array)"
        channels = change.channels[0] if len(change.channels) == 1 else list(change.channels)
        axis = "" if change.axis == -1 else f", axis={change.axis}"
        if isinstance(change, Scale):
            return f"aw.Scale({channels}, {change.factor!r}{axis})"
        return f"aw.Ablate({channels}{'' if change.value == 0 else f', {change.value!r}'}{axis})"

    def state(self) -> dict[str, Any]:
        """The edit as JSON values."""
        change = self.change
        if isinstance(change, Replace):
            return {"class": "Replace", "array": change.array.tolist(), "dtype": change.array.dtype.name}
        value = {"factor": change.factor} if isinstance(change, Scale) else {"value": change.value}
        return {"class": type(change).__name__, "channels": list(change.channels), **value, "axis": change.axis}


Edits = tuple[Edit, ...]
"""In the order in which they were made, which is that of edits of one layer."""


def _key(change: Change) -> tuple[Any, ...]:
    if isinstance(change, Replace):
        array = change.array
        return "Replace", array.shape, array.dtype.name, array.tobytes()
    return (
        type(change).__name__,
        change.channels,
        change.axis,
        getattr(change, "value", getattr(change, "factor", None)),
    )


def checked_edits(given: Any, graph: ModelGraph) -> Edits:
    """Edits as a user gives them, or as they stand in a state, checked against a model.

    Args:
        given: From each selector of a layer to a change or a list of them, or to what `Edit.state` gives.
        graph: The model's graph.

    Raises:
        LayerNotFoundError: A selector names no layer, or several.
        ChannelError: The layer has no such channel.
        NotCapturableError: What flows there can't be reached.
        OptionError: It is no mapping of changes, or a change does not fit.
    """
    if not isinstance(given, Mapping):
        message = f"{_EXPECTED}, got {shown(given)}."
        raise OptionError(message)
    found: list[Edit] = []
    for selector, changes in given.items():
        node = select(graph, selector)
        if (error := reason_against(graph, node.path)) is not None:
            raise error
        check_goes_on(graph, node.path)
        for each in [changes] if isinstance(changes, (Ablate, Scale, Replace, Mapping, str)) else _items(changes):
            change = _restored(each) if isinstance(each, Mapping) else each
            if not isinstance(change, (Ablate, Scale, Replace)):
                message = f"{_EXPECTED}, got {shown(change)} for {node.path!r}. Other changes: aw.edit(model, ...)."
                raise OptionError(message)
            fitted_change(change, node, graph.places.get(node.path))
            found.append(Edit.of(node.path, change))
    return tuple(found)


def _items(changes: Any) -> list[Any]:
    if isinstance(changes, Sequence):
        return list(changes)
    message = f"{_EXPECTED}, got {shown(changes)}."
    raise OptionError(message)


def _restored(state: Mapping[str, Any]) -> Any:
    options = dict(state)
    cls = _CLASSES.get(str(options.pop("class", "")))
    try:
        if cls is Replace:
            return Replace(np.asarray(options["array"], options["dtype"]), name="replace")
        return None if cls is None else cls(**options, name=cls.__name__.lower())
    except (KeyError, TypeError, ValueError) as error:
        message = f"Expected an edit as explorer.state() gives it, got {shown(dict(state))}."
        raise OptionError(message) from error


def as_mapping(edits: Edits) -> dict[str, list[Change]]:
    """Edits as `LayerExplorer.edits` gives them: from path to the changes there, in order."""
    found: dict[str, list[Change]] = {}
    for each in edits:
        found.setdefault(each.path, []).append(each.change)
    return found


def edits_of(mapping: Mapping[str, Sequence[Change]]) -> Edits:
    """Edits from what `as_mapping` gives."""
    return tuple(Edit.of(path, change) for path, changes in mapping.items() for change in changes)


def as_state(edits: Edits) -> dict[str, list[dict[str, Any]]]:
    """Edits as JSON values."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in edits:
        found.setdefault(each.path, []).append(each.state())
    return found


def edited(model: keras.Model, edits: Iterable[Edit], inputs: Any = None) -> keras.Model:
    """The model with all edits, as `aw.edit` makes it."""
    result = model
    for path, changes in as_mapping(tuple(edits)).items():
        for change in changes:
            result = edit(result, {path: change}, inputs)
    return result


@dataclass(frozen=True)
class EditGroup:
    """One edit, or several of one layer that set a channel each, as `replace by mean` makes them.

    Attributes:
        edits: The edits.
        start: The place of the first one among all edits.
    """

    edits: Edits
    start: int

    @property
    def path(self) -> str:
        """The layer's path."""
        return self.edits[0].path

    @property
    def words(self) -> str:
        """What they do, in a few words."""
        if len(self.edits) == 1:
            return self.edits[0].words
        return f"channels {listed_channels(each.channels[0] for each in self.edits)} to a value each"

    def without(self, edits: Edits) -> Edits:
        """All edits but these."""
        return (*edits[: self.start], *edits[self.start + len(self.edits) :])


def grouped(edits: Edits) -> list[EditGroup]:
    """All edits in order, with those together that set one channel each."""

    def key(pair: tuple[int, Edit]) -> Any:
        place, each = pair
        is_single = isinstance(each.change, Ablate) and len(each.channels) == 1
        return (each.path, each.change.axis, True) if is_single else place

    groups = []
    for _, pairs in groupby(enumerate(edits), key):
        members = list(pairs)
        groups.append(EditGroup(tuple(each for _, each in members), members[0][0]))
    return groups


def edit_code(edits: Edits) -> str:
    """Python code that makes the edited model from `model`."""
    if not edits:
        return ""
    groups = grouped(edits)
    if len({each.path for each in edits}) == len(edits):
        lines = [f"edited = aw.edit(model, {{{', '.join(f'{each.path!r}: {each.code}' for each in edits)}}})"]
    else:
        lines = [line for place, group in enumerate(groups) for line in _code_of(group, "edited" if place else "model")]
    return "\n".join(["import actwidget as aw", "", *lines, "answer = edited(x, training=False)", ""])


def _code_of(group: EditGroup, owner: str) -> list[str]:
    first = group.edits[0]
    if len(group.edits) == 1:
        return [f"edited = aw.edit({owner}, {{{first.path!r}: {first.code}}})"]
    values = {each.channels[0]: each.change.value for each in group.edits if isinstance(each.change, Ablate)}
    axis = getattr(first.change, "axis", -1)
    layer = f"aw.Ablate(channel, value{'' if axis == -1 else f', axis={axis}'})"
    start = [] if owner == "edited" else [f"edited = {owner}"]
    loop = [f"for channel, value in {values!r}.items():", f"    edited = aw.edit(edited, {{{first.path!r}: {layer}}})"]
    return [*start, *loop]


def listed_channels(channels: Iterable[int], most: int | None = 6) -> str:
    """Channels as a person writes them, of many runs the first ones.

    >>> listed_channels([3, 4, 5, 9]), listed_channels(range(0, 40, 2))
    ('3-5, 9', '0, 2, 4, 6, 8, 10 and 14 more')
    """
    ordered = list(dict.fromkeys(channels))
    runs = []
    for _, run in groupby(enumerate(sorted(ordered)), lambda pair: pair[1] - pair[0]):
        members = [channel for _, channel in run]
        runs.append((f"{members[0]}-{members[-1]}" if len(members) > 2 else ", ".join(map(str, members)), len(members)))
    shown_runs = runs[:most]
    rest = len(ordered) - sum(count for _, count in shown_runs)
    return ", ".join(text for text, _ in shown_runs) + (f" and {rest} more" if rest else "")


def channels_from(text: str, count: int) -> tuple[int, ...]:
    """The channels that a text names, such as "17, 20-24"; none for an empty one.

    Args:
        text: The text.
        count: How many channels there are.

    Raises:
        OptionError: It names something else.

    >>> channels_from("1, 4-6", 8)
    (1, 4, 5, 6)
    """
    found: dict[int, None] = {}
    for part in filter(None, (each.strip() for each in text.replace(";", ",").split(","))):
        first, dash, last = (each.strip() for each in part.replace("\u2013", "-").partition("-"))
        ends = [first, last if dash else first]
        if not all(each.isascii() and each.isdigit() for each in ends) or not int(ends[0]) <= int(ends[1]) < count:
            message = f"Expected channels from 0 to {count - 1}, such as 3 or 0, 4-7; got {part!r}."
            raise OptionError(message)
        found |= dict.fromkeys(range(int(ends[0]), int(ends[1]) + 1))
    return tuple(found)
