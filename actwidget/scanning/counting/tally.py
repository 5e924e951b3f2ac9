"""All that is counted of one layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.moments import Bounds, ChannelMoments
from actwidget.analysis.statistics import Statistics, statistics_of
from actwidget.scanning.counting.batch_sums import BatchSums, Block, batch_sums
from actwidget.scanning.counting.excitations import excitations
from actwidget.scanning.counting.kept_samples import KeptSamples
from actwidget.scanning.counting.label_means import LabelMeans
from actwidget.scanning.counting.sampled_quantiles import SampledQuantiles
from actwidget.scanning.counting.top_samples import TopSamples

Array = npt.NDArray[Any]
# So many batches are put together at most before they are added up: NumPy's calls cost as much for one as for some.
_MOST_WAITING = 32


@dataclass(frozen=True)
class Settings:
    """What is kept of each layer.

    Attributes:
        top: How many samples for each channel.
        keep: Of how many samples the output.
        seed: By which samples and values are drawn.
        expected: How many samples are going to come; `None` if that is not known.
    """

    top: int
    keep: int
    seed: int
    expected: int | None = None


class Tally:
    """Counts of one layer; those of two parts of the data can be merged.

    Attributes:
        bounds: The bounds of the layer's activation function.
        shape: The shape of one sample, channels last, of the first batch.
        top: The samples that excite each channel most.
        quantiles: Sketches of the values.
        kept: The outputs of some samples.
        by_label: Means by label.
        most_bytes: Batches are put together while they take less than this.
    """

    def __init__(self, shape: tuple[int, ...], bounds: Bounds | None, settings: Settings) -> None:
        """Starts without samples.

        Args:
            shape: The shape of one sample, channels last.
            bounds: The bounds of the layer's activation function, or `None`.
            settings: What is kept.
        """
        self.shape = shape
        self.bounds = bounds
        channels = shape[-1]
        expected = None if settings.expected is None else settings.expected * math.prod(shape[:-1])
        self.top = TopSamples(settings.top, channels, len(shape) - 1)
        self.quantiles = SampledQuantiles(channels, expected)
        self.kept = KeptSamples(settings.keep, channels, settings.seed)
        self.by_label = LabelMeans(channels)
        self._moments: ChannelMoments | None = None
        self.most_bytes = 0
        self._waiting: list[tuple[Array, Array | None, Array]] = []
        self._waiting_bytes = 0

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return self.shape[-1]

    def add(self, samples: Array, labels: Array | None, values: Array, generator: np.random.Generator) -> None:
        """Adds a batch. Its values must not change after that.

        Args:
            samples: The samples' numbers, in order.
            labels: Their labels, or `None`.
            values: The activation, `(samples, ..., channels)`.
            generator: Draws the values for quantiles.
        """
        values = np.ascontiguousarray(values)
        if self._waiting:
            _, known, before = self._waiting[-1]
            if (before.shape[1:], before.dtype, known is None) != (values.shape[1:], values.dtype, labels is None):
                self._count_waiting()
        self.quantiles.draw(values.reshape(-1, self.channels), generator)
        self._waiting.append((samples, labels, values))
        self._waiting_bytes += values.nbytes
        if self._waiting_bytes >= self.most_bytes or len(self._waiting) >= _MOST_WAITING:
            self._count_waiting()

    def flush(self) -> None:
        """Adds what was put together."""
        self._count_waiting()
        self.quantiles.flush()

    @ignore_float_errors
    def _count_waiting(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not waiting:
            return
        samples = np.concatenate([each[0] for each in waiting])
        labels = None if waiting[0][1] is None else np.concatenate([each[1] for each in waiting])
        shape = waiting[0][2].shape[1:-1]
        batches = [values.reshape(len(values), math.prod(shape), self.channels) for _, _, values in waiting]
        if not shape or math.prod(shape) == 1:
            batches = [np.concatenate(batches)]
        found = batch_sums(batches, self.bounds)
        self._moments = found.moments if self._moments is None else self._moments.joined(found.moments)
        self._add_to_top(found, samples, labels, shape)
        rows = batches[0][:, 0] if len(batches) == 1 and batches[0].shape[1] == 1 else None
        self.kept.add(samples, found.means if rows is None else rows.__getitem__, labels)
        if labels is not None:
            self.by_label.add(labels, found.sums, np.broadcast_to(found.counts, found.sums.shape))

    def _add_to_top(self, sums: BatchSums, samples: Array, labels: Array | None, shape: tuple[int, ...]) -> None:
        moments = sums.moments
        entering = self.top.entering(moments.maximum, int(samples[0]))
        if not entering.size:
            return
        least, start, every = self.top.values[-1, entering], 0, []
        is_finite = not (moments.nan.any() or moments.infinite.any())
        for block in sums.blocks:
            rows = block.rows
            finite = block if is_finite else Block(np.where(np.isfinite(rows), rows, -np.inf), None)
            found = excitations(finite, entering, least, len(self.top.values))
            if found is not None:
                every.append((found.channels, found.values, found.samples + start, found.positions))
            start += len(rows)
        if not every:
            return
        channels, values, places, positions = map(np.concatenate, zip(*every, strict=True))
        axes = (
            np.stack(np.unravel_index(positions, shape), axis=-1) if shape else np.zeros((len(positions), 0), np.int64)
        )
        own = None if labels is None else labels[places]
        self.top.add(channels, values, samples[places], own, axes)

    def merge(self, other: Tally) -> None:
        """Adds the counts of another part of the data."""
        self.flush()
        other.flush()
        if other._moments is not None:
            self._moments = other._moments if self._moments is None else self._moments.joined(other._moments)
        for mine, others in zip(self._parts(), other._parts(), strict=True):
            mine.merge(others)

    @property
    def moments(self) -> ChannelMoments:
        """Those of each channel over all samples."""
        self.flush()
        if self._moments is None:
            message = "There are no statistics without samples."
            raise ValueError(message)
        return self._moments

    @ignore_float_errors
    def statistics(self) -> Statistics:
        """The statistics over all samples."""
        return statistics_of(self.moments, self.bounds)

    def arrays(self) -> dict[str, Array]:
        """All that is known, to be stored, by name."""
        self.flush()
        found = {f"{name}.{key}": each for name, part in self._named() for key, each in part.arrays().items()}
        if self._moments is not None:
            found |= {
                f"moments.{field.name}": np.asarray(getattr(self._moments, field.name))
                for field in fields(ChannelMoments)
            }
        return found | {"shape": np.asarray(self.shape, np.int64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], bounds: Bounds | None) -> Tally:
        """The one of which `arrays` were stored."""
        found = cls(tuple(map(int, arrays["shape"])), bounds, Settings(0, 0, 0))
        found.top = TopSamples.from_arrays(_below(arrays, "top."))
        found.quantiles = SampledQuantiles.from_arrays(_below(arrays, "quantiles."))
        found.kept = KeptSamples.from_arrays(_below(arrays, "kept."))
        found.by_label = LabelMeans.from_arrays(_below(arrays, "by_label."))
        if stored := _below(arrays, "moments."):
            plain: dict[str, Any] = {"samples": int, "rows": int, "is_exact": bool}
            values: dict[str, Any] = {name: plain.get(name, np.array)(each) for name, each in stored.items()}
            found._moments = ChannelMoments(**values)
        return found

    def _named(self) -> list[tuple[str, Any]]:
        return list(zip(("top", "quantiles", "kept", "by_label"), self._parts(), strict=True))

    def _parts(self) -> tuple[Any, Any, Any, Any]:
        return self.top, self.quantiles, self.kept, self.by_label


def _below(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)}
