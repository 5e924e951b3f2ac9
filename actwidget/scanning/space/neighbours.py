"""The samples that lie nearest to one in a layer's space."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from actwidget.errors import ChannelError, shown
from actwidget.options import at_least
from actwidget.scanning.space.kept import Array, Kept


class Neighbour(NamedTuple):
    """A sample near another one.

    Attributes:
        sample: Its number in the data.
        distance: The Euclidean distance between the layer's outputs for the two.
        label: Its label; `None` if there is none.
    """

    sample: int
    distance: float
    label: int | None


def neighbours_of(kept: Kept, sample: Any, n: int) -> list[Neighbour]:
    """The kept samples nearest to a kept sample, or to any output of the layer.

    Args:
        kept: The samples of the layer.
        sample: The number of a kept sample, or an output of shape `(channels,)`.
        n: How many.

    Raises:
        OptionError: `n` is no number from 1.
        SampleError: The sample was not kept.
        ChannelError: The output is of another shape, or not finite.
        ScanError: There is no other kept sample.
    """
    at_least(1, n, "n")
    if np.ndim(sample):
        kept.at_least(1, "neighbours")
        own, itself = _output(kept, sample), None
    else:
        kept.at_least(2, "neighbours")
        itself = kept.place_of(sample)
        own = kept.features[itself]
    distances = np.linalg.norm(kept.features - own, axis=1)
    # Features are kept as float32, so that shorter distances are rounding.
    distances[distances <= 1e-6 * np.linalg.norm(own)] = 0.0
    order = np.argsort(distances, kind="stable")  # of equal ones the smaller number first
    places = [place for place in order[: n + 1].tolist() if place != itself][:n]
    return [Neighbour(int(kept.samples[place]), float(distances[place]), kept.labels[place]) for place in places]


def _output(kept: Kept, given: Any) -> Array:
    own = np.asarray(given, np.float64)
    if own.shape != kept.features.shape[1:] or not np.isfinite(own).all():
        message = (
            f"Expected a finite output of {shown(kept.path)}, shape {kept.features.shape[1:]}, or the number of a kept "
            f"sample; got an array of shape {own.shape}."
        )
        raise ChannelError(message)
    return own
