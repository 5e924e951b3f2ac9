"""What looks wrong in a layer's statistics: NaN, infinities, dead, constant and saturated channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actwidget.analysis.nonfinite import nonfinite_counts

if TYPE_CHECKING:
    from actwidget.analysis.meaning import Meaning
    from actwidget.analysis.statistics import Statistics

# Shares of the channels, or of the values, from which on there is a warning.
MANY_DEAD = 0.25
MANY_SATURATED = 0.5


def has_enough_values(statistics: Statistics) -> bool:
    """Whether a channel has more than one value: a single 0 does not show that a channel is always 0."""
    return statistics.count > statistics.channels


def many_dead(statistics: Statistics) -> bool:
    """Whether so many channels are dead that there is a warning."""
    many = statistics.channels > 1 and statistics.dead >= MANY_DEAD * statistics.channels
    return has_enough_values(statistics) and many


def constant_nonzero(statistics: Statistics) -> int:
    """How many channels have one value throughout that is not 0."""
    return statistics.constant - statistics.dead


def many_constant(statistics: Statistics) -> bool:
    """Whether so many channels are constant, dead ones included, that there is a warning."""
    many = statistics.channels > 1 and statistics.constant >= MANY_DEAD * statistics.channels
    return has_enough_values(statistics) and many and constant_nonzero(statistics) > 0


def many_saturated(statistics: Statistics) -> bool:
    """Whether so many values are at a bound that there is a warning."""
    return statistics.saturated is not None and statistics.saturated >= MANY_SATURATED


def warnings(
    statistics: Statistics, channel_label: str = "channel", meaning: Meaning = "activations"
) -> tuple[str, ...]:
    """Short sentences on what a person should look at; empty for a healthy layer.

    Args:
        statistics: The layer's statistics over the batch.
        channel_label: What a channel is called.
        meaning: What the values stand for. Only activations can be dead, constant or saturated; NaN and infinities are
            reported for all.

    >>> import numpy as np
    >>> from actwidget.analysis.statistics import statistics
    >>> warnings(statistics(np.array([[0.0, 1.0], [0.0, np.nan]])))
    ('1 NaN', '1 of 2 channels dead')
    """
    found = nonfinite_counts(statistics.nan, statistics.infinite)
    if meaning != "activations":
        return tuple(found)
    # One sample does not show that a channel never responds: what it detects may not be in that sample.
    so_far = " in one sample" if statistics.samples == 1 else ""
    channels = f"{statistics.channels:,} {channel_label}s"
    if many_dead(statistics):
        found.append(f"{statistics.dead:,} of {channels} dead{so_far}")
    if many_constant(statistics):
        found.append(f"{constant_nonzero(statistics):,} of {channels} constant{so_far}")
    if many_saturated(statistics):
        found.append(f"{statistics.saturated:.0%} of the values saturated")
    return tuple(found)
