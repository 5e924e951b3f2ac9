"""A kernel as small pictures: of all its input and output channels those that were asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.axes import floats
from actwidget.analysis.float_errors import any_errstate


@dataclass(frozen=True, eq=False)
class KernelPictures:
    """One picture for each channel of one side of a kernel.

    Attributes:
        values: `(height, width, pictures)`.
        side: `"output"` or `"input"`: of which side each picture is a channel; empty where that is not known.
        words: What is shown, for a title.
    """

    values: npt.NDArray[Any]
    side: str
    words: str


@any_errstate
def kernel_pictures(
    kernel: npt.NDArray[Any],
    *,
    input_channel: int | None = None,
    output_channel: int | None = None,
    depthwise: bool = False,
    groups: int = 1,
) -> KernelPictures | None:
    """Arrange the kernel of a convolution.

    Args:
        kernel: `(height, width, inputs, outputs)`, `(steps, inputs, outputs)`, or `(depth, height, width, inputs,
            outputs)`, of which the middle depth is taken; a depthwise kernel has the multiplier as its last axis.
        input_channel: Shows what each output channel makes of this input channel; without it their mean.
        output_channel: Shows instead what this output channel makes of each input channel.
        depthwise: Whether each input channel has outputs of its own; then every picture is shown.
        groups: Into how many groups the channels fall; `inputs` then are those of one group.

    Returns:
        The pictures; None for a vector, a matrix, or a number.

    Raises:
        IndexError: There is no such channel.

    >>> kernel = np.arange(24.0).reshape(1, 2, 3, 4)
    >>> kernel_pictures(kernel).values.shape, kernel_pictures(kernel, output_channel=0).values.shape
    ((1, 2, 4), (1, 2, 3))
    >>> kernel_pictures(kernel, input_channel=1).words
    'input channel 1 of 3'
    """
    if kernel.ndim not in {3, 4, 5}:
        return None
    values = floats(np.asarray(kernel))
    depth = ""
    if values.ndim == 5:
        middle = (len(values) - 1) // 2
        depth = f", depth {middle + 1} of {len(values)}" if len(values) > 1 else ""
        values = values[middle]
    elif values.ndim == 3:
        values = values[np.newaxis]
    height, width, inputs, outputs = values.shape
    for name, channel, count in (("input", input_channel, inputs), ("output", output_channel, outputs)):
        if channel is not None and not 0 <= channel < count:
            message = f"Expected an {name} channel from 0 to {count - 1}, got {channel}."
            raise IndexError(message)
    if depthwise:
        return KernelPictures(values.reshape(height, width, inputs * outputs), "output", f"each its own{depth}")
    if output_channel is not None:
        words = f"every input{' of the group' if groups > 1 else ''} of output channel {output_channel}{depth}"
        return KernelPictures(values[..., output_channel], "input", words)
    each = f" of each of {groups} groups" if groups > 1 else ""
    if input_channel is not None or inputs == 1:
        chosen = input_channel or 0
        words = f"input channel {chosen} of {inputs}" if inputs > 1 else "the only input channel"
        return KernelPictures(values[:, :, chosen], "output", words + each + depth)
    mean = values.mean(axis=2, dtype=np.promote_types(values.dtype, np.float32))
    return KernelPictures(mean, "output", f"mean over {inputs} input channels{each}{depth}")


@any_errstate
def unknown_pictures(weight: npt.NDArray[Any]) -> KernelPictures | None:
    """Arrange a weight of which it is not known what its axes are: as a kernel, but in words by number.

    Args:
        weight: Of three to five axes.

    Returns:
        The pictures, one for each entry of the last axis; None for a weight of fewer or more axes.

    >>> unknown_pictures(np.zeros((3, 3, 3, 2, 5))).words
    'middle of axis 0, mean over axis 3'
    """
    shown = kernel_pictures(weight)
    middle = "middle of axis 0, " if weight.ndim == 5 else ""
    return shown and replace(shown, side="", words=f"{middle}mean over axis {weight.ndim - 2}")
