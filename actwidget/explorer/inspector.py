"""`Inspector`: the one place that puts together the data of a layer for all views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actwidget.capture.access.session import ROW, WHOLE
from actwidget.explorer.answers.predictions import Predictions
from actwidget.explorer.layer_data import LayerData
from actwidget.explorer.layer_values import LayerValues
from actwidget.explorer.measurements import Measurements
from actwidget.explorer.network.network import Network
from actwidget.explorer.network.network_graph import NetworkGraph
from actwidget.explorer.samples.input_pictures import InputPictures
from actwidget.explorer.scanned.numbers import Numbers
from actwidget.explorer.sources import Sources
from actwidget.explorer.what_if.outcome import WhatIf
from actwidget.explorer.work import Results

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session
    from actwidget.explorer.annotations import Annotations
    from actwidget.explorer.scanned.scan_source import ScanSource
    from actwidget.explorer.selection import Selection


class Inspector:
    """Gives the data of each layer of a session.

    Attributes:
        predictions: The model's answers in a few words.
        pictures: The inputs that are pictures.
        measurements: The statistics of layers over the batch.
        numbers: The statistics that stand on screen, over a scan or the batch.
        network: All layers together.
        annotations: The class names, labels and tokens that the user has given.
        scan: A scan of the model; `None` for none.
    """

    def __init__(
        self,
        session: Session,
        annotations: Annotations,
        other: Session | None = None,
        scan: ScanSource | None = None,
    ) -> None:
        """Computes nothing yet.

        Args:
            session: Computes and caches the activations.
            annotations: The class names, labels and tokens that the user has given.
            other: The session of another model of the same architecture on the same batch, to compare with.
            scan: A scan of the model; `None` for none.
        """
        self._session = session
        self.annotations = annotations
        self._values = LayerValues(session)
        self.measurements = Measurements(session, self._values)
        self.numbers = Numbers(session, self._values, self.measurements, scan)
        self.network = Network(session, self._values, self.measurements, self.numbers)
        self.pictures = InputPictures(session)
        self.predictions = Predictions(session, annotations)
        self._sources = Sources(
            session,
            self._values,
            self.measurements,
            self.numbers,
            self.network,
            NetworkGraph(session),
            self.pictures,
            annotations,
            self.predictions,
            WhatIf(session),
            Results(),
            other,
            None if other is None else Predictions(other, annotations),
            scan,
        )
        self.scan = scan

    def on(self, session: Session, annotations: Annotations, other: Session | None) -> Inspector:
        """The inspector of the same model on another batch, with the same scan."""
        return Inspector(session, annotations, other, None if self.scan is None else self.scan.on(session.graph))

    def follow(self, selection: Selection) -> None:
        """Takes from a selection what holds for all layers: the edits, and what numbers are to rest on."""
        self.what_if.current, self.numbers.basis = selection.edits, selection.basis

    def layer(self, path: str, sample: int = 0) -> LayerData:
        """The data of a layer for one sample."""
        return LayerData(self._sources, path, sample)

    def choose_axis(self, path: str, axis: str) -> None:
        """Takes one layer's channels from another axis, a key of `layer_values.AXES`."""
        if self._values.choose_axis(path, axis):
            self.clear()

    def clear(self) -> None:
        """Forgets everything that was computed from activations; the activations themselves stay."""
        self._session.kept.drop(lambda key: key.kind not in {WHOLE, ROW})
        self._values.clear()
        self.measurements.clear()
        self._sources.graph.clear()
        self._sources.results.clear()
        self.what_if.clear()

    @property
    def what_if(self) -> WhatIf:
        """The model with edits."""
        return self._sources.what_if
