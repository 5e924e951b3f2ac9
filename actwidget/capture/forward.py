"""Forward passes that leave no trace: arrays in, variables put back, errors in words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common.global_state import get_global_attribute, set_global_attribute
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR

from actwidget.capture.failing import Failing
from actwidget.capture.level import function_of

Array = np.ndarray[Any, Any]


@contextmanager
def unchanged(model: keras.Model, layers: Sequence[keras.Layer] | None = None, name: str = "") -> Iterator[None]:
    """Puts a model's counters, seeds and moving statistics back afterwards.

    Args:
        model: The model.
        layers: What of it runs; by default the whole.
        name: What it is called in messages, if that is not the model's own name.

    Raises:
        CaptureError: What ran inside raised; the cause is chained.
    """
    running = [model] if layers is None else layers
    every = list({id(inner): inner for layer in running for inner in layer._flatten_layers()}.values())
    variables = [*(variable.value for variable in _movable(running, every)), *_raw(every)]
    state = [read(variable) for variable in variables]
    try:
        with Failing(name or model.name), _same_call_marks(every), same_random_states():
            yield
    finally:
        # The raw operations share memory and cost a tenth of Variable.assign, which counts in a model of 300 variables.
        for variable, before in zip(variables, state, strict=True):
            tf.raw_ops.AssignVariableOp(resource=variable.handle, value=before)


def same_call_marks(model: keras.Model) -> AbstractContextManager[None]:
    """Leaves what a model's layers remember of their last real call: losses, tensors, and whether there was one."""
    return _same_call_marks(model._flatten_layers())


@contextmanager
def _same_call_marks(layers: Sequence[keras.Layer]) -> Iterator[None]:
    remembered = [(list(layer._losses), set(layer._loss_ids), layer._called) for layer in layers]
    # What a layer sets while it is built it needs from then on.
    kept = [(layer, dict(vars(layer))) for layer in _own(layers) if layer.built]
    try:
        yield
    finally:
        for layer, (losses, ids, called) in zip(layers, remembered, strict=True):
            layer._losses[:] = losses
            layer._loss_ids.clear()
            layer._loss_ids.update(ids)
            layer._called = called
        for layer, before in kept:
            _put_back(vars(layer), before)


def _put_back(attributes: dict[str, Any], before: dict[str, Any]) -> None:
    """Puts attributes back that were set to tensors, as to the scores of the last call: those of a trial hold nothing.

    With them goes what may be told of them: that they are there, how long they are.

    Args:
        attributes: The attributes of a layer, as they are now.
        before: The same, as they were.
    """
    missing = object()
    changed = {name: value for name, value in attributes.items() if value is not before.get(name, missing)}
    tensors = {name for name, value in changed.items() if any(isinstance(leaf, _TENSORS) for leaf in _leaves(value))}
    if not tensors:
        return
    told = {name for name, value in changed.items() if all(isinstance(leaf, _PLAIN) for leaf in _leaves(value))}
    for name in tensors | told:
        if name in before:
            attributes[name] = before[name]
        else:
            del attributes[name]


def read(variable: Any) -> Any:
    """The value of a `tf.Variable` as it is now. Nothing is copied before the variable is written."""
    return tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)


@contextmanager
def same_name_scope() -> Iterator[None]:
    """Leaves Keras's stack of name scopes as it was.

    A scope that TensorFlow refuses, of a layer called `a@1` in a graph, stays on that stack: from then on no name in
    the process is valid.
    """
    stack = get_global_attribute("name_scope_stack", default=[], set_to_default=True)
    depth = len(stack)
    try:
        yield
    finally:
        del stack[depth:]


def _movable(running: Sequence[keras.Layer], every: Sequence[keras.Layer]) -> list[keras.Variable]:
    """The variables that a pass through some layers can write.

    Keras's own layers write none that is trained, but for SpectralNormalization, which sets a kernel; a layer of the
    user's can write any.
    """
    tame = all(
        function_of(layer) is not None
        or (type(layer).__module__.startswith("keras.src.layers.") and not isinstance(layer, _WRITERS))
        for layer in every
    )
    # Metrics that a layer updates while it runs; Keras leaves them out of its variables.
    counted = [variable for layer in every for metric in layer._metrics for variable in metric.variables]
    return [*counted, *(each for each in variables_of(running, every) if not (tame and each.trainable))]


def _raw(every: Sequence[keras.Layer]) -> list[tf.Variable]:
    """TensorFlow's own variables and random generators that layers of the user's hold, of which Keras knows nothing."""
    values = [leaf for layer in _own(every) for value in vars(layer).values() for leaf in _leaves(value)]
    values = [leaf.state if isinstance(leaf, tf.random.Generator) else leaf for leaf in values]
    return [leaf for leaf in values if isinstance(leaf, tf.Variable)]


def _own(layers: Sequence[keras.Layer]) -> list[keras.Layer]:
    """Those that are none of Keras's classes."""
    return [layer for layer in layers if not type(layer).__module__.startswith("keras.src.")]


def _leaves(value: Any) -> list[Any]:
    """A value, or what a list or dict holds: no deeper, as nobody keeps a counter there."""
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, (list, tuple)) else [value]


@contextmanager
def same_random_states() -> Iterator[None]:
    """Leaves the next random numbers of the process as they were: of Python, of NumPy, and the unseeded ones of Keras.

    Those of Keras come from one generator, which the first of them makes.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the state that layers draw from
    generator = get_global_attribute(GLOBAL_SEED_GENERATOR)
    seed = None if generator is None else read(generator.state.value)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        if generator is None:
            set_global_attribute(GLOBAL_SEED_GENERATOR, None)
        else:
            tf.raw_ops.AssignVariableOp(resource=generator.state.value.handle, value=seed)


_PLAIN = (type(None), bool, int, float, str)
_TENSORS = (tf.Tensor, tf.RaggedTensor, tf.SparseTensor, keras.KerasTensor)

_WRITERS = (keras.layers.SpectralNormalization, keras.layers.Lambda, keras.layers.TFSMLayer)


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
        array if array is None or is_uneven(array) else keras.ops.convert_to_tensor(array, dtype=dtype)
        for array, dtype in zip(leaves, dtypes, strict=True)
    ]
    return keras.tree.pack_sequence_as(value, flat)


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
