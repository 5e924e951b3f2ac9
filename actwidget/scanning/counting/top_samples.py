"""The samples that excite each channel most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
NO_LABEL = np.iinfo(np.int64).min
"""Stands for the label of a sample that has none."""
_NO_SAMPLE = np.iinfo(np.int64).max


class TopSamples:
    """For each channel the samples with the largest values, in order; of equal ones that of the smaller number first.

    Attributes:
        values: float64 `(top, channels)`; minus infinity where there is no sample.
        samples: int64 `(top, channels)`, their numbers.
        labels: int64 `(top, channels)`, `NO_LABEL` where there is none.
        places: int64 `(top, channels, axes)`, where the value stands first in the map, in row-major order, as one index
            for each axis.
    """

    def __init__(self, top: int, channels: int, axes: int) -> None:
        """Starts without samples.

        Args:
            top: How many samples are kept for each channel.
            channels: How many channels there are.
            axes: How many axes an activation has besides those of the samples and the channels.
        """
        self.values = np.full((top, channels), -np.inf)
        self.samples = np.full((top, channels), _NO_SAMPLE, np.int64)
        self.labels = np.full((top, channels), NO_LABEL, np.int64)
        self.places = np.zeros((top, channels, axes), np.int64)

    def entering(self, maximum: Array, first: int) -> npt.NDArray[np.intp]:
        """The channels, `(k,)`, of which a batch may have a sample to be kept.

        Args:
            maximum: The largest value of each channel in the batch, `(channels,)`.
            first: The smallest number of its samples.
        """
        if not len(self.values):
            return np.zeros(0, np.intp)
        least = self.values[-1]
        return np.flatnonzero((maximum > least) | ((maximum == least) & (first < self.samples[-1])))

    def add(self, channels: Array, values: Array, samples: Array, labels: Array | None, places: Array) -> None:
        """Adds pairs of a sample and a channel.

        Args:
            channels: The channels, `(pairs,)`.
            values: The largest finite value of the sample in the channel, `(pairs,)`.
            samples: The samples' numbers, `(pairs,)`.
            labels: Their labels, `(pairs,)`, or `None`.
            places: Where the values stand, `(pairs, axes)`.
        """
        top, touched = len(self.values), np.unique(channels)
        given = np.full(len(samples), NO_LABEL) if labels is None else labels
        known = [np.tile(touched, top), *(each[:, touched].reshape(top * len(touched), -1) for each in self._fields())]
        new = [channels, values, samples, given, places]
        every = [
            np.concatenate([mine.reshape(len(known[0]), -1), other.reshape(len(channels), -1)])
            for mine, other in zip(known, new, strict=True)
        ]
        channel, value, sample = (each[:, 0] for each in every[:3])
        order = np.lexsort((sample, -value, channel))
        # Each channel has at least as many pairs as are kept, those without a sample included.
        starts = np.searchsorted(channel[order], touched)
        best = order[starts + np.arange(top)[:, np.newaxis]]
        self.values[:, touched], self.samples[:, touched] = value[best], sample[best]
        self.labels[:, touched], self.places[:, touched] = every[3][best, 0], every[4][best]

    def merge(self, other: TopSamples) -> None:
        """Adds the samples of another one, in whatever order they came."""
        fields = [np.concatenate(pair) for pair in zip(self._fields(), other._fields(), strict=True)]
        order = np.lexsort((fields[1], -fields[0]), axis=0)[: len(self.values)]
        self.values, self.samples, self.labels = (np.take_along_axis(each, order, axis=0) for each in fields[:3])
        self.places = np.take_along_axis(fields[3], order[..., np.newaxis], axis=0)

    def arrays(self) -> dict[str, Array]:
        """All that is known, to be stored."""
        return dict(zip(("values", "samples", "labels", "places"), self._fields(), strict=True))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> TopSamples:
        """The one of which `arrays` were stored."""
        found = cls(*arrays["places"].shape)
        found.values, found.samples = arrays["values"].copy(), arrays["samples"].copy()
        found.labels, found.places = arrays["labels"].copy(), arrays["places"].copy()
        return found

    def _fields(self) -> tuple[Array, Array, Array, Array]:
        return self.values, self.samples, self.labels, self.places
