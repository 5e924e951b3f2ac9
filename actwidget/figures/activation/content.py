"""What the figure of one activation shows: its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from actwidget.figures.parts.palette import ColorRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from actwidget.analysis.axes import Kind
    from actwidget.analysis.histogram import Histogram
    from actwidget.analysis.pixels.color_limits import Limits
    from actwidget.analysis.pixels.mosaic import Mosaic
    from actwidget.analysis.statistics import Statistics


@dataclass(frozen=True, eq=False)
class Source:
    """The input picture beside the close-up.

    Attributes:
        pixels: One sample of the input, shape `(height, width, 1 or 3)`.
        name: What it is called.
        first: The row and the column at the centre of the close-up's first cell; `None` where that is not known.
        step: How many rows and columns from one cell to the next.
        size: How many rows and columns one cell depends on.
    """

    pixels: NDArray[Any]
    name: str = "the input"
    first: tuple[float, float] | None = None
    step: tuple[float, float] = (1, 1)
    size: tuple[int, int] = (1, 1)


Scaling = Literal["layer", "robust", "channel"]
"""Which values the colours span: those of the layer, those without the most extreme ones, or those of each channel."""


@dataclass(frozen=True)
class Picture:
    """All channels of one sample as one picture.

    Attributes:
        uri: The palette PNG as a data URI, `""` where the units are drawn as bars.
        tiles: Which channel is where, or `None` for bars and sequences.
        values: The channels, shape `(channels, height, width)`.
        order: The channels in the order in which they are shown.
        color: The range of the colours over the whole layer.
        kind: What the axes of the sample mean.
        scaling: What the range of the colours is taken from.
        limits: Where `color` leaves extreme values out, how many; else `None`.
        slice_label: The slice of a volume, in words; else empty.
        reduction: Of a sequence, how many units and how many steps one pixel stands for.
        page: Which part of the channels is in sight, where they do not fit on one page.
        pages: How many such parts there are.
        constant: Which channels have one value at all places, bool `(channels,)`; `None` where that is not asked.
    """

    uri: str
    tiles: Mosaic | None
    values: NDArray[Any]
    order: NDArray[np.intp]
    color: ColorRange
    kind: Kind
    scaling: Scaling
    limits: Limits | None = None
    slice_label: str = ""
    reduction: tuple[int, int] = (1, 1)
    page: int = 0
    pages: int = 1
    constant: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class ActivationContent:
    """What the figure of one activation shows.

    Attributes:
        title: The layer's path.
        picture: All its channels.
        statistics: The statistics of the sample.
        histogram: The distribution of the sample's values, and of the chosen channel's.
        channel: The channel that is chosen, or `None`: then the close-up shows the mean over all channels.
        order_name: A key of `ORDERS`.
        sample: The number of the sample, for the title; `None` where there is only one.
        class_names: Names of the units, for a classifier's last layer; of a binary one those of both classes.
        channel_label: What a channel is called: `"channel"`, `"unit"`, `"head"`.
        tokens: The texts of the steps of a sequence.
        mask: Which steps of a sequence count, shape `(steps,)`; `None` where all do.
        label: The unit of the true class, for a classifier's last layer; of a binary one 0 or 1.
        binary: Whether its one unit is the probability of the second of two classes.
        source: The input picture that the layer depends on; `None` where there is none.
        position: The row and the column of the close-up that the crosshair is pinned to.
    """

    title: str
    picture: Picture
    statistics: Statistics
    histogram: Histogram
    channel: int | None = None
    order_name: str = "index"
    sample: int | None = None
    class_names: Sequence[str] | None = None
    channel_label: str = "channel"
    tokens: Sequence[str] | None = None
    mask: NDArray[np.bool_] | None = None
    label: int | None = None
    binary: bool = False
    source: Source | None = None
    position: tuple[int, int] | None = None
