"""Functions of a model that are compiled once and used again in later calls, as long as the model exists."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any
from weakref import WeakKeyDictionary, ref

import keras

from actwidget.explain.recently_used import recently_used
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.isolation import runs_user_code
from actwidget.keras_internals.layers import flat_layers

MOST = 8
"""How many functions of one model are kept."""


class _Shared:
    """A compiled function that calls a method of an object which it does not keep alive: the object holds the model."""

    def __init__(self, layers: Sequence[keras.Layer]) -> None:
        variables = {id(each): each for layer in layers for each in layer.variables}
        self.plan: Any = None
        self.run = backend.compiled(self._run, list(variables.values()))

    def _run(self, *given: Any) -> Any:
        return self.plan()(*given)


_LOCK = threading.RLock()
_KEPT: WeakKeyDictionary[Any, dict[Hashable, tuple[Hashable, _Shared]]] = WeakKeyDictionary()


def compiled(owner: Any, key: Hashable, layers: Sequence[keras.Layer], plan: Callable[..., Any]) -> Callable[..., Any]:
    """A function of tensors, compiled unless it runs code of the user's, which may depend on values.

    It is compiled anew if an attribute of a layer has changed, such as its activation function.

    Args:
        owner: The functional graph that the function runs. When it is freed, so is what was compiled.
        key: Tells functions of one graph apart. Functions of one key have to do the same.
        layers: All layers that run.
        plan: The function: an object that the caller keeps alive while it is called.
    """
    flat = list({id(inner): inner for layer in layers for inner in flat_layers(layer)}.values())
    if runs_user_code(flat):
        return plan
    now = _appearance(flat)
    with _LOCK:
        kept = _KEPT.setdefault(owner, {})
        if key in kept and kept[key][0] != now:
            del kept[key]
        _, shared = recently_used(kept, key, lambda: (now, _Shared(flat)), MOST)
        shared.plan = ref(plan)
    return shared.run


def _appearance(layers: Sequence[keras.Layer]) -> Hashable:
    """The simple attributes of layers, and which objects their functions and weights are."""
    return tuple(
        (
            id(layer),
            tuple(map(id, layer.variables)),
            tuple((name, value if isinstance(value, _SIMPLE) else id(value)) for name, value in _attributes(layer)),
        )
        for layer in layers
    )


_SIMPLE = (bool, int, float, str, bytes, type(None))


def _attributes(layer: keras.Layer) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in vars(layer).items()
        if isinstance(value, (*_SIMPLE, keras.DTypePolicy)) or callable(value)
    ]
