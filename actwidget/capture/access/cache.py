"""A cache for one model and batch: activations and everything computed from them, within one byte budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Key(NamedTuple):
    """The key of an entry: the layer's path, the kind of entry, and what else tells it from others of that kind."""

    path: str
    kind: str
    of: Hashable = None


@dataclass(frozen=True)
class _Entry:
    value: Any
    nbytes: int
    base: Key | None


class Kept:
    """A cache with a byte budget that drops the least recently used values first.

    Attributes:
        budget: How many bytes may be kept.
        nbytes: How many bytes are kept now.
        in_view: Returns whether a key belongs to what is on screen. Such values are kept whatever their size, since
            they would be computed again at once.
    """

    def __init__(self, budget: float) -> None:
        """An empty cache."""
        self.budget = budget
        self.nbytes = 0
        self.in_view: Callable[[Key], bool] = lambda _key: False
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        """Whether a key has a value."""
        return key in self._entries

    def get(self, key: Key) -> Any:
        """The value, or `None`. It and its base become the most recently used entries."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.base is not None:
            self._entries.move_to_end(entry.base)
        self._entries.move_to_end(key)
        return entry.value

    def peek(self, key: Key) -> Any:
        """The value, or `None`, without making it the most recently used one."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    def put(self, key: Key, value: Any, nbytes: int, base: Key | None = None) -> None:
        """Stores a value, unless it is larger than the whole budget or its base is not in the cache.

        Args:
            key: The key.
            value: The value.
            nbytes: The size of the value in bytes.
            base: The key of another value that this one holds a reference to. When that value is dropped, this one is
                dropped as well, since it would keep it in memory.
        """
        self._remove(key)
        if (nbytes > self.budget and not self.in_view(key)) or (base is not None and base not in self._entries):
            return
        self._entries[key] = _Entry(value, nbytes, base)
        self.nbytes += nbytes
        if self.nbytes > self.budget:
            for old in [each for each in self._entries if not self.in_view(each)]:
                self._remove(old)
                if self.nbytes <= self.budget:
                    break

    def keys(self, kind: str) -> list[Key]:
        """The keys of a kind, the least recently used first."""
        return [key for key in self._entries if key.kind == kind]

    def drop(self, is_old: Callable[[Key], bool]) -> None:
        """Removes the values whose keys `is_old` returns true for."""
        for key in [each for each in self._entries if is_old(each)]:
            self._remove(key)

    def _remove(self, key: Key) -> None:
        if (entry := self._entries.pop(key, None)) is None:
            return
        self.nbytes -= entry.nbytes
        for dependent in [each for each, other in self._entries.items() if other.base == key]:
            self._remove(dependent)
