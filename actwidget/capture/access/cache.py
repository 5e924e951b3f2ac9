"""A cache for one model and batch: activations and all that is made of them, within one budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Key(NamedTuple):
    """What an entry is: of which layer, of which kind, and which one of these."""

    path: str
    kind: str
    of: Hashable = None


@dataclass(frozen=True)
class _Entry:
    value: Any
    nbytes: int
    base: Key | None


class Kept:
    """Keeps values up to a budget; those that were used longest ago go first, whatever they are.

    Attributes:
        budget: How many bytes are kept.
        nbytes: How many are.
        in_view: Tells what is on screen. It stays, however large it is: it would be computed again at once.
    """

    def __init__(self, budget: float) -> None:
        """Keeps nothing yet."""
        self.budget = budget
        self.nbytes = 0
        self.in_view: Callable[[Key], bool] = lambda _key: False
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    def __contains__(self, key: Key) -> bool:
        """Whether there is a value."""
        return key in self._entries

    def get(self, key: Key) -> Any:
        """The value, from now on that which was used last, and what it rests on with it; `None` where there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.base is not None:
            self._entries.move_to_end(entry.base)
        self._entries.move_to_end(key)
        return entry.value

    def peek(self, key: Key) -> Any:
        """The value, or `None`, without using it."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    def put(self, key: Key, value: Any, nbytes: int, base: Key | None = None) -> None:
        """Keeps a value, if there is room for it.

        Args:
            key: What it is.
            value: The value.
            nbytes: How many bytes it takes.
            base: What it rests on, where it holds that in memory: without it the value goes, too.
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
        """What there is of a kind, in the order in which it was used last."""
        return [key for key in self._entries if key.kind == kind]

    def drop(self, is_old: Callable[[Key], bool]) -> None:
        """Removes some values."""
        for key in [each for each in self._entries if is_old(each)]:
            self._remove(key)

    def _remove(self, key: Key) -> None:
        if (entry := self._entries.pop(key, None)) is None:
            return
        self.nbytes -= entry.nbytes
        for other in [each for each, its in self._entries.items() if its.base == key]:
            self._remove(other)
