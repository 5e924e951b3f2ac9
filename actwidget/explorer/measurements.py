"""The statistics of layers, counted within the byte budget: whole activations, or part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from actwidget.analysis.diagnostics import warnings
from actwidget.analysis.dtypes import is_numeric
from actwidget.analysis.histogram import Histogram, histogram
from actwidget.analysis.meaning import meaning_of
from actwidget.analysis.running.quantiles import RunningQuantiles
from actwidget.analysis.running.statistics import RunningStatistics
from actwidget.analysis.statistics import Statistics, statistics
from actwidget.analysis.summary import QUANTILES, Summary, summary, summary_from_quantiles
from actwidget.capture.access.cache import Key
from actwidget.capture.access.session import TALLY
from actwidget.capture.access.submodel import left_out
from actwidget.capture.semantics.bounds import activation_bounds
from actwidget.capture.semantics.value_kind import may_be_flags, value_kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actwidget.analysis.meaning import Meaning
    from actwidget.capture.access.session import Session
    from actwidget.capture.run.batch_parts import Captured, Row
    from actwidget.capture.semantics.table.activation_functions import Bounds
    from actwidget.explorer.layer_values import Array, LayerValues

STATISTICS = "numbers"
"""The kind of the statistics that are kept of an activation."""
COUNTING_BYTES = 8_000_000
"""At most so many bytes are needed to count the values of one layer."""


@dataclass(frozen=True, eq=False)
class Tally:
    """What was counted over all samples of an activation that came in parts."""

    statistics: Statistics
    quantiles: np.ndarray[Any, np.dtype[np.float64]]


class Measurements:
    """Counts values and keeps what it has counted, as long as the activation that it was counted from is valid."""

    def __init__(self, session: Session, values: LayerValues) -> None:
        """Has counted nothing yet."""
        self._session = session
        self._values = values
        self._kept = session.kept
        self._summaries: dict[str, Summary] = {}
        self._warnings: dict[str, tuple[str, ...]] = {}
        self._meanings: dict[str, Meaning] = {}

    def clear(self) -> None:
        """Forgets everything that was counted."""
        self._summaries.clear()
        self._warnings.clear()
        self._meanings.clear()

    def bounds(self, path: str) -> Bounds | None:
        """Between which values a layer's activation function keeps its output."""
        return activation_bounds(self._session.graph.operations[path], self._session.graph.nodes.get(path))

    def row(self, path: str, sample: int) -> Row | None:
        """What a layer gives for one sample, as `LayerValues.row`.

        Where only a pass can tell whether samples can be had one by one, that pass counts all of them as well.
        """
        session = self._session
        if session.batch is not None and not session.fits(path) and session.alike(path) is None:
            self._count([path])
        return self._values.row(path, sample)

    def of_sample(self, path: str, row: Row, sample: int) -> Statistics:
        """The statistics of one sample at hand."""
        if row.samples == 1:
            return self.of_batch(path)
        key = Key(path, STATISTICS, sample)
        if (found := self._kept.get(key)) is None:
            found = self._statistics(path, row.value[np.newaxis])
            self._kept.put(key, found, _nbytes(found))
        return cast("Statistics", found)

    def of_batch(self, path: str) -> Statistics:
        """The statistics over all samples. An activation larger than the budget is counted part by part, once.

        Raises:
            MemoryBudgetError: The activation is larger than the budget and can only be had as a whole.
            CaptureError: The forward pass failed.
        """
        if not self._session.fits(path) and self._session.alike(path) is not False:
            return self._tally(path).statistics
        key = Key(path, STATISTICS)
        if (found := self._kept.get(key)) is None:
            value = self._values.batch(path)
            found = self._noted(path, self._statistics(path, value), self._meaning(path, value))
            self._kept.put(key, found, _nbytes(found))
        return cast("Statistics", found)

    def meaning(self, path: str) -> Meaning:
        """What the values of a layer stand for; it is known once `of_batch` has counted them."""
        return self._meanings[path]

    def warnings(self, path: str) -> tuple[str, ...]:
        """What is wrong with a layer that has been counted, in words."""
        return self._warnings.get(path, ())

    def histogram(self, path: str, values: Array, channel: int | None) -> Histogram:
        """The distribution of one sample's values, with those of one channel beside it."""
        bounds = self.bounds(path)
        own = None if channel is None or values.ndim == 0 else values[..., channel]
        return histogram(values, channel_values=own, upper=None if bounds is None else bounds[1])

    def summaries(self) -> list[Summary]:
        """A line on each layer that has statistics, in order of execution; the model runs where that is needed.

        Raises:
            CaptureError: The forward pass failed.
        """
        session, graph, batch = self._session, self._session.graph, self._session.batch
        if batch is None:
            return []
        absent = left_out(graph, batch)
        paths = [node.path for node in graph.tree if node.origin != "opaque" and node.path not in absent]
        missing = [path for path in paths if path not in self._summaries]
        large = [path for path in missing if not session.fits(path)]
        for path, captured in session.walk([path for path in missing if session.fits(path)]):
            value = self._values.as_samples(path, captured.value)
            if is_numeric(value.dtype) and value.size:
                meaning, label = self._meaning(path, value), self._values.channel_axis(path).channel_label
                found = self._noted(path, self._statistics(path, value), meaning)
                self._kept.put(Key(path, STATISTICS), found, _nbytes(found))
                self._summaries[path] = summary(path, value, found, label, meaning=meaning)
        for group in self._groups([path for path in large if session.alike(path) is not False]):
            held = {path: self._kept.peek(Key(path, TALLY)) for path in group}
            tallies = {path: tally for path, tally in held.items() if tally is not None}
            if new := [path for path in group if path not in tallies]:
                tallies |= self._count(new)
            for path, tally in tallies.items():
                meaning, label = self._meanings[path], self._values.channel_axis(path).channel_label
                self._summaries[path] = summary_from_quantiles(
                    path, tally.quantiles, tally.statistics, label, meaning=meaning
                )
        return [self._summaries[path] for path in paths if path in self._summaries]

    def too_large(self) -> list[str]:
        """The layers that have no summary, since they are larger than the budget and only to be had as a whole."""
        session = self._session
        return [path for path in session.graph.nodes if session.alike(path) is False and not session.fits(path)]

    def _groups(self, paths: Sequence[str]) -> Iterator[list[str]]:
        """Layers in groups: one sample of each, with what is counted of it, keeps to the budget together."""
        group: list[str] = []
        size = 0
        for path in paths:
            batch = self._session.batch
            own = self._session.size(path) // (1 if batch is None else batch.size) + COUNTING_BYTES
            if group and size + own > self._session.budget:
                yield group
                group, size = [], 0
            group.append(path)
            size += own
        if group:
            yield group

    def _statistics(self, path: str, value: Array) -> Statistics:
        return statistics(value[:, np.newaxis] if value.ndim == 1 else value, bounds=self.bounds(path))

    def _meaning(self, path: str, value: Array) -> Meaning:
        graph = self._session.graph
        return meaning_of(value, value_kind_of(graph, path), may_be_flags=may_be_flags(graph, path))

    def _noted(self, path: str, found: Statistics, meaning: Meaning) -> Statistics:
        """The statistics over all samples, once it is noted what the values stand for and what is wrong with them."""
        self._meanings[path] = meaning
        self._warnings[path] = warnings(found, self._values.channel_axis(path).channel_label, meaning)
        return found

    def _tally(self, path: str) -> Tally:
        kept = self._kept.get(Key(path, TALLY))
        if kept is not None:
            return cast("Tally", kept)
        tallies = self._count([path])
        if path not in tallies:
            raise self._session.too_large(path)
        return tallies[path]

    def _count(self, paths: Sequence[str]) -> dict[str, Tally]:
        """Counts all samples of some activations in one pass, those that can be had in parts."""
        running = {path: RunningStatistics(bounds=self.bounds(path)) for path in paths}
        quantiles = {path: RunningQuantiles() for path in paths}
        meanings: dict[str, Meaning] = {}

        def take(path: str, first: int, part: Captured) -> None:
            value = self._values.channels_last(path, part.value)
            if is_numeric(value.dtype):
                if not first:
                    self._values.names_things(path, value[0])
                # Floats are flags only if those of all parts are.
                if meanings.get(path, "flags") == "flags":
                    meanings[path] = self._meaning(path, value)
                running[path].update(value[:, np.newaxis] if value.ndim == 1 else value)
                quantiles[path].update(value)

        self._session.stream(paths, take)
        found = {}
        for path in paths:
            if self._session.alike(path) and running[path].samples:
                counted = self._noted(path, running[path].result(), meanings[path])
                found[path] = Tally(counted, quantiles[path].result(QUANTILES))
                self._kept.put(Key(path, TALLY), found[path], _nbytes(counted))
        return found


def _nbytes(found: Statistics) -> int:
    """About how many bytes the statistics of a layer take."""
    return 400 + sum(int(each.nbytes) for each in vars(found.per_channel).values() if each is not None)
