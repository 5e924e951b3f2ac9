"""The figure of a comparison: both inputs and answers, one channel large, and the channels that differ most."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import channels, slice_label
from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.mosaic import Mosaic, mosaic
from actwidget.figures.boxes import Box, Panel, Words, assembled, axis_of, hidden_axes
from actwidget.figures.comparison.bars import bar_panels, units_shown
from actwidget.figures.comparison.closeups import closeup_panels, closeup_reduction, color_axes
from actwidget.figures.parts.input_image import input_picture
from actwidget.figures.parts.marks import outlined
from actwidget.figures.parts.nonfinite import finite_or_nan, nonfinite_legend, nonfinite_text
from actwidget.figures.parts.palette import ACCENT, ColorRange
from actwidget.figures.parts.palette_png import palette_png
from actwidget.figures.parts.text import NARROW_LIMIT, between, colored, escape, reduction_text
from actwidget.figures.parts.tiles import tile_cells, tile_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.comparison.content import ComparisonContent, Side

MOST_TILES = 48
"""So many of the channels that differ most have a tile: of more, each would be too small to be recognised."""
ASPECT = 2.1
"""The width of a grid divided by its height."""
PIXELS = 400_000
"""The most pixels of one grid: a third of the page shows no more, even on a fine screen."""
THUMBNAIL, THUMBNAIL_PIXELS = 46, 96
"""The size of an input beside its name, and that of its picture, in pixels."""
# Where the three columns begin and end on a wide page, and the two of a narrow one.
COLUMNS = ((0.0, 0.32), (0.34, 0.66), (0.68, 1.0))
NARROW_COLUMNS = ((0.0, 0.49), (0.51, 1.0))


@ignore_float_errors
def comparison_spec(content: ComparisonContent) -> dict[str, Any]:
    """A comparison as a dict of `data` and `layout`.

    Of feature maps and sequences the channels that differ most are three grids of tiles: both activations on one colour
    range, then second minus first. One channel is above them, large. Of a vector the units that differ most are bars.
    A click on a tile or a bar carries its channel in `customdata[0]`.

    Args:
        content: What it shows.

    Returns:
        A dict of `data` and `layout`.
    """
    words: list[Words] = []
    if content.sides[0].values.ndim > 1:
        tiles, panels = _grids(content)
        panels += closeup_panels(content, first=len(panels))
        count = len(content.difference.order)
        most = f"{len(tiles.order)} of {count:,} shown" if len(tiles.order) < count else ""
        parts = [slice_label(content.sides[0].values.shape, at=content.at), most]
        reductions = {"tiles": tiles.reduction, "close-up": closeup_reduction(content)}
        parts += [f"{name} {reduction_text(factor)}" for name, factor in reductions.items() if factor > 1]
    else:
        panels, parts = bar_panels(content), []
    for place, side in enumerate(content.sides):
        panels += _thumbnail(side, place, axis_of(len(panels)))
        words.append(_heading(side, place))
    names = [escape(side.name, 18) for side in content.sides]
    top = Box(*COLUMNS[2], 0, THUMBNAIL)
    # On a narrow page the difference stands below the two.
    below = Box(0, 1, 230, 244) if content.sides[0].values.ndim > 1 else Box(0.3, 1, 334, 348)
    words.append(Words(f"<b>difference</b><br>{names[1]} minus {names[0]}", top, below, "<b>difference</b>"))
    more, dark = color_axes(content) if content.sides[0].values.ndim > 2 else ({"barmode": "group", "bargap": 0.3}, {})
    return assembled(_title(content, parts), panels, words, dark, **more)


def comparison_order(content: ComparisonContent, figure: dict[str, Any]) -> tuple[list[int], int]:
    """The channels in the order in which they are drawn, and how many stand in a row.

    Args:
        content: What the figure shows.
        figure: What `comparison_spec` gives for it.

    Returns:
        The indices of the channels that are drawn, and the number of columns.
    """
    if content.sides[0].values.ndim < 2:
        return units_shown(content), 1
    return tiles_shown(content).tolist(), figure["data"][1]["z"].shape[1]


def tiles_shown(content: ComparisonContent) -> NDArray[np.intp]:
    """The channels that have a tile: those that differ most, of which the last gives way to the selected one."""
    order = content.difference.order[:MOST_TILES]
    if content.channel is None or content.channel in order:
        return order
    return np.append(order[:-1], content.channel).astype(np.intp)


def _title(content: ComparisonContent, more: list[str]) -> str:
    label, apart = content.channel_label, content.difference
    parts = [escape(content.title, NARROW_LIMIT)]
    if content.channel is not None:
        place = int(np.flatnonzero(apart.order == content.channel)[0]) + 1
        rank = f"number {place:,} of {len(apart.order):,}"
        parts.append(f"{colored(escape(content.name_of(content.channel), 32), ACCENT)}: {rank}")
    elif content.sides[0].values.ndim > 1:
        parts.append(f"{escape(content.name_of(content.large), 32)} large")
    parts += [f"{label}s that differ most first", *filter(None, more)]
    pairs = [(side, nonfinite_text(side.values)) for side in content.sides]
    nonfinite = "; ".join(f"{words} in {escape(side.name, 40)}" for side, words in pairs if words)
    parts.append(f"largest {'finite ' if nonfinite else ''}difference {content.in_words(apart.largest)}")
    if nonfinite:
        parts.append(nonfinite_legend(nonfinite))
    return " · ".join(parts)


def _heading(side: Side, place: int) -> Words:
    """The name of a side and the answer, beside its input."""

    def text(limit: int) -> str:
        lines = [f"<b>{escape(side.name, limit)}</b>", escape(side.answer, limit)]
        return "<br>".join(filter(None, lines))

    shift = THUMBNAIL + 8 if side.picture is not None else 0
    wide, narrow = Box(*COLUMNS[place], 0, THUMBNAIL), Box(*NARROW_COLUMNS[place], 0, THUMBNAIL)
    return Words(text(32), wide, narrow, text(16 if shift else 24), shift)


def _thumbnail(side: Side, place: int, suffix: str) -> list[Panel]:
    """The input of a side, if it is a picture."""
    drawn = None if side.picture is None else input_picture(side.picture, THUMBNAIL_PIXELS)
    if drawn is None:
        return []
    source, (height, width) = drawn
    x, y = hidden_axes(width, height, f"x{suffix}", origin=-0.5)
    image = {"type": "image", "source": source, "hoverinfo": "skip"}
    wide, narrow = Box(*COLUMNS[place], 0, THUMBNAIL), Box(*NARROW_COLUMNS[place], 0, THUMBNAIL)
    return [Panel([image], wide, narrow, x, y)]


def _grids(content: ComparisonContent) -> tuple[Mosaic, list[Panel]]:
    """The three grids of tiles."""
    (first, second), apart = (side.values for side in content.sides), content.difference
    shared, bound = ColorRange.over(first, second), apart.largest or 1.0
    order = tiles_shown(content)

    def draw(values: NDArray[Any], color: ColorRange) -> tuple[Mosaic, str]:
        shown = finite_or_nan(channels(values, at=content.at))
        tiles = mosaic(shown, low=color.low, high=color.high, order=order, aspect=ASPECT, max_pixels=PIXELS)
        return tiles, palette_png(tiles.pixels, color.scale)

    given = [(first, shared), (second, shared), (apart.values, ColorRange(-bound, bound, "balance"))]
    with ThreadPoolExecutor(len(given)) as threads:  # numpy and the PNG encoder let other threads run
        drawn = list(threads.map(lambda each: draw(*each), given))
    panels = []
    for place, ((tiles, uri), (values, color)) in enumerate(zip(drawn, given, strict=True)):
        height, width = tiles.pixels.shape
        x, y = hidden_axes(width, height, f"x{axis_of(place)}")
        customdata, template = _channel_hover(values, content)
        narrow = Box(*NARROW_COLUMNS[1], 246, 376) if place == 2 else Box(*NARROW_COLUMNS[place], 422, 514)
        panels.append(
            Panel(
                [tile_image(uri), tile_cells(tiles, customdata, template)],
                Box(*COLUMNS[place], 312, 442),
                narrow,
                x,
                y,
                between(color.low, color.high),
                marks=[] if content.channel is None else outlined(tiles.box(content.channel)),
            )
        )
    return drawn[0][0], panels


def _channel_hover(values: NDArray[Any], content: ComparisonContent) -> tuple[NDArray[Any], str]:
    """What hover says of each channel, shape `(channels, 3)`, and the template that shows it."""
    apart = content.difference
    with np.errstate(invalid="ignore"):  # infinity and minus infinity have no mean
        means = as_floats(values).reshape(-1, len(apart.order)).mean(axis=0)
    template = (
        f"<b>{content.channel_label} %{{customdata[0]:d}}</b><br>mean %{{customdata[2]:.4g}}"
        "<br>mean difference %{customdata[1]:.4g}<extra></extra>"
    )
    return np.stack([np.arange(len(means)), apart.mean_absolute, means], axis=-1), template
