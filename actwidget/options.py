"""Numbers that a person gives as options, checked."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any

from actwidget.errors import ChannelError, OptionError, shown


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
