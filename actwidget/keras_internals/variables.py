"""The variables of layers: weights, the states of recurrent layers, and the seeds of random layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import is_from_keras


def read(variable: Any) -> Any:
    """The value of a variable of the backend as it is now. Nothing is copied before the variable is written."""
    return backend.read(variable)


def value_of(variable: Any) -> Any:
    """The tensor that a variable of Keras's or of the backend's holds; `None` where it can't be read."""
    try:
        return read(variable if isinstance(variable, backend.variable_types) else variable.value)
    except Exception:  # noqa: BLE001 - a strategy that spreads a variable over devices refuses in ways of its own
        return None


def variables_of(running: Sequence[keras.Layer], every: Iterable[keras.Layer]) -> list[keras.Variable]:
    """All variables of layers, each once.

    Args:
        running: The layers.
        every: The same layers and all inside them.
    """
    found = [*(variable for layer in running for variable in layer.variables), *recurrent_states(every)]
    return list({id(variable): variable for variable in found}.values())


def recurrent_states(layers: Iterable[keras.Layer]) -> list[keras.Variable]:
    """What stateful recurrent layers keep from one call to the next; `layer.variables` does not list it."""
    # A layer of the user's may call itself stateful and have none of these.
    kept = [getattr(layer, "states", None) for layer in layers if getattr(layer, "stateful", False)]
    return [leaf for leaf in keras.tree.flatten(kept) if isinstance(leaf, keras.Variable)]


def unregistered_variables(layers: Iterable[keras.Layer]) -> list[Any]:
    """The backend's own variables among the attributes of the user's layers, of which Keras knows nothing."""
    values = [value for layer in layers if not is_from_keras(layer) for value in vars(layer).values()]
    leaves = [leaf for value in values for leaf in (value if isinstance(value, (list, tuple)) else [value])]
    return list({id(leaf): leaf for leaf in leaves if isinstance(leaf, backend.variable_types)}.values())


def seed_states(layers: Iterable[keras.Layer]) -> list[keras.Variable]:
    """The states of the random generators of layers."""
    generators = [each for layer in layers for each in getattr(layer, "_seed_generators", ())]
    return [each.state for each in generators if isinstance(each, keras.random.SeedGenerator)]


class WrittenBySavedModels:
    """The variables that layers made from a SavedModel write: what TensorFlow has compiled writes out of sight."""

    def __init__(self, layers: Iterable[keras.Layer]) -> None:
        """Remembers the values that these variables have now."""
        compiled = [layer for layer in layers if isinstance(layer, keras.layers.TFSMLayer)]
        variables = [variable.value for layer in compiled for variable in layer.non_trainable_variables]
        self._before = [(variable, read(variable)) for variable in variables]

    def put_back(self) -> None:
        """Gives the variables these values again."""
        for variable, value in self._before:
            backend.write(variable, value)
