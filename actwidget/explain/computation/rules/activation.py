"""Activation functions, as a layer of their own, an operation, or the last step of another layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array, as_array
from actwidget.capture.semantics.table.activation_functions import works_value_by_value
from actwidget.explain.computation.arithmetic_result import Step
from actwidget.explain.computation.rules.indices import broadcast_index
from actwidget.explain.computation.site import Site, Sum, UnknownArithmeticError, weight_values
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import to_snake_case


def activated(found: Sum, function: Any, site: Site, line: Callable[[], Array] | None = None) -> Sum:
    """A sum with an activation function behind it.

    Args:
        found: The sum before the function.
        function: The function; `None` and `linear` change nothing.
        site: The value asked for.
        line: Gives the values before the function along the last axis, at the place of the value on the others. Without
            it a function that mixes them is unknown.
    """
    if function is None or function is keras.activations.linear:
        return found
    name = function_name(function)
    if works_value_by_value(function) or isinstance(function, keras.Layer):
        alone = _on(function, np.array([[found.result]]), site.dtype)
        if alone.size == 1 and (works_value_by_value(function) or _agrees(alone.item(), site.value)):
            return found.then(Step(name, float(alone.item())))
    if line is None:
        message = f"{name!r} mixes values in a way that is not known."
        raise UnknownArithmeticError(message)
    values = _on(function, line()[np.newaxis], site.dtype)
    return found.then(Step(name, float(values[0, site.index[-1]])))


def function_name(function: Any) -> str:
    """The name of a function or layer that is used as an activation."""
    return str(getattr(function, "__name__", None) or getattr(function, "name", type(function).__name__))


def by_itself(site: Site) -> Sum:
    """A layer or operation that changes each value of its one input by itself."""
    if len(site.inputs) != 1:
        message = f"{type(site.operation).__name__} of several tensors is no sum."
        raise UnknownArithmeticError(message)
    given = site.input
    found = Sum([given.products([broadcast_index(site.index, given.shape)])])
    value = keras.ops.convert_to_tensor(np.array(found.total).astype(given.array.dtype))
    is_float = isinstance(site.operation, keras.Layer) and given.array.dtype.kind == "f"
    value = keras.ops.cast(value, site.dtype if is_float else backend.dtype_of(given.tensor))
    result = float(as_array(site.run({id(given): value})[site.number]))
    return found.then(Step(to_snake_case(type(site.operation).__name__), result))


def activation(site: Site) -> Sum:
    """`Activation`: the function that it was given."""
    given = site.input
    found = Sum([given.products([site.index])])
    return activated(found, site.operation.activation, site, lambda: given.array[site.index[:-1]])


def along_axis(site: Site) -> Sum:
    """`Softmax` and its like: all values along an axis, or several, are set in relation."""
    operation, given = site.operation, site.input
    axes = getattr(operation, "axis", -1)
    every = {axis % given.array.ndim for axis in (axes if isinstance(axes, (tuple, list)) else [axes])}
    place = tuple(slice(None) if axis in every else at for axis, at in enumerate(site.index))
    values = given.array[place].astype("float64")
    mask = site.arguments.get("mask")
    if mask is not None:
        keep = np.broadcast_to(getattr(mask, "array", mask), given.shape)[place]
        values = np.where(keep, values, -np.inf)
    at = tuple(each for axis, each in enumerate(site.index) if axis in every)
    found = Sum([given.products([site.index])])
    name = to_snake_case(type(operation).__name__)
    functions = {"softmax": keras.ops.softmax, "log_softmax": keras.ops.log_softmax}
    function = functions.get(name) or getattr(keras.ops, name)
    result = _on(function, values.reshape(1, -1), site.dtype).reshape(values.shape)[at]
    steps = [Step(name, float(result))]
    if name == "softmax":
        total = float(np.exp(values - values.max()).sum() * np.exp(values.max()))
        steps = [Step("exp", float(np.exp(found.total))), Step("sum of exp over the axis", total), *steps]
    return found.then(*steps)


def prelu(site: Site) -> Sum:
    """`PReLU`: a value below zero is multiplied with a slope that is learned."""
    layer, given = site.operation, site.input
    alpha = weight_values(layer.alpha, site.dtype)
    at = tuple(0 if length == 1 else each for each, length in zip(site.index[1:], alpha.shape, strict=True))
    value = float(given.array[site.index])
    return Sum([given.products([site.index], 1.0 if value > 0 else float(alpha[at]))])


def masking(site: Site) -> Sum:
    """`Masking`: a step of which all values are the mask value becomes zero."""
    step = site.input.array[site.index[:-1]]
    kept = bool(np.any(step != np.asarray(site.operation.mask_value, step.dtype)))
    return Sum([site.input.products([site.index], 1.0 if kept else 0.0)])


def _on(function: Callable[[Any], Any], values: Array, dtype: str) -> Array:
    tensor = keras.ops.cast(keras.ops.convert_to_tensor(values.astype("float64")), dtype)
    return as_array(function(tensor)).astype("float64")


def _agrees(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-2, atol=1e-6))
