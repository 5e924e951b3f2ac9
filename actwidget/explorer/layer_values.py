"""Activations with the sample as their first axis and their channels on the last one, whatever the layer does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import depths, kind_of
from actwidget.analysis.categories import categories
from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.access.cache import Key
from actwidget.capture.access.session import ROW, WHOLE
from actwidget.capture.semantics.channel_axis import ChannelAxis, channel_axis_of

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session
    from actwidget.capture.run.batch_parts import Row

Array = np.ndarray[Any, Any]
AXES = {"auto": None, "last": -1, "first": 1, "none": None}
"""Which axis of an activation holds the channels: as the layer has it, the last one, the first one, none at all."""


class LayerValues:
    """The activations of a session, as views want them.

    Attributes:
        session: Where they come from.
    """

    def __init__(self, session: Session) -> None:
        """Reads the channels of each layer from the axis that the layer itself has them on."""
        self.session = session
        self._chosen_axis = ("", "auto")
        self._names_things: dict[str, bool] = {}

    def choose_axis(self, path: str, axis: str) -> bool:
        """Reads one layer's channels from another axis, a key of `AXES`; all others are read as they have them.

        Returns:
            Whether activations are read in another way now, so that nothing made of them holds any more.
        """
        if (path, axis) == self._chosen_axis:
            return False
        changed = {self._chosen_axis[1], axis} != {"auto"}
        self._chosen_axis = (path, axis)
        return changed

    def clear(self) -> None:
        """Forgets what was found out by looking at values."""
        self._names_things.clear()

    def channel_axis(self, path: str) -> ChannelAxis:
        """How a layer's activation is divided into channels, and what these are called."""
        own = self.own_channel_axis(path)
        rank = self._rank(path)
        chosen, axis = self._chosen_axis
        if rank == 2 or path != chosen or axis == "auto":  # a vector has one axis alone
            return own
        # Along another axis there are no attention heads.
        return ChannelAxis(
            AXES[axis], own.channel_label if own.channel_label != "head" else "channel" if rank > 3 else "unit"
        )

    def own_channel_axis(self, path: str) -> ChannelAxis:
        """The same as the layer itself has it."""
        graph = self.session.graph
        parts = path.split("/")
        above = ["/".join(parts[:length]) for length in range(1, len(parts))]
        owners = [graph.root, *(graph.operations[each] for each in above if each in graph.operations)]
        return channel_axis_of(graph.nodes[path], graph.operations[path], graph.steps(path), owners)

    def is_read_as_computed(self, path: str) -> bool:
        """Whether the axis that is read as the channels' is the one along which the layer computes."""
        rank = self._rank(path)
        axes = [each.axis for each in (self.own_channel_axis(path), self.channel_axis(path))]
        return len({axis if axis is None or not rank else axis % rank for axis in axes}) == 1

    def row(self, path: str, sample: int) -> Row | None:
        """What a layer gives for one sample, channels last; `None` without inputs.

        Raises:
            MemoryBudgetError: The activation is larger than the budget and can only be had as a whole.
            CaptureError: The forward pass failed.
        """
        row = self.session.row(path, sample)
        return None if row is None else replace(row, value=self.channels_last(path, row.value[np.newaxis])[0, ...])

    def batch(self, path: str) -> Array:
        """An activation of all samples; one without an axis of samples (a sum over the batch) counts as one sample."""
        return self.as_samples(path, np.asarray(self.session.value(path)))

    def as_samples(self, path: str, value: Array) -> Array:
        """An activation at hand, in the same form."""
        size = 0 if self.session.batch is None else self.session.batch.size
        return self.channels_last(path, value if value.ndim and len(value) == size else value[np.newaxis])

    def channels_last(self, path: str, samples: Array) -> Array:
        """Samples with their channels on the last axis; what has no channels stays as it is."""
        return (
            self.channel_axis(path).moved_last(samples) if samples.ndim > 1 and is_numeric(samples.dtype) else samples
        )

    def names_things(self, path: str, value: Array, sample: int = 0) -> bool:
        """Whether a layer's integers name things, as classes and token ids do; those of the first sample tell.

        Args:
            path: The layer.
            value: Its values for one sample.
            sample: Which sample that is.
        """
        if path not in self._names_things:
            first = self.row(path, 0) if sample and value.dtype.kind in "iu" else None
            self._names_things[path] = _name_things(value if first is None else first.value)
        return self._names_things[path]

    def sample_shape(self, path: str, kind: str, sample: int) -> tuple[int, ...]:
        """The shape of one sample, channels last, of a layer that gives what is called `kind`; else empty."""
        node = self.session.graph.nodes[path]
        if node.origin == "opaque" or self.session.batch is None:
            return ()
        shape = node.output_shape
        if shape is None or None in shape[1:] or self.session.batch.lengths:
            row = self.row(path, sample)
            return () if row is None or kind_of(row.value.shape, row.value.dtype) != kind else row.value.shape
        if len(shape) < 4 or node.dtype in {"bool", "string"}:
            return ()
        known = tuple(int(length or 0) for length in shape[1:])
        shape = self.channel_axis(path).moved_last(np.broadcast_to(np.float32(0), (1, *known))).shape
        return tuple(map(int, shape[1:])) if kind_of(tuple(shape[1:]), np.float32) == kind else ()

    def slice_lengths(self, path: str, sample: int) -> tuple[int, ...]:
        """The lengths of the axes along which a layer's volumes are cut into slices; empty where it gives none."""
        return depths(self.sample_shape(path, "volume", sample))

    def base(self, path: str, sample: int) -> Key | None:
        """The key of what pictures of a sample hold in memory: they must not outlive it in the cache."""
        if self.session.batch is None or self.session.graph.nodes[path].origin == "opaque":
            return None
        return Key(path, WHOLE) if self.session.fits(path) else Key(path, ROW, sample)

    def _rank(self, path: str) -> int:
        return len(self.session.graph.nodes[path].output_shape or ())


def _name_things(value: Array) -> bool:
    """Whether a sample's integers name things: steps by tokens, pixels by classes; a picture of bytes measures."""
    if value.dtype.kind not in "iu":
        return False
    one_map = value.ndim == 2 or (value.ndim == 3 and value.shape[-1] == 1)
    return value.ndim == 1 or (one_map and categories(value) is not None)
