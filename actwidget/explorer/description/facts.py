"""A layer's statistics in words, and which of them are warnings."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from actwidget.analysis.diagnostics import constant_nonzero, has_enough_values, many_constant, many_saturated
from actwidget.figures.parts.text import between, number, percent

if TYPE_CHECKING:
    from actwidget.analysis.meaning import Meaning
    from actwidget.analysis.statistics import Statistics


class Fact(NamedTuple):
    """One statistic of a layer: its name, its value in words, and whether it is a warning."""

    term: str
    text: str
    warns: bool = False


def plural(count: int, label: str) -> str:
    """A count with its noun.

    >>> plural(1, "channel"), plural(1280, "unit")
    ('1 channel', '1,280 units')
    """
    return f"{count:,} {label}{'s' * (count != 1)}"


def facts_of(statistics: Statistics, channel_label: str, meaning: Meaning = "activations") -> list[Fact]:
    """The statistics that stand below a layer's figure.

    Args:
        statistics: The layer's statistics over the whole batch.
        channel_label: What a channel is called.
        meaning: What the values stand for. Flags get only the share that is true, class ids and token ids only their
            range and the share of zeros.
    """
    mean, broken = statistics.mean, statistics.nan + statistics.infinite
    zeros = Fact("zeros", percent(statistics.zeros))
    if meaning == "flags":
        return [Fact("true", percent(1 - statistics.zeros))]
    if meaning == "names":
        return [Fact("range", f"{statistics.minimum:.0f} to {statistics.maximum:.0f}"), zeros]
    spread = f"{number(mean)} ± {number(statistics.standard_deviation)}" if isfinite(mean) else "none"
    facts = [Fact("range", between(statistics.minimum, statistics.maximum)), Fact("mean ± sd", spread), zeros]
    computed, dead, constant = meaning == "activations", statistics.dead, constant_nonzero(statistics)
    if computed:
        share = f"{dead:,} of {statistics.channels:,}" if dead else "none"
        facts.append(Fact(f"dead {channel_label}s", share, dead > 0 and has_enough_values(statistics)))
    else:
        constant = statistics.constant  # here "dead" has no meaning, so channels that are always 0 count as constant
    if constant and (computed or has_enough_values(statistics)):
        share = f"{constant:,} of {statistics.channels:,}"
        facts.append(Fact(f"constant {channel_label}s", share, computed and many_constant(statistics)))
    if statistics.saturated is not None and statistics.bound is not None:
        # A sigmoid at zero is saturated; a ReLU at zero is just inactive.
        counted = [bound for bound in statistics.bound if bound or statistics.bound == (0, 1)]
        bounds = " or ".join(f"{bound:g}" for bound in counted if bound is not None)
        warns = computed and many_saturated(statistics)
        facts.append(Fact(f"saturated at {bounds}", percent(statistics.saturated), warns))
    missing = f"{statistics.nan:,} NaN, {statistics.infinite:,} infinite" if broken else "none"
    return [*facts, Fact("NaN or infinite", missing, broken > 0)]
