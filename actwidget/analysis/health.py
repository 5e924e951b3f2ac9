"""What is wrong with a layer's numbers, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import floats

if TYPE_CHECKING:
    import numpy.typing as npt

    from actwidget.analysis.statistics import Statistics

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
# Shares from which on a layer is said to be unwell.
MANY_DEAD = 0.25
MANY_SATURATED = 0.5


def warnings(numbers: Statistics, noun: str = "channel") -> tuple[str, ...]:
    """Short sentences on what a person should look at; empty for a healthy layer.

    Args:
        numbers: The layer's statistics over the batch.
        noun: What a channel is called.

    >>> from actwidget.analysis.statistics import statistics
    >>> warnings(statistics(np.array([[0.0, 1.0], [0.0, np.nan]])))
    ('1 NaN', '1 of 2 channels dead')
    """
    found = []
    if numbers.nan:
        found.append(f"{numbers.nan:,} NaN")
    if numbers.infinite:
        found.append(f"{numbers.infinite:,} infinite")
    if numbers.channels > 1 and numbers.dead >= MANY_DEAD * numbers.channels:
        found.append(f"{numbers.dead:,} of {numbers.channels:,} {noun}s dead")
    constant = numbers.constant - numbers.dead
    if numbers.channels > 1 and constant > 0 and numbers.constant >= MANY_DEAD * numbers.channels:
        found.append(f"{constant:,} of {numbers.channels:,} {noun}s constant")
    if numbers.saturated is not None and numbers.saturated >= MANY_SATURATED:
        found.append(f"{numbers.saturated:.0%} of the values saturated")
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Summary:
    """One layer in a row of an overview.

    Attributes:
        path: The layer's path.
        quantiles: The 1, 25, 50, 75 and 99 % quantiles of the finite values; NaN where there are none.
        minimum: Of the finite values.
        maximum: Of the finite values.
        zeros: Share of exact zeros, 0 to 1.
        dead: Share of channels that are 0 over the whole batch, 0 to 1.
        warnings: What is wrong, in words.
    """

    path: str
    quantiles: tuple[float, ...]
    minimum: float
    maximum: float
    zeros: float
    dead: float
    warnings: tuple[str, ...]


def summary(path: str, batch: npt.NDArray[Any], numbers: Statistics, noun: str = "channel") -> Summary:
    """Sums one layer up.

    Args:
        path: The layer's path.
        batch: Its activation, of any shape.
        numbers: Its statistics.
        noun: What a channel is called.
    """
    values = floats(batch).ravel()
    if numbers.nan or numbers.infinite:
        values = values[np.isfinite(values)]
    quantiles = np.quantile(values, QUANTILES) if values.size else np.full(len(QUANTILES), np.nan)
    return Summary(
        path=path,
        quantiles=tuple(float(value) for value in quantiles),
        minimum=numbers.minimum,
        maximum=numbers.maximum,
        zeros=numbers.zeros,
        dead=numbers.dead / max(numbers.channels, 1),
        warnings=warnings(numbers, noun),
    )
