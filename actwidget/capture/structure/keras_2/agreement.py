"""Whether a model of Keras 2 and its counterpart in Keras 3 compute the same, layer by layer and as a whole."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actwidget.capture.structure.keras_2.example import made_up_inputs
from actwidget.capture.structure.keras_2.rebuild import BY_HAND, Rebuilt, arguments_in_keras_3, mapped, remember
from actwidget.errors import InvalidInputsError, UnsupportedModelError, error_text
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.foreign.keras_2 import (
    Keras2Call,
    Tensor,
    calls_of_keras_2,
    identity,
    is_keras_2_graph,
    is_symbolic,
    symbolic_inputs,
    symbolic_outputs,
)
from actwidget.keras_internals.layers import flat_layers, takes_training

ROUNDING = {"bfloat16": 1e-1, "float16": 2e-2, "float32": 1e-4, "float64": 1e-4}
"""How far apart a layer's outputs may be, relative to the largest one, by the dtype in which it computes."""
WHOLE = 10
"""How many times as far apart the outputs of the whole model may be, in which roundings add up."""


def check_agreement(rebuilt: Rebuilt, model: Any, inputs: Any = None) -> None:
    """Raises an error unless each layer, and the model as a whole, gives in Keras 3 what it gives in Keras 2.

    Args:
        rebuilt: The counterpart.
        model: The model of Keras 2. It is as before afterwards; recurrent layers that keep their state get it back.
        inputs: A batch, in the structure in which the model takes it; by default a random one.

    Raises:
        InvalidInputsError: The model of Keras 2 itself does not take the inputs.
        UnsupportedModelError: They disagree. The message names the first layer that does.
    """
    symbolic = symbolic_inputs(model)
    tensors = [*map(_as_tensor, _flat(model, made_up_inputs(model) if inputs is None else inputs))]
    if len(tensors) != len(keras.tree.flatten(symbolic)):
        message = f"The model takes {len(keras.tree.flatten(symbolic))} inputs, got {len(tensors)}."
        raise InvalidInputsError(message)
    tensors = [_fitted(tensor, each) for tensor, each in zip(tensors, keras.tree.flatten(symbolic), strict=True)]
    batch = keras.tree.pack_sequence_as(symbolic, tensors)
    with _same_states(model, rebuilt) as put_back:
        try:
            expected = model(batch, training=False)
        except Exception as error:
            which = "random inputs" if inputs is None else "the inputs"
            message = (
                f"The Keras 2 model itself raises on {which}: {error_text(error)}. Give a batch that it takes: "
                "from_tf_keras(model, inputs)."
            )
            raise InvalidInputsError(message) from error
        put_back()
        _Walk(rebuilt).outputs(model, tensors, "")
        put_back()
        with _naming("the model"):  # compiled, as `predict` runs it: its layers ran eagerly
            found = tf.function(rebuilt.model)(batch, training=False)
        whole = difference(expected, found, WHOLE * _rounding(flat_layers(model)))
    if whole:
        what = f"the model gives {whole} than in Keras 2, though each of its layers alone agrees"
        raise _disagreement(what)


class _Walk:
    """A pass through a graph of Keras 2 in which each layer and its counterpart are called on the same values."""

    def __init__(self, rebuilt: Rebuilt) -> None:
        self._rebuilt = rebuilt

    def outputs(self, model: Any, inputs: list[Any], prefix: str) -> Any:
        """What a model gives. The first layer that disagrees raises an error with its path."""
        calls = list(calls_of_keras_2(model))
        uses = Counter(each for call in calls for each in _read(call))
        uses.update(_identities(symbolic_outputs(model)))
        values: dict[Tensor, Any] = {}
        for symbolic, value in zip(keras.tree.flatten(symbolic_inputs(model)), inputs, strict=True):
            values[identity(symbolic)] = value
        for call in calls:
            remember(call, self._call(call, values, prefix), values)
            for each in _read(call):
                uses[each] -= 1
                if not uses[each]:
                    values.pop(each, None)
        return mapped(symbolic_outputs(model), values)

    def _call(self, call: Keras2Call, values: dict[Tensor, Any], prefix: str) -> Any:
        layer, path = call.layer, prefix + call.layer.name
        args, kwargs = mapped(call.args, values), mapped(call.kwargs, values)
        if is_keras_2_graph(layer) and len(args) == 1 and not kwargs.keys() - {"training"}:
            return self.outputs(layer, keras.tree.flatten(args[0]), f"{path}/")
        # Some layers of Keras 2 and 3 take a call of their own, outside of a model, for training.
        inference = {"training": False} if "training" in inspect.signature(layer.call).parameters else {}
        expected = layer(*args, **inference | kwargs)
        args, kwargs = arguments_in_keras_3(call, values)
        counterpart = self._rebuilt.counterpart(layer)
        inference = {"training": False} if takes_training(counterpart) else {}
        what = f"layer {path!r}, a {type(layer).__name__},"
        with _naming(what):
            found = counterpart(*args, **inference | kwargs)
        if text := difference(expected, found, _rounding(flat_layers(layer))):
            said = f"{what} gives {text} than in Keras 2"
            raise _disagreement(said)
        return expected


def _disagreement(what: str) -> UnsupportedModelError:
    return UnsupportedModelError(f"Made into a Keras 3 model, {what}. {BY_HAND}")


@contextmanager
def _naming(what: str) -> Iterator[None]:
    """Says of what Keras 3 raises where it comes from."""
    try:
        yield
    except Exception as error:
        said = f"{what} raises {error_text(error)}"
        raise _disagreement(said) from error


def difference(expected: Any, found: Any, rounding: float) -> str:
    """How two structures of values differ, in words that `than` can follow; `""` if they agree.

    Args:
        expected: What Keras 2 gives.
        found: What Keras 3 gives.
        rounding: How far apart numbers may be, relative to the largest one.
    """
    pairs = [keras.tree.flatten(structure) for structure in (expected, found)]
    if len(pairs[0]) != len(pairs[1]):
        return f"{len(pairs[1])} values in place of {len(pairs[0])}, other"
    for one, other in zip(*(map(backend.to_array, values) for values in pairs), strict=True):
        if one.shape != other.shape:
            return f"shape {other.shape} in place of {one.shape}, another one"
        if not (np.issubdtype(one.dtype, np.number) and np.issubdtype(other.dtype, np.number)):
            if not np.array_equal(one, other):
                return "other values"
            continue
        first, second = one.astype(np.float64), other.astype(np.float64)
        scale = np.max(np.abs(first), initial=0.0, where=np.isfinite(first))
        if not np.allclose(first, second, rtol=0.0, atol=rounding * scale, equal_nan=True):
            apart = np.max(np.abs(first - second), initial=0.0, where=np.isfinite(first - second))
            return f"values up to {apart:.3g} apart, where the largest is {scale:.3g}, other"
    return ""


def _rounding(layers: list[Any]) -> float:
    """What the coarsest dtype among some layers allows for."""
    return max((ROUNDING.get(layer.compute_dtype, 0.0) for layer in layers), default=0.0)


def _flat(model: Any, inputs: Any) -> list[Any]:
    """The inputs in the order of the symbolic ones; a dict goes by the names of a model's inputs."""
    symbolic = symbolic_inputs(model)
    if isinstance(inputs, dict):
        names = list(symbolic) if isinstance(symbolic, dict) else model.input_names
        if not set(names) <= inputs.keys():
            message = f"The model takes {names}, got {list(inputs)}."
            raise InvalidInputsError(message)
        inputs = {name: inputs[name] for name in names} if isinstance(symbolic, dict) else [inputs[n] for n in names]
    return list(keras.tree.flatten(inputs))


def _as_tensor(value: Any) -> Any:
    return value if isinstance(value, (tf.RaggedTensor, tf.SparseTensor)) else tf.convert_to_tensor(value)


def _fitted(tensor: Any, symbolic: Any) -> Any:
    """A tensor in the dtype of an input, and with the last axis that Keras 2 adds where it is of length 1."""
    if isinstance(tensor, tf.Tensor) and tensor.shape.rank == symbolic.shape.rank - 1 and symbolic.shape[-1] == 1:
        tensor = tensor[..., None]
    return tensor if tf.string in (symbolic.dtype, tensor.dtype) else tf.cast(tensor, symbolic.dtype)


def _identities(structure: Any) -> list[Tensor]:
    return [identity(leaf) for leaf in keras.tree.flatten(structure) if is_symbolic(leaf)]


def _read(call: Keras2Call) -> list[Tensor]:
    """The symbolic tensors that a call is given."""
    return _identities((call.args, call.kwargs))


@contextmanager
def _same_states(model: Any, rebuilt: Rebuilt) -> Iterator[Callable[[], None]]:
    """Gives recurrent layers that keep a state the same one in both models, and again when called, and at the end."""
    old, new = _states(model), _states(rebuilt.model)
    if [state.shape for state in old] != [tuple(state.shape) for state in new]:
        what = "recurrent layers keep states of other shapes"
        raise _disagreement(what)
    values = [state.numpy() for state in old]

    def put_back() -> None:
        for one, other, value in zip(old, new, values, strict=True):
            one.assign(value)
            other.assign(value)

    put_back()
    try:
        yield put_back
    finally:
        put_back()


def _states(model: Any) -> list[Any]:
    """The variables in which recurrent layers keep their states."""
    layers = [layer for layer in flat_layers(model) if getattr(layer, "stateful", False)]
    found = [state for layer in layers for state in keras.tree.flatten(getattr(layer, "states", None) or [])]
    return list({id(state): state for state in found if hasattr(state, "assign")}.values())
