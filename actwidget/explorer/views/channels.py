"""All channels of a layer, one of them close up, and the distribution of the values."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import numpy as np

from actwidget.analysis.axes import kind_of
from actwidget.analysis.pixels.mosaic import tiling
from actwidget.explorer.answers.drawing import draw_answer
from actwidget.explorer.controls import Choice, Number
from actwidget.explorer.description.facts import Fact, facts_of
from actwidget.explorer.description.inspection import inspection
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, actions, register
from actwidget.explorer.what_if.effects import ORDER, effects_of, order_of, work_of
from actwidget.figures import (
    ActivationContent,
    Picture,
    Source,
    activation_spec,
    picture,
    scalar_spec,
    values_spec,
)
from actwidget.figures.activation.layout import grid_room
from actwidget.figures.activation.picture import STRONGEST
from actwidget.figures.parts.palette import ColorRange
from actwidget.figures.parts.text import between, number, percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.analysis.histogram import Histogram
    from actwidget.analysis.pixels.mosaic import Tiling
    from actwidget.explorer.controls import Control
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection
    from actwidget.explorer.work import Work
    from actwidget.figures.activation.content import Scaling

DRAWING, PICTURE = "drawing", "picture"
"""The kinds of what is kept of this view."""
SIZES = {"S": (24, 24), "M": (28, 48), "L": (96, 96)}
"""How long the longer side of a tile is at least, in pixels of the screen, by the size that is chosen: where all tiles
are on one page, and where they are not."""
SIZE = Choice("size", "size", "how large the tiles are", {name: name for name in SIZES}, initial="M")
PAGE = Number("page", "page", count=100_000, empty="", follows=("layer", "channel"))
_NARROW = 560  # pixels: the panels of a narrower figure stack
_BESIDE = ThreadPoolExecutor(1, "actwidget")  # numpy and the PNG encoder let another thread run: a second core helps


@register
class Channels(View):
    """The values that a layer computes, channel by channel."""

    name = "activation"
    label = "Channels"
    question = "What does this layer see?"
    place = 10
    controls = ("channel", PAGE, SIZE, "sort", "scaling", "slice", "reading", "basis")

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """The grid of all channels with a close-up and a histogram; values that can't be seen as a list to read."""
        chosen = selection.only("channel", "sample", "scaling", "sort", "slice", "position")
        depends_on = chosen, self.arrangement(data, selection), _effects_known(data, selection)
        drawing = data.remember(DRAWING, depends_on, lambda: _drawn(data, selection), lambda made: made.nbytes)
        return cast("Drawing", drawing)

    def work(self, data: LayerData, selection: Selection) -> Work | None:
        """The effects of the channels, if these are to be in that order."""
        return work_of(data) if selection.sort == ORDER else None

    def arrangement(self, data: LayerData, selection: Selection) -> tuple[Tiling, int] | None:
        """How the tiles of maps are divided into pages, and which page is in sight; `None` for what has no such tiles.

        It is the page that was chosen, otherwise that of the selected channel.
        """
        if data.missing is not None or not data.is_numeric:
            return None
        shape = data.value.shape
        if kind_of(shape, data.value.dtype) not in {"maps", "volume"} or shape[-3] * shape[-2] == 1:
            return None
        count, (height, width) = shape[-1], shape[-3:-1]
        least, paged = SIZES[selection.option(SIZE)]
        room = grid_room(*selection.room, narrow=selection.room[0] < _NARROW)
        tiles = tiling(count, height, width, room=room, least=least, paged=paged)
        chosen = selection.option(PAGE)
        if chosen is not None:
            return tiles, min(chosen, tiles.pages - 1)
        if tiles.pages == 1 or selection.channel is None:
            return tiles, 0
        place = np.flatnonzero(_order(data, selection, is_paged=True) == selection.channel)[0]
        return tiles, int(place) // tiles.per_page

    def fitted(self, control: Control, data: LayerData, selection: Selection) -> Control | None:
        """The size and the page of the tiles, where there are tiles and pages."""
        found = self.arrangement(data, selection)
        if found is None:
            return None
        tiles, page = found
        if control.name == SIZE.name:
            return control if data.channel_count > 1 else None
        return Number(PAGE.name, PAGE.label, count=tiles.pages, start=page) if tiles.pages > 1 else None


def _order(data: LayerData, selection: Selection, *, is_paged: bool) -> NDArray[np.intp]:
    name = STRONGEST if is_paged and selection.sort == "index" else selection.sort
    return order_of(data, name)


def _effects_known(data: LayerData, selection: Selection) -> int:
    """Of how many channels the effect is known, if these are in that order."""
    effects = effects_of(data) if selection.sort == ORDER else None
    return 0 if effects is None else int(np.count_nonzero(~np.isnan(effects)))


def facts_on(data: LayerData) -> list[Fact]:
    """What is said of a layer below its figure, counted over the whole batch, or over a scan."""
    statistics = data.statistics
    if statistics is None:
        return []
    over = data.sources.numbers.samples_in_words(data.path)
    facts = facts_of(statistics, data.channel_label, data.meaning)
    return [Fact("counted over", over), *facts] if over else facts


def _drawn(data: LayerData, selection: Selection) -> Drawing:
    if (answer := draw_answer(data, selection, lambda: facts_on(data))) is not None:
        return answer
    if data.is_read:
        return _to_read(data, selection)
    channel = selection.channel
    counting = _BESIDE.submit(_counted, data, channel)
    statistics = data.sample_statistics
    drawn = _picture(data, selection)
    content = ActivationContent(
        title=data.path,
        picture=drawn,
        statistics=statistics,
        histogram=counting.result(),
        channel=channel,
        order_name=selection.sort,
        sample=data.own_sample if data.samples > 1 else None,
        class_names=data.class_names,
        binary=data.is_binary,
        channel_label=data.channel_label,
        tokens=data.tokens,
        label=data.label,
        mask=data.row.mask if data.row is not None and drawn.kind == "sequence" else None,
        source=source_of(data),
        position=selection.position if drawn.kind == "maps" else None,
    )
    grid = Grid(
        drawn.order,
        1 if drawn.tiles is None else drawn.tiles.columns,
        per_page=None if drawn.tiles is None or drawn.pages == 1 else drawn.tiles.rows * drawn.tiles.columns,
        page=drawn.page,
    )
    about = inspection(data, selection.channel, actions(data, selection))
    return Drawing.of(activation_spec(content), _alt(content), tell=lambda: facts_on(data), grid=grid, inspection=about)


def _counted(data: LayerData, channel: int | None) -> Histogram:
    """The histogram, for the close-up of a channel's map within the range of its colours."""
    value = data.value
    if channel is None or kind_of(value.shape, value.dtype) not in {"maps", "volume"}:
        return data.histogram(channel)
    color = ColorRange.over(value[..., channel])
    # Equal values have a range too: that of their colour axis.
    return data.histogram(channel, (color.low, color.high if color.high > color.low else color.low + 1))


def source_of(data: LayerData) -> Source | None:
    """The input picture that a layer of maps depends on, with the place of its cells; `None` where there is none."""
    rows, columns = data.map_size
    if not rows or not columns or (picture := data.picture) is None:
        return None
    field = data.middle_field
    if field is None or field.spacing is None:
        return Source(picture.pixels, picture.name)
    down, across = field.spacing
    size = tuple(stop - start for start, stop in field.spans)
    return Source(
        picture.pixels, picture.name, (down.first, across.first), (down.step, across.step), (size[0], size[1])
    )


def _picture(data: LayerData, selection: Selection) -> Picture:
    """All channels as one picture: it is the same whichever of them is close up."""
    tiles, page = arrangement if (arrangement := Channels().arrangement(data, selection)) is not None else (None, 0)

    def draw() -> Picture:
        order = _order(data, selection, is_paged=tiles is not None and tiles.pages > 1)
        scaling = cast("Scaling", selection.scaling)
        at = data.slice_at(selection.slice)
        return picture(data.value, data.sample_statistics, order, scaling, at=at, tiling=tiles, page=page)

    known = _effects_known(data, selection)
    depends_on = data.own_sample, selection.scaling, selection.sort, selection.slice, tiles, page, known
    return cast("Picture", data.remember(PICTURE, depends_on, draw, _nbytes))


def _nbytes(drawn: Picture) -> int:
    pixels = 0 if drawn.tiles is None else drawn.tiles.pixels.nbytes
    own = 0 if drawn.values.base is not None else drawn.values.nbytes
    return len(drawn.uri) + drawn.order.nbytes + pixels + own


def _to_read(data: LayerData, selection: Selection) -> Drawing:
    """What is read rather than seen: texts, flags, names of things, one number a sample."""
    value, is_numeric = data.value, data.is_numeric
    # Another choice of axis has to stay in reach, to be taken back.
    more = () if selection.reading == "auto" else ("reading",)
    shown = ", ".join(repr(item) for item in np.ravel(value)[:20].tolist())
    if value.ndim == 0 and data.samples > 1 and is_numeric:
        every = data.batch_values
        meaning = ""
        if data.is_binary:
            meaning = f"probability of {data.class_names[1] if data.class_names else 'class 1'}"
        figure = scalar_spec(data.path, every, sample=data.own_sample, meaning=meaning or "activation")
        alt = f"{data.path}: one number a sample{meaning and f', the {meaning}'}, {shown} for sample {data.own_sample}"
        grid = Grid(np.arange(len(every)), of="sample")
        return Drawing.of(figure, alt, tell=lambda: facts_on(data), controls=more, grid=grid)
    sample_number = data.own_sample if data.samples > 1 else None
    figure = values_spec(data.path, value, sample_number=sample_number, channel=selection.channel)
    is_drawn = value.ndim > 1 and figure["data"][0]["type"] != "table"
    controls = ("channel",) if is_drawn and value.ndim == 3 and value.shape[-1] > 1 else ()
    # Of the channels of a picture one is drawn, of a sequence all, as columns.
    only = Grid(np.arange(value.shape[-1])) if is_drawn else None
    alt = f"{data.path}: {shown}"
    return Drawing.of(
        figure, alt, tell=lambda: facts_on(data) if is_numeric else "", controls=(*controls, *more), grid=only
    )


def _alt(content: ActivationContent) -> str:
    statistics = content.statistics
    mean = f", mean {number(statistics.mean)}" if math.isfinite(statistics.mean) else ""
    values = f"values {between(statistics.minimum, statistics.maximum)}{mean}, {percent(statistics.zeros)} zeros"
    text = f"{content.title}: {statistics.channels} {content.channel_label}s, {values}"
    return text if content.channel is None else f"{text}; {content.channel_label} {content.channel} close up"
