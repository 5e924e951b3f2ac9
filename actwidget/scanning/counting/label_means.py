"""Means of each channel by the label of the sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class LabelMeans:
    """Sums of the finite values of each channel, for each label.

    Attributes:
        labels: int64 `(labels,)`, in order.
    """

    def __init__(self, channels: int) -> None:
        """Starts without labels."""
        self.labels = np.zeros(0, np.int64)
        self._sums = np.zeros((0, channels))
        self._counts = np.zeros((0, channels))

    @property
    def means(self) -> Array:
        """float64 `(labels, channels)`; NaN where a label has no finite value."""
        with np.errstate(all="ignore"):
            return np.where(self._counts > 0, self._sums / np.maximum(self._counts, 1), np.nan)

    def add(self, labels: Array, sums: Array, counts: Array) -> None:
        """Adds the sums and counts, `(n, channels)`, of some samples, `(n,)`, or of some labels."""
        new = np.union1d(self.labels, labels)
        if len(new) > len(self.labels):
            places = np.searchsorted(new, self.labels)
            for name in ("_sums", "_counts"):
                grown = np.zeros((len(new), self._sums.shape[1]))
                grown[places] = getattr(self, name)
                setattr(self, name, grown)
            self.labels = new
        places = np.searchsorted(self.labels, labels)
        with np.errstate(all="ignore"):
            np.add.at(self._sums, places, sums)
            np.add.at(self._counts, places, counts)

    def merge(self, other: LabelMeans) -> None:
        """Adds the samples of another one."""
        self.add(other.labels, other._sums, other._counts)

    def arrays(self) -> dict[str, Array]:
        """All that is known, to be stored."""
        return {"labels": self.labels, "sums": self._sums, "counts": self._counts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> LabelMeans:
        """The one of which `arrays` were stored."""
        found = cls(arrays["sums"].shape[1])
        found.add(arrays["labels"], arrays["sums"], arrays["counts"])
        return found
