"""One sentence on a layer: what it is, and what it gives for one sample."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from actwidget.explorer.description.facts import plural

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData

MOST_SOURCES = 4
"""The names of so many layers are read at a glance."""


def sentence(data: LayerData) -> str:
    """What a layer is and gives, in words that stand below its name.

    Args:
        data: The layer.

    Returns:
        "ReLU · 96 channels of 112 × 112", "Dense · 64 units · 1,344 parameters", "Add of shortcut and conv · ...".
    """
    node = data.node
    parts = [node.class_name + _sources(data), _output(data)]
    if node.parameters:
        parts.append(plural(node.parameters, "parameter"))
    return " · ".join(part for part in parts if part)


def network_sentence(data: LayerData) -> str:
    """How large a network is, and which of its layers is selected.

    Args:
        data: The selected layer.

    Returns:
        "144 layers · selected: block1_expand_relu".
    """
    return f"{plural(data.sources.session.graph.tree.layer_count, 'layer')} · selected: {data.path}"


def _sources(data: LayerData) -> str:
    """What a layer joins that is given several values: " of a and b"; of one that is given a single value ""."""
    names = [source.rpartition("/")[2] for source in data.sources.session.graph.sources(data.path)]
    if len(names) < 2:
        return ""
    if len(names) > MOST_SOURCES:
        return f" of {len(names)} layers"
    return f" of {', '.join(names[:-1])} and {names[-1]}"


def _output(data: LayerData) -> str:
    """The values of one sample: how many channels, and how large each is."""
    shape = data.node.output_shape
    if shape is None or data.node.dtype == "string":
        return ""
    if len(shape) <= 1:
        return "one number a sample"
    axis = data.channel_axis.axis
    rest = list(shape[1:])
    if axis is None or not data.node.dtype.startswith(("float", "bfloat")):
        return f"{_times(rest)} values"
    count = rest.pop(axis % len(shape) - 1)
    channels = "an open number of " + data.channel_label + "s" if count is None else plural(count, data.channel_label)
    if not rest or (None not in rest and prod(length or 0 for length in rest) == 1):
        return channels
    return f"{channels} over {_times(rest)} steps" if len(rest) == 1 else f"{channels} of {_times(rest)}"


def _times(lengths: list[int | None]) -> str:
    return " × ".join("?" if length is None else f"{length:,}" for length in lengths)
