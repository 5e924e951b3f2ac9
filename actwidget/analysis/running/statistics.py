"""Statistics of an activation that comes in parts."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.moments import Bounds, ChannelMoments, channel_moments
from actwidget.analysis.statistics import Statistics, statistics_of


class RunningStatistics:
    """Statistics of an activation that comes in parts: what `statistics` gives for all of it, but for rounding.

    >>> import numpy as np
    >>> running = RunningStatistics()
    >>> running.update(np.array([[0.0, 1.0]]))
    >>> running.update(np.array([[0.0, 3.0]]))
    >>> running.result().mean
    1.0
    """

    def __init__(self, *, channel_axis: int = -1, bounds: Bounds | None = None) -> None:
        """Starts without any samples.

        Args:
            channel_axis: As for `statistics`.
            bounds: As for `statistics`.
        """
        self._channel_axis = channel_axis
        self._bounds = bounds
        self._moments: ChannelMoments | None = None

    @property
    def samples(self) -> int:
        """How many samples have been added."""
        return 0 if self._moments is None else self._moments.samples

    @ignore_float_errors
    def update(self, batch: npt.NDArray[Any]) -> None:
        """Adds some samples.

        Args:
            batch: `(samples, ...)`, as for `statistics`.
        """
        self._add(channel_moments(batch, channel_axis=self._channel_axis, bounds=self._bounds))

    @ignore_float_errors
    def merge(self, other: RunningStatistics) -> None:
        """Adds the samples that another one was given."""
        if other._moments is not None:
            self._add(other._moments)

    @ignore_float_errors
    def result(self) -> Statistics:
        """The statistics of all samples.

        Raises:
            ValueError: There were no samples.
        """
        if self._moments is None:
            message = "There are no statistics without samples. Call update() with some first."
            raise ValueError(message)
        return statistics_of(self._moments, self._bounds)

    def _add(self, moments: ChannelMoments) -> None:
        self._moments = moments if self._moments is None else self._moments.joined(moments)
