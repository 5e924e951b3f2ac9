"""Saliency, gradient times input, SmoothGrad and integrated gradients."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from actwidget.explain.attribution.baselines import baselines
from actwidget.explain.attribution.job import Collected, Job, Partial
from actwidget.explain.attribution.result import Attributions

Array = np.ndarray[Any, Any]


def gradient_steps(job: Job) -> Iterator[Partial]:
    """The gradient of the score itself (Simonyan et al. 2014, without the absolute value), or times the input.

    The gradient at an activation inside the model is taken at what the model computes there.
    """
    size = job.passes.batch.size
    found = Collected(size)
    times_input = job.settings.method == "gradient_x_input"

    def make() -> Attributions:
        arrays = found.gradients
        if times_input:
            held = [job.origin(place, found.values) for place in job.taken]
            arrays = [gradient * value for gradient, value in zip(arrays, held, strict=True)]
        return job.result(arrays, found.scores, found.classes)

    what = job.pass_at("add", wanted=job.paths if times_input else ())
    for numbers, result in job.parts(what, 1, lambda numbers: _at_origin(job, numbers)):
        found.add(numbers, result)
        yield Partial(int(numbers[-1]) + 1, size, make)


def _at_origin(job: Job, numbers: Array) -> list[Array]:
    """What goes in so that nothing changes: an input itself, or zeros that are added to an activation."""
    given = []
    for place in job.taken:
        if place.index is not None:
            array = job.input_array(place.index)
            given.append(array if len(numbers) == len(array) else array[numbers])
        else:
            given.append(np.zeros((len(numbers), *job.passes.shape_at(place.path)), np.float32))
    return given


def smoothgrad_steps(job: Job) -> Iterator[Partial]:
    """The mean gradient over draws of Gaussian noise, of each sample's own range (Smilkov et al. 2017)."""
    size, draws = job.passes.batch.size, job.settings.samples
    start = job.start()
    ranges = [np.ptp(each.reshape(size, -1), axis=1) for each in start.origins]
    spreads: list[Array] = [
        _over_samples(job.settings.noise * each, origin) for each, origin in zip(ranges, start.origins, strict=True)
    ]
    sums: list[Array] = [np.zeros(each.shape, np.float64) for each in start.origins]
    counts = np.zeros(size, int)

    def noisy(numbers: Array) -> list[Array]:
        noise = [
            _noise(job.settings.seed, start.origins, draw)
            for draw in range(numbers[0] // size, numbers[-1] // size + 1)
        ]
        given = []
        for place, (origin, spread) in enumerate(zip(start.origins, spreads, strict=True)):
            drawn = np.concatenate([each[place] for each in noise])
            samples = numbers % size
            shift = drawn[numbers - numbers[0] // size * size] * spread[samples]
            given.append((origin[samples] + shift).astype(np.float32))
        return given

    def make() -> Attributions:
        means = [np.divide(each, _over_samples(np.maximum(counts, 1), each)) for each in sums]
        return job.result([each.astype(np.float32) for each in means], start.scores, start.classes)

    for numbers, result in job.parts(job.pass_at("replace"), draws, noisy):
        _add(sums, result.gradients, numbers % size)
        np.add.at(counts, numbers % size, 1)
        yield Partial(int(numbers[-1]) + 1, draws * size, make)


def _noise(seed: int, origins: list[Array], draw: int) -> list[Array]:
    """The noise of one draw, the same in whatever parts it goes through."""
    generator = np.random.default_rng([seed, draw])
    return [np.asarray(generator.standard_normal(each.shape, np.float32)) for each in origins]


def integrated_steps(job: Job) -> Iterator[Partial]:
    """Integrated gradients (Sundararajan et al. 2017) along a straight path, by the trapezoid rule."""
    size, steps = job.passes.batch.size, job.settings.steps
    origins, classes = job.origins, job.passes.target.classes
    if origins is None or job.passes.target.kind == "top":
        start = job.start()
        origins, classes = start.origins, start.classes
    bases = baselines(job.settings.baseline, origins, job)
    differences = [origin - base for origin, base in zip(origins, bases, strict=True)]
    order = spread_out(steps)
    sums: list[Array] = [np.zeros(each.shape, np.float64) for each in origins]
    weights, ends = np.zeros(size), {0: np.zeros(size, np.float32), steps: np.zeros(size, np.float32)}

    def between(numbers: Array) -> list[Array]:
        shares, samples = (order[numbers // size] / steps).astype(np.float32), numbers % size
        return [
            base[samples] + _over_samples(shares, base) * difference[samples]
            for base, difference in zip(bases, differences, strict=True)
        ]

    def make(*, is_last: bool) -> Attributions:
        found = [
            each / _over_samples(np.maximum(weights, 0.5), each) * difference
            for each, difference in zip(sums, differences, strict=True)
        ]
        total = np.sum([each.reshape(size, -1).sum(axis=1) for each in found], axis=0)
        delta = total - (ends[steps].astype(np.float64) - ends[0]) if is_last else None
        return job.result([each.astype(np.float32) for each in found], ends[steps], classes, delta)

    for numbers, result in job.parts(job.pass_at("replace"), steps + 1, between):
        points, samples = order[numbers // size], numbers % size
        parts = np.where((points == 0) | (points == steps), 0.5, 1.0)
        _add(sums, result.gradients, samples, parts)
        np.add.at(weights, samples, parts)
        for end, scores in ends.items():
            scores[samples[points == end]] = result.scores[points == end]
        done, total = int(numbers[-1]) + 1, (steps + 1) * size
        yield Partial(done, total, partial(make, is_last=done == total))


def spread_out(steps: int) -> Array:
    """The points of a path in an order in which each beginning covers all of it: its ends first.

    >>> spread_out(4).tolist()
    [4, 0, 2, 1, 3]
    """
    inner = np.arange(1, steps)
    bits = int(steps).bit_length()
    shares = inner * (1 << bits) // steps
    reversed_bits = np.zeros(len(inner), int)
    for bit in range(bits):
        reversed_bits |= ((shares >> bit) & 1) << (bits - 1 - bit)
    return np.concatenate([[steps, 0], inner[np.argsort(reversed_bits, kind="stable")]]).astype(int)


def _over_samples(numbers: Array, like: Array) -> Array:
    """Numbers, one a sample, in a shape that goes with an array of samples."""
    return numbers.reshape(-1, *[1] * (like.ndim - 1))


def _add(sums: list[Array], gradients: list[Array | None], samples: Array, weights: Array | None = None) -> None:
    """Adds the gradients of a part to the sums of their samples."""
    for total, gradient in zip(sums, gradients, strict=True):
        if gradient is None:
            continue
        for sample in np.unique(samples):
            rows = samples == sample
            part = gradient if rows.all() else gradient[rows]
            if weights is None:
                total[sample] += part.sum(axis=0)
            else:
                total[sample] += np.tensordot(weights[rows].astype(part.dtype), part, axes=1)
