"""Which part of an input a position of a feature map depends on, read off the model's graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.semantics.channel_axis import channel_axis_of
from actwidget.capture.semantics.pointwise import mixed_axes
from actwidget.capture.semantics.receptive_window import Reach, Spacing, Span, UnknownReachError
from actwidget.capture.semantics.table.lookup import semantics_of
from actwidget.capture.semantics.table.semantics import Windows
from actwidget.keras_internals.graph import function_of, graph_nodes

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph

Spans = tuple[Span, ...]
"""One for each spatial axis."""

_Reaches = tuple[Reach | None, ...]
"""One for each axis but that of the samples; `None` along the channels, of which all are needed."""


@dataclass(frozen=True)
class Field:
    """What one position of a layer sees of an input.

    Attributes:
        axes: The input's spatial axes, 0 being that of the samples.
        spans: Along each of them the part that the position depends on; an empty one where that is padding alone.
        spacing: Along each of them where the layer's positions lie; `None` where they have no place, since each sees
            all of the input, or are not evenly spaced. Of what sees everything beside something that moves with the
            position, as a layer behind a squeeze-and-excitation gate, the latter tells the place.
    """

    axes: tuple[int, ...]
    spans: Spans
    spacing: tuple[Spacing, ...] | None


def receptive_field(graph: ModelGraph, path: str, position: Sequence[int], input_index: int = 0) -> Spans | None:
    """The part of one of the model's inputs that one position of a layer depends on.

    Args:
        graph: The model's graph.
        path: As for `field_of`.
        position: As for `field_of`.
        input_index: As for `field_of`.

    Returns:
        For each spatial axis of the input a span, `(start, stop)`; `None` where `field_of` gives none.
    """
    field = field_of(graph, path, position, input_index)
    return None if field is None else field.spans


def field_of(graph: ModelGraph, path: str, position: Sequence[int], input_index: int = 0) -> Field | None:
    """What one position of a layer sees of one of the model's inputs, and where the layer's positions lie over it.

    Batch statistics are taken as fixed, as they are outside of training. It is the smallest box around all that can
    have an influence by the layers' shapes; the weights are not looked at.

    Args:
        graph: The model's graph.
        path: A layer of the model's own graph, or inside models nested in it.
        position: One index for each spatial axis: a row and a column of a feature map, a step of a sequence. Which
            axes are spatial follows from `channels_of`.
        input_index: Which of the model's inputs, counted as `keras.tree.flatten` puts them in order.

    Returns:
        `None` where it can't be computed: the graph is not known, something on the way moves values in a way that is
        not known here, or takes another axis for that of the channels. Also where the layer does not depend on the
        input.
    """
    place, inputs = graph.places.get(path), keras.tree.flatten(graph.inputs)
    if place is None or graph.edits or input_index >= len(inputs):
        return None
    rank = len(place.tensor.shape)
    channels = channel_axis_of(graph.nodes[path], graph.operations[path], graph.steps(path)).axis
    spatial = [axis for axis in range(1, rank) if channels is None or axis != channels % rank]
    if len(spatial) != len(position):
        return None
    start = {axis: Reach.one(int(index)) for axis, index in zip(spatial, position, strict=True)}
    needed = _needs_of_model(graph, path, tuple(start.get(axis) for axis in range(1, rank)))
    reaches = needed.get(id(inputs[input_index]))
    return None if reaches is None else _field(reaches, position)


def _field(reaches: _Reaches, position: Sequence[int]) -> Field | None:
    channels = [axis for axis, reach in enumerate(reaches, 1) if reach is None]
    if len(channels) > 1:
        return None
    if not channels:  # behind what needs all of everything no axis is told from the others
        channels = [1 if keras.config.image_data_format() == "channels_first" else len(reaches)]
    seen = {axis: reach for axis, reach in enumerate(reaches, 1) if reach is not None and axis not in channels}
    spacing: tuple[Spacing, ...] | None = None
    if len(seen) == len(position):
        each = [reach.spacing(index) for reach, index in zip(seen.values(), position, strict=True)]
        known = tuple(one for one in each if one is not None)
        spacing = known if len(known) == len(each) else None
    return Field(tuple(seen), tuple(reach.span for reach in seen.values()), spacing)


def inputs_behind(graph: ModelGraph, path: str) -> list[int] | None:
    """Which of the model's inputs a layer depends on by the graph; `None` where that is not known.

    Args:
        graph: The model's graph.
        path: A node of it. Of what runs inside a layer that is no functional model it is those of that layer.

    Returns:
        Their indices as `keras.tree.flatten` puts them in order.
    """
    # What a layer holds depends on nothing that the layer does not.
    while path not in graph.places and "/" in path:
        path = path.rpartition("/")[0]
    if path not in graph.places:
        return None
    reached = _needs_of_model(graph, path, None)
    return [index for index, tensor in enumerate(keras.tree.flatten(graph.inputs)) if id(tensor) in reached]


def _needs_of_model(graph: ModelGraph, path: str, start: _Reaches | None) -> dict[int, _Reaches | None]:
    """What of the model's inputs is needed for something of a layer's output, by the `id` of each that matters.

    Here and below `None` in place of reaches says that something is needed, but not what.
    """
    place = graph.places[path]
    wanted = {id(place.tensor): start}
    function, outer = place.function, place.outer
    while True:
        given = _needs_of_inputs(function, wanted)
        if outer is None:
            return given
        # What a nested model is given stands in the graph around it.
        wanted = {}
        _merge(wanted, _needs_of_nested(function, given, outer.node))
        function, outer = outer.function, outer.outer


_Needs = list[tuple[Any, _Reaches | None]]


def _needs_of_nested(function: Any, needed: Mapping[int, _Reaches | None], node: Any) -> _Needs:
    """What a call of a nested model needs of the tensors it is given, from what is needed of the model's own inputs."""
    inner, outer = keras.tree.flatten(function.inputs), node.input_tensors
    # A model can be given a tensor of another rank than it was built with.
    if [len(tensor.shape) for tensor in inner] != [len(tensor.shape) for tensor in outer]:
        return [(tensor, None) for tensor in outer]
    return [(tensor, needed[id(own)]) for own, tensor in zip(inner, outer, strict=True) if id(own) in needed]


def _merge(needed: dict[int, _Reaches | None], pairs: _Needs) -> None:
    """Notes what is needed of each tensor, by its `id`: of one that is needed for several things, all of it."""
    for tensor, reaches in pairs:
        needed[id(tensor)] = _joined(needed[id(tensor)], reaches) if id(tensor) in needed else reaches


def _joined(some: _Reaches | None, others: _Reaches | None) -> _Reaches | None:
    if some is None or others is None:
        return None
    pairs = zip(some, others, strict=True)
    return tuple(None if one is None or other is None else one.joined(other) for one, other in pairs)


def _needs_of_inputs(function: Any, wanted: Mapping[int, _Reaches | None]) -> dict[int, _Reaches | None]:
    """From what is wanted of some tensors of a graph to what is needed of its inputs, each by the tensor's `id`."""
    needed = dict(wanted)
    for node in reversed(graph_nodes(function)):
        found = [needed[id(tensor)] for tensor in node.outputs if id(tensor) in needed]
        if found and not node.is_input:
            _merge(needed, _needs_of_call(node, found[0] if len(node.outputs) == 1 else None))
    return {id(tensor): needed[id(tensor)] for tensor in function.inputs if id(tensor) in needed}


def _needs_of_call(node: Any, reaches: _Reaches | None) -> _Needs:
    """What one call needs of each tensor that it is given."""
    inner = function_of(node.operation)
    if inner is not None and len(node.outputs) == 1:
        return _needs_of_nested(inner, _needs_of_inputs(inner, {id(inner.outputs[0]): reaches}), node)
    if reaches is not None:
        with suppress(UnknownReachError):
            return _needs_by_table(node, reaches)
    return [(tensor, None) for tensor in node.input_tensors]


def _needs_by_table(node: Any, reaches: _Reaches) -> _Needs:
    """The same for a call of no model, from what the table says of its class.

    Raises:
        UnknownReachError: It is not known.
    """
    operation, inputs, output = node.operation, node.input_tensors, node.outputs[0]
    reach = semantics_of(operation).reach
    if reach is None:
        raise UnknownReachError
    if reach == "everything" or (reach == "everything of a vector" and len(inputs[0].shape) == 2):
        return [(tensor, tuple(map(Reach.whole, tensor.shape[1:]))) for tensor in inputs]
    reaches = _along_mixed_axes(reaches, output, mixed_axes(operation, len(output.shape)))
    if reach == "same position":
        return [(tensor, _broadcast(tensor, output, reaches)) for tensor in inputs]
    if callable(reach):
        return [(inputs[0], _through_windows(operation, reach, inputs[0], output, reaches))]
    raise UnknownReachError


def _along_mixed_axes(reaches: _Reaches, tensor: Any, axes: set[int]) -> _Reaches:
    """What is needed behind a mixing of values along axes: it does no harm where all along them is needed anyway."""
    mixed = {axis: reaches[axis - 1] for axis in axes}
    if any(reach is not None and reach.span != (0, tensor.shape[axis]) for axis, reach in mixed.items()):
        raise UnknownReachError
    each = enumerate(reaches, 1)
    return tuple(reach and (Reach.whole(tensor.shape[axis]) if axis in axes else reach) for axis, reach in each)


def _broadcast(tensor: Any, output: Any, reaches: _Reaches) -> _Reaches:
    """The same positions; all of an axis that has another length than the output's, as it is stretched over that."""
    if len(tensor.shape) != len(output.shape):
        if len(tensor.shape) == 2:
            return (None,)
        raise UnknownReachError
    lengths = zip(tensor.shape[1:], output.shape[1:], reaches, strict=True)
    return tuple(reach if reach is None or own == whole else Reach.whole(own) for own, whole, reach in lengths)


def _through_windows(layer: Any, windows_of: Windows, tensor: Any, output: Any, reaches: _Reaches) -> _Reaches:
    """What a layer that moves windows along the spatial axes needs of what it is given."""
    rank = len(tensor.shape)
    channels = 1 if getattr(layer, "data_format", "channels_last") == "channels_first" else rank - 1
    spatial = [axis for axis in range(1, rank) if axis != channels]
    lengths = [tensor.shape[axis] for axis in spatial]
    if None in lengths or len(output.shape) != rank:
        raise UnknownReachError
    reaches = _along_mixed_axes(reaches, output, {channels})
    moved: dict[int, Reach] = {}
    for axis, window in zip(spatial, windows_of(layer, lengths), strict=True):
        moved[axis] = (reaches[axis - 1] or Reach.whole(output.shape[axis])).through(window)
    return tuple(moved.get(axis) for axis in range(1, rank))
