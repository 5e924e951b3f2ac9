"""One layer as a row of the overview: the quantiles of its values, and what looks wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.diagnostics import warnings
from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors

if TYPE_CHECKING:
    import numpy.typing as npt

    from actwidget.analysis.meaning import Meaning
    from actwidget.analysis.statistics import Statistics

QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.99)


@dataclass(frozen=True, eq=False)
class Summary:
    """One layer as a row of the overview.

    Attributes:
        path: The layer's path.
        quantiles: The 1, 25, 50, 75 and 99 % quantiles of the finite values; NaN where there are none.
        minimum: Of the finite values.
        maximum: Of the finite values.
        zeros: Share of exact zeros, 0 to 1.
        dead: Share of channels that are 0 over the whole batch, 0 to 1; 0 for values that are no activations.
        warnings: What looks wrong, in words.
        meaning: What the values stand for: `"activations"`; `"data"`, measurements that no weights were applied to;
            `"flags"`, booleans and one-hot rows; or `"names"`, integers that count or name things.
    """

    path: str
    quantiles: tuple[float, ...]
    minimum: float
    maximum: float
    zeros: float
    dead: float
    warnings: tuple[str, ...]
    meaning: Meaning = "activations"


@ignore_float_errors
def summary(
    path: str,
    batch: npt.NDArray[Any],
    statistics: Statistics,
    channel_label: str = "channel",
    *,
    meaning: Meaning = "activations",
) -> Summary:
    """Summarises one layer.

    Args:
        path: The layer's path.
        batch: Its activation, of any shape.
        statistics: Its statistics.
        channel_label: What a channel is called.
        meaning: What the values stand for.
    """
    values = as_floats(batch).ravel()
    if statistics.nan or statistics.infinite:
        values = values[np.isfinite(values)]
    quantiles = np.quantile(values, QUANTILES) if values.size else np.full(len(QUANTILES), np.nan)
    return summary_from_quantiles(path, quantiles, statistics, channel_label, meaning=meaning)


def summary_from_quantiles(
    path: str,
    quantiles: npt.NDArray[Any],
    statistics: Statistics,
    channel_label: str = "channel",
    *,
    meaning: Meaning = "activations",
) -> Summary:
    """Summarises one layer whose values are no longer in memory.

    Args:
        path: The layer's path.
        quantiles: Those of its finite values for the shares `QUANTILES`, shape `(5,)`.
        statistics: Its statistics.
        channel_label: What a channel is called.
        meaning: What the values stand for.
    """
    return Summary(
        path=path,
        quantiles=tuple(float(value) for value in quantiles),
        minimum=statistics.minimum,
        maximum=statistics.maximum,
        zeros=statistics.zeros,
        dead=statistics.dead / max(statistics.channels, 1) if meaning == "activations" else 0.0,
        warnings=warnings(statistics, channel_label, meaning),
        meaning=meaning,
    )
