"""`Working`: does the work of the view on screen step by step, between the messages of the page."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from actwidget.errors import ActwidgetError, error_text
from actwidget.widgets.scheduling import weakly

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from contextlib import AbstractContextManager

    from actwidget.explorer.work import Progress, Work

BETWEEN = 0.01
"""The seconds between two steps, in which messages from the page, such as a click on "Stop", are handled."""
DRAWN_EVERY = 0.4
"""The seconds between two drawings of what there is so far."""


class Working:
    """The work of one explorer, of which at most one runs at a time."""

    def __init__(
        self,
        redraw: Callable[[], None],
        tell: Callable[[str, Progress | None], None],
        warn: Callable[[str], None],
        mark: Callable[[], None],
        lock: AbstractContextManager[object],
    ) -> None:
        """Has nothing to do yet.

        Args:
            redraw: Draws what there is so far.
            tell: Says on screen what is computed, and how far that is.
            warn: Shows an error message.
            mark: Is called when work can begin, has begun or has ended: the buttons for it change.
            lock: Is held during a step.
        """
        self._redraw, self._tell, self._warn, self._mark, self._lock = redraw, tell, warn, mark, lock
        self._waiting: Work | None = None
        self._running: Work | None = None
        self._steps: Iterator[Progress] | None = None
        self._is_raising = False  # whether an error is raised, and not only shown
        self._failed: Hashable = None  # the key of the work that raised last
        self._drawn = 0.0

    @property
    def state(self) -> str:
        """`"running"`, `"waiting"` if there is something to begin, otherwise `"idle"`."""
        if self._running is not None:
            return "running"
        return "idle" if self._waiting is None else "waiting"

    def follow(self, work: Work | None) -> None:
        """Takes note of the work of the view that has just been drawn.

        Work that runs goes on if it is still the same. Work that is wanted begins; without an event loop, and so
        without a page, it is done to its end.

        Args:
            work: What the view can compute for the selection; `None` for nothing.
        """
        running = self._running
        if running is not None and (work is None or work.key != running.key):
            self.stop()
        self._waiting = work
        if work is not None and work.is_wanted and self._running is None and work.key != self._failed:
            self.begin()
        self._mark()

    def toggle(self) -> None:
        """Begins the work, or stops it."""
        if self._running is not None:
            self.stop()
            self._redraw()
        elif self._waiting is not None:
            self.begin()

    def begin(self) -> None:
        """Begins the work of the view on screen."""
        work = self._waiting
        if work is None or self._running is not None:
            return
        self._running, self._steps, self._failed = work, work.start(), None
        self._drawn = time.perf_counter()
        self._tell(f"Computing {work.label} …", None)
        self._mark()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.finish()
        else:
            loop.call_later(BETWEEN, weakly(self._continue))

    def run(self) -> None:
        """Does the work of the view on screen to its end, with what has been done of it already.

        Raises:
            ActwidgetError: It can't be done.
        """
        self._is_raising = True
        try:
            self.begin()
            self.finish()
        finally:
            self._is_raising = False

    def finish(self) -> None:
        """Does what runs to its end, without a pause."""
        while self._running is not None:
            self._step()

    def stop(self) -> None:
        """Ends what runs; what has been computed so far is kept."""
        steps, self._steps, self._running = self._steps, None, None
        if steps is not None and hasattr(steps, "close"):
            steps.close()
        self._mark()

    def _continue(self) -> None:
        with suppress(KeyboardInterrupt), self._lock:  # which would end the event loop; the work has ended by it
            self._step()
        if self._running is not None:
            asyncio.get_running_loop().call_later(BETWEEN, weakly(self._continue))

    def _step(self) -> None:
        work, steps = self._running, self._steps
        if work is None or steps is None:
            return
        try:
            progress = next(steps, None)
        except BaseException as error:
            self.stop()
            self._failed = work.key  # so that it does not begin again by itself
            self._tell(f"Ended before it was complete: {work.label}.", None)
            if not isinstance(error, Exception):  # a KeyboardInterrupt, or the kernel shuts down
                raise
            is_known = isinstance(error, ActwidgetError)
            if is_known and work.says_why:
                self._redraw()
            else:
                self._warn(str(error) if is_known else error_text(error))
            if self._is_raising:
                raise
            return
        if progress is None:
            self._waiting = None
            self.stop()
            self._redraw()
            return
        self._tell(f"Computing {work.label} …", progress)
        if time.perf_counter() - self._drawn > DRAWN_EVERY:
            self._redraw()
            self._drawn = time.perf_counter()
