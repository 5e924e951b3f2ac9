"""The weights of layers: as arrays, and whether they were written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from actwidget.capture.forward import Array, as_array, read, variables_of


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

    A variable whose value is still held is written into new memory, so where the place of its value is the same the
    value is. The other way round it need not be: of a variable with rows that were written one by one (an embedding in
    training) TensorFlow gives a copy at each reading.
    """

    def __init__(self) -> None:
        """Watches nothing."""
        self._layers: dict[int, keras.Layer] = {}
        self._held: dict[int, Array | None] = {}  # the values of variables, `None` where they are out of reach

    def add(self, layers: Iterable[keras.Layer]) -> None:
        """Watches layers, and those in them, from now on, if it does not do so already."""
        new = [layer for layer in layers if id(layer) not in self._layers]
        # What a watched layer gained meanwhile is none of these: that it has come is for `unwritten` to tell.
        old = {id(variable) for variable in _variables(self._layers.values())} if new else set()
        self._layers |= {id(layer): layer for layer in new}
        for variable in _variables(new):
            if id(variable) not in old:
                self._held[id(variable)] = _in_place(variable)

    def unwritten(self) -> bool | None:
        """Whether no weight was written, and none has come or gone; `None` where that can't be known."""
        now = {id(variable): variable for variable in _variables(self._layers.values())}
        if now.keys() != self._held.keys():
            return False
        known: bool | None = True
        for each, before in self._held.items():
            value = _in_place(now[each])
            if before is None or value is None:
                known = None
            elif value.ctypes.data != before.ctypes.data and value.tobytes() != before.tobytes():
                return False
        return known

    def clear(self) -> None:
        """Watches nothing any more."""
        self._layers.clear()
        self._held.clear()


def _variables(layers: Iterable[keras.Layer]) -> list[keras.Variable]:
    running = list(layers)
    return variables_of(running, [inner for layer in running for inner in layer._flatten_layers()])


def _in_place(variable: keras.Variable) -> Array | None:
    """A variable's value in the memory where it lies; `None` if that is not the processor's."""
    tensor = read(variable.value)
    if not tensor.device.endswith("CPU:0"):  # from another device the buffer is a copy
        return None
    try:
        return np.asarray(memoryview(tensor))
    except (TypeError, ValueError, BufferError):
        return None
