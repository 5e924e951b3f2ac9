"""What lists, dicts, sets and arrays hold, remembered and put back."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

_CONTAINERS = (list, OrderedDict, dict, set, deque)


class Contents:
    """What containers hold now, and the containers inside them, at any depth.

    Keras wraps the lists, dicts and sets of a layer in classes that track what comes in and refuse a change once the
    layer is built. Contents are put back with the methods of the plain classes, which neither track nor refuse.
    """

    def __init__(self, values: Iterable[Any]) -> None:
        """Remembers what some values hold.

        Args:
            values: Containers, tuples of containers, or arrays; of anything else nothing is remembered. An array
                inside a container is not copied.
        """
        self._held: dict[int, tuple[Any, Any]] = {}  # for the `id` of each container itself and a copy
        for value in values:
            if isinstance(value, np.ndarray):
                self._held[id(value)] = (value, value.copy())
            else:
                self._remember(value)

    def put_back(self, unless: Callable[[Any], bool] = lambda _container: False) -> None:
        """Makes each container hold the same items again, in the same order.

        Args:
            unless: Tells of a container that has changed whether it stays as it is now.
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
    plain: Any = type(held)
    plain.clear(container)
    if isinstance(held, dict):
        for key, value in held.items():
            plain.__setitem__(container, key, value)
    elif isinstance(held, set):
        plain.update(container, held)
    else:
        plain.extend(container, held)
