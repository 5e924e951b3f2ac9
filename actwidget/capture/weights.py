"""The weights of a layer, as arrays."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from actwidget.capture.forward import as_array

Array = np.ndarray[Any, Any]


def weights_of(operation: Any) -> dict[str, Array]:
    """A layer's own and inner weights by name, in Keras's order; two of one name are told apart by their path.

    Args:
        operation: A layer; an operation that is none has no weights.
    """
    if not isinstance(operation, keras.Layer):
        return {}
    found: dict[str, Array] = {}
    names = [weight.name for weight in operation.weights]
    for weight in operation.weights:
        name = weight.name if names.count(weight.name) == 1 else weight.path
        found[name if name not in found else f"{name}~{len(found)}"] = as_array(weight.value)
    return found
