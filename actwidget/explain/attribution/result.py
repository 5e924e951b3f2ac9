"""`Attributions`: what the methods of attribution give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.errors import MissingPackageError, SampleError, shown
from actwidget.options import index

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Attributions:
    """How much each value of an input, or of an inner activation, speaks for an answer.

    Attributes:
        values: The attributions, of the shape of the input, `(samples, ...)`; for several inputs the model's own
            structure of them. One number a token for token inputs. For class activation maps shape
            `(samples, rows, columns)` at the layer's resolution, not negative; for attention rollout
            `(samples, positions)`.
        target: The class of each sample, shape `(samples,)`; `None` for a callable.
        score: The target's value that was explained, shape `(samples,)`.
        delta: For integrated gradients the completeness error of each sample, shape `(samples,)`: the sum of the
            attributions minus (score - score of the baseline). `None` for other methods.
        method: The method.
        layer: The path of the activation that the values are for; `""` if they are for the inputs themselves. For
            several inputs, of which some are taken behind them, the model's own structure of paths.
        pre_activation: What was taken off the model's output, `"softmax"` or `"sigmoid"`; `""` if nothing was.
        model_name: The model's name.
        inputs: The batch, in the structure that the model takes.
        magnitudes: What the figure shows in place of `values`, in their structure: for tokens the L2 norm over the
            embedding's axis, in saliency. `None` if it is the same.
        columns: The names of the features, if the inputs were one table with named columns; otherwise empty.
    """

    values: Any
    target: Array | None
    score: Array
    delta: Array | None
    method: str
    layer: Any
    pre_activation: str
    model_name: str = ""
    inputs: Any = field(default=None, repr=False)
    magnitudes: Any = field(default=None, repr=False)
    columns: Sequence[str] = ()

    def __repr__(self) -> str:
        """One line: the method, the model, and the shapes."""
        shapes = ", ".join(str(each.shape) for each in self.arrays.values())
        where = f" at {shown(self.layer)}" if self.layer else ""
        return f"Attributions({self.method} of {shown(self.model_name)}{where}: {shapes})"

    @property
    def arrays(self) -> dict[str, Array]:
        """The values as a flat dict: by the name of the input, or `"values"` for one alone."""
        if isinstance(self.values, np.ndarray):
            return {"values": self.values}
        leaves = keras.tree.flatten_with_path(self.values)
        return {"/".join(map(str, place)): each for place, each in leaves if each is not None}

    def to_frame(self) -> Any:
        """The attributions as a `pandas.DataFrame`, one row for each value.

        Returns:
            Columns `sample`, `target` (if there are classes), `score`, `input` (if there are several), one for each
            further axis (`feature`, by its name if it has one; `step` or `row`, `column`, `channel`), and `value`.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        pandas = MissingPackageError.unless_pandas("The numbers are in .values without it.")
        frames = []
        for name, array in self.arrays.items():
            places = np.indices(array.shape).reshape(array.ndim, -1)
            columns: dict[str, Any] = {"sample": places[0]}
            if self.target is not None:
                columns["target"] = self.target[places[0]]
            columns["score"] = self.score[places[0]]
            if len(self.arrays) > 1:
                columns["input"] = name
            columns |= dict(zip(_axis_names(array.ndim, self), places[1:], strict=True))
            if self.columns and "feature" in columns:
                columns["feature"] = np.array(self.columns)[columns["feature"]]
            frames.append(pandas.DataFrame({**columns, "value": array.ravel()}))
        return pandas.concat(frames, ignore_index=True)

    def figure(self, sample: int = 0) -> go.Figure:
        """The attributions of one sample as a figure: over the picture, as bars, or as a map.

        Args:
            sample: Which sample.

        Raises:
            SampleError: There is no such sample.
        """
        from actwidget.figures.attribution.figure import attribution_figure

        chosen = index(sample, len(self.score), "sample", f"{len(self.score)} samples", SampleError)
        shown_values = self.values if self.magnitudes is None else self.magnitudes
        panels = []
        inputs = keras.tree.flatten(self.inputs)
        for number, array in enumerate(keras.tree.flatten(shown_values)):
            if array is not None:
                given = inputs[number] if number < len(inputs) else None
                panels.append((array[chosen], None if given is None or len(given) <= chosen else given[chosen]))
        names = list(self.arrays)
        signed = self.method != "saliency"
        return attribution_figure(self.title(chosen), panels, names, is_signed=signed, labels=self.columns)

    def title(self, sample: int) -> str:
        """The method, the target and the score of a sample, in words.

        Args:
            sample: Which sample.
        """
        target = "" if self.target is None else f" · class {int(self.target[sample])}"
        layer = f" at {self.layer}" if isinstance(self.layer, str) and self.layer else ""
        return f"{self.method.replace('_', ' ')}{layer}{target} · score {float(self.score[sample]):.4g}"


def _axis_names(rank: int, attributions: Attributions) -> list[str]:
    """What the axes behind that of the samples are called."""
    without_channels = attributions.method in {"grad_cam", "grad_cam_plus_plus", "layer_cam", "attention_rollout"}
    names = {
        1: ["feature"],
        2: ["step", "channel"],
        3: ["row", "column", "channel"],
        4: ["slice", "row", "column", "channel"],
    }
    if without_channels:
        return names.get(rank, [f"axis {axis}" for axis in range(rank)])[: rank - 1]
    return names.get(rank - 1, [f"axis {axis}" for axis in range(1, rank)])
