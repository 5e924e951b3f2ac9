"""Which axis of an activation holds its channels, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

    from actwidget.capture.node import LayerNode


@dataclass(frozen=True)
class Channels:
    """How an activation is divided.

    Attributes:
        axis: The axis that is divided, the first being that of the samples; `None` where there is one part alone.
        noun: What a part is called.
    """

    axis: int | None
    noun: str

    def last(self, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """An activation, shape `(samples, ...)`, seen with its channels on the last axis."""
        return value[..., np.newaxis] if self.axis is None else np.moveaxis(value, self.axis, -1)

    def count(self, shape: tuple[int | None, ...]) -> int | None:
        """How many there are in an activation of a shape, `None` where that is open."""
        if self.axis is None or len(shape) < 2:
            return 1
        return shape[self.axis]


def channels_of(node: LayerNode, operation: keras.Operation) -> Channels:
    """The channels of a node: the heads of attention scores, the first axis of a layer that says so, else the last."""
    rank = len(node.output_shape or ())
    if node.class_name == "AttentionScores":
        # (samples, heads, targets, sources), or of a layer without heads (samples, targets, sources).
        return Channels(1 if rank == 4 else None, "head")
    noun = "channel" if rank >= 4 else "unit"
    if rank >= 3 and getattr(operation, "data_format", None) == "channels_first":
        return Channels(1, noun)
    return Channels(-1, noun)
