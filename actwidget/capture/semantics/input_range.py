"""Which values a model expects of pictures, from the layer at its start that scales them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.semantics.value_kind import prepares_input

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph

BYTES, SHARES = (0.0, 255.0), (0.0, 1.0)


def expected_range(graph: ModelGraph) -> tuple[float, float] | None:
    """The values of black and white that a model expects; `None` if no layer at its start tells.

    A `Rescaling` whose result would be of the order of 1 for bytes gets bytes, and a `Normalization` gets values that
    have its mean and its spread.

    Args:
        graph: The model's graph.
    """
    for node in graph.tree:
        operation = graph.operations[node.path]
        if node.children or isinstance(operation, keras.layers.InputLayer):
            continue
        if isinstance(operation, keras.layers.Rescaling):
            return _before_rescaling(float(np.mean(np.abs(np.asarray(operation.scale, np.float64)))))
        if isinstance(operation, keras.layers.Normalization):
            return _before_normalization(operation)
        if not prepares_input(operation):
            return None
    return None


def _before_rescaling(scale: float) -> tuple[float, float] | None:
    for low, high in (BYTES, SHARES):
        if 0.25 <= scale * (high - low) <= 16:
            return low, high
    return None


def _before_normalization(layer: Any) -> tuple[float, float] | None:
    try:
        mean, spread = np.asarray(layer.mean, np.float64), np.sqrt(np.asarray(layer.variance, np.float64))
    except (AttributeError, TypeError, ValueError):  # it has not been adapted
        return None
    center, width = float(np.mean(mean)), float(np.mean(spread))
    if not 0 <= center <= 255 or (center, width) == (0, 1):  # the latter is what it has before it is adapted
        return None
    return SHARES if center <= 1 and width <= 1 else BYTES
