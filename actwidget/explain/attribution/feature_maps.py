"""The layer that class activation maps are taken at: the last one with feature maps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from actwidget.capture.semantics.channel_axis import channel_axis_of
from actwidget.errors import NotCapturableError, OptionError
from actwidget.explain.differentiation.places import Place, channel_axis, has_gradients, leads_to_output, place_at

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode
    from actwidget.explain.differentiation.passes import Passes


def map_place(passes: Passes, layer: Any, method: str) -> Place:
    """The place of the feature maps for a class activation map.

    Args:
        passes: The passes of the model.
        layer: A selector, or `None` for the last layer with feature maps.
        method: The method, for messages.

    Raises:
        NotCapturableError: The model has no feature maps.
        OptionError: The chosen layer has none.
    """
    if layer is None:
        path = passes.known.fact("last map", lambda: last_map(passes.graph))
        if path is None:
            message = (
                f"Model {passes.model.name!r} has no layer with feature maps, which {method!r} needs. Use another "
                'method, for example method="integrated_gradients".'
            )
            raise NotCapturableError(message)
        return place_at(passes, path)
    place = place_at(passes, layer)
    node = passes.known.fact(("map", place.path), lambda: is_map(passes.graph, passes.graph.nodes[place.path]))
    if not node:
        message = (
            f"Layer {place.path!r} of model {passes.model.name!r} has no feature maps, which {method!r} needs: its "
            "output has no axis of positions beside that of its channels. Give another layer, or layer=None for the "
            "last one with feature maps."
        )
        raise OptionError(message)
    return place


def last_map(graph: ModelGraph) -> str | None:
    """The path of the innermost last activation with feature maps on which the output depends."""
    outputs = set(graph.outputs)
    found = [
        node.path
        for node in graph.tree
        if is_map(graph, node)
        and not any(output == node.path or output.startswith(f"{node.path}/") for output in outputs)
        and not any(node.path.startswith(f"{output}/") and _ends(graph, node, output) for output in outputs if output)
        and leads_to_output(graph, node.path)
        and not all(child.class_name == "InputLayer" for child in node.children or [node])
    ]
    return found[-1] if found else None


def _ends(graph: ModelGraph, node: LayerNode, output: str) -> bool:
    """Whether a node is the last one inside a nested model that gives an output."""
    inside = list(graph.nodes[output])
    return bool(inside) and inside[-1].path == node.path


def is_map(graph: ModelGraph, node: LayerNode) -> bool:
    """Whether an activation has several positions for each of its channels, and can be differentiated."""
    shape = node.output_shape
    if not shape or len(shape) < 3 or node.origin == "opaque" or node.path in graph.asides:
        return False
    if not has_gradients(node.dtype) or node.class_name == "AttentionScores":
        return False
    axis = channel_axis(graph, node)
    if axis is None:
        return False
    channels = axis % len(shape)
    lengths = [length for place, length in enumerate(shape) if place not in {0, channels}]
    is_scores = len(shape) == 4 and channels == 1 and _is_attention(graph, node)
    return not is_scores and (None in lengths or math.prod(length or 1 for length in lengths) > 1)


def _is_attention(graph: ModelGraph, node: LayerNode) -> bool:
    return channel_axis_of(node, graph.operations[node.path]).channel_label == "head"
