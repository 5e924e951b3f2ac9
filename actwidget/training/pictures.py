"""Small pictures of what the layers gave for one sample, kept for some moments of a training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import channels
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.pooling import magnitude_pooled

if TYPE_CHECKING:
    import numpy.typing as npt

    from actwidget.capture.run.conversion import Array

MOST_CELLS = 65_536
"""A picture of more cells is reduced. A layer with more channels than this has none."""


@ignore_float_errors
def picture_of(sample: Array) -> npt.NDArray[np.float32] | None:
    """The channels of one sample, reduced until they are small.

    Args:
        sample: What a layer gives for one sample, the channels last: `(height, width, channels)`, `(time, units)`,
            `(units,)` or any other shape.

    Returns:
        float32 `(channels, height, width)`, of each block of a large map the value of the largest magnitude; None where
        there are too many channels, or none.
    """
    each = channels(sample)
    count, height, width = each.shape
    if not each.size or count > MOST_CELLS:
        return None
    factor = max(1, math.isqrt(each.size // MOST_CELLS))
    while count * math.ceil(height / factor) * math.ceil(width / factor) > MOST_CELLS:
        factor += 1
    shown: npt.NDArray[Any] = each if factor == 1 else magnitude_pooled(each, (factor, factor))
    return np.array(shown, np.float32, order="C")
