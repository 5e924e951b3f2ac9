"""The axes of a figure: where values lie in the picture, and what is written along them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_AXIS = re.compile(r"[xy]axis\d*")


def numbers(values: Any) -> Any:
    """An array from whatever a trace holds: a list, an array, or Plotly's packed form of one."""
    if isinstance(values, dict) and "bdata" in values:
        flat = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
        return flat.reshape([int(part) for part in str(values.get("shape", flat.size)).split(",")])
    return np.asarray(values)


@dataclass
class Axis:
    """One axis.

    Attributes:
        name: As traces name it: `"x"`, `"y2"`.
        options: Its attributes in the layout.
        start: The pixel of the left or lower end of its domain.
        stop: The pixel of the other end.
        low: The value at `start`.
        high: The value at `stop`.
        names: Its categories, where its values are texts.
    """

    name: str
    options: Mapping[str, Any]
    start: float
    stop: float
    low: float = 0.0
    high: float = 1.0
    names: list[str] = field(default_factory=list)

    def values(self, given: Any) -> NDArray[Any]:
        """The numbers along the axis that values of a trace stand for."""
        array = numbers(given)
        if array.dtype.kind in "USO" and any(isinstance(item, str) for item in array.ravel().tolist()):
            texts = [str(item) for item in array.ravel().tolist()]
            self.names += [text for text in dict.fromkeys(texts) if text not in self.names]
            return np.array([self.names.index(text) for text in texts], float).reshape(array.shape)
        floats = array.astype(float)
        return np.log10(np.where(floats > 0, floats, np.nan)) if self.options.get("type") == "log" else floats

    def pixels(self, given: Any) -> NDArray[Any]:
        """Where values of a trace lie in the picture."""
        return self.scaled(self.values(given))

    def scaled(self, values: Any) -> NDArray[Any]:
        """Where numbers along the axis lie in the picture."""
        span = (self.high - self.low) or 1.0
        result: NDArray[Any] = self.start + (np.asarray(values, float) - self.low) / span * (self.stop - self.start)
        return result

    @property
    def has_range(self) -> bool:
        """Whether the layout gives both ends of its range."""
        return None not in (self.options.get("range") or (None,))

    def fit(self, extent: tuple[float, float]) -> None:
        """Takes the range that the layout gives, or else that of what is drawn."""
        low, high = extent if extent[0] < extent[1] else (extent[0] - 0.5, extent[0] + 0.5)
        if self.options.get("autorange") == "reversed":
            low, high = high, low
        first, last = self.options.get("range") or (None, None)
        self.low, self.high = float(low if first is None else first), float(high if last is None else last)

    def shrink(self, size: float) -> None:
        """Makes its domain shorter, to `size` pixels, where `constraintoward` says."""
        room = abs(self.stop - self.start) - size
        sign = 1 if self.stop > self.start else -1
        toward = self.options.get("constraintoward", "middle")
        share = {"left": 0.0, "bottom": 0.0, "right": 1.0, "top": 1.0}.get(toward, 0.5)
        self.start += sign * room * share
        self.stop = self.start + sign * size

    def grid(self) -> list[float]:
        """Where lines go across the panel: at the labels, and at zero."""
        if self.options.get("visible") is False:
            return []
        lines = [] if self.options.get("showgrid") is False else [place for place, _ in self.ticks()]
        has_zero = self.options.get("zeroline") is not False and self.low * self.high <= 0
        return [*lines, *([0.0] if has_zero else [])]

    def ticks(self) -> list[tuple[float, str]]:
        """The places of its labels, as numbers along it, and their texts."""
        options, low, high = self.options, min(self.low, self.high), max(self.low, self.high)
        if options.get("showticklabels") is False or options.get("visible") is False:
            return []
        if options.get("tickvals") is not None:
            texts = options.get("ticktext")
            places = self.values(options["tickvals"]).tolist()
            shown = zip(places, [f"{place:g}" for place in places] if texts is None else texts, strict=True)
        elif self.names:
            shown = zip(range(len(self.names)), self.names, strict=True)
        else:
            most = options.get("nticks") or (6 if self.name[0] == "x" else 5)
            places = _round_ticks(low, high, most)
            shown = zip(places, [_label(tick, options) for tick in places], strict=True)
        slack = 1e-6 * (high - low)
        return [(place, str(text)) for place, text in shown if low - slack <= place <= high + slack]


def _round_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` round numbers from `low` to `high`."""
    step = 10 ** np.floor(np.log10(max((high - low) / most, 1e-30)))
    step *= next((factor for factor in (1, 2, 5, 10, 20) if (high - low) / (step * factor) <= most), 50)
    ticks = step * np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) + 0.0
    return [float(tick) for tick in ticks]


def _label(value: float, options: Mapping[str, Any]) -> str:
    if options.get("type") == "log":
        return f"{10**value:g}"
    if "%" in (options.get("tickformat") or ""):
        return f"{100 * value:g}%"
    return f"{value:g}"


def axes_of(layout: Mapping[str, Any], used: set[str], box: tuple[float, float, float, float]) -> dict[str, Axis]:
    """All axes of a figure by name, each over its domain.

    Args:
        layout: The layout of the figure.
        used: The axes that its traces name.
        box: What lies within the margins: `(left, top, right, bottom)`, in pixels.
    """
    left, top, right, bottom = box
    given = {name.replace("axis", "") for name in layout if _AXIS.fullmatch(name)}
    axes = {}
    for name in sorted(used | given):
        options = layout.get(f"{name[0]}axis{name[1:]}") or {}
        if (over := options.get("overlaying")) and "domain" not in options:
            options = {**options, "domain": (layout.get(f"{over[0]}axis{over[1:]}") or {}).get("domain", (0, 1))}
        ends = np.asarray(options.get("domain") or (0, 1), float)
        start, stop = left + ends * (right - left) if name[0] == "x" else bottom - ends * (bottom - top)
        axes[name] = Axis(name, options, float(start), float(stop))
    return axes


def keep_ratio(across: Axis, down: Axis) -> None:
    """Makes a unit of both axes equally long in pixels, by making one of their domains shorter."""
    units = abs(across.high - across.low), abs(down.high - down.low)
    if min(units) <= 0:
        return
    scale = min(abs(axis.stop - axis.start) / unit for axis, unit in zip((across, down), units, strict=True))
    across.shrink(scale * units[0])
    down.shrink(scale * units[1])
