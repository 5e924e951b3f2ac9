"""Arrays to tensors and back, and what of a batch is passed on as it is."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from actwidget.keras_internals.backend import backend

Array = np.ndarray[Any, Any]


def as_tensors(value: Any, symbols: Any = None) -> Any:
    """Arrays as tensors, in the dtypes of a model's symbolic inputs where it has some; tensors stay as they are."""
    leaves = keras.tree.flatten(value)
    dtypes = [None] * len(leaves) if symbols is None else [tensor.dtype for tensor in keras.tree.flatten(symbols)]
    flat = [
        leaf if leaf is None or is_uneven(leaf) or is_option(leaf) else keras.ops.convert_to_tensor(leaf, dtype=dtype)
        for leaf, dtype in zip(leaves, dtypes, strict=True)
    ]
    return keras.tree.pack_sequence_as(value, flat)


def as_array(tensor: Any) -> Array:
    """A tensor's values, to be read only; bfloat16 as float32, sparse and ragged ones filled up with zeros."""
    return backend.to_array(tensor)


def is_option(value: Any) -> bool:
    """Whether an argument is a single value of Python's, as a flag or a factor, and goes to the model as it is."""
    return isinstance(value, (bool, int, float, str))


def is_shared(leaf: Any) -> bool:
    """Whether a leaf of a batch is the same for all samples: an input left out, an option, a single number."""
    return leaf is None or is_option(leaf) or len(leaf.shape) == 0


def is_uneven(value: Any) -> bool:
    """Whether a value is a ragged or sparse tensor, of which an array is only a picture, filled up with zeros."""
    return backend.is_ragged(value) or backend.is_sparse(value)
