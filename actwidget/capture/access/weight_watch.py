"""Detects whether the weights of layers were written since they were last used."""

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
    """Detects whether the weights or settings of some layers have changed since it started to watch them.

    TensorFlow writes to a new buffer while the old one is referenced, on every device, so an unchanged address means an
    unchanged value. The opposite does not hold: reading a variable whose rows were written one by one (an embedding in
    training) returns a new copy each time. So if the addresses differ, or are not known (on a GPU), all bits of the
    two values are compared.
    """

    def __init__(self) -> None:
        """Watches nothing."""
        self._layers: dict[int, keras.Layer] = {}
        self._held: dict[int, _Held] = {}  # the values of variables, by the variable's `id`
        self._settings: dict[int, dict[str, Any]] = {}  # the settings of all layers, also inner ones, by `id`

    def add(self, layers: Iterable[keras.Layer]) -> None:
        """Watches layers, and the layers inside them, from now on; those already watched are ignored."""
        new = [layer for layer in layers if id(layer) not in self._layers]
        # A variable that a watched layer has gained since is not recorded here: `unwritten` has to notice it as new.
        old = {id(variable) for variable in _variables(self._layers.values())} if new else set()
        self._layers |= {id(layer): layer for layer in new}
        self._settings |= {id(layer): _settings(layer) for layer in _flat(new)}
        for variable in _variables(new):
            if id(variable) not in old:
                self._held[id(variable)] = _Held.of(variable)

    def unwritten(self) -> bool:
        """Whether it is certain that no weight or setting was written, added or removed."""
        if any(_settings(layer) != self._settings.get(id(layer)) for layer in _flat(self._layers.values())):
            return False
        now = {id(variable): variable for variable in _variables(self._layers.values())}
        if now.keys() != self._held.keys():
            return False
        return all(before.is_still_that_of(now[each]) for each, before in self._held.items())

    def clear(self) -> None:
        """Stops watching all layers."""
        self._layers.clear()
        self._held.clear()
        self._settings.clear()


@dataclass(frozen=True, eq=False)
class _Held:
    """The value of a variable at one moment.

    Attributes:
        tensor: The value; `None` if it could not be read.
        address: Its address in main memory; `None` if it is on another device.
    """

    tensor: Any
    address: int | None

    @classmethod
    def of(cls, variable: keras.Variable) -> _Held:
        """The current value of a variable."""
        tensor = value_of(variable)
        return cls(tensor, None if tensor is None else backend.address_of(tensor))

    def is_still_that_of(self, variable: keras.Variable) -> bool:
        """Whether it is certain that a variable still has this value. One that can't be read counts as written."""
        now = value_of(variable)
        if self.tensor is None or now is None:
            return False
        if self.address is not None and self.address == backend.address_of(now):
            return True
        return backend.have_same_bits(self.tensor, now)


def _settings(layer: keras.Layer) -> dict[str, Any]:
    """The settings of one of Keras's own layers that code can replace, such as its activation or its lookup table.

    User-defined layers are ignored, since they may count calls in their attributes, and so are models, on which
    anything may be stored.
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
