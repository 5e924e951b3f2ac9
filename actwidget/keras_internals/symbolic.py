"""Calls on symbols: Keras traces them in a scratch graph, and nothing is computed."""

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
    """Whether there is a `keras.KerasTensor` in some structures."""
    return any(isinstance(leaf, keras.KerasTensor) for leaf in keras.tree.flatten(structures))


def call_on_symbols(function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Calls a Python function on what Keras makes of symbolic arguments in a scratch graph."""
    _Trial(function).compute_output_spec(*args, **kwargs)


class _Trial(keras.Operation):  # type: ignore[misc]  # Keras has no type hints
    """Keras makes the scratch graph for the call of an operation, so the function is one."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(name="trial")  # with a name of its own it does not advance Keras's counter of names
        self._function = function

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)


@contextmanager
def tried_out(model: keras.Layer) -> Iterator[None]:
    """Runs a layer or model on symbols, and leaves it, and the random numbers that come next, as they were."""
    layers = flat_layers(model)
    # A scope that TensorFlow refuses, of a layer called `a@1` in a graph, stays on Keras's stack, and from then on no
    # name in the process is valid.
    name_scopes = get_global_attribute("name_scope_stack", default=[], set_to_default=True)
    depth = len(name_scopes)
    try:
        with restored_attributes(layers, trial=True), isolated(layers, symbolic=True):
            yield
    finally:
        del name_scopes[depth:]
