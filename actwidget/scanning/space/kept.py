"""The kept samples of one layer, those with finite outputs apart from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.errors import SampleError, ScanError, shown

Array = npt.NDArray[Any]


def around_mean(features: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """The mean of samples, `(channels,)`, and their distances from it; `None` if all are the same but for rounding."""
    mean = features.mean(axis=0)
    centred = features - mean
    is_same = np.abs(centred).max() <= 1e-6 * max(np.abs(features).max(), 1e-30)
    return mean, None if is_same else centred


@dataclass(frozen=True, eq=False)
class Kept:
    """Samples whose output of a layer is finite.

    Attributes:
        path: The layer.
        samples: Their numbers in the data, int64 `(kept,)`, in order.
        features: Their outputs, float64 `(kept, channels)`.
        labels: The label of each; `None` where there is none.
        left_out: How many kept samples have an output that is not finite.
    """

    path: str
    samples: npt.NDArray[np.int64]
    features: npt.NDArray[np.float64]
    labels: tuple[int | None, ...]
    left_out: int

    @classmethod
    def of(cls, path: str, samples: Array, features: Array, labels: list[int | None]) -> Kept:
        """Leaves out the samples whose outputs are not finite."""
        finite = np.asarray(np.isfinite(features).all(axis=1))
        own = tuple(label for label, is_finite in zip(labels, list(finite), strict=True) if is_finite)
        return cls(path, samples[finite], features[finite].astype(np.float64), own, int((~finite).sum()))

    def at_least(self, count: int, purpose: str) -> None:
        """Makes sure that there are enough samples.

        Raises:
            ScanError: There are fewer.
        """
        if len(self.samples) >= count:
            return
        left_out = f" ({self.left_out:,} more hold NaN or infinity)" if self.left_out else ""
        message = (
            f"Expected at least {count} kept samples with finite outputs of {shown(self.path)} for {purpose}, got "
            f"{len(self.samples)}{left_out}. Scan more samples, or with a larger keep or max_bytes."
        )
        raise ScanError(message)

    def place_of(self, sample: int) -> int:
        """Where a sample stands.

        Raises:
            SampleError: It was not kept, or its output is not finite.
        """
        found = np.flatnonzero(self.samples == sample) if isinstance(sample, (int, np.integer)) else np.empty(0)
        if found.size:
            return int(found[0])
        some = ", ".join(map(str, self.samples[:5].tolist()))
        message = (
            f"Expected the number of a sample of which the scan kept a finite output of {shown(self.path)} "
            f"({some}, …; scan.features gives all), got {shown(sample)}."
        )
        raise SampleError(message)
