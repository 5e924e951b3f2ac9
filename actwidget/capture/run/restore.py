"""Forward passes that leave no trace: arrays in, arrays out, errors in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actwidget.capture.run.failures import Failing
from actwidget.keras_internals.isolation import isolated, read
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.marks import same_marks

Array = np.ndarray[Any, Any]


@contextmanager
def unchanged(
    model: keras.Model, layers: Sequence[keras.Layer] | None = None, name: str = "", *, trial: bool = False
) -> Iterator[None]:
    """Runs a forward pass that leaves a model, and the random numbers that come next, as they were.

    What the pass writes only its own thread sees, and only until the pass ends: another thread can train the model.

    Args:
        model: The model.
        layers: What of it runs; by default the whole.
        name: What it is called in messages, if that is not the model's own name.
        trial: Whether nobody asked for this pass: then lists and counters of the user's layers are put back as well.

    Raises:
        CaptureError: What ran inside raised; the cause is chained.
    """
    running = [model] if layers is None else layers
    every = list({id(inner): inner for layer in running for inner in flat_layers(layer)}.values())
    # What a SavedModel has compiled writes where nobody can see it.
    compiled = [layer for layer in every if isinstance(layer, keras.layers.TFSMLayer)]
    variables = [variable.value for layer in compiled for variable in layer.non_trainable_variables]
    before = [read(variable) for variable in variables]
    try:
        with Failing(name or model.name), same_marks(every, trial=trial), isolated(every):
            yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)


def variables_of(running: Sequence[keras.Layer], every: Sequence[keras.Layer]) -> list[keras.Variable]:
    """All variables; a stateful recurrent layer keeps its states where `variables` does not look."""
    # A layer of the user's may call itself stateful and have none of these.
    recurrent = [getattr(layer, "states", None) for layer in every if getattr(layer, "stateful", False)]
    states = [leaf for leaf in keras.tree.flatten(recurrent) if isinstance(leaf, keras.Variable)]
    found = [*(variable for layer in running for variable in layer.variables), *states]
    return list({id(variable): variable for variable in found}.values())


def as_tensors(value: Any, symbols: Any = None) -> Any:
    """Arrays as tensors, in the dtypes of a model's symbolic inputs where it has some; tensors stay as they are."""
    leaves = keras.tree.flatten(value)
    dtypes = [None] * len(leaves) if symbols is None else [tensor.dtype for tensor in keras.tree.flatten(symbols)]
    flat = [
        array if _goes_as_it_is(array) else keras.ops.convert_to_tensor(array, dtype=dtype)
        for array, dtype in zip(leaves, dtypes, strict=True)
    ]
    return keras.tree.pack_sequence_as(value, flat)


def _goes_as_it_is(value: Any) -> bool:
    return value is None or is_uneven(value) or is_option(value)


def is_option(value: Any) -> bool:
    """Whether an argument is a single value of Python's, as a flag or a factor, and goes to the model as it is."""
    return isinstance(value, (bool, int, float, str))


def is_shared(leaf: Any) -> bool:
    """Whether a leaf of a batch is the same for all samples: an input left out, an option, a single number."""
    return leaf is None or is_option(leaf) or len(leaf.shape) == 0


def is_uneven(value: Any) -> bool:
    """Whether a value is a ragged or sparse tensor, of which an array is only a picture, filled up with zeros."""
    return isinstance(value, (tf.RaggedTensor, tf.SparseTensor))


def as_array(tensor: Any) -> Array:
    """A tensor's values, to be read only; bfloat16 as float32, sparse and ragged ones filled up with zeros."""
    if getattr(tensor, "dtype", None) == tf.bfloat16:
        tensor = keras.ops.cast(tensor, "float32")
    try:
        # The tensor's own memory: no copy, of which a large model's activations would take a tenth of its forward pass.
        return np.asarray(memoryview(tensor))
    except (TypeError, ValueError):
        # `numpy()`, not `np.array`, by which TensorFlow's tensors make NumPy warn.
        return np.asarray(keras.ops.convert_to_tensor(tensor, sparse=False, ragged=False).numpy())
