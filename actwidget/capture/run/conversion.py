"""Converts arrays to tensors and back, and tells which inputs are passed on unchanged."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from actwidget.keras_internals.backend import backend

Array = np.ndarray[Any, Any]


def as_tensors(value: Any, symbols: Any = None) -> Any:
    """Converts arrays to tensors, in the dtypes of a model's symbolic inputs if it has any."""
    leaves = keras.tree.flatten(value)
    dtypes = [None] * len(leaves) if symbols is None else [tensor.dtype for tensor in keras.tree.flatten(symbols)]
    flat = [
        leaf if leaf is None or is_uneven(leaf) or is_option(leaf) else keras.ops.convert_to_tensor(leaf, dtype=dtype)
        for leaf, dtype in zip(leaves, dtypes, strict=True)
    ]
    return keras.tree.pack_sequence_as(value, flat)


def as_array(tensor: Any) -> Array:
    """A tensor's values, read-only; bfloat16 as float32, sparse and ragged tensors padded with zeros."""
    return backend.to_array(tensor)


def is_option(value: Any) -> bool:
    """Whether an argument is a plain Python value, such as a flag or a factor, which the model gets unchanged."""
    return isinstance(value, (bool, int, float, str))


def is_shared(leaf: Any) -> bool:
    """Whether a leaf of a batch is the same for all samples: an input left out, an option, a single number."""
    return leaf is None or is_option(leaf) or len(leaf.shape) == 0


def is_uneven(value: Any) -> bool:
    """Whether a value is a ragged or sparse tensor, which an array can only show padded with zeros."""
    return backend.is_ragged(value) or backend.is_sparse(value)


def columns(table: Any, array: Any) -> list[str]:
    """The names of the columns of a table, such as a `pandas.DataFrame`, of which an array was made; else none."""
    names = [str(name) for name in getattr(table, "columns", ())]
    return names if array is not None and array.shape[1:] == (len(names),) else []
