"""How a weight is shown: kernels as pictures, a matrix as one picture, or a vector; and one kernel of it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from actwidget.analysis.kernels.pictures import kernel_pictures, unknown_pictures

Array = npt.NDArray[Any]
COLOURS = 3


class KernelView(NamedTuple):
    """One kernel alone.

    Attributes:
        values: `(height, width)` for one map, `(height, width, inputs)` for all of them or for three colours,
            `(inputs, columns)` of a matrix.
        words: What is said of it.
        down: What is counted from the first row to the last.
        across: What is counted from the first column to the last.
    """

    values: Array
    words: str = ""
    down: str = "row"
    across: str = "column"


@dataclass(frozen=True, eq=False)
class ArrangedWeight:
    """A weight as it is shown.

    An entry is a kernel, a column of a matrix, or a value of a vector.

    Attributes:
        kind: Kernels on a scale of their values, kernels of three colours, one picture, or bars.
        columns: All values, shape `(values, entries)`; one row of a vector.
        kernel: `(..., inputs, outputs)`, as for `kernel_pictures`; of a matrix `(inputs, outputs)`.
        pictures: `(height, width, entries)`, or `(height, width, 3, entries)` for colours; `None` without kernels.
        words: What is said of what is shown.
        depthwise: Whether each input has kernels of its own.
        input_channel: The one input channel that is shown; `None` for all.
    """

    kind: Literal["kernels", "colours", "matrix", "vector"]
    columns: Array
    kernel: Array
    pictures: Array | None = None
    words: str = ""
    depthwise: bool = False
    input_channel: int | None = None

    @property
    def has_maps(self) -> bool:
        """Whether its kernels are pictures."""
        return self.pictures is not None

    def values_of(self, entries: Sequence[int]) -> Array:
        """All values of some entries, shape `(values, entries)`."""
        return self.columns[:, list(entries)]

    def view_of(self, entries: Sequence[int]) -> KernelView:
        """The first of some kernels alone; all of some columns of a matrix.

        Args:
            entries: At least one.
        """
        if self.kind in {"matrix", "vector"}:
            return KernelView(self.values_of(entries))
        own = kernel_of(self.kernel, entries[0], depthwise=self.depthwise)
        words = ""
        if own.ndim == 4:  # a volume shows its middle
            middle = (len(own) - 1) // 2
            own, words = own[middle], f"depth {middle + 1} of {len(own)}" if len(own) > 1 else ""
        if own.ndim == 2:
            if self.input_channel is None and own.shape[1] > 1:
                return KernelView(own.T, "inputs down, steps across", "input channel", "step")
            own = own[np.newaxis]
        if self.kind == "colours":
            return KernelView(own)
        if own.shape[-1] == 1 or self.input_channel is not None:
            chosen = self.input_channel or 0
            told = f"input channel {chosen}" if own.shape[-1] > 1 else ""
            return KernelView(own[..., chosen], ", ".join(text for text in (told, words) if text))
        return KernelView(own, words)


def arranged(
    values: Array,
    kernel: Array | None = None,
    *,
    depthwise: bool = False,
    groups: int = 1,
    input_channel: int | None = None,
    in_colour: bool = False,
) -> ArrangedWeight:
    """Arrange a weight to be shown.

    Args:
        values: The weight, of any shape.
        kernel: The same values as `(..., inputs, outputs)`, where it is known which axes these are.
        depthwise: As for `kernel_pictures`.
        groups: As for `kernel_pictures`.
        input_channel: As for `kernel_pictures`.
        in_colour: Whether the input channels are the colours of a picture.

    >>> arranged(np.zeros((3, 3, 3, 8)), np.zeros((3, 3, 3, 8)), in_colour=True).kind
    'colours'
    >>> arranged(np.zeros((1, 1, 16, 8)), np.zeros((1, 1, 16, 8))).words
    'as a matrix of 16 × 8'
    """
    if values.ndim < 2 or not values.size:
        return ArrangedWeight("vector", values.reshape(1, -1), values)
    known = values if kernel is None else kernel
    outputs = known.shape[-1]
    is_map = known.ndim in {3, 4, 5} and (depthwise or prod(known.shape[:-2]) > 1)
    if not is_map:
        matrix = known.reshape(-1, outputs)
        words = f"as a matrix of {len(matrix)} × {outputs}" if values.ndim > 2 else ""
        return ArrangedWeight("matrix", matrix, matrix, words=words)
    if kernel is None:
        shown = unknown_pictures(values)
    elif in_colour and kernel.ndim == 4 and kernel.shape[-2] == COLOURS and groups == 1 and input_channel is None:
        return ArrangedWeight("colours", kernel.reshape(-1, outputs), kernel, kernel)
    else:
        shown = kernel_pictures(kernel, input_channel=input_channel, depthwise=depthwise, groups=groups)
    columns = known.reshape(-1, known.shape[-2] * outputs if depthwise else outputs)
    pictures, words = (None, "") if shown is None else (shown.values, shown.words)
    return ArrangedWeight("kernels", columns, known, pictures, words, depthwise, input_channel)


def kernel_of(kernel: Array, entry: int, *, depthwise: bool = False) -> Array:
    """All values of one kernel.

    Args:
        kernel: `(..., inputs, outputs)`, as for `kernel_pictures`.
        entry: Which picture of `kernel_pictures` it is.
        depthwise: As for `kernel_pictures`.

    Returns:
        `(..., inputs)`; of a depthwise kernel `(..., 1)`.
    """
    if not depthwise:
        return kernel[..., entry]
    channel, copy = divmod(entry, kernel.shape[-1])
    return kernel[..., channel : channel + 1, copy]
