"""Postpones work until the page has received the figure, without keeping an explorer alive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakMethod

if TYPE_CHECKING:
    from collections.abc import Callable

DRAWING_TIME = 0.15
"""The seconds that a page needs to draw a figure. Work that the kernel does in this time slows the drawing down."""


def afterwards(method: Callable[[], None], *, delay: float = 0.0, without_page: bool = True) -> None:
    """Calls a method after the messages that are being sent have left for the page.

    Messages to a page go through an event loop. Without a running loop there is no page, so there is nothing to wait
    for, and the call is made at once.

    Args:
        method: A method of an explorer. The loop gets only a weak reference: a cell can create many explorers before
            the loop runs, and they should be freed.
        delay: How many seconds to wait.
        without_page: Whether to make the call if there is no page.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        if without_page:
            method()
    else:
        loop.call_later(delay, weakly(method))


def weakly(method: Callable[[], None]) -> Callable[[], None]:
    """A function that calls a method if the method's owner still exists, and does not keep the owner alive."""
    reference = WeakMethod(method)

    def call() -> None:
        if (alive := reference()) is not None:
            alive()

    return call
