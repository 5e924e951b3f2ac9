"""`SampleStrip`: the samples of a batch as thumbnails, first words or numbers, one of them selected, and "+"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import anywidget
import numpy as np
import traitlets

from actwidget.errors import ActwidgetError, short
from actwidget.explorer.samples.items import SampleItem
from actwidget.widgets.assets import asset

MOST_BYTES = 50_000_000
"""The largest file that is taken. It arrives in parts, because Jupyter refuses messages of more than 10 MB."""


class Pad(NamedTuple):
    """What the drawing pad is like.

    Attributes:
        height: Its rows of pixels.
        width: Its columns of pixels.
        is_dark: Whether it is white on black; otherwise it is black on white.
    """

    height: int
    width: int
    is_dark: bool = True


class SampleStrip(anywidget.AnyWidget):
    """The samples of a batch in one row, up to 12 in sight, of which one is selected; "+" takes another one.

    The page asks for the thumbnails of the samples in sight, and keeps them. The strip makes none itself:

    - `on_window(give)`: `give(start, stop)` returns the `SampleItem`s of the samples from `start` up to `stop`.
    - `on_upload(take)`: `take(name, data)` gets a file; it returns what was done with it, in words.
    - `on_draw(take)`: `take(ink, pad)` gets what is drawn, shape `(height, width)`, 0 (paper) to 255 (ink), whenever it
      changes; `pad` is a text that stays the same while one drawing is made.

    What `take` raises is shown at the strip.

    Example:
        >>> strip = SampleStrip(3, value=1)
        >>> strip.on_window(lambda start, stop: [SampleItem(f"sample {n}") for n in range(start, stop)])
        >>> strip
        SampleStrip(3 samples, value=1)
    """

    _esm = asset("samples.js")
    _css = asset("samples.css")

    value = traitlets.Int(0).tag(sync=True)
    """The selected sample."""
    count = traitlets.Int(1).tag(sync=True)
    """The number of samples."""
    kind = traitlets.Enum(["picture", "text", "number"], "number").tag(sync=True)
    """What stands in the strip for each sample; it sets the width of an item."""
    takes_pictures = traitlets.Bool(default_value=False).tag(sync=True)
    """Whether "+" takes an uploaded picture."""
    pad = traitlets.Tuple(default_value=()).tag(sync=True)
    """A `Pad`, if "+" offers one; otherwise empty."""
    advice = traitlets.Unicode("").tag(sync=True)
    """What else "+" says: how to take another input in code."""
    said = traitlets.Unicode("").tag(sync=True)
    """What was done with the last uploaded file, in words."""
    error = traitlets.Unicode("").tag(sync=True)
    """Why the last file or drawing was not taken, in words."""
    _last = 0  # the last value that was in range
    _version = traitlets.Int(0).tag(sync=True)  # the page drops the items of an older version

    def __init__(self, count: int = 1, *, value: int = 0, **kwargs: Any) -> None:
        """Shows the numbers of the samples.

        Args:
            count: The number of samples.
            value: The one that is selected.
            **kwargs: Other traits, and what `anywidget.AnyWidget` takes.
        """
        self._give: Callable[[int, int], Sequence[SampleItem]] = lambda start, stop: [
            SampleItem(f"sample {number}") for number in range(start, stop)
        ]
        self._take_file: Callable[[str, bytes], str] = lambda _name, _data: ""
        self._take_drawing: Callable[[np.ndarray[Any, Any], str], None] = lambda _ink, _pad: None
        self._file: list[bytes] = []  # the parts of a file that have arrived
        classes = ("actw-strip", *kwargs.pop("_dom_classes", ()))
        super().__init__(count=count, value=value, _dom_classes=classes, **kwargs)
        self.on_msg(self._answer)

    @traitlets.validate("value")
    def _in_range(self, proposal: Any) -> int:
        """A number that the batch had when the page sent it, but no longer has, leaves the selection as it is."""
        if 0 <= proposal["value"] < self.count:
            self._last = proposal["value"]
        return self._last

    def on_window(self, give: Callable[[int, int], Sequence[SampleItem]]) -> None:
        """Sets the function that makes the items of the samples from `start` up to `stop`."""
        self._give = give

    def on_upload(self, take: Callable[[str, bytes], str]) -> None:
        """Sets the function that gets an uploaded file, its name and its bytes, and says what it did with it."""
        self._take_file = take

    def on_draw(self, take: Callable[[np.ndarray[Any, Any], str], None]) -> None:
        """Sets the function that gets a drawing, shape `(height, width)`, 0 to 255, and the name of its pad."""
        self._take_drawing = take

    def renew(self, count: int, value: int) -> None:
        """Shows another batch: the page asks for its items anew.

        Args:
            count: The number of its samples.
            value: The one that is selected.
        """
        with self.hold_sync():
            self._version += 1
            self.error = self.said = ""
            self.resize(count, value)

    def resize(self, count: int, value: int) -> None:
        """Shows more or fewer samples, of which those that stay are the same as before."""
        with self.hold_sync():
            self.count = max(self.count, count)  # so that both values are in range at any time
            self.value = value
            self.count = count

    def update(self, start: int, stop: int) -> None:
        """Sends the page the items of some samples anew."""
        start, stop = max(start, 0), min(stop, self.count)
        items = list(self._give(start, stop))
        content = {"kind": "items", "version": self._version, "start": start, "items": [item[:2] for item in items]}
        self.send(content, buffers=[item.picture for item in items])

    def _answer(self, _widget: Any, content: dict[str, Any], buffers: Any) -> None:
        match content:
            case {"kind": "window", "start": int() as start, "stop": int() as stop}:
                self.update(start, min(stop, start + 100))
            case {"kind": "upload", "name": str() as name, "part": int() as part, "parts": int() as parts} if buffers:
                self._file = [*(self._file if part else []), bytes(buffers[0])]
                if sum(map(len, self._file)) > MOST_BYTES:
                    self._file = []
                elif part == parts - 1:
                    data, self._file = b"".join(self._file), []
                    self.said = self._tried(lambda: self._take_file(name, data))
                    self.send({"kind": "uploaded"})
            case {"kind": "draw", "pad": str() as pad} if buffers and self.pad:
                height, width = self.pad[:2]
                ink = np.frombuffer(bytes(buffers[0]), np.uint8)
                if ink.size == height * width:
                    self._tried(lambda: self._take_drawing(ink.reshape(height, width), pad))
                self.send({"kind": "drawn", "pad": pad})

    def _tried(self, take: Callable[[], str | None]) -> str:
        """What `take` returns; an error that it raises is shown at the strip."""
        self.error = ""
        try:
            return take() or ""
        except Exception as error:  # noqa: BLE001 - nobody would see what is raised while a message is handled
            known = isinstance(error, ActwidgetError)
            self.error = short(str(error) if known else f"{type(error).__name__}: {error}", 600)
            return ""

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        return f"SampleStrip({self.count:,} sample{'s' * (self.count != 1)}, value={self.value})"
