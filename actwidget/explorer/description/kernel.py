"""What the inspector says of one kernel, or of what belongs to one channel in all weights of a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from actwidget.analysis.kernels.entries import ranks
from actwidget.analysis.nonfinite import nonfinite_counts
from actwidget.explorer.description.facts import Fact
from actwidget.explorer.description.inspection import Inspection
from actwidget.figures.parts.text import between, number, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from actwidget.analysis.kernels.entries import EntryStatistics


def kernel_inspection(
    title: str,
    statistics: EntryStatistics,
    entries: Sequence[int] | None,
    channels: NDArray[np.int64],
    vectors: Iterable[tuple[str, NDArray[np.float64]]] = (),
) -> Inspection:
    """The numbers of one kernel, or of all.

    Args:
        title: What it is called.
        statistics: Those of each entry of the weight.
        entries: The entries that it consists of, one of a kernel, in a layer with gates one for each; `None` for all.
        channels: The channel that each entry belongs to, -1 where it belongs to none, shape `(entries,)`.
        vectors: The values that belong to it in the layer's vectors, by their names.
    """
    chosen = slice(None) if entries is None else list(entries)
    facts = []
    if entries is not None and statistics.size > 1:
        facts.append(Fact("norm", _with_rank(statistics, entries[0], channels)))
    minimum, maximum = statistics.minimum[chosen], statistics.maximum[chosen]
    count = statistics.size * len(minimum)
    nan, infinite = int(statistics.nan[chosen].sum()), int(statistics.infinite[chosen].sum())
    finite = count - nan - infinite
    if count > 1:
        facts.append(Fact("range", between(_least(minimum), -_least(-maximum))))
        if finite:
            facts.append(Fact("mean", number(float(statistics.total[chosen].sum()) / finite)))
        facts.append(Fact("zeros", percent(int(statistics.zeros[chosen].sum()) / max(count, 1))))
    facts += [Fact(name, ", ".join(number(value) for value in values.tolist())) for name, values in vectors]
    if words := ", ".join(nonfinite_counts(nan, infinite)):
        facts.append(Fact("NaN or infinite", words, warns=True))
    return Inspection(title, tuple(facts))


def _least(values: NDArray[np.float64]) -> float:
    return float(np.fmin.reduce(values, initial=np.nan))


def _with_rank(statistics: EntryStatistics, entry: int, channels: NDArray[np.int64]) -> str:
    """The norm of a kernel, over all gates of its unit, and its place among the others."""
    norms, place = _norms(statistics, channels)
    own = place[entry]
    text = number(float(norms[own]))
    return f"{text}, number {ranks(norms)[own]:,} of {len(norms):,}" if len(norms) > 1 else text


def _norms(statistics: EntryStatistics, channels: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The norm of each kernel with all its gates, and for each entry which of these it belongs to."""
    names = np.where(channels < 0, np.arange(len(channels)) + channels.max(initial=0) + 1, channels)
    _, place = np.unique(names, return_inverse=True)
    return np.sqrt(np.bincount(place, statistics.squares)), place


def largest(statistics: EntryStatistics, channels: NDArray[np.int64]) -> list[int]:
    """The entries of the kernel with the largest norm; of the first one among equals.

    Args:
        statistics: Those of each entry, of which there is at least one.
        channels: As for `kernel_inspection`.
    """
    norms, place = _norms(statistics, channels)
    return [int(entry) for entry in np.flatnonzero(place == np.argmax(norms))]
