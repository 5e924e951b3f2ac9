"""`Inspector`: gathers what is known of a layer, once, for whatever looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actwidget.capture.access.session import ROW, WHOLE
from actwidget.explorer.input_pictures import InputPictures
from actwidget.explorer.layer_data import LayerData, Sources
from actwidget.explorer.layer_values import LayerValues
from actwidget.explorer.measurements import Measurements
from actwidget.explorer.predictions import Predictions

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session
    from actwidget.explorer.annotations import Annotations


class Inspector:
    """Knows the layers of one session.

    Attributes:
        predictions: What the model answers.
        pictures: The inputs that are pictures.
        measurements: The statistics of layers.
    """

    def __init__(self, session: Session, annotations: Annotations, other: Session | None = None) -> None:
        """Looks at nothing yet.

        Args:
            session: Where activations come from.
            annotations: What a person has said about classes, labels and tokens.
            other: The session of another model of the same architecture on the same batch, to compare with.
        """
        self._session = session
        self._values = LayerValues(session)
        self.measurements = Measurements(session, self._values)
        self.pictures = InputPictures(session)
        self.predictions = Predictions(session, annotations.class_names, is_binary=annotations.is_binary)
        self._sources = Sources(session, self._values, self.measurements, self.pictures, annotations, other)

    def layer(self, path: str, sample: int = 0) -> LayerData:
        """What is known of a layer, looked at for one sample."""
        return LayerData(self._sources, path, sample)

    def choose_axis(self, path: str, axis: str) -> None:
        """Reads one layer's channels from another axis; see `layer_values.AXES`."""
        if self._values.choose_axis(path, axis):
            self.clear()

    def clear(self) -> None:
        """Forgets everything that was made of activations; the activations themselves stay."""
        self._session.kept.drop(lambda key: key.kind not in {WHOLE, ROW})
        self._values.clear()
        self.measurements.clear()
