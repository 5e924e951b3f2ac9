"""What is remembered of a model from one call to the next, so that its passes are compiled only once.

Nothing that is remembered keeps the model alive: functions refer to it weakly.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import keras

from actwidget.capture.run.tapped_model import Tapped
from actwidget.explain.recently_used import recently_used
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.layers import flat_layers

MOST = 24
"""How many compiled functions are kept for each model."""
_PLAIN = {type(None), bool, int, float, str, tuple}


@dataclass
class KnownModel:
    """What is remembered of a model.

    Attributes:
        settings: The model's layers and their settings when that began; other ones need functions of their own.
        functions: The compiled functions, the one used last at the end.
        facts: What was found out about the model, such as shapes.
    """

    settings: Any
    functions: dict[Any, Any] = field(default_factory=dict)
    facts: dict[Any, Any] = field(default_factory=dict)

    def function(self, key: Any, make: Callable[[], Any]) -> Any:
        """The function that was made for a key, or a new one."""
        return recently_used(self.functions, key, make, MOST)

    def fact(self, key: Any, find: Callable[[], Any]) -> Any:
        """What was found out for a key, or what is found out now."""
        if key not in self.facts:
            self.facts[key] = find()
        return self.facts[key]


_KNOWN: weakref.WeakKeyDictionary[keras.Model, KnownModel] = weakref.WeakKeyDictionary()


def known_model(model: keras.Model) -> KnownModel:
    """What is remembered of a model; nothing if it has other layers or settings now."""
    settings = _settings(model)
    known = _KNOWN.get(model)
    if known is None or known.settings != settings:
        known = _KNOWN[model] = KnownModel(settings)
    return known


def _settings(model: keras.Model) -> Any:
    """Everything that a compiled pass takes over from Python: which layers there are, and how they are set."""
    root = model.model if isinstance(model, Tapped) else model
    layers = flat_layers(model)
    settings: list[Any] = []
    for layer in layers:
        for name, value in vars(layer).items():
            kind = type(value)
            if kind in _PLAIN and name[0] != "_":
                settings.append(value)
            elif kind is FunctionType:  # weakly: the methods that Keras stores in a layer would keep it alive
                settings.append(weakref.ref(value))
    function = function_of(root)
    return None if function is None else weakref.ref(function), [weakref.ref(layer) for layer in layers], settings
