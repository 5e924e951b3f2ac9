"""Saves and restores the contents of lists, dicts, sets and arrays."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

_CONTAINERS = (list, OrderedDict, dict, set, deque)


class Contents:
    """A snapshot of the items of containers, and of the containers inside them at any depth.

    Keras wraps the lists, dicts and sets of a layer in classes that track new items and refuse changes once the layer
    is built. They are restored with the methods of the plain Python classes, which do neither.
    """

    def __init__(self, values: Iterable[Any]) -> None:
        """Takes the snapshot.

        Args:
            values: Containers, tuples of containers, or arrays; anything else is ignored. An array inside a container
                is not copied.
        """
        self._held: dict[int, tuple[Any, Any]] = {}  # from the `id` of a container to the container and a copy of it
        for value in values:
            if isinstance(value, np.ndarray):
                self._held[id(value)] = (value, value.copy())
            else:
                self._remember(value)

    def put_back(self, unless: Callable[[Any], bool] = lambda _container: False) -> None:
        """Restores the items of each container, in their old order.

        Args:
            unless: Is called with each container that has changed; returns whether to leave it as it is now.
        """
        for container, held in reversed(self._held.values()):
            if isinstance(container, np.ndarray):
                if container.flags.writeable and container.tobytes() != held.tobytes():
                    container[...] = held
            elif not _hold_the_same(container, held) and not unless(container):
                _refill(container, held)

    def _remember(self, value: Any) -> None:
        if id(value) in self._held:
            return
        kind = next((kind for kind in _CONTAINERS if isinstance(value, kind)), None)
        if kind is not None:
            self._held[id(value)] = (value, kind(value))
        if isinstance(value, (list, tuple, dict)):
            for item in value.values() if isinstance(value, dict) else value:
                self._remember(item)


def _hold_the_same(container: Any, held: Any) -> bool:
    if len(container) != len(held):
        return False
    if isinstance(held, set):
        return bool(container == held)
    if isinstance(held, dict):
        pairs = zip(container.items(), held.items(), strict=True)
        return all(key == old_key and value is old for (key, value), (old_key, old) in pairs)
    return all(item is old for item, old in zip(container, held, strict=True))


def _refill(container: Any, held: Any) -> None:
    plain_class: Any = type(held)
    plain_class.clear(container)
    if isinstance(held, dict):
        for key, value in held.items():
            plain_class.__setitem__(container, key, value)
    elif isinstance(held, set):
        plain_class.update(container, held)
    else:
        plain_class.extend(container, held)
