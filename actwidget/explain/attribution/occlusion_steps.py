"""Occlusion: how far the score falls when a patch is covered."""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Iterator
from typing import Any

import numpy as np

from actwidget.errors import OptionError, shown
from actwidget.explain.attribution.job import Job, Partial
from actwidget.explain.attribution.result import Attributions
from actwidget.explain.differentiation.places import Place

Array = np.ndarray[Any, Any]
Window = tuple[slice, ...]


def occlusion_steps(job: Job) -> Iterator[Partial]:
    """The fall of the score when a patch is filled with the sample's own mean per channel (Zeiler and Fergus 2014).

    Where patches overlap, a value gets the mean of their falls.
    """
    size = job.passes.batch.size
    start = job.start()
    windows = [
        (number, window)
        for number, (place, origin) in enumerate(zip(job.taken, start.origins, strict=True))
        for window in windows_of(origin.shape[1:], place, job.settings.patch, job.settings.stride)
    ]
    means = [_means(origin, place) for place, origin in zip(job.taken, start.origins, strict=True)]
    sums = [np.zeros(each.shape, np.float64) for each in start.origins]
    counts = [np.zeros(each.shape, np.int32) for each in start.origins]

    def covered(rows: Array) -> list[Array]:
        given = [origin[rows % size].copy() for origin in start.origins]
        for row, number in enumerate(rows):
            place, window = windows[number // size]
            given[place][row][window] = np.broadcast_to(means[place][number % size], given[place][row].shape)[window]
        return given

    def make() -> Attributions:
        found = [total / np.maximum(count, 1) for total, count in zip(sums, counts, strict=True)]
        return job.result([each.astype(np.float32) for each in found], start.scores, start.classes)

    for rows, result in job.parts(job.pass_at("replace", gradients=False), len(windows), covered):
        for number, score in zip(rows, result.scores, strict=True):
            place, window = windows[number // size]
            sample = number % size
            sums[place][sample][window] += start.scores[sample] - score
            counts[place][sample][window] += 1
        yield Partial(int(rows[-1]) + 1, len(windows) * size, make)


def _channels(rank: int, place: Place) -> int | None:
    """The axis of the channels of one sample with so many axes; `None` where each value is a position."""
    if place.channel_axis is None or rank < 2:
        return None
    return place.channel_axis % (rank + 1) - 1 if place.channel_axis != -1 else rank - 1


def _means(origin: Array, place: Place) -> Array:
    channels = _channels(origin.ndim - 1, place)
    axes = tuple(axis for axis in range(1, origin.ndim) if channels is None or axis != channels + 1)
    means: Array = origin.mean(axis=axes, keepdims=True)
    return means


def windows_of(shape: tuple[int, ...], place: Place, patch: Any, stride: Any) -> list[Window]:
    """The patches that are covered one after the other.

    Args:
        shape: The shape of one sample.
        place: Where it stands.
        patch: The length of a patch along each axis of positions, or one for all; by default an eighth of the side.
        stride: From one patch to the next; by default half a patch.

    Raises:
        OptionError: They do not fit the shape.
    """
    channels = _channels(len(shape), place)
    axes = [axis for axis in range(len(shape)) if axis != channels]
    lengths = [shape[axis] for axis in axes]
    patches = _per_axis(patch, [max(1, length // 8) for length in lengths], lengths, "patch")
    strides = _per_axis(stride, [max(1, each // 2) for each in patches], lengths, "stride")
    starts = []
    for length, each, step in zip(lengths, patches, strides, strict=True):
        places = list(range(0, length - each + 1, step))
        if places[-1] + each < length:  # the last patch ends at the edge
            places.append(length - each)
        starts.append(places)
    windows = []
    for corner in itertools.product(*starts):
        window = [slice(None)] * len(shape)
        for axis, first, each in zip(axes, corner, patches, strict=True):
            window[axis] = slice(first, first + each)
        windows.append(tuple(window))
    return windows


def _per_axis(given: Any, usual: list[int], lengths: list[int], name: str) -> list[int]:
    if given is None:
        return usual
    each = [given] * len(lengths) if isinstance(given, numbers.Integral) else given
    fits = isinstance(each, (list, tuple)) and len(each) == len(lengths)
    if not fits or not all(
        isinstance(one, numbers.Integral) and not isinstance(one, bool) and 1 <= int(one) <= length
        for one, length in zip(each, lengths, strict=True)
    ):
        message = (
            f"Expected {name} as a whole number from 1, or one for each of the {len(lengths)} axes of positions, whose "
            f"lengths are {lengths}; got {shown(given)}."
        )
        raise OptionError(message)
    return [int(one) for one in each]
