"""`ScanSource`: a scan that was given to the explorer, checked against its model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.capture.access.weight_watch import WeightWatch
from actwidget.errors import OptionError, ScanError, shown
from actwidget.scanning.result import Scan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actwidget.analysis.statistics import Statistics
    from actwidget.capture.access.session import Session
    from actwidget.capture.structure.model_graph import ModelGraph

_AGAIN = "Scan this one: aw.scan(model, data)."


class ScanSource:
    """A scan of the explorer's model.

    Attributes:
        scan: The scan.
        others: Scans to compare it with, such as those of earlier checkpoints.
        changed: What of the model is not what was scanned any more, in words; `""` if it is the same.
    """

    def __init__(self, scan: Scan, graph: ModelGraph, others: Sequence[Scan] = ()) -> None:
        """Refers to a scan that was checked."""
        self.scan = scan
        self.others = list(others)
        self.changed = ""
        self._graph = graph
        self._paths = frozenset(scan.paths)
        self._statistics: Mapping[str, Statistics] = {}
        self._watch = WeightWatch()
        self._watch.add([graph.model])

    @classmethod
    def of(cls, scan: Any, graph: ModelGraph) -> ScanSource | None:
        """Checks a scan against the explorer's model; `None` for `None`. In a list it is the first one.

        Raises:
            OptionError: It is no scan, or one of the others is none.
            ScanError: It is of another model, of other weights, or of layers that the model does not have.
        """
        if scan is None:
            return None
        scan, *others = scan if isinstance(scan, (list, tuple)) and scan else [scan]
        for each in [scan, *others]:
            if not isinstance(each, Scan):
                message = f"Expected scan as the result of actwidget.scan or load_scan, got {shown(each)}."
                raise OptionError(message)
        name = graph.tree.name
        if differ := scan.differences(graph.model):
            message = f"{scan!r} does not belong to model {name!r}: it is of {' and '.join(differ)}. {_AGAIN}"
            raise ScanError(message)
        # A model that is no functional one shows some layers only for inputs that need them.
        unknown = [path for path in scan.paths if path not in graph.nodes]
        if unknown and len(unknown) == len(scan.paths):
            message = (
                f"{scan!r} has no layer of model {name!r}: {', '.join(map(shown, unknown[:3]))}. Keras numbers layers "
                f"anew when a model is made again; give layers names, or scan this one: aw.scan(model, data)."
            )
            raise ScanError(message)
        return cls(scan, graph, others)

    def on(self, graph: ModelGraph) -> ScanSource:
        """The same scan for the model as other inputs show it."""
        found = ScanSource(self.scan, graph, self.others)
        found.changed = self.changed
        return found

    def refresh(self) -> bool:
        """Looks whether the model is what was scanned, if its weights were written; returns whether that has changed.

        Who puts the weights back has the numbers of the scan back.
        """
        if self._watch.unwritten():
            return False
        before, self.changed = self.changed, " and ".join(self.scan.differences(self._graph.model))
        self._watch.clear()
        self._watch.add([self._graph.model])
        return before != self.changed

    def missing(self, path: str) -> str | None:
        """Why the scan has nothing to say of a layer, in words; `None` if it has."""
        if self.changed:
            return f"The model has changed since it was scanned ({self.changed}). {_AGAIN}"
        if path not in self._paths:
            return "The scan does not have this layer: aw.scan(model, data, layers) chooses which."
        return None

    def statistics(self, path: str) -> Statistics:
        """The statistics of a layer that it has, over all samples."""
        self._statistics = self._statistics or self.scan.statistics
        return self._statistics[path]

    def inputs(self, number: int, session: Session) -> list[Any]:
        """A sample of the scanned data as the model takes it: a row of each input, in the order of the model's inputs.

        Args:
            number: Its number in the data.
            session: Prepares it.

        Raises:
            ScanError, SampleError: It can't be read.
            InvalidInputsError: It does not fit the model.
        """
        batch = session.on(self.scan.sample(number)).batch
        return [] if batch is None else [None if each is None else each[0] for each in batch.samples]

    @property
    def samples_in_words(self) -> str:
        """How many samples were counted: "60,000 samples", or "1,024 samples so far" if the scan is not complete."""
        count = self.scan.count
        return f"{count:,} sample{'s' * (count != 1)}{' so far' * (not self.scan.complete)}"
