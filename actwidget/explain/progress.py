"""Work in steps that is done to its end, with a progress bar if one is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import keras


class Counted(Protocol):
    """The state after a step: `done` of `total` units."""

    @property
    def done(self) -> int:
        """How many units are done."""

    @property
    def total(self) -> int:
        """How many there are."""


State = TypeVar("State", bound=Counted)


def last_of(states: Iterable[State], unit: str, *, progress: bool) -> State:
    """The last state of work that is done in steps.

    Args:
        states: The state after each step; there is at least one.
        unit: What the steps count.
        progress: Whether to print a progress bar.
    """
    bar: Any = None
    for state in states:
        if progress:
            bar = keras.utils.Progbar(state.total, unit_name=unit) if bar is None else bar
            bar.update(state.done)
    return state
