"""What the live figure shows of a history, and when it is drawn anew."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from actwidget.figures.training.content import Channels, Chosen, LayerOverTime, TrainingContent

if TYPE_CHECKING:
    from actwidget.training.records import Fault, LayerRecord, Record

MOST_MOMENTS = 160
"""So many moments have a column; of more some are chosen, evenly."""
SHARE = 0.02
"""The most that drawing during the training may take of its time."""
PAUSE = 0.25
"""The least seconds between two drawings."""


class Live:
    """The live figure of one watch.

    Attributes:
        panel: The widget.
    """

    def __init__(self, read: Callable[[], tuple[Sequence[Record], Fault | None]]) -> None:
        """Draws what there is so far.

        Args:
            read: Gives the history and the fault as they are now.
        """
        from actwidget.widgets.training import TrainingPanel

        self._read = read
        self._cost = 0.0
        self.panel = TrainingPanel(self._content)
        self._drawn = time.perf_counter()

    def _content(self, chosen: Chosen) -> TrainingContent | None:
        history, fault = self._read()
        return content_of(list(history), fault, chosen)

    def grown(self, *, is_last: bool = False) -> None:
        """Draws the figure anew, unless it was drawn only just now.

        Args:
            is_last: Whether the training has ended; then it is drawn in any case.
        """
        start = time.perf_counter()
        if is_last or start - self._drawn >= max(PAUSE, self._cost / SHARE):
            self.panel.draw()
            self._drawn = time.perf_counter()
            self._cost = self._drawn - start
        if is_last:
            self.panel.keep()


def content_of(history: Sequence[Record], fault: Fault | None, chosen: Chosen) -> TrainingContent | None:
    """What the figure shows of a history.

    Args:
        history: The records.
        fault: The first thing that was not finite.
        chosen: What a person has chosen; what is not there any more is replaced by what is nearest.

    Returns:
        The content; None without a record of a layer.
    """
    if not history or not history[-1].layers:
        return None
    steps = np.array([record.step for record in history])
    then = int(np.abs(steps - chosen.step).argmin())
    records = [history[place] for place in shown_moments(len(history), then)]
    paths = list(history[-1].layers)
    path = chosen.layer if chosen.layer in paths else _first_choice(history[-1])
    names = dict.fromkeys(name for record in records for name in record.logs)
    return TrainingContent(
        title=_title(history[-1], len(history)),
        steps=np.array([record.step for record in records]),
        epochs=np.array([record.epoch for record in records]),
        layers=paths,
        quantity=chosen.quantity,
        numbers=np.array(
            [[number_of(record.layers.get(each), chosen.quantity) for record in records] for each in paths]
        ),
        curves={name: np.array([record.logs.get(name, math.nan) for record in records]) for name in names},
        layer=_over_time(history, records, path, then),
        moment=next(place for place, record in enumerate(records) if record is history[then]),
        form=chosen.form,
        fault="" if fault is None else str(fault),
    )


def shown_moments(count: int, chosen: int, most: int = MOST_MOMENTS) -> list[int]:
    """The places of the moments that are drawn: evenly spread, with the first, the latest and the chosen one.

    >>> shown_moments(4, 1), shown_moments(9, 5, most=4)
    ([0, 1, 2, 3], [0, 3, 5, 8])
    """
    if count <= most:
        return list(range(count))
    places = [round(place) for place in np.linspace(0, count - 1, most).tolist()]
    if chosen not in places:
        inner = min(range(1, most - 1), key=lambda place: abs(places[place] - chosen))
        places[inner] = chosen
    return places


def number_of(layer: LayerRecord | None, quantity: str) -> float:
    """One number of a layer by its name in `QUANTITIES`; NaN where there is none."""
    if layer is None:
        return math.nan
    match quantity:
        case "dead":
            return layer.dead / layer.channels if layer.channels else math.nan
        case "nonfinite":
            return (layer.nan + layer.infinite) / layer.count
        case "norm" | "update":
            return math.nan if layer.weights is None else float(getattr(layer.weights, quantity))
        case _:
            value = getattr(layer, quantity)
            return math.nan if value is None else float(value)


def _first_choice(record: Record) -> str:
    """The first layer that is worth a look: one with weights, of a model without any the last one."""
    return next((path for path, each in record.layers.items() if each.weights is not None), list(record.layers)[-1])


def _over_time(history: Sequence[Record], records: Sequence[Record], path: str, then: int) -> LayerOverTime:
    layers = [record.layers.get(path) for record in records]
    none = np.full(5, math.nan)
    pictured = [
        place
        for place, record in enumerate(history)
        if (each := record.layers.get(path)) is not None and each.picture is not None
    ]
    nearest = min(pictured, key=lambda place: abs(place - then), default=then)
    return LayerOverTime(
        path=path,
        histograms=[None if each is None else each.histogram for each in layers],
        quantiles=np.array([none if each is None else each.quantiles for each in layers]),
        then=_channels(history[nearest], path),
        now=_channels(history[pictured[-1] if pictured else -1], path),
    )


def _channels(record: Record, path: str) -> Channels:
    layer = record.layers.get(path)
    return Channels(record.step, None if layer is None else layer.picture)


def _title(record: Record, count: int) -> str:
    return f"After step {record.step:,} · epoch {record.epoch + 1} · {count:,} moment{'s' * (count != 1)}"
