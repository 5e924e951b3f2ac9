"""Elementwise sums and products of several values, and the larger or smaller of them."""

from __future__ import annotations

import functools
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import as_array
from actwidget.explain.computation.arithmetic_result import Index, Products, Source, Step
from actwidget.explain.computation.rules.indices import broadcast_index
from actwidget.explain.computation.site import Rule, Site, Sum, Tensor, UnknownArithmeticError
from actwidget.keras_internals.classes import to_snake_case


def weighted(*weights: float) -> Rule:
    """A rule for a sum whose arguments have fixed weights, the last of them for all further ones."""

    def rule(site: Site) -> Sum:
        groups: list[Products] = []
        bias: float | None = None
        for number, value in enumerate(operands(site)):
            weight = weights[min(number, len(weights) - 1)]
            if isinstance(value, Tensor):
                groups.append(value.products([place(site, value)], weight))
            else:
                bias = (bias or 0.0) + weight * constant(site, value)
        return Sum(groups, bias)

    return rule


def average(site: Site) -> Sum:
    """`Average`: each input with the same weight."""
    given = site.inputs
    return Sum([each.products([place(site, each)], 1 / len(given)) for each in given])


def multiply(site: Site) -> Sum:
    """A product: the first value, with the product of the others as its weight."""
    given = [value for value in operands(site) if isinstance(value, Tensor)]
    fixed = [constant(site, value) for value in operands(site) if not isinstance(value, Tensor)]
    first, *others = given
    factors = [each.source(place(site, each)) for each in others]
    weight = float(np.prod([*fixed, *(factor.value for factor in factors)]))
    return Sum([first.products([place(site, first)], weight, _fixed(tuple(factors)))])


def divide(site: Site) -> Sum:
    """A quotient: the first value, with one over the second as its weight."""
    above, below = operands(site)
    if not isinstance(above, Tensor):
        found = Sum([below.products([place(site, below)])])
        return found.then(Step(f"{constant(site, above):.4g} divided by it", constant(site, above) / found.total))
    if not isinstance(below, Tensor):
        return Sum([above.products([place(site, above)], 1 / constant(site, below))])
    factor = below.source(place(site, below))
    with np.errstate(divide="ignore"):
        weight = float(np.float64(1.0) / np.float64(factor.value))
    return Sum([above.products([place(site, above)], weight, _fixed((factor,)))])


def largest(site: Site) -> Sum:
    """`Maximum`: the winner has weight 1, the others 0."""
    return _winner(site, max)


def smallest(site: Site) -> Sum:
    """`Minimum`: the winner has weight 1, the others 0."""
    return _winner(site, min)


def _winner(site: Site, choose: Any) -> Sum:
    values = operands(site)
    tensors = [value for value in values if isinstance(value, Tensor)]
    numbers = [tensor.source(place(site, tensor)).value for tensor in tensors]
    if len(tensors) < len(values):
        bound = choose(constant(site, value) for value in values if not isinstance(value, Tensor))
        found = Sum([tensors[0].products([place(site, tensors[0])])])
        return found.then(Step(to_snake_case(type(site.operation).__name__), choose(found.total, bound)))
    winner = numbers.index(choose(numbers))
    return Sum([each.products([place(site, each)], 1.0 if at == winner else 0.0) for at, each in enumerate(tensors)])


def operands(site: Site) -> list[Any]:
    """What is merged: the first argument of a layer, a list, or the arguments of an operation."""
    given = [*site.arguments.values()]
    merged = given[:1] if isinstance(site.operation, keras.Layer) else given
    return [leaf for leaf in keras.tree.flatten(merged) if leaf is not None]


def place(site: Site, given: Tensor) -> Index:
    """The place in an argument that is broadcast to the shape of the output.

    Keras's merging layers put missing axes behind that of the samples, operations put them first.
    """
    index, shape = site.index, given.shape
    if isinstance(site.operation, keras.Layer) and 0 < len(shape) < len(index):
        index = (index[0], *index[len(index) - len(shape) + 1 :])
    return broadcast_index(index, shape)


def constant(site: Site, value: Any) -> float:
    """What an argument that is no tensor of the pass has at the place of the value.

    Raises:
        UnknownArithmeticError: It has no number there.
    """
    array = as_array(keras.ops.convert_to_tensor(value))
    if array.dtype.kind not in "biuf":
        message = f"{type(site.operation).__name__} was given something that is no number."
        raise UnknownArithmeticError(message)
    return float(array[broadcast_index(site.index, tuple(array.shape))])


def _fixed(sources: tuple[Source, ...]) -> Any:
    return functools.partial(_same, sources) if sources else None


def _same(sources: tuple[Source, ...], _number: int) -> tuple[Source, ...]:
    return sources
