"""Values that a person gives, checked: each function gives the value as it is kept, or says what was expected."""

from __future__ import annotations

import numbers
from collections.abc import Collection, Iterable
from contextlib import suppress
from typing import Any

import numpy as np

from actwidget.errors import ActwidgetError, ChannelError, OptionError, shown


def at_least(least: int, value: Any, name: str) -> None:
    """Raises an error unless an option is a number that is large enough; a count of bytes may be written as `1e9`.

    Raises:
        OptionError: It is not.
    """
    kind = numbers.Real if name.endswith("bytes") else numbers.Integral
    counts = isinstance(value, kind) and not isinstance(value, bool)
    if not counts or not value >= least:
        wanted = "number" if kind is numbers.Real else "whole number"
        message = f"{name} must be at least {least}, got {shown(value)}. Give a {wanted}."
        raise OptionError(message)


def a_number(value: Any, name: str, owner: str, kind: type = numbers.Number) -> Any:
    """An option that has to be a number of a kind.

    Raises:
        OptionError: It is something else.
    """
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    wanted = "whole number" if kind is numbers.Integral else "number"
    message = f"Expected {name} of {owner} as a {wanted}, got {shown(value)}."
    raise OptionError(message)


def channel_numbers(channels: Any, owner: str) -> tuple[int, ...]:
    """One channel or several, as a tuple.

    Raises:
        ChannelError: One of them is no whole number.
    """
    several = isinstance(channels, Iterable) and not isinstance(channels, (str, bytes))
    listed = list(channels) if several else [channels]
    for channel in listed:
        if not isinstance(channel, numbers.Integral) or isinstance(channel, bool):
            message = f"Expected a channel's number, or a list of them, for {owner}, got {shown(channel)}."
            raise ChannelError(message)
    return tuple(int(channel) for channel in listed)


def index(value: Any, count: int, name: str, there: str, error: type[ActwidgetError]) -> int:
    """A number below `count`; one below zero counts from the end.

    Raises:
        error: It is none.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and -count <= value < count:
        return int(value) % count
    message = f"Expected a {name} from 0 to {count - 1} ({there}), got {shown(value)}."
    raise error(message)


def one_of(value: Any, known: Collection[str], name: str) -> str:
    """One of several words.

    Raises:
        OptionError: It is none of them.
    """
    if isinstance(value, str) and value in known:
        return value
    message = f"Expected {name} to be one of {', '.join(map(repr, known))}, got {shown(value)}."
    raise OptionError(message)


def listed(values: Any, expected: str, *, least: int = 0) -> list[Any]:
    """The items of what should be a list; a text and a dict are none, though they have items.

    Raises:
        OptionError: It has no items, or fewer than it should.
    """
    if not isinstance(values, (str, bytes, dict)):
        with suppress(Exception):
            if len(items := list(values)) >= least:
                return items
    message = f"Expected {expected}; got {shown(values)}."
    raise OptionError(message)


def is_model(value: Any) -> bool:
    """Whether a value is a model and not, for example, the index of a sample."""
    return hasattr(value, "layers") and callable(value)
