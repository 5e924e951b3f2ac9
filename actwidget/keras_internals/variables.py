"""The variables of layers: weights, the states of recurrent layers, and the seeds of random layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from actwidget.keras_internals.backend import backend


def read(variable: Any) -> Any:
    """The current value of a variable of Keras or the backend. It is copied only when the variable is next written."""
    return backend.read(variable.value if isinstance(variable, keras.Variable) else variable)


def value_of(variable: Any) -> Any:
    """The current value of a variable of Keras or of the backend, as a tensor; `None` if it can't be read."""
    try:
        return read(variable)
    except Exception:  # noqa: BLE001 - a variable that is distributed over devices may raise anything
        return None


def held(variable: Any) -> Any:
    """The current value of a variable, which stays as it is, whatever is written to the variable later."""
    value = backend.snapshot(read(variable))
    # In a step of training, JAX gives the memory of an array to its successor.
    return keras.ops.copy(value) if keras.backend.backend() == "jax" else value


def variables_of(running: Sequence[keras.Layer], every: Iterable[keras.Layer]) -> list[keras.Variable]:
    """All variables of layers, each once.

    Args:
        running: The layers.
        every: The same layers and all layers inside them.
    """
    variables = [*(variable for layer in running for variable in layer.variables), *recurrent_states(every)]
    return list({id(variable): variable for variable in variables}.values())


def recurrent_states(layers: Iterable[keras.Layer]) -> list[keras.Variable]:
    """The states that stateful recurrent layers keep between calls, which `layer.variables` does not list."""
    # A user-defined layer may have an attribute `stateful` without having `states`.
    states = [getattr(layer, "states", None) for layer in layers if getattr(layer, "stateful", False)]
    return [leaf for leaf in keras.tree.flatten(states) if isinstance(leaf, keras.Variable)]


def unregistered_variables(layers: Iterable[keras.Layer]) -> list[Any]:
    """The backend's own variables that layers hold, which Keras does not track, each once."""
    variables = [variable for layer in layers for variable in backend.unregistered_variables(layer)]
    return list({id(variable): variable for variable in variables}.values())


def seed_states(layers: Iterable[keras.Layer]) -> list[keras.Variable]:
    """The states of the random generators of layers."""
    generators = [generator for layer in layers for generator in getattr(layer, "_seed_generators", ())]
    return [generator.state for generator in generators if isinstance(generator, keras.random.SeedGenerator)]
