"""What is wrong with a layer's numbers, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import floats
from actwidget.analysis.float_errors import any_errstate

if TYPE_CHECKING:
    import numpy.typing as npt

    from actwidget.analysis.categories import Meaning
    from actwidget.analysis.statistics import Statistics

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)
# Shares from which on a layer is said to be unwell.
MANY_DEAD = 0.25
MANY_SATURATED = 0.5


def can_tell(numbers: Statistics) -> bool:
    """Whether channels have values enough to be called dead: of a single 0 it can't be said that it is always 0."""
    return numbers.count > numbers.channels


def many_dead(numbers: Statistics) -> bool:
    """Whether so many channels are dead that a layer is unwell."""
    return can_tell(numbers) and numbers.channels > 1 and numbers.dead >= MANY_DEAD * numbers.channels


def alive_constant(numbers: Statistics) -> int:
    """How many channels have one value throughout that is not 0."""
    return numbers.constant - numbers.dead


def many_constant(numbers: Statistics) -> bool:
    """Whether so many channels are constant, dead ones counted too, that a layer is unwell."""
    many = numbers.channels > 1 and numbers.constant >= MANY_DEAD * numbers.channels
    return can_tell(numbers) and many and alive_constant(numbers) > 0


def many_saturated(numbers: Statistics) -> bool:
    """Whether so many values are at a bound that a layer is unwell."""
    return numbers.saturated is not None and numbers.saturated >= MANY_SATURATED


def warnings(numbers: Statistics, noun: str = "channel", meaning: Meaning = "activations") -> tuple[str, ...]:
    """Short sentences on what a person should look at; empty for a healthy layer.

    Args:
        numbers: The layer's statistics over the batch.
        noun: What a channel is called.
        meaning: What the values stand for; what is no activation can have NaN in it, but no dead or saturated units.

    >>> from actwidget.analysis.statistics import statistics
    >>> warnings(statistics(np.array([[0.0, 1.0], [0.0, np.nan]])))
    ('1 NaN', '1 of 2 channels dead')
    """
    found = []
    if numbers.nan:
        found.append(f"{numbers.nan:,} NaN")
    if numbers.infinite:
        found.append(f"{numbers.infinite:,} infinite")
    if meaning != "activations":
        return tuple(found)
    # On one sample a channel may be waiting for something that is not in it.
    so_far = " in one sample" if numbers.samples == 1 else ""
    if many_dead(numbers):
        found.append(f"{numbers.dead:,} of {numbers.channels:,} {noun}s dead{so_far}")
    if many_constant(numbers):
        found.append(f"{alive_constant(numbers):,} of {numbers.channels:,} {noun}s constant{so_far}")
    if many_saturated(numbers):
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
        dead: Share of channels that are 0 over the whole batch, 0 to 1; 0 for values that are no activations.
        warnings: What is wrong, in words.
        meaning: What the values stand for: `"activations"`; `"data"`, on which no weights were at work; `"flags"`, as
            booleans and one-hot rows are; or `"names"`, integers that count or name things.
    """

    path: str
    quantiles: tuple[float, ...]
    minimum: float
    maximum: float
    zeros: float
    dead: float
    warnings: tuple[str, ...]
    meaning: Meaning = "activations"


@any_errstate
def summary(
    path: str,
    batch: npt.NDArray[Any],
    numbers: Statistics,
    noun: str = "channel",
    *,
    meaning: Meaning = "activations",
) -> Summary:
    """Sums one layer up.

    Args:
        path: The layer's path.
        batch: Its activation, of any shape.
        numbers: Its statistics.
        noun: What a channel is called.
        meaning: What the values stand for.
    """
    values = floats(batch).ravel()
    if numbers.nan or numbers.infinite:
        values = values[np.isfinite(values)]
    quantiles = np.quantile(values, QUANTILES) if values.size else np.full(len(QUANTILES), np.nan)
    return summed_up(path, quantiles, numbers, noun, meaning=meaning)


def summed_up(
    path: str,
    quantiles: npt.NDArray[Any],
    numbers: Statistics,
    noun: str = "channel",
    *,
    meaning: Meaning = "activations",
) -> Summary:
    """The same from the quantiles of the finite values, for the shares `QUANTILES`."""
    return Summary(
        path=path,
        quantiles=tuple(float(value) for value in quantiles),
        minimum=numbers.minimum,
        maximum=numbers.maximum,
        zeros=numbers.zeros,
        dead=numbers.dead / max(numbers.channels, 1) if meaning == "activations" else 0.0,
        warnings=warnings(numbers, noun, meaning),
        meaning=meaning,
    )
