"""Normalization: one value, times a scale, plus a shift, both made of statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array
from actwidget.explain.computation.arithmetic_result import Step
from actwidget.explain.computation.rules.indices import broadcast_index
from actwidget.explain.computation.site import Site, Sum, weight_values


def batch_normalization(site: Site) -> Sum:
    """`BatchNormalization` outside of training: by the moving mean and variance of the channel."""
    layer, channel = site.operation, site.index[site.operation.axis]

    def of(weight: Any, otherwise: float) -> float:
        return otherwise if weight is None else float(weight_values(weight, _precise(site))[channel])

    mean, variance = of(layer.moving_mean, 0.0), of(layer.moving_variance, 1.0)
    gamma, beta = of(layer.gamma, 1.0), of(layer.beta, 0.0)
    return _scaled(site, mean, variance, gamma, beta)


def layer_normalization(site: Site) -> Sum:
    """`LayerNormalization`: by the mean and variance of the sample along some axes."""
    layer = site.operation
    values, at = _along(site, layer.axis)
    if getattr(layer, "rms_scaling", False):
        return _by_size(site, values.var(), layer.epsilon, _own(site, layer.gamma, at, 1.0))
    return _scaled(site, values.mean(), values.var(), _own(site, layer.gamma, at, 1.0), _own(site, layer.beta, at, 0.0))


def rms_normalization(site: Site) -> Sum:
    """`RMSNormalization`: by the root of the mean square along some axes."""
    layer = site.operation
    values, at = _along(site, layer.axis)
    return _by_size(site, (values**2).mean(), layer.epsilon, _own(site, layer.scale, at, 1.0))


def group_normalization(site: Site) -> Sum:
    """`GroupNormalization`: by the mean and variance of a group of channels in the sample."""
    layer, given = site.operation, site.input
    axis = layer.axis % given.array.ndim
    channels = given.shape[axis]
    groups = channels if layer.groups == -1 else layer.groups
    size = channels // groups
    channel = site.index[axis]
    group = slice(channel // size * size, channel // size * size + size)
    place = tuple(
        site.index[0] if each == 0 else group if each == axis else slice(None) for each in range(given.array.ndim)
    )
    values = given.array[place].astype("float64")
    gamma, beta = (_own(site, weight, (channel,), plain) for weight, plain in ((layer.gamma, 1.0), (layer.beta, 0.0)))
    return _scaled(site, values.mean(), values.var(), gamma, beta)


def unit_normalization(site: Site) -> Sum:
    """`UnitNormalization`: by the length of the vector along some axes."""
    values, _ = _along(site, site.operation.axis)
    length = float(np.sqrt((values**2).sum()))
    found = Sum([site.input.products([site.index], 1 / max(length, 1e-6))])
    return found.then(Step("length", length), Step("normalized", found.total))


def rescaling(site: Site) -> Sum:
    """`Rescaling`: a scale and an offset, each one number or one for each channel."""
    layer, given = site.operation, site.input
    scale = np.asarray(weight_values(layer.scale, _precise(site)))
    if scale.ndim and keras.config.image_data_format() == "channels_first":
        scale = scale.reshape(*scale.shape, *[1] * (3 - scale.ndim))
    places = [broadcast_index(site.index, given.shape)]
    weight = float(scale[broadcast_index(site.index, scale.shape)])
    return Sum([given.products(places, weight)], _of(layer.offset, site))


def normalization(site: Site) -> Sum:
    """The preprocessing layer `Normalization`: by the mean and variance that it was given or has learned."""
    layer = site.operation
    given = site.input
    places = [broadcast_index(site.index, given.shape)]
    mean, variance = _of(layer.mean, site), _of(layer.variance, site)
    spread = max(float(np.sqrt(variance)), _EPSILON)
    if layer.invert:
        found = Sum([given.products(places, spread)], mean)
    else:
        found = Sum([given.products(places, 1 / spread)], -mean / spread)
    return found.then(Step("mean", mean), Step("variance", variance), Step("normalized", found.total))


_EPSILON = 1e-7


def _scaled(site: Site, mean: float, variance: float, gamma: float, beta: float) -> Sum:
    scale = gamma / float(np.sqrt(variance + site.operation.epsilon))
    found = Sum([site.input.products([site.index], scale)], beta - float(mean) * scale)
    return found.then(Step("mean", float(mean)), Step("variance", float(variance)), Step("normalized", found.total))


def _by_size(site: Site, square: float, epsilon: float, gamma: float) -> Sum:
    found = Sum([site.input.products([site.index], gamma / float(np.sqrt(square + epsilon)))])
    return found.then(Step("mean square", float(square)), Step("normalized", found.total))


def _along(site: Site, axes: int | Sequence[int]) -> tuple[Array, tuple[int, ...]]:
    """The values of the sample along some axes, and the index on these axes."""
    given = site.input.array
    every = sorted(axis % given.ndim for axis in ([axes] if isinstance(axes, int) else axes))
    place = tuple(slice(None) if axis in every else at for axis, at in enumerate(site.index))
    return given[place].astype("float64"), tuple(site.index[axis] for axis in every)


def _own(site: Site, weight: Any, at: tuple[int, ...], otherwise: float) -> float:
    """The part of a weight that belongs to a place on the normalized axes."""
    return otherwise if weight is None else float(weight_values(weight, _precise(site))[at])


def _of(value: Any, site: Site) -> float:
    """A number, or that of a vector or an array which is broadcast to the output, for the place of the value."""
    array = np.asarray(weight_values(value, _precise(site)))
    return float(array[broadcast_index(site.index, array.shape)])


def _precise(site: Site) -> str:
    """The dtype in which it reads its weights: a layer in mixed precision normalizes in float32."""
    return "float64" if site.dtype == "float64" else "float32"
