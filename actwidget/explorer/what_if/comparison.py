"""A layer of the model with edits, to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from actwidget.explorer.answers.predictions import Predictions

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array
    from actwidget.explorer.what_if.edits import Edits


def edited_values(data: LayerData, edits: Edits) -> tuple[Array, str]:
    """A layer's values in the model with edits, for the sample and in the layout of `data.value`, and its answer.

    Args:
        data: The layer in the model as it is.
        edits: The edits.

    Raises:
        CaptureError: The forward pass failed.
        NotCapturableError: An edit could not be made for this batch.
    """
    session = data.sources.what_if.session(edits)
    session.look(data.path, [data.own_sample])
    row = session.row(data.path, data.own_sample)
    values = data.value if row is None else data.sources.values.channels_last(data.path, row.value[np.newaxis])[0]
    return values, Predictions(session, data.sources.annotations).answers(data.sample).words
