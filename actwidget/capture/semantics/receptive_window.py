"""One axis of a tensor: the windows that move along it, and what of it is needed."""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[int, int]
"""The first index and the one after the last, as for a slice."""


class UnknownReachError(Exception):
    """An operation about which it is not known what it looks at."""


@dataclass(frozen=True)
class Window:
    """How a convolution or a pooling moves along an axis.

    Attributes:
        length: Of the axis that it moves along.
        size: Of the kernel or the pool.
        stride: From one position to the next.
        dilation: Distance between two taps of the kernel.
        before: How many zeros are put before the first value; below zero so many values are cut off.
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

    def seen(self, span: Span) -> Span:
        """What of the axis the positions of a span can depend on; an empty span where that is padding alone.

        It spans all taps, where dilation leaves gaps.

        >>> Window.same(8, 3).seen((0, 2)), Window(8, 2, 2).seen((1, 2))
        ((0, 3), (2, 4))
        """
        if span[0] >= span[1]:
            return (0, 0)
        first, end = self.covered(span)
        start, stop = max(first, 0), min(end, self.length)
        return (start, stop) if start < stop else (0, 0)

    def covered(self, span: Span) -> Span:
        """The same with the padding, of which there can be any amount before the axis and behind it.

        >>> Window.same(8, 3).covered((0, 2))
        (-1, 3)
        """
        start, stop = span
        first = start * self.stride - self.before
        return first, (stop - 1) * self.stride - self.before + (self.size - 1) * self.dilation + 1


@dataclass(frozen=True)
class Spacing:
    """Where the positions of a layer lie along an axis of an input.

    Attributes:
        first: The centre of what position 0 looks at, padding included, as an index (not always a whole one).
        step: From the centre of one position to that of the next, at least 1.
    """

    first: float
    step: int


@dataclass(frozen=True)
class Reach:
    """What one position of a layer needs of an axis of a tensor.

    Attributes:
        span: What of the axis.
        box: The same as if the axis went on at both ends. Where there is anything that moves with the position, that
            alone: a gate that looks at everything does not tell where the position lies.
        step: How far the box moves from one position to the next; 0 where it does not move with it, `None` where parts
            of it move in different steps.
    """

    span: Span
    box: Span
    step: int | None

    @classmethod
    def one(cls, index: int) -> Reach:
        """The position itself, on the layer's own axis."""
        return cls((index, index + 1), (index, index + 1), 1)

    @classmethod
    def whole(cls, length: int | None) -> Reach:
        """All of an axis, whatever the position.

        Raises:
            UnknownReachError: The axis has no fixed length.
        """
        if length is None:
            raise UnknownReachError
        return cls((0, length), (0, length), 0)

    def through(self, window: Window) -> Reach:
        """What a window needs of the axis along which it moves for what is needed of its output."""
        step = None if self.step is None else self.step * window.stride
        return Reach(window.seen(self.span), window.covered(self.box), step)

    def joined(self, other: Reach) -> Reach:
        """What is needed where both are."""
        span = _joined(self.span, other.span)
        if 0 in {self.step, other.step}:
            moving = other if self.step == 0 else self
            return Reach(span, moving.box, moving.step)
        return Reach(span, _joined(self.box, other.box), self.step if self.step == other.step else None)

    def spacing(self, index: int) -> Spacing | None:
        """Where the layer's positions lie if this is what the one at `index` needs; `None` where they have no place."""
        return Spacing((sum(self.box) - 1) / 2 - self.step * index, self.step) if self.step else None


def _joined(one: Span, other: Span) -> Span:
    if one[0] >= one[1] or other[0] >= other[1]:
        return max(one, other, key=lambda span: span[1] - span[0])
    return min(one[0], other[0]), max(one[1], other[1])
