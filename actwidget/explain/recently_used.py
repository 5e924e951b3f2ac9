"""Keeps a number of things that took long to make, those that were used last."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def recently_used(kept: dict[K, V], key: K, make: Callable[[], V], most: int) -> V:
    """What is kept for a key, or what is made for it now; of more than `most` things the one not used longest goes.

    >>> kept = {"a": 1, "b": 2}
    >>> recently_used(kept, "a", lambda: 3, 2), recently_used(kept, "c", lambda: 3, 2), list(kept)
    (1, 3, ['a', 'c'])
    """
    found = kept.pop(key) if key in kept else make()
    kept[key] = found
    while len(kept) > most:
        del kept[next(iter(kept))]
    return found
