"""What a model's layers really put out, watched from outside: every call of a layer or operation during one eager pass.

Nothing of actwidget is used here, so that it can be checked against this.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Call:
    """One finished call of an operation directly below the model."""

    operation: keras.Operation
    index: int
    outputs: tuple[np.ndarray, ...]


@dataclass
class Watch:
    """The calls that end while a model runs, and how deep in each other they are."""

    top: list[Call] = field(default_factory=list)
    stack: list[int] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)

    def wrap(self, original: Any) -> Any:
        def observed(operation: keras.Operation, *args: Any, **kwargs: Any) -> Any:
            # Layer.__call__ ends in Operation.__call__ of the same object: that is one call, not two.
            if self.stack and self.stack[-1] == id(operation):
                return original(operation, *args, **kwargs)
            self.stack.append(id(operation))
            try:
                outputs = original(operation, *args, **kwargs)
            finally:
                self.stack.pop()
            if len(self.stack) == 1:
                index = self.counts.get(id(operation), 0)
                self.counts[id(operation)] = index + 1
                tensors = [leaf for leaf in keras.tree.flatten(outputs) if keras.ops.is_tensor(leaf)]
                self.top.append(Call(operation, index, tuple(as_array(tensor) for tensor in tensors)))
            return outputs

        return observed


def as_array(tensor: Any) -> np.ndarray:
    array = np.asarray(keras.ops.convert_to_numpy(tensor))
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """Watches all calls of layers and operations while it is open."""
    watch = Watch()
    layer_call, operation_call = keras.Layer.__call__, keras.Operation.__call__
    keras.Layer.__call__, keras.Operation.__call__ = watch.wrap(layer_call), watch.wrap(operation_call)
    try:
        yield watch
    finally:
        keras.Layer.__call__, keras.Operation.__call__ = layer_call, operation_call


def witness(model: keras.Model, inputs: Any, *, training: bool = False) -> list[Call]:
    """The calls directly below `model` in the order in which they ended, with what they gave."""
    tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
    with watching() as watch:
        model(tensors, training=training)
    return watch.top
