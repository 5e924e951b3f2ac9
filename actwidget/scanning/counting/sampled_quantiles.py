"""Quantiles of each channel from a random share of the values, in KLL sketches by Apache DataSketches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import FloatArray
from actwidget.errors import MissingPackageError

Array = npt.NDArray[Any]

K = 256
"""The size of a sketch: the rank of a quantile is right to about 1 % of all values that it was given."""
BYTES = 4_000
"""About what a full sketch takes."""
# So many rows of a layer are drawn of known data at least: by the inequality of Dvoretzky, Kiefer and Wolfowitz a rank
# among them is, in 99 % of all cases, within 1.8 % of that among all.
_ENOUGH = 8192
# Where it is not known how much is to come all rows of the first stage are taken, and an eighth of that in each next.
_STAGE = 16_384
_FACTOR = 8
_CERTAINTY = math.log(2 / 0.01) / 2
_LARGEST = float(np.finfo(np.float32).max)


def _power_of_two(share: float) -> int:
    """The largest power of two up to a number, at least 1."""
    return 1 << int(math.log2(max(1.0, share)))


def _datasketches() -> Any:
    try:
        import datasketches
    except ImportError as error:
        message = 'aw.scan needs Apache DataSketches: pip install "actwidget[scan]".'
        raise MissingPackageError(message) from error
    return datasketches


class SampledQuantiles:
    """Sketches of the values of each channel.

    All values go in as long as there are few. Of more, rows (one value of each channel) are drawn at random: of data of
    known length the same share throughout, else a smaller one the more have come. Each share has its own sketches,
    and where several are merged those of a share stand for as many values as they were drawn from.
    """

    def __init__(self, channels: int, expected: int | None = None) -> None:
        """Starts without values.

        Args:
            channels: How many channels there are.
            expected: How many rows are going to come; `None` if that is not known.
        """
        self.channels = channels
        self.seen = 0
        self._sketches: dict[int, Any] = {}
        self._known = None if expected is None else _power_of_two(expected / _ENOUGH)
        self._waiting: list[tuple[int, Array]] = []

    def draw(self, rows: Array, generator: np.random.Generator) -> None:
        """Adds the finite values of the next rows, shape `(rows, channels)`, or of some of them."""
        count = len(rows)
        weight = self._weight(count)
        self.seen += count
        if weight > 1:
            whole, rest = divmod(count, weight)
            rows = rows[generator.integers(0, count, whole + int(generator.integers(0, weight) < rest))]
        elif count:
            rows = rows.copy()
        if len(rows):
            self._waiting.append((weight, rows))

    def _weight(self, rows: int) -> int:
        if self._known is not None:
            return self._known
        weight, end = 1, _STAGE
        while self.seen >= end:
            weight *= _FACTOR
            end += _STAGE * weight
        return max(weight, _power_of_two(rows / _STAGE))

    def flush(self) -> None:
        """Hands the rows that were added to the sketches."""
        waiting, self._waiting = self._waiting, []
        for weight in dict.fromkeys(weight for weight, _ in waiting):
            rows = np.concatenate([each for own, each in waiting if own == weight])
            with np.errstate(all="ignore"):
                finite = np.isfinite(rows)
                clean = rows if finite.all() else np.where(finite, rows, np.nan)
                limited = np.clip(clean, -_LARGEST, _LARGEST) if clean.dtype.itemsize > 4 else clean
                self._of(weight).update(np.ascontiguousarray(limited, np.float32))

    def _of(self, weight: int) -> Any:
        if weight not in self._sketches:
            self._sketches[weight] = _datasketches().vector_of_kll_floats_sketches(K, self.channels)
        return self._sketches[weight]

    def merge(self, other: SampledQuantiles) -> None:
        """Adds the values of another one."""
        self.flush()
        other.flush()
        for weight, sketches in other._sketches.items():
            self._of(weight).merge(sketches)
        self.seen += other.seen

    def error(self) -> float:
        """By how much the rank of a quantile may be wrong, as a share of all values, with 99 % certainty.

        It is that of KLL, and where values were drawn that of the draw.
        """
        self.flush()
        drawn = {weight: float(np.max(each.get_n(), initial=0)) for weight, each in self._sketches.items()}
        total = sum(weight * count for weight, count in drawn.items())
        if not total:
            return 0.0
        estimated = any(np.any(each.is_estimation_mode()) for each in self._sketches.values())
        kll = _datasketches().kll_floats_sketch.get_normalized_rank_error(K, False) if estimated else 0.0
        squares = sum(weight**2 * count for weight, count in drawn.items() if weight > 1)
        return float(kll + math.sqrt(_CERTAINTY * squares) / total)

    def items(self, channel: int | None = None) -> tuple[FloatArray, FloatArray]:
        """The values in the sketches of a channel, or of all, in order, and how many values each stands for."""
        self.flush()
        values: list[float] = []
        counts: list[float] = []
        for weight, sketches in self._sketches.items():
            for one in range(self.channels) if channel is None else [channel]:
                found = _sketch(sketches, one)
                if found is not None:
                    pairs = list(found)
                    values += [value for value, _ in pairs]
                    counts += [weight * count for _, count in pairs]
        order = np.argsort(values, kind="stable")
        return np.asarray(values, np.float64)[order], np.asarray(counts, np.float64)[order]

    def quantiles(self, shares: Sequence[float] | FloatArray, channel: int | None = None) -> FloatArray:
        """The values with these shares of all values at or below them; NaN without values."""
        values, counts = self.items(channel)
        if not len(values):
            return np.full(len(shares), np.nan)
        ends = np.cumsum(counts)
        wanted = np.asarray(shares, np.float64) * ends[-1]
        found: FloatArray = values[np.minimum(np.searchsorted(ends, wanted), len(values) - 1)]
        return found

    def arrays(self) -> dict[str, Array]:
        """All that is known, to be stored."""
        self.flush()
        weights = sorted(self._sketches)
        parts = [bytes(part) for weight in weights for part in self._sketches[weight].serialize()]
        return {
            "weights": np.asarray(weights, np.int64),
            "lengths": np.asarray([len(part) for part in parts], np.int64),
            "bytes": np.frombuffer(b"".join(parts), np.uint8),
            "state": np.asarray([self.channels, self.seen, self._known or 0], np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> SampledQuantiles:
        """The one of which `arrays` were stored."""
        channels, seen, known = map(int, arrays["state"])
        found = cls(channels)
        found.seen, found._known = seen, known or None
        ends = np.cumsum(arrays["lengths"])
        stored = arrays["bytes"].tobytes()
        parts = [stored[end - length : end] for end, length in zip(ends, arrays["lengths"], strict=True)]
        for place, weight in enumerate(map(int, arrays["weights"])):
            sketches = found._of(weight)
            for channel in range(channels):
                sketches.deserialize(parts[place * channels + channel], channel)
        return found


def _sketch(sketches: Any, channel: int) -> Any:
    """The sketch of one channel by itself, whose items can be listed; `None` if it is empty."""
    if sketches.is_empty()[channel]:
        return None
    return _datasketches().kll_floats_sketch.deserialize(bytes(sketches.serialize(channel)[0]))
