"""What a person gives, brought to what a model takes: checked, preprocessed, tried where only trying tells."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import as_tensors
from actwidget.capture.run.inputs import Batch, different_lengths, prepare
from actwidget.capture.run.restore import unchanged
from actwidget.capture.run.token_ids import check_tokens
from actwidget.errors import CaptureError, InvalidInputsError
from actwidget.keras_internals.graph import function_of


def fitted(model: keras.Model, inputs: Any, *, edited: bool = False) -> Batch:
    """Inputs as a functional model takes them.

    What does not fit as it is goes through the model's `preprocessor`, where it has one, as the tasks of KerasHub do.
    Inputs of different lengths are right where the model runs on them.

    Args:
        model: A model with a functional graph.
        inputs: What the user gave.
        edited: Whether its values are changed on their way, so that ids can't be checked beforehand.

    Raises:
        InvalidInputsError: They do not fit.
    """
    function = function_of(model)
    expected = function.inputs[0] if isinstance(model, keras.Sequential) else function.input
    try:
        batch = prepare(inputs, expected, model.name)
    except InvalidInputsError:
        made = preprocessed(model, inputs)
        if made is None:
            raise
        batch = prepare(made, expected, model.name).noted("Taken through model.preprocessor.")
    if not edited:
        check_tokens(function, batch, model.name)
    if batch.lengths:
        try:
            with unchanged(model):
                model(as_tensors(batch.fed, expected), training=False)
        except CaptureError as error:
            raise different_lengths(batch.lengths, model.name) from error
    return batch


def preprocessed(model: keras.Model, inputs: Any) -> Any | None:
    """What a model's `preprocessor` makes of inputs; `None` where it has none, or that can't take them.

    A preprocessor gives the inputs alone, or a tuple of these, the labels and the weights of the samples.
    """
    preprocessor = getattr(model, "preprocessor", None)
    if not callable(preprocessor):
        return None
    try:
        made = preprocessor(inputs)
    except Exception:  # noqa: BLE001 - what it can't take is refused in the words of the model's inputs
        return None
    return made[0] if isinstance(made, tuple) else made


def holds_text(inputs: Any) -> bool:
    """Whether there are texts among inputs."""
    try:
        arrays = [np.asarray(leaf) for leaf in keras.tree.flatten(inputs)]
    except Exception:  # noqa: BLE001 - an array library of its own may raise anything
        return False
    return any(
        array.dtype.kind in "US"
        or (array.dtype == object and array.size > 0 and all(isinstance(item, (str, bytes)) for item in array.flat))
        for array in arrays
    )
