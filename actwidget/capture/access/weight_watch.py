"""Whether the weights of layers were written since they were last looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import keras

from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.variables import unregistered_variables, value_of, variables_of


class WeightWatch:
    """Tells whether the weights of some layers were written, or their settings, since it came to watch them.

    TensorFlow writes a variable whose value is still held into new memory, on every device. So where the value lies at
    the same address it is the same. At another address it need not be another: of a variable with rows that were
    written one by one (an embedding in training) TensorFlow gives a copy at each reading. Where the addresses differ,
    or can't be had (on a GPU), all bits of the two values are compared.
    """

    def __init__(self) -> None:
        """Watches nothing."""
        self._layers: dict[int, keras.Layer] = {}
        self._held: dict[int, _Held] = {}  # the values of variables
        self._set: dict[int, dict[str, Any]] = {}  # the settings of layers, and of those in them

    def add(self, layers: Iterable[keras.Layer]) -> None:
        """Watches layers, and those in them, from now on, if it does not do so already."""
        new = [layer for layer in layers if id(layer) not in self._layers]
        # What a watched layer gained meanwhile is none of these: that it has come is for `unwritten` to tell.
        old = {id(variable) for variable in _variables(self._layers.values())} if new else set()
        self._layers |= {id(layer): layer for layer in new}
        self._set |= {id(layer): _settings(layer) for layer in _flat(new)}
        for variable in _variables(new):
            if id(variable) not in old:
                self._held[id(variable)] = _Held.of(variable)

    def unwritten(self) -> bool:
        """Whether it is known that no weight or setting was written, and that none has come or gone."""
        if any(_settings(layer) != self._set.get(id(layer)) for layer in _flat(self._layers.values())):
            return False
        now = {id(variable): variable for variable in _variables(self._layers.values())}
        if now.keys() != self._held.keys():
            return False
        return all(before.is_still_that_of(now[each]) for each, before in self._held.items())

    def clear(self) -> None:
        """Watches nothing any more."""
        self._layers.clear()
        self._held.clear()
        self._set.clear()


@dataclass(frozen=True, eq=False)
class _Held:
    """The value of a variable at one moment.

    Attributes:
        tensor: The value, `None` where it could not be read.
        address: Where it lies in the processor's memory, `None` where it lies elsewhere.
    """

    tensor: Any
    address: int | None

    @classmethod
    def of(cls, variable: keras.Variable) -> _Held:
        """The value that a variable has now."""
        tensor = value_of(variable)
        return cls(tensor, None if tensor is None else backend.address_of(tensor))

    def is_still_that_of(self, variable: keras.Variable) -> bool:
        """Whether it is known that a variable has this value; what can't be read counts as written."""
        now = value_of(variable)
        if self.tensor is None or now is None:
            return False
        if self.address is not None and self.address == backend.address_of(now):
            return True
        return backend.have_same_bits(self.tensor, now)


def _settings(layer: keras.Layer) -> dict[str, Any]:
    """What a layer of Keras's was made with and can be given anew, such as its activation, or a table of a vocabulary.

    A layer of the user's may count in its attributes as it is called, and on a model anything may be kept.
    """
    if isinstance(layer, keras.Model) or not is_from_keras(layer):
        return {}
    return {
        name: value
        for name, value in vars(layer).items()
        if name[0] != "_" and (_is_plain(value) or name == "lookup_table")
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, FunctionType, keras.Layer))


def _variables(layers: Iterable[keras.Layer]) -> list[Any]:
    running = list(layers)
    every = _flat(running)
    return [*variables_of(running, every), *unregistered_variables(every)]


def _flat(layers: Iterable[keras.Layer]) -> list[keras.Layer]:
    return [inner for layer in layers for inner in flat_layers(layer)]
