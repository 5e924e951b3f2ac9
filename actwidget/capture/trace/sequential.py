"""Builds a `Sequential` that has not been built yet for a sample batch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from actwidget.capture.run.inputs import built_shape, is_structure
from actwidget.errors import InvalidInputsError, ModelNotBuiltError, UnsupportedModelError, error_text
from actwidget.keras_internals.attributes import rolled_back_on_failure
from actwidget.keras_internals.isolation import isolated


def build_for(model: keras.Sequential, inputs: Any) -> None:
    """Builds a `Sequential` for a sample, if that is one array; for other structures it is not built but observed.

    One that is built, or whose class has a `call()` of its own, stays as it is.

    Args:
        model: The model.
        inputs: A batch, or one sample without a batch axis.

    Raises:
        UnsupportedModelError: It has no layers.
        ModelNotBuiltError: There are no inputs to build it with.
        InvalidInputsError: It can't be built for the inputs; it is unchanged.
    """
    if type(model).call is not keras.Sequential.call or model.built:
        return
    if not model.layers:
        message = f"Model {model.name!r} is a Sequential without layers. Add some: model.add(keras.layers.Dense(2))."
        raise UnsupportedModelError(message)
    if inputs is None:
        message = (
            f"Model {model.name!r} has not been built, so its layers have no shapes yet. Pass a batch as `inputs`, or "
            "start the model with keras.Input(shape)."
        )
        raise ModelNotBuiltError(message)
    if is_structure(inputs):
        return
    batch = built_shape(inputs, model.name)
    sample = (None, *np.shape(inputs))
    accepted = [shape for shape in (batch, sample) if _refusal(model, shape) is None]
    if not accepted:
        message = f"Model {model.name!r} can't take these inputs, of shape {np.shape(inputs)}: {_refusal(model, batch)}"
        raise InvalidInputsError(message)
    with rolled_back_on_failure(model):
        try:
            model.build(accepted[0])
        except Exception as error:  # a model that can't be copied was accepted without a trial
            message = f"Model {model.name!r} can't take these inputs, of shape {np.shape(inputs)}: {error_text(error)}"
            raise InvalidInputsError(message) from error


def _refusal(model: keras.Sequential, shape: tuple[int | None, ...]) -> str | None:
    """Why a `Sequential` can't be built for a shape. A copy is built, since a failed build can't be repeated."""
    with isolated([model], symbolic=True):
        try:
            copy = keras.models.clone_model(model)
        except Exception:  # noqa: BLE001 - without a copy nothing can be tried, so the build itself has to show it
            return None
        try:
            copy.build(shape)
        except Exception as error:  # noqa: BLE001 - a layer may raise anything
            return error_text(error)
    return None
