"""Which classes a channel is about, if the numbers of a scan carry such a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 3
"""Of more classes it is not said that a channel is about them."""
LEAST_GAP = 0.35
"""How far the means of these classes stand above all others, at least, as a share of the range of all means."""
LEAST_EXAMPLES, LEAST_SHARE = 3, 2 / 3
"""Of how many of the samples that excite the channel most the class has to be known, and how many are to be of these
classes."""


def preferred(labels: NDArray[np.int64], means: NDArray[Any], top: Sequence[int | None]) -> list[int]:
    """The classes that a channel is about: two independent signs have to agree.

    Their means stand clearly above those of all other classes, and most of the samples that excite it most are theirs.

    Args:
        labels: The classes, shape `(classes,)`.
        means: The channel's mean for each, shape `(classes,)`.
        top: The classes of the samples that excite it most; `None` where that is not known.

    Returns:
        The classes, the one with the largest mean first; empty if there is nothing to say.

    >>> preferred(np.arange(5), np.array([0.1, 0.2, 3.0, 0.1, 2.8]), [2, 2, 4, 4, 2, 0])
    [2, 4]
    >>> preferred(np.arange(5), np.array([0.1, 0.9, 2.0, 1.1, 1.6]), [2, 2, 4])
    []
    """
    finite = np.isfinite(means)
    kept, values = labels[finite], means[finite]
    known = [label for label in top if label is not None]
    if len(kept) < 3 or len(known) < LEAST_EXAMPLES:
        return []
    order = np.argsort(-values, kind="stable")
    gaps = -np.diff(values[order])[: min(MOST, (len(kept) - 1) // 2 or 1)]
    count = int(np.argmax(gaps)) + 1
    if not gaps[count - 1] >= LEAST_GAP * float(np.ptp(values)) > 0:
        return []
    found = [int(label) for label in kept[order[:count]]]
    return found if sum(label in found for label in known) >= LEAST_SHARE * len(known) else []
