"""One channel laid over the input picture, with the pixels that one of its positions depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from actwidget.explorer.description.inspection import Action
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.explorer.views.channels import facts_on
from actwidget.explorer.what_if.effects import order_of
from actwidget.figures import Placement, overlay_spec

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection


@register
class Overlay(View):
    """One channel, or the mean over all, over the input picture that the layer depends on."""

    name = "overlay"
    label = "On the input"
    question = "Where in the input does this channel respond?"
    place = 20
    controls = ("channel",)

    def is_offered(self, data: LayerData) -> bool:
        """Whether an input is a picture."""
        return data.has_input_pictures

    def available(self, data: LayerData) -> str | None:
        """Only of feature maps that depend on a picture."""
        if data.node.origin == "opaque":
            return data.missing
        if not data.has_maps or data.row is None:
            return "This layer gives no feature map that could be laid over the input."
        if data.picture is None:
            return "This layer depends on no input that is a picture."
        return data.missing

    def action(self, _data: LayerData, _selection: Selection) -> Action:
        """Shows the channel on the input."""
        return Action("Show on the input", {"show": self.name}, self.question)

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """The channel over the picture; with a position, the part of the picture that this depends on."""
        channel, values, source = selection.channel, data.value, data.picture
        if source is None:
            return Drawing.message(data.path, self.available(data) or "")
        order = np.arange(values.shape[-1])
        if selection.sort not in {"index", "number"}:
            order = order_of(data, selection.sort)
        position = selection.position if data.is_read_as_computed else None
        field = data.receptive_field(position or (0, 0), source.place)
        box = place = None
        if field is not None and field.axes == (1, 2):  # as the picture is drawn, whatever the layers make of its axes
            rows, columns = field.spans
            box = None if position is None else (rows[0], columns[0], rows[1], columns[1])
            if field.spacing is not None:
                down, across = field.spacing
                place = Placement(down.first, across.first, down.step, across.step)
        figure = overlay_spec(
            data.path,
            source.pixels,
            values.mean(axis=-1, dtype=np.float32) if channel is None else values[..., channel],
            channel=channel,
            channel_label=data.channel_label,
            cell=position,
            box=box,
            place=place,
            source=source.name,
        )
        if figure is None:
            return Drawing.message(data.path, "This activation holds no values.")
        over = "over" if place else "stretched over"
        alt = f"{data.path}: {'mean' if channel is None else f'{data.channel_label} {channel}'} {over} {source.name}"
        if position is not None:
            alt += f"; row {position[0]}, column {position[1]}{_sight(box, source.name)}"
        return Drawing.of(figure, alt, tell=lambda: facts_on(data), grid=Grid(order))


def _sight(box: tuple[int, int, int, int] | None, source: str) -> str:
    """The part of the input that one position depends on, in words."""
    if box is None:
        return ": the pixels that it depends on can't be computed"
    if box[0] >= box[2] or box[1] >= box[3]:
        return f" depends on padding alone, not on {source}"
    return f" depends on rows {box[0]} to {box[2] - 1} and columns {box[1]} to {box[3] - 1} of {source}"
