"""Which part of the input one position of a layer depends on, along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """How a convolution or a pooling moves along an axis.

    Attributes:
        length: Of the axis that it moves along.
        size: Of the kernel or the pool.
        stride: From one position to the next.
        dilation: Distance between two taps of the kernel.
        before: How many zeros are put before the first value.
    """

    length: int
    size: int
    stride: int = 1
    dilation: int = 1
    before: int = 0

    @classmethod
    def same(cls, length: int, size: int, stride: int = 1, dilation: int = 1) -> Window:
        """The window of `padding="same"`: the zeros are halved, the odd one goes behind.

        >>> Window.same(112, 3, 2).before, Window.same(112, 3, 1).before, Window.same(7, 5, 1, 2).before
        (0, 1, 4)
        """
        positions = -(-length // stride)
        missing = max((positions - 1) * stride + (size - 1) * dilation + 1 - length, 0)
        return cls(length, size, stride, dilation, missing // 2)

    @classmethod
    def causal(cls, length: int, size: int, stride: int = 1, dilation: int = 1) -> Window:
        """The window of `padding="causal"`, which sees nothing of what comes later."""
        return cls(length, size, stride, dilation, (size - 1) * dilation)


def receptive_field(windows: Sequence[Window], position: int) -> tuple[int, int]:
    """Find the stretch of the input that one position after some windows can depend on.

    Args:
        windows: Those of the layers on the way, that of the first layer first.
        position: In the last one's output.

    Returns:
        The first index and the one after the last, as for a slice; both are equal where a position sees padding alone.
        It spans all taps, where dilation leaves gaps.

    >>> receptive_field([Window.same(8, 3), Window(8, 2, 2)], position=1)
    (1, 5)
    >>> receptive_field([], position=3)
    (3, 4)
    """
    start, stop = position, position + 1
    for window in reversed(windows):
        first = start * window.stride - window.before
        last = (stop - 1) * window.stride - window.before + (window.size - 1) * window.dilation
        start, stop = max(first, 0), min(last + 1, window.length)
        if start >= stop:
            return (0, 0)
    return start, stop
