"""A layer beside itself on another sample, or beside the same layer of another model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from actwidget.analysis.difference import difference
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.explorer.selection import OTHER_MODEL
from actwidget.figures import comparison_spec
from actwidget.figures.parts.text import number

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array
    from actwidget.explorer.selection import Selection


@register
class Comparison(View):
    """Two activations of one layer, and how far each channel of them is apart."""

    name = "comparison"
    label = "Compare"
    question = "What differs between two samples, or two models?"
    place = 40
    controls = ("channel", "slice", "compare")

    def samples(self, selection: Selection, count: int) -> list[int]:
        """The selected sample, and where no model is compared the other one, by default the next."""
        if selection.compare == OTHER_MODEL:
            return [selection.sample]
        other = (selection.sample + 1) % count if selection.compare is None else int(selection.compare)
        return [selection.sample, other]

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """Both sides and their difference, the channels that differ most first."""
        first = data.value
        if not data.is_numeric or first.shape == ():
            return Drawing.message(data.path, "There is nothing to compare here.")
        sample = data.own_sample
        names: tuple[str, str]
        second: Array | None
        if selection.compare == OTHER_MODEL and data.has_other_model:
            second = data.of_other_model()
            names = (data.model_name, f"{data.other_model_name} (other)")
        else:
            other = self.samples(selection, data.batch_size)[-1]
            if min(other, data.samples - 1) == sample:
                few = data.samples == 1
                more = "Nothing to compare with: give two samples" if few else "Choose two different samples"
                return Drawing.message(data.path, f"{more}, or compare=other_model.")
            row, names = data.of_sample(other).row, (f"sample {sample}", f"sample {other}")
            second = None if row is None else row.value
        second = first if second is None else second
        if first.shape != second.shape:
            return Drawing.message(data.path, f"The shapes differ: {first.shape} and {second.shape}.")
        return _drawn(data, selection, first, second, names)


def _drawn(data: LayerData, selection: Selection, first: Array, second: Array, names: tuple[str, str]) -> Drawing:
    apart, label = difference(first, second), data.channel_label
    place = None if selection.slice is None else data.slice_at(selection.slice)
    figure = comparison_spec(
        data.path, first, second, apart, names=names, channel_label=label, channel=selection.channel, at=place
    )
    most = ", ".join(
        f"{each} ({number(apart.mean_absolute[each])}{', not finite on one side' if apart.nonfinite[each] else ''})"
        for each in apart.order[:5].tolist()
    )
    alt = f"{data.path}: {names[0]} beside {names[1]}; {label}s that differ most, by mean difference: {most}"
    grid = Grid(np.asarray(apart.order), figure["data"][1]["z"].shape[1])
    return Drawing.of(figure, alt, tell=lambda: alt, grid=grid)
