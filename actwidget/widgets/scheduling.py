"""What is done when a page has what was sent, without keeping an explorer alive or a person waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from actwidget.widgets.still import weakly

if TYPE_CHECKING:
    from collections.abc import Callable

DRAWING_TIME = 0.15
"""Seconds in which a page has drawn what was sent; what is done in the meantime is done at its cost."""


def afterwards(method: Callable[[], None], *, delay: float = 0.0, without_page: bool = True) -> None:
    """Calls a method when what was sent is on its way to the page.

    A page is reached through an event loop. Without one nobody is there to see it, and the call is made at once.

    Args:
        method: A method of an explorer. What waits in the loop keeps no explorer alive: a cell can make many before
            the loop runs.
        delay: How many seconds to wait.
        without_page: Whether the call is made where there is no page.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        if without_page:
            method()
    else:
        loop.call_later(delay, weakly(method))
