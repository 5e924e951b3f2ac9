"""How many samples go through a model at once, so that a pass with gradients does not take all memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph

BYTES_AT_ONCE = 1 << 29
"""About how many bytes the activations and gradients of one pass may take."""


def values_of_a_pass(graph: ModelGraph, path: str = "", unknown: int = 64) -> int:
    """About how many values a pass computes for a sample.

    Args:
        graph: The model's graph.
        path: Where the pass ends; `""` for the end of the model.
        unknown: What an axis of unknown length is taken for.
    """
    size = 0
    for node in graph.tree:
        if not node.children:
            size += math.prod(each or unknown for each in (node.output_shape or ())[1:])
        if node.path == path:
            break
    return size


def most_samples(values: int) -> int:
    """How many samples of so many values each can go through at once, with their gradients."""
    return max(1, BYTES_AT_ONCE // (8 * max(1, values)))
