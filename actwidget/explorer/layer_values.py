"""Activations in one layout for all layers: the samples on the first axis, the channels on the last one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import kind_of
from actwidget.analysis.categories import categories
from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.access.cache import Key
from actwidget.capture.access.session import ROW, WHOLE
from actwidget.capture.semantics.channel_axis import ChannelAxis, own_channel_axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from actwidget.capture.access.session import Session
    from actwidget.capture.run.batch_parts import Row

Array = np.ndarray[Any, Any]
AXES = {"auto": None, "last": -1, "first": 1, "none": None}
"""The channel axis for each choice: for `auto` the layer decides, `none` means that there are no channels."""


class LayerValues:
    """The activations of a session in the layout that views use.

    Attributes:
        session: Computes and caches the activations.
    """

    def __init__(self, session: Session) -> None:
        """Takes the channels of each layer from the layer's own channel axis, until `choose_axis` is called."""
        self.session = session
        self._chosen_axis = ("", "auto")
        self._gives_ids: dict[str, bool] = {}

    def choose_axis(self, path: str, axis: str) -> bool:
        """Takes one layer's channels from another axis, a key of `AXES`; all other layers use their own axis.

        Returns:
            Whether the layout of any activation has changed, so that everything computed from them is out of date.
        """
        if (path, axis) == self._chosen_axis:
            return False
        changed = {self._chosen_axis[1], axis} != {"auto"}
        self._chosen_axis = (path, axis)
        return changed

    def clear(self) -> None:
        """Forgets which layers give ids, which was found out from their values."""
        self._gives_ids.clear()

    def channel_axis(self, path: str) -> ChannelAxis:
        """How a layer's activation is divided into channels, and what these are called."""
        own = self.own_channel_axis(path)
        rank = self._rank(path)
        chosen, axis = self._chosen_axis
        if rank == 2 or path != chosen or axis == "auto":  # a vector has only one axis to take channels from
            return own
        # Along another axis there are no attention heads.
        return ChannelAxis(
            AXES[axis], own.channel_label if own.channel_label != "head" else "channel" if rank > 3 else "unit"
        )

    def own_channel_axis(self, path: str) -> ChannelAxis:
        """The layer's own channel axis, whatever the user has chosen."""
        return own_channel_axis(self.session.graph, path)

    def is_read_as_computed(self, path: str) -> bool:
        """Whether the channel axis in use is the layer's own."""
        rank = self._rank(path)
        axes = [each.axis for each in (self.own_channel_axis(path), self.channel_axis(path))]
        return len({axis if axis is None or not rank else axis % rank for axis in axes}) == 1

    def row(self, path: str, sample: int) -> Row | None:
        """A layer's activation for one sample, channels last; `None` without inputs.

        Raises:
            MemoryBudgetError: The activation is larger than the budget and can't be computed part by part.
            CaptureError: The forward pass failed.
        """
        row = self.session.row(path, sample)
        return None if row is None else replace(row, value=self.channels_last(path, row.value[np.newaxis])[0, ...])

    def batch(self, path: str) -> Array:
        """An activation for all samples; one without a batch axis (a sum over the batch) counts as one sample."""
        return self.as_samples(path, np.asarray(self.session.value(path)))

    def as_samples(self, path: str, value: Array) -> Array:
        """The same for an activation that the caller already has."""
        size = 0 if self.session.batch is None else self.session.batch.size
        return self.channels_last(path, value if value.ndim and len(value) == size else value[np.newaxis])

    def channels_last(self, path: str, samples: Array) -> Array:
        """Samples with their channels on the last axis; values without channels stay as they are."""
        return (
            self.channel_axis(path).moved_last(samples) if samples.ndim > 1 and is_numeric(samples.dtype) else samples
        )

    def names_things(self, path: str, value: Array, sample: int = 0) -> bool:
        """Whether a layer's integers are ids (of classes or tokens), not measurements.

        This is decided by the first sample, so that all samples of a layer are shown alike.

        Args:
            path: The layer.
            value: Its values for one sample.
            sample: Which sample that is.
        """
        if path not in self._gives_ids:
            first = self.row(path, 0) if sample and value.dtype.kind in "iu" else None
            self._gives_ids[path] = _are_ids(value if first is None else first.value)
        return self._gives_ids[path]

    def sample_shape(self, path: str, kind: str, row: Callable[[], Row | None]) -> tuple[int, ...]:
        """The shape of one sample, channels last, if the layer gives values of a kind (`"maps"`, ...); else `()`.

        Args:
            path: The layer.
            kind: As `kind_of` gives it.
            row: Gives the values of a sample; it is called if the shape is not known without them.
        """
        node = self.session.graph.nodes[path]
        if node.origin == "opaque" or self.session.batch is None:
            return ()
        shape = node.output_shape
        if shape is None or None in shape[1:] or self.session.batch.lengths:
            known_row = row()
            if known_row is None or kind_of(known_row.value.shape, known_row.value.dtype) != kind:
                return ()
            return tuple(known_row.value.shape)
        if len(shape) < 4 or node.dtype in {"bool", "string"}:
            return ()
        known = tuple(int(length or 0) for length in shape[1:])
        shape = self.channel_axis(path).moved_last(np.broadcast_to(np.float32(0), (1, *known))).shape
        return tuple(map(int, shape[1:])) if kind_of(tuple(shape[1:]), np.float32) == kind else ()

    def base(self, path: str, sample: int) -> Key | None:
        """The cache key of the values that pictures of a sample refer to.

        The cache drops those pictures together with the values: they would keep the values in memory.
        """
        if self.session.batch is None or self.session.graph.nodes[path].origin == "opaque":
            return None
        return Key(path, WHOLE) if self.session.fits(path) else Key(path, ROW, sample)

    def _rank(self, path: str) -> int:
        return len(self.session.graph.nodes[path].output_shape or ())


def _are_ids(value: Array) -> bool:
    """Whether a sample's integers are ids: of tokens in a sequence, or of classes in a map. Pixel bytes are not."""
    if value.dtype.kind not in "iu":
        return False
    is_one_map = value.ndim == 2 or (value.ndim == 3 and value.shape[-1] == 1)
    return value.ndim == 1 or (is_one_map and categories(value) is not None)
