"""Applies an edit to a tensor and checks that the result can take the tensor's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import is_uneven
from actwidget.capture.structure.shapes import fits
from actwidget.errors import ActwidgetError, OptionError, error_text, shown
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.tensors import mask_of, set_mask


def apply_edit(edit: Callable[[Any], Any], tensor: Any, where: str) -> Any:
    """Applies a layer or callable to a tensor.

    Args:
        edit: The layer or callable.
        tensor: The tensor to edit, shape `(samples, ...)`.
        where: The path of the edited layer, for messages.

    Returns:
        A tensor of the same shape. Floats are cast to the dtype of `tensor`, and its mask is kept unless the result has
        a mask of its own.

    Raises:
        OptionError: The result is not a tensor or has another shape, or the edit can't take a sparse or ragged tensor.
    """
    try:
        result = edit(tensor)
    except ActwidgetError:
        raise
    except Exception as error:
        if not is_uneven(tensor):
            raise
        message = (
            f"Expected what is put behind {where!r} to take the {type(tensor).__name__} that comes there, got "
            f"{error_text(error)}. Edit a layer after this one that gives a dense tensor, or use a callable for such "
            "tensors."
        )
        raise OptionError(message) from error
    if isinstance(result, (np.ndarray, np.generic)):  # from a callable that computes with NumPy
        result = keras.ops.convert_to_tensor(result)
    if not keras.ops.is_tensor(result):
        raise _shape_error(tensor, where, shown(result))
    shape, expected = backend.shape_of(result), backend.shape_of(tensor)
    if shape is not None and expected is not None and not fits(shape, expected):
        raise _shape_error(tensor, where, str(result.shape))
    mask = mask_of(result)
    if mask is None:
        mask = mask_of(tensor)
    if result.dtype != tensor.dtype and _is_floating(result) and _is_floating(tensor):
        # An edit layer casts to its own dtype, but the layers after it expect the model's.
        result = keras.ops.cast(result, tensor.dtype)
    if mask is not None:
        set_mask(result, mask)
    return result


def _is_floating(tensor: Any) -> bool:
    return backend.dtype_of(tensor).startswith(("float", "bfloat"))


def _shape_error(tensor: Any, where: str, got: str) -> OptionError:
    message = (
        f"Expected what is put behind {where!r} to give a tensor of the shape that comes, {tensor.shape}, got {got}. "
        "Only values can be changed there: what follows is made for that shape."
    )
    return OptionError(message)
