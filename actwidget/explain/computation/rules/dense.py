"""`Dense`, `EinsumDense` and `Embedding`: sums over what the layer is given at one place."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array
from actwidget.explain.computation.arithmetic_result import Step
from actwidget.explain.computation.rules.activation import activated
from actwidget.explain.computation.rules.indices import grid
from actwidget.explain.computation.site import Site, Sum, UnknownArithmeticError, weight_values


def dense(site: Site) -> Sum:
    """`Dense`: the values along the last axis, each times its weight."""
    layer, given = site.operation, site.input
    *place, unit = site.index
    kernel = keras.ops.convert_to_tensor(layer.kernel)
    indices = [(*place, number) for number in range(given.shape[-1])]
    products = given.products(indices, weight_values(kernel[:, unit], site.dtype))
    bias = None if layer.bias is None else float(weight_values(layer.bias[unit], site.dtype))

    def line() -> Array:
        values = products.inputs @ weight_values(kernel, site.dtype)
        return values if layer.bias is None else values + weight_values(layer.bias, site.dtype)

    return activated(Sum([products], bias), layer.activation, site, line)


def einsum_dense(site: Site) -> Sum:
    """`EinsumDense`: the values along the letters of the equation that the result does not have."""
    layer = site.operation
    found = _einsum_sum(site, site.index)

    def line() -> Array:
        last = site.output.shape[-1]
        return np.array([_einsum_sum(site, (*site.index[:-1], unit)).total for unit in range(last)])

    return activated(found, layer.activation, site, line)


def _einsum_sum(site: Site, index: tuple[int, ...]) -> Sum:
    layer, given = site.operation, site.input
    places, weights = einsum_terms(layer.equation, given.shape, layer.kernel.shape, index)
    kernel = keras.ops.convert_to_tensor(layer.kernel)
    fixed = tuple(slice(None) if np.ptp(axis) else int(axis[0]) for axis in weights.T)
    part = weight_values(kernel[fixed], site.dtype)
    free = tuple(axis for axis, at in zip(weights.T, fixed, strict=True) if isinstance(at, slice))
    values = part[free] if free else np.broadcast_to(part, len(weights))
    bias = None
    if layer.bias is not None:
        shape = tuple(layer.bias.shape)
        at = tuple(0 if length == 1 else each for each, length in zip(index[-len(shape) :], shape, strict=True))
        bias = float(weight_values(layer.bias, site.dtype)[at])
    return Sum([given.products(places, values)], bias)


def einsum_terms(equation: str, first: Any, second: Any, index: tuple[int, ...]) -> tuple[Array, Array]:
    """The indices in the two operands of an einsum whose products add up to one value of the result.

    Args:
        equation: The equation, such as `"abc,cd->abd"`; an ellipsis stands for axes of the first operand.
        first: The shape of the first operand.
        second: That of the second.
        index: The index of the value.

    Returns:
        For each product the index in the first operand and that in the second.

    >>> one, other = einsum_terms("ab,bc->ac", (1, 2), (2, 3), (0, 2))
    >>> one.tolist(), other.tolist()
    ([[0, 0], [0, 1]], [[0, 2], [1, 2]])
    """
    given, _, result = equation.replace(" ", "").partition("->")
    one, _, other = given.partition(",")
    missing = len(first) - len(one.replace("...", ""))
    spare = "".join(letter for letter in "αβγδεζηθ" if letter not in equation)[:missing]
    one, other, result = (each.replace("...", spare) for each in (one, other, result))
    if len(one) != len(first) or len(other) != len(second) or len(result) != len(index):
        message = f"The equation {equation!r} does not tell which values go into one of its result."
        raise UnknownArithmeticError(message)
    at = dict(zip(result, index, strict=True))
    lengths = {**dict(zip(other, second, strict=True)), **dict(zip(one, first, strict=True))}
    summed = [letter for letter in dict.fromkeys(one + other) if letter not in at]
    combinations = grid(*(range(lengths[letter]) for letter in summed))
    columns = {letter: combinations[:, number] for number, letter in enumerate(summed)}

    def places(letters: str) -> Array:
        every = [columns.get(each, np.full(len(combinations), at.get(each, 0))) for each in letters]
        return np.stack(every, axis=-1) if every else np.zeros((len(combinations), 0), int)

    return places(one), places(other)


def embedding(site: Site) -> Sum:
    """`Embedding`: the token is the number of a row, and the value stands in it."""
    *place, unit = site.index
    found = Sum([site.input.products([place])])
    token = int(found.total)
    row = weight_values(keras.ops.convert_to_tensor(site.operation.embeddings)[token], site.dtype)
    return found.then(Step(f"row {token} of the embeddings", float(row[unit])))


def reversible_embedding(site: Site) -> Sum:
    """`ReversibleEmbedding`: an embedding, or in reverse the product with each of its rows.

    What it computes in reverse with a limit goes through a `tanh` that keeps within it.
    """
    layer, given = site.operation, site.input
    if not site.arguments.get("reverse", False):
        return embedding(site)
    *place, token = site.index
    tied = layer.tie_weights
    weights = (
        keras.ops.convert_to_tensor(layer.embeddings)[token]
        if tied
        else keras.ops.convert_to_tensor(layer.reverse_embeddings)[:, token]
    )
    indices = [(*place, number) for number in range(given.shape[-1])]
    found = Sum([given.products(indices, weight_values(weights, layer.reverse_dtype or site.dtype))])
    cap = getattr(layer, "logit_soft_cap", None)
    if cap is None:
        return found
    return found.then(Step(f"kept within {cap:.4g}", float(np.tanh(found.total / cap) * cap)))
