"""What is recorded of a training: the numbers of each layer at some moments, and the first fault."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import FloatArray
from actwidget.analysis.histogram import Histogram
from actwidget.analysis.statistics import Statistics

SHARES = (0.01, 0.25, 0.5, 0.75, 0.99)
"""Of which quantiles a record holds the values."""
FaultKind = Literal["activation", "weight", "gradient", "loss"]


@dataclass(frozen=True)
class Fault:
    """The first value in a training that was NaN or infinite.

    Attributes:
        layer: The path of the layer; of a loss, that of the model's first output.
        kind: What was not finite: an `"activation"`, a `"weight"`, a `"gradient"` or the `"loss"`.
        step: In which step, from 1; 0 is before the first one.
    """

    layer: str
    kind: FaultKind
    step: int

    def __str__(self) -> str:
        """The fault in words."""
        thing = {"activation": "The activation", "weight": "A weight", "gradient": "A gradient"}.get(self.kind)
        what = f"{thing} of {self.layer!r}" if thing else f"The loss of what {self.layer!r} gives"
        return f"{what} was not finite at step {self.step}."


@dataclass(frozen=True)
class WeightRecord:
    """The size of a layer's weights.

    Attributes:
        norm: The Euclidean norm of all that the layer trains; of a frozen layer, of all its weights.
        update: The norm of their change since the record before, as a share of `norm` then; NaN in the first record.
    """

    norm: float
    update: float


@dataclass(frozen=True, eq=False)
class LayerRecord(Statistics):
    """The numbers of one layer at one moment: those of `Statistics`, and these.

    Attributes:
        quantiles: float64 `(5,)`, the 1, 25, 50, 75 and 99 % quantiles of the finite values; NaN where there are none.
        histogram: Of all values.
        weights: The size of the layer's weights; None if it has none, or they were not asked for.
        gradient: The Euclidean norm of the gradient of the loss by what the layer trains; None if it trains nothing,
            if it was not asked for, and before the first step where the loss is that of the step's own batch.
        picture: float32 `(channels, height, width)`, what the layer gave for the first sample of the probe, reduced if
            it is large; None where it was not kept.
    """

    quantiles: FloatArray
    histogram: Histogram
    weights: WeightRecord | None = None
    gradient: float | None = None
    picture: npt.NDArray[np.float32] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain Python values that go into JSON; what is not finite is None, and no picture."""
        plain = super().to_dict()
        del plain["picture"]
        plain["histogram"] = {each.name: _plain(getattr(self.histogram, each.name)) for each in fields(Histogram)}
        plain["weights"] = None if self.weights is None else {k: _plain(v) for k, v in vars(self.weights).items()}
        return plain

    def measured(self, weights: WeightRecord | None, gradient: float | None) -> LayerRecord:
        """These numbers with what was measured of the layer's weights; the same object if it has that.

        Args:
            weights: The size of the weights.
            gradient: The norm of the gradient by them.
        """
        same = self.gradient == gradient and self.weights == weights
        return self if same else replace(self, weights=weights, gradient=gradient)

    @property
    def nbytes(self) -> int:
        """About how many bytes this takes without its picture."""
        holders = (self, self.per_channel, self.histogram)
        arrays = [value for each in holders for value in vars(each).values() if isinstance(value, np.ndarray)]
        pictures = 0 if self.picture is None else self.picture.nbytes  # which have a budget of their own
        return 1_500 + sum(array.nbytes for array in arrays) - pictures


@dataclass(frozen=True, eq=False)
class Record:
    """A training at one moment.

    Attributes:
        step: How many steps were finished.
        epoch: In which epoch, from 0.
        layers: The numbers of each layer by path, in order of execution.
        logs: The loss and the metrics as Keras reports them at that moment; empty before the first step.
    """

    step: int
    epoch: int
    layers: dict[str, LayerRecord]
    logs: dict[str, float] = field(default_factory=dict)


def rows_of(history: list[Record]) -> list[dict[str, Any]]:
    """One row for each layer of each record, with names that are the same in all."""
    names = [each.name for each in fields(Statistics) if each.name not in {"per_channel", "bound"}]
    return [
        {
            "step": record.step,
            "epoch": record.epoch,
            "layer": path,
            **{name: getattr(layer, name) for name in names},
            **{f"quantile_{share:.0%}": float(q) for share, q in zip(SHARES, layer.quantiles, strict=True)},
            "weight_norm": np.nan if layer.weights is None else layer.weights.norm,
            "weight_update": np.nan if layer.weights is None else layer.weights.update,
            "gradient": np.nan if layer.gradient is None else layer.gradient,
            **{f"logs_{name}": value for name, value in record.logs.items()},
        }
        for record in history
        for path, layer in record.layers.items()
    ]


def numbers_in(logs: Any) -> dict[str, float]:
    """What of Keras's logs are numbers."""
    found = {}
    for name, value in (logs or {}).items():
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError):
            continue
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return None if isinstance(value, float) and not np.isfinite(value) else value
