"""A random choice of samples, of which the layer's output is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.scanning.counting.top_samples import NO_LABEL

Array = npt.NDArray[Any]


class KeptSamples:
    """The outputs of at most so many samples; which ones depends on their numbers and the seed alone.

    Each sample has a random number by a hash of its own number; the samples with the smallest are kept.

    Attributes:
        samples: int64 `(kept,)`, the samples' numbers.
        rows: float32 `(kept, channels)`.
        labels: int64 `(kept,)`, `NO_LABEL` where there is none.
    """

    def __init__(self, keep: int, channels: int, seed: int) -> None:
        """Starts without samples."""
        self.keep = keep
        self.seed = seed
        self.samples = np.zeros(0, np.int64)
        self.rows = np.zeros((0, channels), np.float32)
        self.labels = np.zeros(0, np.int64)
        self._ranks = np.zeros(0, np.uint64)

    def add(self, samples: Array, rows_of: Callable[[Array], Array], labels: Array | None) -> None:
        """Adds samples, `(n,)`, with their labels.

        Args:
            samples: Their numbers.
            rows_of: Gives the outputs of some of them, chosen by true and false.
            labels: Their labels; `None` if they have none.
        """
        ranks = _hashed(samples, self.seed)
        below = ranks < self._ranks.max(initial=0) if len(self.samples) >= self.keep else np.full(len(samples), True)
        if not self.keep or not below.any():
            return
        given = np.full(len(samples), NO_LABEL) if labels is None else labels
        samples, rows, ranks = samples[below], rows_of(below), ranks[below]
        every = np.concatenate([self._ranks, ranks])
        if len(self.samples) < self.keep:
            order = np.argsort(every, kind="stable")[: self.keep]
            self._ranks = every[order]
            self.samples = np.concatenate([self.samples, samples])[order]
            self.rows = np.concatenate([self.rows, rows.astype(np.float32)])[order]
            self.labels = np.concatenate([self.labels, given[below]])[order]
            return
        stays = np.full(len(every), False)
        stays[np.argsort(every, kind="stable")[: self.keep]] = True
        slots, entering = np.flatnonzero(~stays[: self.keep]), np.flatnonzero(stays[self.keep :])
        self._ranks[slots], self.samples[slots] = ranks[entering], samples[entering]
        self.rows[slots], self.labels[slots] = rows[entering], given[below][entering]

    def merge(self, other: KeptSamples) -> None:
        """Adds the samples of another one with the same seed."""
        self.add(other.samples, lambda chosen: other.rows[chosen], other.labels)

    def arrays(self) -> dict[str, Array]:
        """All that is known, to be stored."""
        state = np.asarray([self.keep, self.seed], np.int64)
        return {"samples": self.samples, "rows": self.rows, "labels": self.labels, "state": state}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> KeptSamples:
        """The one of which `arrays` were stored."""
        keep, seed = map(int, arrays["state"])
        found = cls(keep, arrays["rows"].shape[1], seed)
        found.add(arrays["samples"], lambda chosen: arrays["rows"][chosen], arrays["labels"])
        return found


def _hashed(samples: Array, seed: int) -> npt.NDArray[np.uint64]:
    """A number for each sample that looks random: the finalizer of SplitMix64 (Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        start = np.uint64(seed % 2**64) * np.uint64(0xD1342543DE82EF95) + np.uint64(1)
        mixed = samples.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
