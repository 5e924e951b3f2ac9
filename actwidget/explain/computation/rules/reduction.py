"""Sums, means and extremes along axes, and products of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from actwidget.capture.run.conversion import Array
from actwidget.explain.computation.arithmetic_result import Products, Source
from actwidget.explain.computation.rules.dense import einsum_terms
from actwidget.explain.computation.rules.indices import grid
from actwidget.explain.computation.site import Site, Sum, Tensor, UnknownArithmeticError


def summed(site: Site) -> Sum:
    """`sum`: each value with weight 1."""
    return Sum([site.input.products(_reduced(site))])


def mean(site: Site) -> Sum:
    """`mean`: each value with the same weight."""
    places = _reduced(site)
    return Sum([site.input.products(places, 1 / len(places))])


def largest(site: Site) -> Sum:
    """`max`: the winner has weight 1, the others 0."""
    return _extreme(site, np.argmax)


def smallest(site: Site) -> Sum:
    """`min`: the winner has weight 1, the others 0."""
    return _extreme(site, np.argmin)


def _extreme(site: Site, find: Callable[[Array], Any]) -> Sum:
    places = _reduced(site)
    weights = np.zeros(len(places))
    weights[find(site.input.products(places).inputs)] = 1.0
    return Sum([site.input.products(places, weights)])


def _reduced(site: Site) -> Array:
    """The places in the input that come together in one value."""
    operation, shape = site.operation, site.input.shape
    axes = operation.axis
    every = range(len(shape)) if axes is None else axes if isinstance(axes, (tuple, list)) else [axes]
    along = {axis % len(shape) for axis in every}
    index = iter(site.index)
    kept = [
        (next(index) if axis not in along or operation.keepdims else 0) if len(site.index) else 0
        for axis in range(len(shape))
    ]
    return grid(*(range(length) if axis in along else [kept[axis]] for axis, length in enumerate(shape)))


def matmul(site: Site) -> Sum:
    """`matmul`: a row of the first matrix times a column of the second."""
    one, other = _two(site)
    first, second, index = _shape(one), _shape(other), site.index
    rows, columns = len(first) > 1, len(second) > 1
    outer = index[: len(index) - rows - columns]
    tail = index[len(outer) :]
    count = first[-1]
    numbers = np.arange(count)
    row = [tail[0]] if rows else []
    column = [tail[-1]] if columns else []
    left = [*_outer(outer, first[:-2]), *row]
    right = _outer(outer, second[:-2])
    places = np.array([[*left, number] for number in numbers], int)
    others = np.array([[*right, number, *column] for number in numbers], int)
    return Sum([pairs(one, places, other, others)])


def einsum(site: Site) -> Sum:
    """`einsum` of two operands: the products along the letters that the result does not have."""
    one, other = _two(site)
    places, others = einsum_terms(site.operation.subscripts, _shape(one), _shape(other), site.index)
    return Sum([pairs(one, places, other, others)])


def dot(site: Site) -> Sum:
    """The layer `Dot`: the products along an axis of each of two inputs.

    Raises:
        UnknownArithmeticError: It normalizes them first.
    """
    layer, (one, other) = site.operation, site.inputs
    if layer.normalize:
        return _normalized_dot(site)
    axes = [layer.axes] * 2 if isinstance(layer.axes, int) else list(layer.axes)
    places, others = _dot_places(site, axes)
    return Sum([pairs(one, places, other, others)])


def _dot_places(site: Site, axes: list[int]) -> tuple[Array, Array]:
    one, other = site.inputs
    first, second = (axis % each.array.ndim for axis, each in zip(axes, (one, other), strict=True))
    sample, *rest = site.index
    free = one.array.ndim - 2
    kept, others = rest[:free], rest[free : free + other.array.ndim - 2]
    numbers = range(one.shape[first])

    def places(kept: list[int], axis: int) -> Array:
        return np.array([[sample, *kept[: axis - 1], number, *kept[axis - 1 :]] for number in numbers], int)

    return places(kept, first), places(others, second)


def _normalized_dot(site: Site) -> Sum:
    layer, (one, other) = site.operation, site.inputs
    axes = [layer.axes] * 2 if isinstance(layer.axes, int) else list(layer.axes)
    places, others = _dot_places(site, axes)
    plain = pairs(one, places, other, others)
    sizes = [np.sqrt((each.products(at).inputs ** 2).sum()) for each, at in ((one, places), (other, others))]
    scale = 1 / max(float(np.prod(sizes)), 1e-12)
    return Sum(
        [Products(plain.path, plain.reason, plain.indices, plain.inputs, plain.weights * scale, plain.weight_from)]
    )


def pairs(one: Any, places: Array, other: Any, others: Array) -> Products:
    """Products of values of two operands, of which one can be a constant; the values of the second are the weights."""
    if not isinstance(one, Tensor):
        one, places, other, others = other, others, one, places
    weights = np.asarray(getattr(other, "array", other))[tuple(others.T)].astype("float64")

    def weight_from(number: int) -> tuple[Source, ...]:
        return (other.source(others[number]),)

    known = isinstance(other, Tensor) and other.path is not None
    products: Products = one.products(places, weights, weight_from if known else None)
    return products


def _two(site: Site) -> tuple[Any, Any]:
    """The two operands.

    Raises:
        UnknownArithmeticError: There are more, or less.
    """
    values = [value for value in _flat(site.args) if not isinstance(value, str)]
    values += [value for value in site.kwargs.values() if not isinstance(value, str)]
    if len(values) != 2 or not site.inputs:
        message = f"{type(site.operation).__name__} of {len(values)} operands is no sum of products of two."
        raise UnknownArithmeticError(message)
    return values[0], values[1]


def _flat(values: Any) -> list[Any]:
    return [leaf for value in values for leaf in (value if isinstance(value, (tuple, list)) else [value])]


def _shape(value: Any) -> tuple[int, ...]:
    return value.shape if isinstance(value, Tensor) else tuple(np.shape(value))


def _outer(outer: tuple[int, ...], shape: tuple[int, ...]) -> list[int]:
    behind = outer[len(outer) - len(shape) :] if shape else ()
    return [0 if length == 1 else each for each, length in zip(behind, shape, strict=True)]
