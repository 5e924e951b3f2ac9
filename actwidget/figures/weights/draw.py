"""A weight drawn once for all channels: its picture, its numbers, and its histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.kernels.entries import entry_statistics
from actwidget.analysis.nonfinite import nonfinite_counts
from actwidget.analysis.pixels.levels import GAP_LEVEL, LEVELS, NAN_LEVEL, levels
from actwidget.analysis.pixels.mosaic import Mosaic, mosaic
from actwidget.analysis.pixels.pooling import magnitude_pooled
from actwidget.figures.parts.nonfinite import finite_or_nan, nonfinite_legend
from actwidget.figures.parts.palette import NAN_COLOR, ColorRange
from actwidget.figures.parts.palette_png import palette_png, rgba_png
from actwidget.figures.parts.text import between, reduction_text
from actwidget.figures.weights.content import DrawnWeight, WeightKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from actwidget.analysis.kernels.entries import EntryStatistics

BINS = 48
GRID_ASPECT = 1.32
"""The width of the grid's panel by its height."""
MATRIX_PIXELS = 400_000
"""A matrix of more values is reduced: no screen has more pixels for it."""
SMALL = 2048
"""The values of a matrix of no more of them are said on hover."""
MANY_ZEROS = 0.05
"""If a larger share of the values is exactly 0, the histogram leaves these out: they would flatten the others."""
# Values treated at a time: they stay in a core's cache.
_BLOCK = 262_144


@ignore_float_errors
def draw_weight(
    name: str, columns: NDArray[Any], pictures: NDArray[Any] | None, words: str, kind: WeightKind
) -> DrawnWeight:
    """Draws one weight. Only small parts of a large one are copied at a time.

    Args:
        name: What it is called.
        columns: All its values, shape `(values, entries)`; one row of a vector.
        pictures: Its kernels, shape `(height, width, entries)`, or `(height, width, 3, entries)` for colours; `None`
            for a matrix or a vector.
        words: What is said of its shape and of what is shown of it.
        kind: How it is drawn.

    Returns:
        The weight drawn, for `WeightContent`.
    """
    statistics = entry_statistics(columns)
    color = ColorRange.of(*statistics.range)
    uri, tiles, matrix, reduction, more = "", None, None, 1, ""
    if kind == "colours" and pictures is not None:
        tiles, uri = _coloured(pictures)
        more = "input channels 0, 1, 2 as red, green, blue, 0 is mid grey"
        if tiles.columns > 1:
            more += ", each kernel on its own range"
    elif kind == "kernels" and pictures is not None:
        color = ColorRange.over(pictures)
        tiles, uri = _tiled(pictures, color)
        more = "each kernel on its own range of colours" if tiles.columns * tiles.rows > 1 else ""
    elif kind == "matrix":
        reduction, uri = _matrix(columns, color)
        more = f"colours {between(color.low, color.high)}"
    if kind == "vector" or (kind == "matrix" and columns.size <= SMALL):
        matrix = as_floats(columns)
    nonfinite = ", ".join(nonfinite_counts(int(statistics.nan.sum()), int(statistics.infinite.sum())))
    reduced = reduction_text(reduction if tiles is None else tiles.reduction)
    said = [words, more, reduced, nonfinite_legend(nonfinite) if nonfinite else ""]
    zeros = int(statistics.zeros.sum())
    without_zeros = MANY_ZEROS * columns.size < zeros < columns.size
    counts, edges = _histogram(columns, statistics, zeros if without_zeros else 0)
    text = " · ".join(part for part in said if part)
    shape = columns.shape[0], columns.shape[1]
    return DrawnWeight(
        name, text, kind, uri, tiles, color, matrix, shape, reduction, statistics, counts, edges, without_zeros
    )


def _own_bounds(stack: NDArray[Any]) -> NDArray[np.float64]:
    """The largest finite magnitude of each kernel, 1 for one of zeros, shape `(kernels,)`."""
    bounds: NDArray[np.float64] = np.fmax.reduce(np.abs(stack).reshape(len(stack), -1), axis=1, initial=0.0)
    return np.where(bounds > 0, bounds, 1).astype(np.float64)


def _tiled(pictures: NDArray[Any], color: ColorRange) -> tuple[Mosaic, str]:
    """Kernels as tiles, each on a range of its own; zero is the same colour in all where there are both signs."""
    stack = finite_or_nan(np.moveaxis(as_floats(pictures), -1, 0))
    high = _own_bounds(stack)
    low = -high
    if color.scale != "balance":  # no kernel has both signs
        flat = stack.reshape(len(stack), -1)
        low = np.nan_to_num(np.fmin.reduce(flat, axis=1, initial=np.inf), posinf=0.0).astype(np.float64)
        high = np.nan_to_num(np.fmax.reduce(flat, axis=1, initial=-np.inf), neginf=0.0).astype(np.float64)
    tiles = mosaic(stack, low=low, high=high, aspect=GRID_ASPECT)
    return tiles, palette_png(tiles.pixels, color.scale)


def _coloured(pictures: NDArray[Any]) -> tuple[Mosaic, str]:
    """Kernels of three input channels as red, green and blue around mid grey, each on a range of its own."""
    stack = finite_or_nan(np.moveaxis(as_floats(pictures), -1, 0))
    bound = _own_bounds(stack)
    planes = [mosaic(stack[..., place], low=-bound, high=bound, aspect=GRID_ASPECT) for place in range(3)]
    pixels = np.stack([plane.pixels for plane in planes], axis=-1)
    return planes[0], rgba_png(colored_levels(pixels))


def colored_levels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Levels of three colours as they are drawn.

    Args:
        pixels: Levels, shape `(height, width, 3)`, as `levels` gives them.

    Returns:
        Red, green, blue and alpha, shape `(height, width, 4)`; what is NaN in any colour has the colour of NaN, and the
        gap is transparent.
    """
    result = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    result[..., :3] = np.rint(np.minimum(pixels, LEVELS - 1) / (LEVELS - 1) * 255)
    result[(pixels == NAN_LEVEL).any(axis=-1), :3] = NAN_COLOR
    result[(pixels == GAP_LEVEL).any(axis=-1)] = 0
    return result


def kernel_colors(values: NDArray[Any]) -> NDArray[np.uint8]:
    """One kernel of three colours as it is drawn in the grid.

    Args:
        values: Shape `(height, width, 3)`.

    Returns:
        Red, green, blue and alpha, shape `(height, width, 4)`.
    """
    finite = finite_or_nan(as_floats(values))
    bound = float(_own_bounds(finite[np.newaxis])[0])
    return colored_levels(levels(finite, -bound, bound))


def _matrix(columns: NDArray[Any], color: ColorRange) -> tuple[int, str]:
    """A matrix as one picture, and how many of its rows and columns became one pixel."""
    factor = max(1, int(np.ceil(np.sqrt(columns.size / MATRIX_PIXELS))))
    if not columns.size:
        return 1, ""
    values = columns if factor == 1 else magnitude_pooled(columns, (factor, factor))
    return factor, palette_png(levels(finite_or_nan(as_floats(values)), color.low, color.high), color.scale)


def _blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The values of a weight, `_BLOCK` at a time."""
    line = array.ravel(order="K")  # no copy, in whatever order the values lie
    for start in range(0, line.size, _BLOCK):
        yield as_floats(line[start : start + _BLOCK])


def _histogram(array: NDArray[Any], statistics: EntryStatistics, zeros: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """How many of the finite values lie in each bin, without `zeros` zeros; and the edges of the bins."""
    low, high = statistics.range
    if np.isnan(low):
        low, high = 0.0, 1.0
    elif low == high:
        half = abs(low) / 2 or 0.5
        low, high = low - half, high + half
    bins = min(BINS, max(1, array.size))
    edges = np.histogram_bin_edges(np.empty(0), bins, (low, high))
    counts = np.zeros(bins, np.int64)
    for block in _blocks(array):
        counts += counted(block, edges)
    if zeros:
        counts -= counted(np.zeros(1), edges) * zeros
    return counts, edges


def counted(values: NDArray[Any], edges: NDArray[Any]) -> NDArray[Any]:
    """How many of the finite values lie in each of some bins."""
    finite = np.isfinite(values)
    # The range of float32 can be more than float32 holds.
    kept = (values if finite.all() else values[finite]).astype(np.float64)
    return np.histogram(kept, bins=len(edges) - 1, range=(edges[0], edges[-1]))[0]
