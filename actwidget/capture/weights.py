"""The weights of layers: as arrays, and whether they were written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from actwidget.capture.forward import as_array, read, variables_of

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


class WeightWatch:
    """Tells whether the weights of some layers were written since it came to watch them.

    A variable whose value is still held is written into new memory, so the place of its value tells.
    """

    def __init__(self) -> None:
        """Watches nothing."""
        self._layers: dict[int, keras.Layer] = {}
        self._held: dict[int, tuple[Any, int | None]] = {}  # a variable's value and where it lies

    def add(self, layers: Iterable[keras.Layer]) -> None:
        """Watches layers, and those in them, from now on, if it does not do so already."""
        new = [layer for layer in layers if id(layer) not in self._layers]
        self._layers |= {id(layer): layer for layer in new}
        for variable in _variables(new):
            if id(variable) not in self._held:
                value = read(variable.value)
                self._held[id(variable)] = value, _address(value)

    def unwritten(self) -> bool | None:
        """Whether no weight was written, and none has come or gone; `None` where that can't be known."""
        now = {id(variable): variable for variable in _variables(self._layers.values())}
        if now.keys() != self._held.keys():
            return False
        if any(place is None for _, place in self._held.values()):
            return None
        return all(_address(read(now[each].value)) == place for each, (_, place) in self._held.items())

    def clear(self) -> None:
        """Watches nothing any more."""
        self._layers.clear()
        self._held.clear()


def _variables(layers: Iterable[keras.Layer]) -> list[keras.Variable]:
    running = list(layers)
    return variables_of(running, [inner for layer in running for inner in layer._flatten_layers()])


def _address(tensor: Any) -> int | None:
    if not tensor.device.endswith("CPU:0"):  # from another device the buffer is a copy
        return None
    try:
        place: int = np.asarray(memoryview(tensor)).ctypes.data
    except (TypeError, ValueError, BufferError):
        return None
    return place
