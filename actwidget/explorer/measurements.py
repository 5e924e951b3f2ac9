"""The statistics of layers, computed within the byte budget: from whole activations, or part by part."""

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
from actwidget.capture.semantics.value_kind import flags_where, value_kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actwidget.analysis.meaning import Meaning
    from actwidget.capture.access.session import Session
    from actwidget.capture.run.batch_parts import Captured, Row
    from actwidget.capture.semantics.table.activation_functions import Bounds
    from actwidget.explorer.layer_values import Array, LayerValues

STATISTICS = "numbers"
"""The kind of a cache entry with the statistics of an activation."""
COUNTING_BYTES = 8_000_000
"""An upper bound on the bytes needed to count the values of one layer."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Statistics and quantiles over all samples of an activation that was computed part by part."""

    statistics: Statistics
    quantiles: np.ndarray[Any, np.dtype[np.float64]]


class Measurements:
    """Computes statistics and keeps them in the cache until the weights change."""

    def __init__(self, session: Session, values: LayerValues) -> None:
        """Computes nothing yet."""
        self._session = session
        self._values = values
        self._kept = session.kept
        self._summaries: dict[str, Summary] = {}
        self._with_value: dict[str, bool] = {}
        self._warnings: dict[str, tuple[str, ...]] = {}
        self._meanings: dict[str, Meaning] = {}

    def clear(self) -> None:
        """Forgets all summaries, warnings and meanings; `Inspector.clear` drops the cache entries."""
        self._summaries.clear()
        self._with_value.clear()
        self._warnings.clear()
        self._meanings.clear()

    def bounds(self, path: str) -> Bounds | None:
        """The lower and upper bound of a layer's activation function; `None` if it has none."""
        return activation_bounds(self._session.graph.operations[path], self._session.graph.nodes.get(path))

    def row(self, path: str, sample: int) -> Row | None:
        """A layer's activation for one sample, as `LayerValues.row`.

        If it takes a forward pass to find out whether samples can be computed one by one, that pass also counts the
        statistics over all of them.
        """
        session = self._session
        if session.batch is not None and not session.fits(path) and session.alike(path) is None:
            self._count([path])
        return self._values.row(path, sample)

    def of_sample(self, path: str, row: Row, sample: int) -> Statistics:
        """The statistics of one sample, whose values the caller already has."""
        if row.samples == 1:
            return self.of_batch(path)
        key = Key(path, STATISTICS, sample)
        if (result := self._kept.get(key)) is None:
            result = self._statistics(path, row.value[np.newaxis])
            self._kept.put(key, result, _nbytes(result))
        return cast("Statistics", result)

    def of_batch(self, path: str) -> Statistics:
        """The statistics over all samples. An activation larger than the budget is counted part by part, once.

        Raises:
            MemoryBudgetError: The activation is larger than the budget and can't be computed part by part.
            CaptureError: The forward pass failed.
        """
        if not self._session.fits(path) and self._session.alike(path) is not False:
            return self._tally(path).statistics
        key = Key(path, STATISTICS)
        if (result := self._kept.get(key)) is None:
            value = self._values.batch(path)
            result = self._with_warnings(path, self._statistics(path, value), self._meaning(path, value))
            self._kept.put(key, result, _nbytes(result))
        return cast("Statistics", result)

    def meaning(self, path: str) -> Meaning:
        """What the values of a layer stand for; they are counted to find it out, unless they have been already."""
        if path not in self._meanings:
            self.of_batch(path)
        return self._meanings[path]

    def known_meaning(self, path: str) -> Meaning | None:
        """What the values of a layer stand for, if they have been counted; otherwise `None`."""
        return self._meanings.get(path)

    def warnings(self, path: str) -> tuple[str, ...]:
        """The warnings about a layer, in words; empty before its statistics have been computed."""
        return self._warnings.get(path, ())

    def histogram(
        self, path: str, values: Array, channel: int | None, within: tuple[float, float] | None = None
    ) -> Histogram:
        """The histogram of one sample's values, or of those within a range, together with that of one channel."""
        bounds = self.bounds(path)
        channel_values = None if channel is None or values.ndim == 0 else values[..., channel]
        upper = None if bounds is None else bounds[1]
        return histogram(values, channel_values=channel_values, upper=upper, within=within)

    def summaries(self) -> list[Summary]:
        """A summary of each layer with numeric values, in order of execution; the model runs if that is needed.

        Raises:
            CaptureError: The forward pass failed.
        """
        session, graph, batch = self._session, self._session.graph, self._session.batch
        if batch is None:
            return []
        absent = left_out(graph, batch)
        paths = [node.path for node in graph.tree if node.origin != "opaque" and node.path not in absent]
        missing = [path for path in paths if path not in self._summaries and path not in self._with_value]
        large = [path for path in missing if not session.fits(path)]
        small = [path for path in missing if session.fits(path)]
        given = set()
        for path, captured in session.walk(small):
            given.add(path)
            value = self._values.as_samples(path, captured.value)
            if is_numeric(value.dtype) and value.size:
                meaning, label = self._meaning(path, value), self._values.channel_axis(path).channel_label
                counted = self._with_warnings(path, self._statistics(path, value), meaning)
                self._kept.put(Key(path, STATISTICS), counted, _nbytes(counted))
                self._summaries[path] = summary(path, value, counted, label, meaning=meaning)
        self._with_value |= {path: path in given for path in small}
        for group in self.groups([path for path in large if session.alike(path) is not False]):
            held = {path: self._kept.peek(Key(path, TALLY)) for path in group}
            tallies = {path: tally for path, tally in held.items() if tally is not None}
            if uncounted := [path for path in group if path not in tallies]:
                tallies |= self._count(uncounted)
            for path, tally in tallies.items():
                meaning, label = self._meanings[path], self._values.channel_axis(path).channel_label
                self._summaries[path] = summary_from_quantiles(
                    path, tally.quantiles, tally.statistics, label, meaning=meaning
                )
        return [self._summaries[path] for path in paths if path in self._summaries]

    def without_value(self) -> list[str]:
        """The layers that `summaries` leaves out because they gave no tensor for this batch.

        One that only passes on an optional input gives none where that input is left out.
        """
        return [path for path, has_value in self._with_value.items() if not has_value]

    def too_large(self) -> list[str]:
        """The layers without a summary: they are larger than the budget and can't be computed part by part."""
        session = self._session
        return [path for path in session.graph.nodes if session.alike(path) is False and not session.fits(path)]

    def groups(self, paths: Sequence[str]) -> Iterator[list[str]]:
        """Layers in groups that fit into the budget: one sample of each layer, and the memory to count it."""
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
        return meaning_of(value, value_kind_of(graph, path), flags_where=flags_where(graph, path))

    def _with_warnings(self, path: str, counted: Statistics, meaning: Meaning) -> Statistics:
        """Returns the statistics over all samples, after storing the meaning of the values and the warnings."""
        self._meanings[path] = meaning
        self._warnings[path] = warnings(counted, self._values.channel_axis(path).channel_label, meaning)
        return counted

    def _tally(self, path: str) -> Tally:
        kept = self._kept.get(Key(path, TALLY))
        if kept is not None:
            return cast("Tally", kept)
        tallies = self._count([path])
        if path not in tallies:
            raise self._session.too_large(path)
        return tallies[path]

    def _count(self, paths: Sequence[str]) -> dict[str, Tally]:
        """Counts all samples of some activations in one pass; leaves out those that can't be computed part by part."""
        running = {path: RunningStatistics(bounds=self.bounds(path)) for path in paths}
        quantiles = {path: RunningQuantiles() for path in paths}
        meanings: dict[str, Meaning] = {}

        def take(path: str, first: int, part: Captured) -> None:
            value = self._values.channels_last(path, part.value)
            if is_numeric(value.dtype):
                if not first:
                    self._values.names_things(path, value[0])  # remembered now, so no other pass is needed for it
                # Floats count as flags only if they are 0 or 1 in all parts.
                if meanings.get(path, "flags") == "flags":
                    meanings[path] = self._meaning(path, value)
                running[path].update(value[:, np.newaxis] if value.ndim == 1 else value)
                quantiles[path].update(value)

        self._session.stream(paths, take)
        tallies = {}
        for path in paths:
            if self._session.alike(path) and running[path].samples:
                counted = self._with_warnings(path, running[path].result(), meanings[path])
                tallies[path] = Tally(counted, quantiles[path].result(QUANTILES))
                self._kept.put(Key(path, TALLY), tallies[path], _nbytes(counted))
        return tallies


def _nbytes(counted: Statistics) -> int:
    """The approximate size of a layer's statistics in bytes."""
    return 400 + sum(int(array.nbytes) for array in vars(counted.per_channel).values() if array is not None)
