"""What a scan gives besides numbers: examples, means by class, batches that were left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import FloatArray


class Example(NamedTuple):
    """One of the samples that excite a channel most.

    Attributes:
        sample: Its number in the data.
        value: The channel's largest finite value for it.
        position: Where that value stands first in the map, without the channel; `()` for a unit.
        label: Its label; `None` if there is none.
    """

    sample: int
    value: float
    position: tuple[int, ...]
    label: int | None


class Skipped(NamedTuple):
    """A batch that was left out.

    Attributes:
        start: The number of its first sample.
        stop: The number after its last sample.
        reason: What was raised, in words.
    """

    start: int
    stop: int
    reason: str


@dataclass(frozen=True, eq=False)
class ByLabel:
    """Means by class.

    Attributes:
        labels: int64 `(labels,)`, in order.
        means: float64 `(labels, channels)`, of the finite values of the samples with each label.
    """

    labels: npt.NDArray[np.int64]
    means: FloatArray

    def __iter__(self) -> Any:
        """The labels, then the means."""
        return iter((self.labels, self.means))
