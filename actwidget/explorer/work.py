"""Work of a view that takes a while: it is done in steps, so that the screen can follow it and a user can stop it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

MOST_RESULTS = 64


class Progress(NamedTuple):
    """How far some work has come: `done` of `total` units."""

    done: int
    total: int


@dataclass(frozen=True, eq=False)
class Work:
    """What a view can compute for a selection, and has not computed yet.

    Attributes:
        key: What it is computed for. If the selection changes so that the key of the view's work is another one, work
            that is running ends.
        label: What is computed, in words: "integrated gradients".
        start: Begins it. Each step of the iterator computes a part, of a tenth of a second if possible, and keeps what
            there is so far in the `Results`, from where the view draws it.
        is_wanted: Whether it begins at once, because it is quick or the user has asked for it before. Otherwise it
            begins when the user presses the view's button.
        says_why: Whether the view itself says in place of the picture why it can't be done. Otherwise the error stands
            above the last picture.
    """

    key: Hashable
    label: str
    start: Callable[[], Iterator[Progress]]
    is_wanted: bool = False
    says_why: bool = False


class Results:
    """What views have computed, by any hashable key. Of many the oldest are dropped."""

    def __init__(self) -> None:
        """Holds nothing yet."""
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, default: Any = None) -> Any:
        """What is kept for a key."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key, default)

    def put(self, key: Hashable, value: Any) -> None:
        """Keeps a value, in place of the one before."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_RESULTS:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Drops everything, since the weights have changed."""
        self._kept.clear()
