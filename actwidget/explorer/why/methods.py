"""The methods of attribution, as they are called on screen, and which of them a model allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from actwidget.capture.semantics.attention_scores import are_scores
from actwidget.capture.structure.call_names import SCORES

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph


@dataclass(frozen=True)
class Method:
    """A method of attribution.

    Attributes:
        label: What it is called on screen.
        meaning: What its values are, in a few words.
        is_signed: Whether values can speak against the answer.
        adds_up: Whether its values add up, so that sums of them mean something.
        is_map: Whether it gives one map of a layer.
    """

    label: str
    meaning: str
    is_signed: bool = True
    adds_up: bool = True
    is_map: bool = False


METHODS = {
    "integrated_gradients": Method("integrated gradients", "contribution"),
    "saliency": Method("saliency (gradient)", "size of the gradient", is_signed=False, adds_up=False),
    "gradient_x_input": Method("gradient × input", "gradient × input"),
    "smoothgrad": Method("SmoothGrad", "mean gradient", adds_up=False),
    "grad_cam": Method("Grad-CAM", "weight of the place", is_signed=False, is_map=True),
    "grad_cam_plus_plus": Method("Grad-CAM++", "weight of the place", is_signed=False, is_map=True),
    "layer_cam": Method("LayerCAM", "weight of the place", is_signed=False, is_map=True),
    "occlusion": Method("occlusion", "fall of the score", adds_up=False),
    "attention_rollout": Method("attention rollout", "share of the attention", is_signed=False),
}
"""By the names that `attributions` takes."""


def has_maps(graph: ModelGraph) -> bool:
    """Whether some layer may have feature maps: values at several positions, for each of several channels."""
    return any(len(node.output_shape or ()) > 2 for node in graph.tree if node.class_name != "InputLayer")


def has_attention(graph: ModelGraph) -> bool:
    """Whether some layer gives attention scores."""
    return any(
        node.path.endswith(f"/{SCORES}") or are_scores(graph.operations[node.path], node.output_shape)
        for node in graph.tree
        if node.output_shape is not None
    )


_KNOWN: WeakKeyDictionary[ModelGraph, dict[str, str]] = WeakKeyDictionary()


def choices(graph: ModelGraph, *, of_layer: bool) -> dict[str, str]:
    """The methods that a model allows, with their labels.

    Args:
        graph: The model's graph.
        of_layer: Whether a layer is asked about, and not the input.
    """
    known = _KNOWN.get(graph)
    if known is None:
        left_out = {name for name, method in METHODS.items() if method.is_map and not has_maps(graph)}
        left_out |= set() if has_attention(graph) else {"attention_rollout"}
        known = _KNOWN[graph] = {name: method.label for name, method in METHODS.items() if name not in left_out}
    return {name: label for name, label in known.items() if not of_layer or name != "attention_rollout"}
