"""What the figure of a training shows: its arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.figures.parts.text import percent, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from actwidget.analysis.dtypes import FloatArray
    from actwidget.analysis.histogram import Histogram

Scale = Literal["share", "signed", "positive"]
"""What a number can be: 0 to 1, of both signs, or positive and of any magnitude."""
Form = Literal["heatmap", "ridge"]
"""How the distribution of a layer over time is drawn."""


@dataclass(frozen=True)
class Quantity:
    """A number of each layer, as it is shown over time.

    Attributes:
        label: What it is called on screen.
        words: What it is, in a few words.
        scale: What it can be, which decides its colours.
    """

    label: str
    words: str
    scale: Scale

    @ignore_float_errors
    def text(self, value: float) -> str:
        """A value in words.

        >>> Quantity("zeros", "share of zeros", "share").text(0.25), Quantity("mean", "mean", "signed").text(0.125)
        ('25 %', '0.125')
        """
        if math.isnan(value):
            return "none"
        return percent(value) if self.scale == "share" else plain(value)


QUANTITIES: Mapping[str, Quantity] = {
    "zeros": Quantity("zeros", "share of zeros", "share"),
    "dead": Quantity("dead channels", "share of channels that are 0 for the whole probe", "share"),
    "saturated": Quantity("saturated", "share of values at a bound", "share"),
    "standard_deviation": Quantity("spread", "standard deviation", "positive"),
    "mean": Quantity("mean", "mean value", "signed"),
    "nonfinite": Quantity("not finite", "share of values that are NaN or infinite", "share"),
    "norm": Quantity("weight norm", "norm of the weights", "positive"),
    "update": Quantity("weight update", "change of the weights as a share of their norm", "positive"),
    "gradient": Quantity("gradient norm", "norm of the gradients", "positive"),
}
"""The numbers of layers by name."""


@dataclass(frozen=True)
class Chosen:
    """What a person has chosen to see.

    Attributes:
        layer: A path; that of no layer stands for the first one that is worth a look.
        quantity: A key of `QUANTITIES`.
        form: How the distribution is drawn.
        step: The moment nearest to this step is shown beside now.
    """

    layer: str = ""
    quantity: str = "zeros"
    form: Form = "heatmap"
    step: int = 0


@dataclass(frozen=True, eq=False)
class Channels:
    """One layer's channels at one moment.

    Attributes:
        step: After how many steps.
        values: `(channels, height, width)`, of one sample; None if they were not kept.
    """

    step: int
    values: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class LayerOverTime:
    """One layer over the course of a training.

    Attributes:
        path: The layer.
        histograms: One for each moment; None where the layer has no numbers.
        quantiles: `(moments, 5)`: 1, 25, 50, 75 and 99 %.
        then: The channels at the chosen moment.
        now: The channels at the latest moment that has them.
    """

    path: str
    histograms: Sequence[Histogram | None]
    quantiles: FloatArray
    then: Channels
    now: Channels


@dataclass(frozen=True, eq=False)
class TrainingContent:
    """What the figure of a training shows.

    Attributes:
        title: How far the training is, in words.
        steps: After how many steps each moment was recorded, ascending, shape `(moments,)`.
        epochs: In which epoch, from 0, shape `(moments,)`.
        layers: The paths of all layers, in order of execution.
        quantity: A key of `QUANTITIES`.
        numbers: The values of that, shape `(layers, moments)`; NaN where there is none.
        curves: Loss and metrics by name, each of shape `(moments,)`; NaN where they are not known.
        layer: The chosen layer over time.
        moment: The place of the chosen moment among all.
        form: How its distribution is drawn.
        fault: The first thing that was not finite, in words.
    """

    title: str
    steps: NDArray[np.int64]
    epochs: NDArray[np.int64]
    layers: Sequence[str]
    quantity: str
    numbers: FloatArray
    curves: Mapping[str, FloatArray]
    layer: LayerOverTime
    moment: int
    form: Form = "heatmap"
    fault: str = ""
