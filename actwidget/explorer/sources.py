"""`Sources`: the objects that compute the data of all layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session
    from actwidget.explorer.annotations import Annotations
    from actwidget.explorer.answers.predictions import Predictions
    from actwidget.explorer.layer_values import LayerValues
    from actwidget.explorer.measurements import Measurements
    from actwidget.explorer.network.network import Network
    from actwidget.explorer.network.network_graph import NetworkGraph
    from actwidget.explorer.samples.input_pictures import InputPictures
    from actwidget.explorer.scanned.numbers import Numbers
    from actwidget.explorer.scanned.scan_source import ScanSource
    from actwidget.explorer.what_if.outcome import WhatIf
    from actwidget.explorer.work import Results


@dataclass(frozen=True, eq=False)
class Sources:
    """The objects that compute the data of a layer.

    Attributes:
        session: Activations, as the model gives them.
        values: Activations with their channels on the last axis.
        measurements: Statistics over the batch.
        numbers: Statistics over a scan or the batch, as they stand on screen.
        network: All layers together.
        graph: The model as a drawing of its layers and the tensors between them.
        pictures: The inputs that are pictures.
        annotations: The class names, labels and tokens that the user has given.
        predictions: The model's answers.
        what_if: The model with edits.
        results: What views have computed step by step.
        other: The session of the model to compare with, on the same batch.
        other_predictions: The answers of that model.
        scan: A scan of the model; `None` for none.
    """

    session: Session
    values: LayerValues
    measurements: Measurements
    numbers: Numbers
    network: Network
    graph: NetworkGraph
    pictures: InputPictures
    annotations: Annotations
    predictions: Predictions
    what_if: WhatIf
    results: Results
    other: Session | None = None
    other_predictions: Predictions | None = None
    scan: ScanSource | None = None
