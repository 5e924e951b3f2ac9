"""Ctrl-C during a scan: at once while data is awaited, else when a batch is counted as a whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Holds an interrupt back while it is not to break in.

    Attributes:
        came: Whether one came.
        broke_in: Whether a second one came while the first was held back, and broke in.
    """

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.came = False
        self.broke_in = False
        self._is_held = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A block in which interrupts can be held back; only the main thread gets any."""
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or before is None:
            yield
            return

        def note(_number: int, _frame: FrameType | None) -> None:
            self.broke_in = self._is_held and self.came
            self.came = True
            if self.broke_in or not self._is_held:
                raise KeyboardInterrupt

        signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A block that is left when it is done; only a second interrupt breaks in.

        Raises:
            KeyboardInterrupt: One came in the block.
        """
        if self._is_held:
            yield
            return
        self._is_held, self.came = True, False
        try:
            yield
        finally:
            self._is_held = False
        if self.came:
            raise KeyboardInterrupt
