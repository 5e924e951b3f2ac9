"""A kernel as small pictures, one for each output channel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors


@dataclass(frozen=True, eq=False)
class KernelPictures:
    """One picture for each output channel of a kernel.

    Attributes:
        values: `(height, width, pictures)`.
        words: What is shown, for a title.
    """

    values: npt.NDArray[Any]
    words: str


@ignore_float_errors
def kernel_pictures(
    kernel: npt.NDArray[Any],
    *,
    input_channel: int | None = None,
    depthwise: bool = False,
    groups: int = 1,
) -> KernelPictures | None:
    """Arrange the kernel of a convolution.

    Args:
        kernel: `(height, width, inputs, outputs)`, `(steps, inputs, outputs)`, or `(depth, height, width, inputs,
            outputs)`, of which the middle depth is shown; the last axis of a depthwise kernel is the multiplier.
        input_channel: The input channel whose weights are shown; by default the mean over all of them.
        depthwise: Whether each input channel has its own output channels; then every picture is shown.
        groups: The number of groups of the convolution; `inputs` are then the input channels of one group.

    Returns:
        The pictures; None for a vector, a matrix, or a number.

    Raises:
        IndexError: There is no input channel of that number.

    >>> kernel = np.arange(24.0).reshape(1, 2, 3, 4)
    >>> kernel_pictures(kernel).values.shape
    (1, 2, 4)
    >>> kernel_pictures(kernel, input_channel=1).words
    'input channel 1 of 3'
    """
    if kernel.ndim not in {3, 4, 5}:
        return None
    values = as_floats(np.asarray(kernel))
    depth = ""
    if values.ndim == 5:
        middle = (len(values) - 1) // 2
        depth = f", depth {middle + 1} of {len(values)}" if len(values) > 1 else ""
        values = values[middle]
    elif values.ndim == 3:
        values = values[np.newaxis]
    height, width, inputs, outputs = values.shape
    if input_channel is not None and not 0 <= input_channel < inputs:
        message = f"Expected an input channel from 0 to {inputs - 1}, got {input_channel}."
        raise IndexError(message)
    if depthwise:
        return KernelPictures(
            values.reshape(height, width, inputs * outputs), f"one kernel for each input channel{depth}"
        )
    each = f" of each of {groups} groups" if groups > 1 else ""
    if input_channel is not None or inputs == 1:
        chosen = input_channel or 0
        words = f"input channel {chosen} of {inputs}" if inputs > 1 else "the only input channel"
        return KernelPictures(values[:, :, chosen], words + each + depth)
    mean = values.mean(axis=2, dtype=np.promote_types(values.dtype, np.float32))
    return KernelPictures(mean, f"mean over {inputs} input channels{each}{depth}")


@ignore_float_errors
def unknown_pictures(weight: npt.NDArray[Any]) -> KernelPictures | None:
    """Arrange a weight whose axes have no known meaning like a kernel, but name the axes by number.

    Args:
        weight: Of three to five axes.

    Returns:
        The pictures, one for each entry of the last axis; None for a weight of fewer or more axes.

    >>> unknown_pictures(np.zeros((3, 3, 3, 2, 5))).words
    'middle of axis 0, mean over axis 3'
    """
    shown = kernel_pictures(weight)
    middle = "middle of axis 0, " if weight.ndim == 5 else ""
    return shown and replace(shown, words=f"{middle}mean over axis {weight.ndim - 2}")
