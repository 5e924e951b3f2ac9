"""Calls on symbolic tensors, which Keras traces in a scratch graph without computing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras.src.backend.common.global_state import get_global_attribute
from keras.src.backend.common.symbolic_scope import in_symbolic_scope

from actwidget.keras_internals.attributes import restored_attributes
from actwidget.keras_internals.isolation import isolated
from actwidget.keras_internals.layers import flat_layers

__all__ = ["call_on_symbols", "has_symbols", "in_symbolic_scope", "tried_out"]


def has_symbols(*structures: Any) -> bool:
    """Whether any of the structures contains a `keras.KerasTensor`."""
    return any(isinstance(leaf, keras.KerasTensor) for leaf in keras.tree.flatten(structures))


def call_on_symbols(function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Calls a Python function inside a scratch graph, on the tensors that stand there for symbolic arguments."""
    _Trial(function).compute_output_spec(*args, **kwargs)


class _Trial(keras.Operation):  # type: ignore[misc]  # Keras has no type hints
    """Wraps a function as an operation, since Keras creates scratch graphs only for operations."""

    def __init__(self, function: Callable[..., Any]) -> None:
        # An explicit name does not advance the counters from which Keras names the user's next layers.
        super().__init__(name="trial")
        self._function = function

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)


@contextmanager
def tried_out(model: keras.Layer) -> Iterator[None]:
    """A context in which to call a layer or model on symbols: afterwards it and the random generators are unchanged."""
    layers = flat_layers(model)
    # TensorFlow refuses a name scope such as `a@1`. Keras then leaves it on its stack, where it would make all further
    # names in the process invalid.
    name_scopes = get_global_attribute("name_scope_stack", default=[], set_to_default=True)
    depth = len(name_scopes)
    try:
        with restored_attributes(layers, trial=True), isolated(layers, symbolic=True):
            yield
    finally:
        del name_scopes[depth:]
