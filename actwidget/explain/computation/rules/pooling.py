"""Pooling: a window of one channel, of which the largest value or the mean is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array
from actwidget.explain.computation.rules.convolution import window
from actwidget.explain.computation.rules.indices import grid, is_channels_first, joined_index, spatial, split_index
from actwidget.explain.computation.site import Site, Sum


def max_pooling(site: Site) -> Sum:
    """`MaxPooling1D` to `3D`: the window, with weight 1 for the winner and 0 for the others."""
    return _largest(site, _window(site))


def average_pooling(site: Site) -> Sum:
    """`AveragePooling1D` to `3D`: the window, each with the same weight; padding does not count."""
    return _mean(site, _window(site))


def global_max_pooling(site: Site) -> Sum:
    """`GlobalMaxPooling1D` to `3D`: all positions, with weight 1 for the winner."""
    return _largest(site, _everywhere(site))


def global_average_pooling(site: Site) -> Sum:
    """`GlobalAveragePooling1D` to `3D`: all positions, each with the same weight; those masked out are no terms."""
    places = _everywhere(site)
    if isinstance(site.operation, keras.layers.GlobalAveragePooling1D) and site.mask is not None:
        counted = site.mask[site.index[0]].astype(bool)
        steps = places[:, 2 if is_channels_first(site.operation) else 1]
        places = places[counted[steps]]
    return _mean(site, places)


def adaptive_max_pooling(site: Site) -> Sum:
    """`AdaptiveMaxPooling1D` to `3D`."""
    return _largest(site, _adaptive(site))


def adaptive_average_pooling(site: Site) -> Sum:
    """`AdaptiveAveragePooling1D` to `3D`."""
    return _mean(site, _adaptive(site))


def _largest(site: Site, places: Array) -> Sum:
    products = site.input.products(places)
    weights = np.zeros(len(places))
    weights[np.argmax(products.inputs)] = 1.0
    return Sum([site.input.products(places, weights)])


def _mean(site: Site, places: Array) -> Sum:
    return Sum([site.input.products(places, 1.0 / max(len(places), 1))])


def _window(site: Site) -> Array:
    layer = site.operation
    sample, position, channel = split_index(site.index, first=is_channels_first(layer))
    axes = window(layer, spatial(site.input.shape, first=is_channels_first(layer)), position)
    return _indices(layer, sample, channel, *([place for _, place in axis] for axis in axes))


def _everywhere(site: Site) -> Array:
    layer = site.operation
    lengths = spatial(site.input.shape, first=is_channels_first(layer))
    sample, _, channel = split_index(
        [site.index[0], *site.index[1:2], *site.index[-1:]] if layer.keepdims else site.index,
        first=is_channels_first(layer) and not layer.keepdims,
    )
    if layer.keepdims:
        channel = site.index[1 if is_channels_first(layer) else -1]
    return _indices(layer, sample, channel, *map(range, lengths))


def _adaptive(site: Site) -> Array:
    layer = site.operation
    first = is_channels_first(layer)
    sample, position, channel = split_index(site.index, first=first)
    given, made = spatial(site.input.shape, first=first), spatial(site.output.shape, first=first)
    axes = [
        range(at * length // count, -(-(at + 1) * length // count))
        for at, length, count in zip(position, given, made, strict=True)
    ]
    return _indices(layer, sample, channel, *axes)


def _indices(layer: Any, sample: int, channel: int, *axes: Sequence[int]) -> Array:
    positions = grid(*axes)
    return joined_index(sample, positions, np.full(len(positions), channel), first=is_channels_first(layer))
