"""Methods and functions of other packages, exchanged while a pass needs it and put back afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Patch = tuple[Any, str, Callable[[Any], Any]]
"""A class or module, the name of an attribute in it, and what makes the replacement from the original."""

_LOCK = threading.Lock()


class Patches:
    """Attributes that are exchanged as long as at least one thread is inside `with patches.open()`.

    They are exchanged for the whole process. Each replacement has to ask whether it is called in a thread that wants
    it, and to pass every other call on to the original.
    """

    def __init__(self, find: Callable[[], Iterable[Patch]]) -> None:
        """Exchanges nothing yet.

        Args:
            find: Gives the attributes to exchange; it is called when they are exchanged for the first time.
        """
        self._find = find
        self._patches: list[Patch] = []
        self._made: dict[tuple[int, str], tuple[Any, Any]] = {}
        self._originals: list[tuple[Any, str, Any]] = []
        self._users = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Exchanges the attributes for the time of a block."""
        with _LOCK:
            if not self._users:
                self._exchange()
            self._users += 1
        try:
            yield
        finally:
            with _LOCK:
                self._users -= 1
                if not self._users:
                    for owner, name, original in self._originals:
                        setattr(owner, name, original)
                    self._originals = []

    def _exchange(self) -> None:
        self._patches = self._patches or list(self._find())
        for owner, name, make in self._patches:
            original = vars(owner)[name]
            known, replacement = self._made.get((id(owner), name), (None, None))
            if known is not original:
                replacement = make(original)
                self._made[id(owner), name] = original, replacement
            self._originals.append((owner, name, original))
            setattr(owner, name, replacement)
