"""A `Sequential` that nothing has built yet, built for a sample."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from actwidget.capture.run.inputs import built_shape, is_structure
from actwidget.errors import InvalidInputsError, ModelNotBuiltError, UnsupportedModelError, told
from actwidget.keras_internals.attributes import rolled_back_on_failure
from actwidget.keras_internals.isolation import isolated


def build_for(model: keras.Sequential, inputs: Any) -> None:
    """Builds a `Sequential` for a sample, if it is one array; on other structures it runs layer by layer.

    One that is built, or whose class has a `call()` of its own, stays as it is.

    Args:
        model: The model.
        inputs: A batch, or one sample without a batch axis.

    Raises:
        UnsupportedModelError: It has no layers.
        ModelNotBuiltError: There is no sample.
        InvalidInputsError: It can't be built for that sample; it is as it was.
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
    found = [shape for shape in (batch, sample) if _refusal(model, shape) is None]
    if not found:
        message = f"Model {model.name!r} can't take these inputs, of shape {np.shape(inputs)}: {_refusal(model, batch)}"
        raise InvalidInputsError(message)
    with rolled_back_on_failure(model):
        try:
            model.build(found[0])
        except Exception as error:  # of a layer that can't be copied, so that it could not be tried out
            message = f"Model {model.name!r} can't take these inputs, of shape {np.shape(inputs)}: {told(error)}"
            raise InvalidInputsError(message) from error


def _refusal(model: keras.Sequential, shape: tuple[int | None, ...]) -> str | None:
    """Why a `Sequential` can't be built for a shape, tried out on a copy: one that fails can't be built again."""
    with isolated([model], symbolic=True):
        try:
            copy = keras.models.clone_model(model)
        except Exception:  # noqa: BLE001 - a layer that can't be copied can't be tried out
            return None
        try:
            copy.build(shape)
        except Exception as error:  # noqa: BLE001 - whatever a layer says
            return told(error)
    return None
