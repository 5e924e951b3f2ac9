"""What the figure of a weight shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.kernels.entries import EntryStatistics
    from actwidget.analysis.pixels.mosaic import Mosaic
    from actwidget.figures.parts.palette import ColorRange

WeightKind = Literal["kernels", "colours", "matrix", "vector"]
"""Kernels as tiles on a scale of their values; kernels of three colours as colours; one picture; bars."""


@dataclass(frozen=True, eq=False)
class DrawnWeight:
    """One weight drawn: all of it that does not depend on which channel is selected.

    An entry is a kernel, a column of a matrix, or a value of a vector.

    Attributes:
        name: What Keras calls it.
        words: Its shape, and what is said of how it is drawn.
        kind: How it is drawn.
        uri: Its picture as a PNG; empty for a vector.
        tiles: Where each of its kernels is; `None` for a matrix or a vector.
        color: The range of its colours; that of all kernels together where each has its own.
        matrix: A vector as one row, a small matrix, else `None`.
        shape: Of the matrix: rows and columns.
        reduction: How many of its rows and columns became one pixel.
        statistics: The numbers of each entry.
        counts: How many values lie in each bin of the histogram.
        edges: Those of the bins, shape `(bins + 1,)`.
        without_zeros: Whether the exact zeros are left out of the histogram.
    """

    name: str
    words: str
    kind: WeightKind
    uri: str
    tiles: Mosaic | None
    color: ColorRange
    matrix: NDArray[Any] | None
    shape: tuple[int, int]
    reduction: int
    statistics: EntryStatistics
    counts: NDArray[Any]
    edges: NDArray[Any]
    without_zeros: bool

    @property
    def entries(self) -> int:
        """How many kernels, columns or values it has."""
        return len(self.statistics.squares)

    @property
    def nbytes(self) -> int:
        """About how many bytes it takes."""
        pixels = 0 if self.tiles is None else self.tiles.pixels.nbytes
        small = 0 if self.matrix is None else self.matrix.nbytes
        return len(self.uri) + pixels + small + 7 * self.statistics.squares.nbytes


@dataclass(frozen=True, eq=False)
class KernelCloseup:
    """The kernel that is shown large.

    Attributes:
        values: `(height, width)` for one map; `(height, width, inputs)` for those of all inputs, or for three colours;
            `(inputs, gates)` for columns of a matrix.
        own: All its values, for the histogram.
        label: What it is called: `"kernel 17"`.
        words: What else is said of it.
        down: What is counted from its first row to its last.
        across: What is counted from its first column to its last.
        is_selected: Whether the user has selected it.
    """

    values: NDArray[Any]
    own: NDArray[Any]
    label: str
    words: str = ""
    down: str = "row"
    across: str = "column"
    is_selected: bool = True


@dataclass(frozen=True, eq=False)
class WeightContent:
    """What the figure of a weight shows.

    Attributes:
        title: The layer's path.
        drawn: The weight.
        closeup: The kernel close up; `None` for a vector.
        marks: The entries that belong to the selected channel.
        channels: The channel of each entry, -1 where it belongs to none, shape `(entries,)`.
        entry_label: What an entry is called: `"kernel"`, `"unit"`, `"column"`, `"channel"`.
        input_label: What a row of a matrix is called.
        gates: The gates of a recurrent layer, in which its columns fall.
    """

    title: str
    drawn: DrawnWeight
    closeup: KernelCloseup | None
    marks: tuple[int, ...]
    channels: NDArray[Any]
    entry_label: str
    input_label: str = "input"
    gates: tuple[str, ...] = ()

    def entry_name(self, entry: int) -> str:
        """What one entry is called.

        Args:
            entry: The index of the kernel, column or value.

        Returns:
            `"kernel 17"`; in a recurrent layer with its gate, `"unit 3, forget"`.
        """
        channel = int(self.channels[entry])
        name = f"{self.entry_label} {entry if channel < 0 else channel}"
        if not self.gates:
            return name
        return f"{name}, {self.gates[entry * len(self.gates) // max(self.drawn.entries, 1)]}"
