"""The gradients of the training loss by the weights, computed beside the training."""

from __future__ import annotations

import inspect
import math
from typing import Any

import keras

from actwidget.capture.run.conversion import Array, as_array
from actwidget.capture.run.restore import unchanged
from actwidget.keras_internals.backend import backend
from actwidget.training.weights import State, squares


def loss_gradients(
    model: keras.Model, x: Any, y: Any, sample_weight: Any = None, *, before: State | None = None
) -> dict[int, Array | None]:
    """The gradient of the loss with which a model was compiled, in training mode, by each variable that it trains.

    They are those before clipping, of the loss of one batch with what layers add to it, not scaled for half precision.

    Args:
        model: A compiled model; it is left unchanged.
        x: The inputs, as tensors.
        y: The labels.
        sample_weight: The weight of each sample, or None.
        before: The values that the variables of the model shall have, in place of those that they have now.

    Returns:
        For the `id` of each trained variable its gradient; None where the loss does not depend on it.

    Raises:
        CaptureError: The forward pass failed.
    """
    variables = list(model.trainable_variables)
    with unchanged(model):
        if before is not None:
            before.put_back()  # as everything that is written in this block, for this block alone
        scale = _scale(model)
        values = [keras.ops.convert_to_tensor(variable.value) for variable in variables]

        def loss(*given: Any) -> tuple[Any, None]:
            for variable, value in zip(variables, given, strict=True):
                variable.assign(value)
            total = _loss(model, x, y, sample_weight)
            return keras.ops.cast(total, "float32") * scale, None

        _, gradients = backend.with_gradients(loss, values)
    arrays = [None if each is None else as_array(each) / scale for each in gradients]
    return dict(zip(map(id, variables), arrays, strict=True))


def _loss(model: Any, x: Any, y: Any, sample_weight: Any) -> Any:
    outputs = model(x, training=True)
    takes_training = "training" in inspect.signature(model.compute_loss).parameters
    return model.compute_loss(x, y, outputs, sample_weight, **({"training": True} if takes_training else {}))


def _scale(model: Any) -> float:
    """By what the optimizer multiplies the loss before it differentiates, so that half precision holds the result."""
    scaled = model.optimizer.scale_loss(keras.ops.ones(()))
    scale = float(as_array(keras.ops.convert_to_tensor(scaled)))
    return scale if math.isfinite(scale) and scale > 0 else 1.0


def gradient_norm(gradients: dict[int, Array | None], weights: list[Any]) -> float | None:
    """The norm of the gradient by several weights together; None if none of them is trained."""
    known = [gradients[id(weight)] for weight in weights if id(weight) in gradients]
    if not known:
        return None
    return math.sqrt(sum(squares(each) for each in known if each is not None))
