"""One channel over all samples, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.axes import channels, kind_of
from actwidget.analysis.dtypes import as_floats
from actwidget.analysis.nonfinite import finite_range
from actwidget.explorer.controls import Number
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.explorer.views.channels import facts_on
from actwidget.figures import every_sample_spec
from actwidget.figures.every_sample import PAGE
from actwidget.figures.parts.text import between

if TYPE_CHECKING:
    from actwidget.explorer.controls import Control
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array
    from actwidget.explorer.selection import Selection

PAGES = Number("samples_page", "page", count=1_000_000, empty="", follows=("sample",))


@register
class EverySample(View):
    """The selected channel, or the mean of all, for one sample beside the other."""

    name = "every_sample"
    label = "Every sample"
    question = "How does this channel respond to each of the samples?"
    place = 25
    controls = ("channel", PAGES, "slice", "reading")

    def available(self, data: LayerData) -> str | None:
        """A reason why there is nothing to put side by side."""
        if data.batch_size == 1:
            return "There is one sample only. Add another one with +, or give a batch."
        if (reason := data.missing) is not None:
            return reason
        if data.samples == 1:
            return "This layer gives one value for the whole batch."
        return None if data.is_numeric else "These values are texts, of which there is no picture."

    def samples(self, selection: Selection, count: int) -> list[int]:
        """Those of the page."""
        first = _page(selection, count) * PAGE
        return list(range(first, min(first + PAGE, count)))

    def fitted(self, _control: Control, data: LayerData, selection: Selection) -> Control | None:
        """The pages, where there are several."""
        pages = -(-data.batch_size // PAGE)
        start = _page(selection, data.batch_size)
        return Number(PAGES.name, PAGES.label, count=pages, start=start) if pages > 1 else None

    def arrangement(self, data: LayerData, selection: Selection) -> tuple[int, int] | None:
        """The room for the tiles; bars are drawn in any room."""
        is_drawn = self.available(data) is None and kind_of(data.value.shape, data.value.dtype) not in {
            "units",
            "scalar",
        }
        return selection.room if is_drawn else None

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """A tile or a bar for each sample, all on one range."""
        samples = self.samples(selection, data.batch_size)
        rows = [_channel(data.of_sample(sample), selection) for sample in samples]
        if len({row.shape for row in rows}) > 1:
            return Drawing.message(data.path, "The samples differ in the shape of their activation.")
        values = np.stack(rows)
        name = data.channel_label
        whole = "" if data.channel_count == 1 else f"mean of {data.channel_count:,} {name}s"
        channel = whole if selection.channel is None else f"{name} {selection.channel}"
        page = f"samples {samples[0]} to {samples[-1]} of {data.batch_size:,}"
        figure = every_sample_spec(
            data.path,
            values,
            samples=samples,
            labels=[data.sources.annotations.label_of(sample) for sample in samples],
            selected=data.sample,
            words=[each for each in (channel, page) if each],
            room=selection.room,
        )
        ends = "no finite value" if (found := finite_range(values)) is None else between(*found)
        means = as_floats(values.reshape(len(values), -1)).mean(axis=1)
        most = ", ".join(str(samples[place]) for place in np.argsort(-means, kind="stable")[:5])
        alt = f"{data.path}: {channel or 'its value'} for {page}; {ends}; highest on average for sample {most}"
        return Drawing.of(figure, alt, tell=lambda: facts_on(data), grid=_grid(figure, data.batch_size, selection))


def _page(selection: Selection, count: int) -> int:
    """The page that was chosen, otherwise that of the selected sample."""
    chosen = selection.option(PAGES)
    page = selection.sample // PAGE if chosen is None else int(chosen)
    return min(page, max(-(-count // PAGE) - 1, 0))


def _channel(data: LayerData, selection: Selection) -> Array:
    """The channel's values for one sample: a map, the steps of a sequence, or one number."""
    value = data.value
    kind = kind_of(value.shape, value.dtype)
    pictures = channels(value, at=None if selection.slice is None else data.slice_at(selection.slice))
    of_channel: Any = as_floats(pictures)
    of_channel = of_channel.mean(axis=0) if selection.channel is None else of_channel[selection.channel]
    result: Array = of_channel if kind in {"maps", "volume"} else of_channel[0]
    return result[0] if kind in {"units", "scalar"} else result


def _grid(figure: dict[str, Any], count: int, selection: Selection) -> Grid:
    """The samples as the arrow keys go through them."""
    cells = next((trace for trace in figure["data"] if trace["type"] == "heatmap"), None)
    columns = min(count, PAGE) if cells is None else cells["z"].shape[1]
    per_page = PAGE if count > PAGE else None
    page = _page(selection, count)
    return Grid(np.arange(count), columns, of="sample", per_page=per_page, page=page, option=PAGES.name)
