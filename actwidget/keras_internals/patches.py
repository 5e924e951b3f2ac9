"""Temporarily replaces methods and functions of other packages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Patch = tuple[Any, str, Callable[[Any], Any]]
"""A class or module, the name of one of its attributes, and a function from the original to its replacement."""

_LOCK = threading.Lock()


class Patches:
    """Attributes that are replaced while at least one thread is inside `with patches.open()`.

    They are replaced for the whole process. Each replacement has to find out whether the calling thread wants it, and
    if not, pass the call on to the original.
    """

    def __init__(self, find: Callable[[], Iterable[Patch]]) -> None:
        """Replaces nothing yet.

        Args:
            find: Gives the patches; it is called when they are applied for the first time.
        """
        self._find = find
        self._patches: list[Patch] = []
        self._replacements: dict[tuple[int, str], tuple[Any, Any]] = {}  # the original and its replacement
        self._originals: list[tuple[Any, str, Any]] = []
        self._users = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Replaces the attributes during the block."""
        with _LOCK:
            if not self._users:
                self._apply()
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

    def _apply(self) -> None:
        self._patches = self._patches or list(self._find())
        for owner, name, make in self._patches:
            original = vars(owner)[name]
            known, replacement = self._replacements.get((id(owner), name), (None, None))
            # Another package may have patched the same attribute since the last time.
            if known is not original:
                replacement = make(original)
                self._replacements[id(owner), name] = original, replacement
            self._originals.append((owner, name, original))
            setattr(owner, name, replacement)


def defining_class(cls: type, name: str) -> type:
    """The class or base class that itself defines an attribute."""
    return next(base for base in cls.__mro__ if name in vars(base))
