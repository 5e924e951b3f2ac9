"""Class activation maps: Grad-CAM, Grad-CAM++ and LayerCAM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from actwidget.explain.attribution.job import Collected, Job, Partial
from actwidget.explain.attribution.result import Attributions

Array = np.ndarray[Any, Any]


def class_map_steps(job: Job) -> Iterator[Partial]:
    """The maps of a layer, each weighted by how much it speaks for the target, summed, and where positive."""
    place, size = job.taken[0], job.passes.batch.size
    found = Collected(size)
    axis = -1 if place.channel_axis is None else place.channel_axis
    shape = job.passes.shape_at(place.path)

    def make() -> Attributions:
        values, gradients = (np.moveaxis(each, axis, -1) for each in (found.values[place.path], found.gradients[0]))
        return job.result([_MAPS[job.settings.method](values, gradients)], found.scores, found.classes)

    what = job.pass_at("add", wanted=(place.path,))
    for numbers, result in job.parts(what, 1, lambda numbers: [np.zeros((len(numbers), *shape), np.float32)]):
        found.add(numbers, result)
        yield Partial(int(numbers[-1]) + 1, size, make)


def grad_cam(values: Array, gradients: Array) -> Array:
    """Grad-CAM (Selvaraju et al. 2017, equations 1 and 2), not scaled.

    Args:
        values: The activations of a layer, shape `(samples, ..., channels)`.
        gradients: The gradients of the score there, of the same shape.

    Returns:
        The maps, shape `(samples, ...)`, not negative.

    >>> values = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> grad_cam(values, np.array([[[1.0, 0.0], [1.0, -2.0]]]))
    array([[0., 0.]])
    """
    return _weighted(values, gradients.mean(axis=_positions(values), keepdims=True))


def grad_cam_plus_plus(values: Array, gradients: Array) -> Array:
    """Grad-CAM++ (Chattopadhay et al. 2018, equations 5 and 19), with the sums of its denominator.

    The arguments and what is returned are those of `grad_cam`.
    """
    positions = _positions(values)
    squares = np.square(gradients)
    below = 2 * squares + values.sum(axis=positions, keepdims=True) * squares * gradients
    shares = np.divide(squares, below, out=np.zeros_like(squares), where=below != 0)
    return _weighted(values, (shares * np.maximum(gradients, 0)).sum(axis=positions, keepdims=True))


def layer_cam(values: Array, gradients: Array) -> Array:
    """LayerCAM (Jiang et al. 2021): each value is weighted with its own gradient where that is positive.

    The arguments and what is returned are those of `grad_cam`.
    """
    return _weighted(values, np.maximum(gradients, 0))


def _positions(values: Array) -> tuple[int, ...]:
    return tuple(range(1, values.ndim - 1))


def _weighted(values: Array, weights: Array) -> Array:
    total: Array = (values * weights).sum(axis=-1)
    return np.maximum(total, 0)


_MAPS = {"grad_cam": grad_cam, "grad_cam_plus_plus": grad_cam_plus_plus, "layer_cam": layer_cam}
METHODS = tuple(_MAPS)
