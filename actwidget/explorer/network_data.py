"""`NetworkData`: what a view can ask about all layers of a model together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actwidget.analysis.summary import Summary
    from actwidget.capture.access.session import Session
    from actwidget.explorer.layer_values import LayerValues
    from actwidget.explorer.measurements import Measurements


@dataclass(frozen=True, eq=False)
class NetworkData:
    """All layers of a model for one batch.

    Attributes:
        session: Computes and caches the activations.
        values: Activations with their channels on the last axis.
        measurements: Statistics.
    """

    session: Session
    values: LayerValues
    measurements: Measurements

    def summaries(self) -> list[Summary]:
        """A summary of each layer with numeric values, in order of execution; the model runs if that is needed."""
        return self.measurements.summaries()

    def too_large(self) -> list[str]:
        """The layers without a summary because they don't fit in the byte budget."""
        return self.measurements.too_large()

    def without_value(self) -> list[str]:
        """The layers without a summary because they gave no tensor for this batch."""
        return self.measurements.without_value()
