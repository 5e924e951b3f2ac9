"""Where an answer can be differentiated: at an input, or at an activation inside the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.capture.access.submodel import reason_against
from actwidget.capture.semantics.channel_axis import channel_axis_of
from actwidget.capture.structure.call_names import SCORES
from actwidget.capture.structure.selectors import select
from actwidget.errors import NotCapturableError
from actwidget.explain.differentiation.points import Mode, Point
from actwidget.explain.differentiation.unreachable import no_way
from actwidget.keras_internals.graph import nodes_for

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode
    from actwidget.explain.differentiation.passes import Passes


@dataclass(frozen=True)
class Place:
    """A tensor that an attribution is for.

    Attributes:
        name: What it is called in messages.
        path: Its path; `""` of an input of a model without a graph.
        index: Which of the flat inputs it is; `None` for an activation inside the model.
        channel_axis: The axis of its channels; `None` if it has none.
        stands_for: Of an activation behind an input without gradients, which of the flat inputs that is.
    """

    name: str
    path: str = ""
    index: int | None = None
    channel_axis: int | None = -1
    stands_for: int | None = None

    def point(self, mode: Mode) -> Point:
        """The point at which a pass is differentiated; `mode` holds for an activation, inputs go in as they are."""
        return Point(self.path, self.index, "input") if self.index is not None else Point(self.path, None, mode)


def has_gradients(dtype: Any) -> bool:
    """Whether values of a dtype can be differentiated.

    >>> has_gradients("bfloat16"), has_gradients(np.int32)
    (True, False)
    """
    return (dtype if isinstance(dtype, str) else np.dtype(dtype).name).startswith(("float", "bfloat"))


def place_at(passes: Passes, layer: Any) -> Place:
    """The place of an activation.

    Args:
        passes: The passes of the model.
        layer: A selector.

    Raises:
        LayerNotFoundError: It matches no layer, or several.
        NotCapturableError: There is no gradient at that activation.
    """
    key = "place", layer if isinstance(layer, (str, int)) else id(layer)
    place: Place = passes.known.fact(key, lambda: _find_place(passes, layer))
    return place


def _find_place(passes: Passes, layer: Any) -> Place:
    graph = passes.graph
    node = select(graph, layer)
    if (error := reason_against(graph, node.path, passes.batch)) is not None:
        raise error
    aside = graph.asides.get(node.path)
    name = f"{node.path!r} of model {graph.model.name!r}"
    if aside is not None and not node.path.endswith(f"/{SCORES}"):
        message = (
            f"There is no differentiable way from the target to {name}: its values are computed beside the model's "
            f"own pass. Take the layer itself, {aside.layer!r}."
        )
        raise NotCapturableError(message)
    if not has_gradients(node.dtype):
        message = (
            f"There is no differentiable way from the target to {name}: it holds {node.dtype}, not floats. Take a "
            "layer behind it."
        )
        raise NotCapturableError(message)
    if not leads_to_output(graph, node.path):
        raise no_way(node.path, graph.model.name)
    return Place(node.path, node.path, channel_axis=channel_axis(graph, node))


def channel_axis(graph: ModelGraph, node: LayerNode) -> int | None:
    """The axis of the channels of a node."""
    return channel_axis_of(node, graph.operations[node.path], graph.steps(node.path)).axis


def leads_to_output(graph: ModelGraph, path: str) -> bool:
    """Whether an output of the model depends on an activation, as far as its graph tells."""
    place = graph.places.get(path)
    if place is None:
        return True
    function, tensors, outer = place.function, [place.tensor], place.outer
    while True:
        if not any(_is_needed(function, tensor) for tensor in tensors):
            return False
        if outer is None:
            return True
        function, tensors, outer = outer.function, outer.node.outputs, outer.outer


def _is_needed(function: Any, tensor: Any) -> bool:
    """Whether a functional graph needs a tensor to compute its outputs."""
    outputs = list(function.outputs)
    inputs = (each for node in nodes_for(function, outputs) for each in node.input_tensors)
    return any(each is tensor for each in (*outputs, *inputs))
