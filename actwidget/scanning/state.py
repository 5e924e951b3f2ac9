"""How far a scan is, and what it has counted; what is stored in its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.scanning.counting.tally import Tally

SHARD = 40
"""A sample is numbered within its shard while the lengths of the shards before it need not be known yet: the number of
the shard stands above so many bits."""


@dataclass
class State:
    """What was counted, and of what.

    Attributes:
        model_name: The model's name.
        tallies: What was counted of each layer, by path, in order of execution.
        sizes: How many samples the batches of each shard have, by its number: pairs of a size, and how many batches
            of that size come one after the other.
        lengths: How many samples the shards have of which all were counted, by their number.
        shard: The shard that is being counted.
        done: How many of its samples are counted, with those that were skipped.
        batches: In how many batches these came.
        skips: What was skipped: the number of the first sample, how many there are, and why.
        count: How many samples were counted.
        complete: Whether all of the data was counted.
        identity: Of which model, weights and data it is.
    """

    model_name: str
    tallies: dict[str, Tally] = field(default_factory=dict)
    sizes: dict[int, list[list[int]]] = field(default_factory=dict)
    lengths: dict[int, int] = field(default_factory=dict)
    shard: int = 0
    done: int = 0
    batches: int = 0
    skips: list[tuple[int, int, str]] = field(default_factory=list)
    count: int = 0
    complete: bool = False
    identity: dict[str, Any] = field(default_factory=dict)

    def number(self, sample: int) -> int:
        """The number of a sample in the data as it was given."""
        shard, own = divmod(sample, 1 << SHARD)
        return sum(self.lengths.get(each, 0) for each in range(shard)) + own

    def went_through(self, size: int) -> None:
        """Notes that a batch was counted or skipped."""
        runs = self.sizes.setdefault(self.shard, [])
        if runs and runs[-1][0] == size:
            runs[-1][1] += 1
        else:
            runs.append([size, 1])
        self.done += size
        self.batches += 1

    def numbers(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The numbers of many samples."""
        shards, own = np.divmod(samples, 1 << SHARD)
        starts = {shard: self.number(shard << SHARD) for shard in np.unique(shards).tolist()}
        return own + np.asarray([starts[shard] for shard in shards.tolist()], np.int64)

    @property
    def seen(self) -> int:
        """How many samples were counted or skipped."""
        return sum(self.lengths.values()) + self.done

    def merge(self, other: State) -> None:
        """Adds what was counted of other shards."""
        for path, tally in other.tallies.items():
            if path in self.tallies:
                self.tallies[path].merge(tally)
            else:
                self.tallies[path] = tally
        self.lengths |= other.lengths
        self.sizes |= other.sizes
        self.skips = sorted([*self.skips, *other.skips])
        self.count += other.count
