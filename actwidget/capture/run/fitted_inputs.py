"""Converts the user's inputs to what a model takes: checks and preprocesses them, and tries them out if necessary."""

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

    Inputs that do not fit go through the model's `preprocessor` if it has one, as the tasks of KerasHub do. Inputs of
    different lengths are accepted if the model runs on them.

    Args:
        model: A model with a functional graph.
        inputs: The user's inputs.
        edited: Whether the model is edited, so that an edit may change token ids, which can't be checked beforehand.

    Raises:
        InvalidInputsError: They do not fit.
    """
    function = function_of(model)
    expected = function.inputs[0] if isinstance(model, keras.Sequential) else function.input
    try:
        batch = prepare(inputs, expected, model.name)
    except InvalidInputsError:
        prepared = preprocessed(model, inputs)
        if prepared is None:
            raise
        batch = prepare(prepared, expected, model.name).noted("Taken through model.preprocessor.")
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
    """The output of a model's `preprocessor` for inputs; `None` if it has none, or if that can't take the inputs.

    A preprocessor returns only the inputs, or a tuple of the inputs, the labels and the sample weights.
    """
    preprocessor = getattr(model, "preprocessor", None)
    if not callable(preprocessor):
        return None
    try:
        prepared = preprocessor(inputs)
    except Exception:  # noqa: BLE001 - the caller then raises an error about the model's own inputs
        return None
    return prepared[0] if isinstance(prepared, tuple) else prepared


def holds_text(inputs: Any) -> bool:
    """Whether there is text among the inputs."""
    try:
        arrays = [np.asarray(leaf) for leaf in keras.tree.flatten(inputs)]
    except Exception:  # noqa: BLE001 - objects of other array libraries may raise anything
        return False
    return any(
        array.dtype.kind in "US"
        or (array.dtype == object and array.size > 0 and all(isinstance(item, (str, bytes)) for item in array.flat))
        for array in arrays
    )
