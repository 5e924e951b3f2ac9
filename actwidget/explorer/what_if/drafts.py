"""The change of a layer that is being made with the controls of the tab "What if"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from actwidget.capture.edits.layers import Ablate, Scale
from actwidget.errors import OptionError
from actwidget.explorer.what_if.edits import Edit, Edits, channels_from

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection


@dataclass(frozen=True)
class Draft:
    """A change as the controls show it.

    Attributes:
        change: `"off"`, `"others"`, `"scale"` or `"mean"`.
        channels: The channels in the field.
        factor: What they are multiplied by; `None` unless they are scaled.
        edits: How many edits of the layer, the last ones, it stands for.
    """

    change: str
    channels: tuple[int, ...]
    factor: float | None
    edits: int


def refusal(data: LayerData) -> str | None:
    """Why nothing can be changed behind a layer, in words; `None` if something can."""
    graph, node = data.sources.session.graph, data.node
    if (aside := graph.asides.get(data.path)) is not None:
        return f"It can't be changed: {aside.no_edit}."
    if node.dtype == "string":
        return "Texts have no channels that could be switched off."
    if data.channel_axis.axis is None or (node.output_shape is not None and len(node.output_shape) < 2):
        return "This layer has no channels that could be switched off."
    return None


def draft_of(data: LayerData, selection: Selection, kept: int) -> Draft | None:
    """The change of the layer that the controls show; `None` if there is none yet.

    Args:
        data: The layer.
        selection: The selection, with all edits.
        kept: How many edits of the layer are complete.
    """
    here = [each for each in selection.edits if each.path == data.path][kept:]
    if not here:
        return None
    last = here[-1].change
    if isinstance(last, Scale):
        return Draft("scale", here[-1].channels, float(last.factor.real), 1)
    if not isinstance(last, Ablate):
        return None
    wanted = dict(selection.options).get("what_if_change", "off")
    if last.value == 0 and wanted != "mean":
        own = tuple(channel % data.channel_count for channel in last.channels)
        others = tuple(channel for channel in range(data.channel_count) if channel not in own)
        return Draft("others", others, None, 1) if wanted == "others" else Draft("off", own, None, 1)
    group = []
    for each in reversed(here):
        if not isinstance(each.change, Ablate) or len(each.channels) != 1:
            break
        group.append(each.channels[0] % data.channel_count)
    return Draft("mean", tuple(reversed(group)) or here[-1].channels, None, max(1, len(group)))


def with_draft(  # noqa: PLR0917 - what the controls hold
    data: LayerData, edits: Edits, replaced: int, text: str, change: str, factor: float
) -> Edits:
    """All edits, with that of the layer as the controls now have it.

    Args:
        data: The layer.
        edits: All edits.
        replaced: How many edits of the layer, the last ones, it takes the place of.
        text: The channels.
        change: `"off"`, `"others"`, `"scale"` or `"mean"`.
        factor: What the channels are multiplied by.

    Raises:
        OptionError: The text names no channels of the layer, or a channel has no mean.
    """
    channels = channels_from(text, data.channel_count)
    own = [place for place, each in enumerate(edits) if each.path == data.path]
    dropped = set(own[len(own) - replaced :] if replaced else ())
    rest = tuple(each for place, each in enumerate(edits) if place not in dropped)
    return rest + _made(data, channels, change, factor)


def _made(data: LayerData, channels: tuple[int, ...], change: str, factor: float) -> Edits:
    if not channels:
        return ()
    axis, path = data.channel_axis.axis, data.path
    axis = -1 if axis is None else axis
    if change == "scale":
        return (Edit.of(path, Scale(channels, factor, axis=axis, name="scale")),)
    if change == "mean":
        return tuple(Edit.of(path, Ablate(each, _mean(data, each), axis=axis, name="mean")) for each in channels)
    if change == "others":
        channels = tuple(each for each in range(data.channel_count) if each not in channels)
    return (Edit.of(path, Ablate(channels, axis=axis, name="ablate")),) if channels else ()


def _mean(data: LayerData, channel: int) -> float:
    """The mean of a channel over all samples and positions."""
    statistics = data.statistics
    mean = float("nan") if statistics is None else float(statistics.per_channel.mean[channel])
    if not np.isfinite(mean):
        message = f"{data.channel_label.capitalize()} {channel} of {data.path!r} has no mean over these inputs."
        raise OptionError(message)
    return round(mean) if data.node.dtype.startswith(("int", "uint", "bool")) else mean


def switched_off(data: LayerData, edits: Edits, channel: int) -> Edits:
    """All edits, and a channel of the layer switched off, together with those that its last edit switches off."""
    own = [each for each in edits if each.path == data.path]
    last = own[-1] if own else None
    axis = -1 if data.channel_axis.axis is None else data.channel_axis.axis
    is_alike = last is not None and isinstance(last.change, Ablate) and last.change.value == 0
    if last is None or not is_alike:
        return (*edits, Edit.of(data.path, Ablate(channel, axis=axis, name="ablate")))
    together = Edit.of(data.path, Ablate(tuple(dict.fromkeys((*last.channels, channel))), axis=axis, name="ablate"))
    return tuple(together if each is last else each for each in edits)
