"""`Numbers`: the statistics that stand on screen, over a scan where it has the layer, otherwise over the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actwidget.analysis.diagnostics import warnings
from actwidget.analysis.summary import QUANTILES, Summary, summary_from_quantiles
from actwidget.capture.semantics.value_kind import flags_where, value_kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actwidget.analysis.meaning import Meaning
    from actwidget.analysis.statistics import Statistics
    from actwidget.capture.access.session import Session
    from actwidget.explorer.layer_values import LayerValues
    from actwidget.explorer.measurements import Measurements
    from actwidget.explorer.scanned.scan_source import ScanSource


class Numbers:
    """Statistics, warnings and summaries of layers.

    Attributes:
        basis: What they are to rest on: `"scan"` or `"batch"`. A layer that the scan does not have rests on the batch.
    """

    def __init__(
        self, session: Session, values: LayerValues, measurements: Measurements, scan: ScanSource | None
    ) -> None:
        """Computes nothing yet."""
        self.basis = "batch" if scan is None else "scan"
        self._session = session
        self._values = values
        self._measurements = measurements
        self._scan = scan

    def rests_on_scan(self, path: str) -> bool:
        """Whether a layer's numbers are those of the scan, which counted the layer's own channels."""
        source = self._scan
        has_layer = source is not None and self.basis == "scan" and source.missing(path) is None
        return has_layer and self._values.is_read_as_computed(path)

    def samples_in_words(self, path: str) -> str:
        """Over what a layer is counted: "60,000 samples" or "the batch of 8"; `""` if there is no scan."""
        if self._scan is None:
            return ""
        return self._scan.samples_in_words if self.rests_on_scan(path) else self.batch_in_words

    @property
    def batch_in_words(self) -> str:
        """The batch and its size: "the batch of 8"."""
        size = 0 if self._session.batch is None else self._session.batch.size
        return f"the batch of {size:,}"

    def of(self, path: str) -> Statistics:
        """The statistics of a layer.

        Raises:
            MemoryBudgetError: The activation is larger than the byte budget and can't be computed part by part.
            CaptureError: The forward pass failed.
        """
        counted = self._of_scan(path)
        return self._measurements.of_batch(path) if counted is None else counted

    def warnings(self, path: str) -> tuple[str, ...]:
        """The warnings about a layer, in words; empty before its values have been counted."""
        counted = self._of_scan(path)
        if counted is None:
            return self._measurements.warnings(path)
        meaning = self._meaning(path)
        return () if meaning is None else warnings(counted, self._values.channel_axis(path).channel_label, meaning)

    def marks(self, paths: Iterable[str]) -> dict[str, str]:
        """The warnings about some layers, and about all that the scan has, by path; only of layers that have some."""
        scanned = [] if self._scan is None or self.basis == "batch" else self._scan.scan.paths
        every = dict.fromkeys([*paths, *(path for path in scanned if path in self._session.graph.nodes)])
        return {path: "; ".join(texts) for path in every if (texts := self.warnings(path))}

    def summaries(self) -> list[Summary]:
        """A summary of each layer with numeric values, in order of execution; the model runs for those of the batch.

        Raises:
            CaptureError: The forward pass failed.
        """
        found = {each.path: each for each in self._measurements.summaries()}
        if self._scan is None or self.basis == "batch":
            return list(found.values())
        paths = [node.path for node in self._session.graph.tree]
        return [each for path in paths if (each := self._summary(path) or found.get(path)) is not None]

    def _summary(self, path: str) -> Summary | None:
        counted, meaning = self._of_scan(path), self._meaning(path)
        if self._scan is None or counted is None:
            return None
        quantiles, label = self._scan.scan.quantiles(path, QUANTILES), self._values.channel_axis(path).channel_label
        return summary_from_quantiles(path, quantiles, counted, label, meaning=meaning or "activations")

    def _of_scan(self, path: str) -> Statistics | None:
        return self._scan.statistics(path) if self._scan is not None and self.rests_on_scan(path) else None

    def _meaning(self, path: str) -> Meaning | None:
        """What the values of a layer stand for; `None` where only values of the batch tell and none was looked at."""
        if (known := self._measurements.known_meaning(path)) is not None:
            return known
        graph = self._session.graph
        dtype = graph.nodes[path].dtype
        if dtype == "bool":
            return "flags"
        if not dtype.startswith(("float", "bfloat")) or flags_where(graph, path) != "never":
            return None
        return value_kind_of(graph, path)
