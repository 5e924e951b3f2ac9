"""One change of what flows: what goes on has the shape, the dtype and the mask of what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actwidget.errors import ActwidgetError, OptionError, shown, told
from actwidget.keras_internals.tensors import mask_of, set_mask


def change(by: Callable[[Any], Any], tensor: Any, where: str) -> Any:
    """What a layer or callable makes of a tensor.

    Args:
        by: The layer or callable.
        tensor: What comes, shape `(samples, ...)`.
        where: What it is put behind, for messages.

    Returns:
        A tensor of the same shape, of floats in the dtype that came, with the mask that came unless it has its own.

    Raises:
        OptionError: It gives no tensor, or one of another shape, or can't take the sparse or ragged one that comes.
    """
    try:
        result = by(tensor)
    except ActwidgetError:
        raise
    except Exception as error:
        if not isinstance(tensor, (tf.RaggedTensor, tf.SparseTensor)):
            raise
        message = (
            f"Expected what is put behind {where!r} to take the {type(tensor).__name__} that comes there, got "
            f"{told(error)}. Edit a layer after this one that gives a dense tensor, or use a callable for such tensors."
        )
        raise OptionError(message) from error
    if isinstance(result, (np.ndarray, np.generic)):  # of a callable that reckons with NumPy
        result = keras.ops.convert_to_tensor(result)
    if not keras.ops.is_tensor(result):
        raise _not_kept(tensor, where, shown(result))
    if not result.shape.is_compatible_with(tensor.shape):
        raise _not_kept(tensor, where, str(result.shape))
    mask = mask_of(result)
    if mask is None:
        mask = mask_of(tensor)
    if result.dtype != tensor.dtype and result.dtype.is_floating and tensor.dtype.is_floating:
        # A layer casts to its own dtype; what takes the value further on has been made for the model's.
        result = keras.ops.cast(result, tensor.dtype)
    if mask is not None:
        set_mask(result, mask)
    return result


def fits(shape: Sequence[int | None], expected: Sequence[int | None]) -> bool:
    """Whether a shape can be the expected one, as far as both are known."""
    return len(shape) == len(expected) and all(
        None in (got, want) or got == want for got, want in zip(shape, expected, strict=True)
    )


def _not_kept(tensor: Any, where: str, got: str) -> OptionError:
    message = (
        f"Expected what is put behind {where!r} to give a tensor of the shape that comes, {tensor.shape}, got {got}. "
        "Only values can be changed there: what follows is made for that shape."
    )
    return OptionError(message)
