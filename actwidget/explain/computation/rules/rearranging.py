"""What only moves values: reshaping, slicing, padding, repeating, putting together."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array, as_array
from actwidget.explain.computation.arithmetic_result import Products
from actwidget.explain.computation.rules.indices import (
    broadcast_index,
    grid,
    is_channels_first,
    joined_index,
    spatial,
    split_index,
)
from actwidget.explain.computation.site import Site, Sum, Tensor, UnknownArithmeticError


def moved(site: Site) -> Sum:
    """A layer or operation that only moves values: the value comes from one place, or is padding.

    To find the place, the operation is run on the numbers of the places themselves.
    """
    numbers: dict[int, Any] = {}
    starts: list[tuple[int, Tensor]] = []
    first = 1
    for given in site.inputs:
        count = given.array.size
        places = np.arange(first, first + count, dtype="int64" if first + count > 2**31 - 1 else "int32")
        numbers[id(given)] = keras.ops.convert_to_tensor(places.reshape(given.shape))
        starts.append((first, given))
        first += count
    outputs = site.run(numbers)
    number = int(as_array(outputs[site.number])[site.index])
    if number == 0:
        return Sum([], site.value)
    start, given = max((each for each in starts if each[0] <= number), key=lambda each: each[0])
    return Sum([given.products([np.unravel_index(number - start, given.shape)])])


def up_sampling(site: Site) -> Sum:
    """`UpSampling1D` to `3D`: the value of one place, or by interpolation of several."""
    layer = site.operation
    if getattr(layer, "interpolation", "nearest") == "nearest":
        return moved(site)
    first = is_channels_first(layer)
    sample, position, channel = split_index(site.index, first=first)
    lengths = spatial(site.input.shape, first=first)
    along = [_shares(layer, axis, lengths, at, first=first) for axis, at in enumerate(position)]
    axes = [np.flatnonzero(each) for each in along]
    places = grid(*axes)
    weights = np.prod([each[places[:, axis]] for axis, each in enumerate(along)], axis=0)
    indices = joined_index(sample, places, np.full(len(places), channel), first=first)
    return Sum([site.input.products(indices, weights)])


def _shares(layer: Any, axis: int, lengths: tuple[int, ...], at: int, *, first: bool) -> Array:
    """How much of each place along an axis goes into the place `at` of the output, found with one picture for each."""
    length = lengths[axis]
    shape = [length, *(length if each == axis else 1 for each in range(len(lengths)))]
    values = np.zeros(shape, "float32")
    for place in range(length):
        values[(place, *(place if each == axis else 0 for each in range(len(lengths))))] = 1.0
    batch = np.expand_dims(values, 1 if first else -1)
    made = np.squeeze(as_array(layer.call(keras.ops.convert_to_tensor(batch))), 1 if first else -1)
    for each in range(len(lengths)):
        if each != axis:
            made = np.take(made, [0], each + 1)
    places: Array = made.reshape(length, -1)[:, at].astype("float64")
    return places


def chosen(site: Site) -> Sum:
    """`where`: of two values that at which the condition points.

    Raises:
        UnknownArithmeticError: The condition is no tensor or array.
    """
    given = site.arguments
    condition = given.get("condition")
    if condition is None or given.get("x1") is None:
        message = "A search for places is no sum."
        raise UnknownArithmeticError(message)
    holds = bool(_at(condition, site)[1])
    value, number = _at(given["x1"] if holds else given["x2"], site)
    return Sum([] if value is None else [value], None if value is not None else number)


def _at(value: Any, site: Site) -> tuple[Products | None, float]:
    """The term for what an argument has at the place of the value, and the number there."""
    if isinstance(value, Tensor):
        products = value.products([broadcast_index(site.index, value.shape)])
        return products, float(products.inputs[0])
    array = np.asarray(value)
    return None, float(array[broadcast_index(site.index, array.shape)])
