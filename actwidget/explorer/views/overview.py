"""The whole network: a row for each layer."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.analysis.pixels.levels import GAP_LEVEL
from actwidget.analysis.pixels.strip import STRIP_HEIGHT, STRIP_WIDTH
from actwidget.errors import short
from actwidget.explorer.controls import Choice
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.registry import View, register
from actwidget.explorer.selection import EDITED
from actwidget.explorer.what_if.description import edits_in_words
from actwidget.figures import overview_spec
from actwidget.figures.overview.places import PICTURE_ROW
from actwidget.figures.overview.rows import Column, Pictures
from actwidget.figures.parts.palette import ACCENT
from actwidget.figures.parts.palette_png import palette_png
from actwidget.figures.parts.text import escape, large, milliseconds, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from actwidget.analysis.pixels.levels import Pixels
    from actwidget.analysis.summary import Summary
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.network.costs import LayerCost, NetworkCost
    from actwidget.explorer.selection import Selection


ROWS = Choice(
    "overview_rows",
    "rows",
    "every layer, or only those that something looks wrong with",
    {"all": "all layers", "warnings": "only warnings"},
)


COLUMNS = Choice(
    "overview_columns",
    "columns",
    "what else stands in each row: what the layer costs, or a small picture of its most telling channels",
    {"statistics": "statistics", "cost": "with cost", "pictures": "with pictures"},
)


@register
class Overview(View):
    """Quantiles, zeros and warnings of every layer."""

    name = "overview"
    label = "Overview"
    question = "Is the network healthy?"
    place = 60
    controls = (ROWS, COLUMNS, "basis")
    is_of_network = True

    def available(self, _data: LayerData) -> str | None:
        """Of every network."""
        return None

    def layer_clicked(self, path: str, part: str, data: LayerData, selection: Selection) -> Mapping[str, Any]:
        """Shows the layer's channels; while there are edits, the layer without and with them."""
        if selection.edits and selection.option(COLUMNS) == "statistics":
            return {"layer": path, "compare": EDITED, "show": "comparison"}
        return super().layer_clicked(path, part, data, selection)

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """A row for each layer, the selected one marked."""
        network = data.whole_network
        name, count = short(network.tree.name), network.tree.layer_count
        rows = network.summaries()
        if not rows:
            return Drawing.message(name, "Give inputs to see activations.")
        unwell = [row for row in rows if row.warnings]
        left_out = {
            "too large for max_bytes": network.too_large(),
            "without values for this batch": network.without_value(),
        }
        more = "".join(f" · {len(paths):,} {why}" for why, paths in left_out.items() if paths)
        layers = f"{count:,} {'layer' if count == 1 else 'layers'}"
        wrong = warnings_in_words(*network.layers_and_others(row.path for row in unwell))
        title = f"{name} · {layers} · {wrong}{_over(data, rows)}{more}"
        alone = [f"left out, {why}: {', '.join(paths[:20])}" for why, paths in left_out.items() if paths]
        alt = "; ".join([title, *alone, *(f"{row.path}: {', '.join(row.warnings)}" for row in unwell[:20])])
        shown = rows if selection.option(ROWS) == "all" else unwell
        if not shown:
            return Drawing.message(title, "No layer has warnings for these inputs. Choose all layers to see them.")
        columns = selection.option(COLUMNS)
        if columns == "cost":
            cost = network.cost()
            title, alt = (f"{text} · {_total(cost)}" for text in (title, alt))
            words = {row.path: _in_words(cost, cost.layers[row.path]) for row in shown if row.path in cost.layers}
            figure = overview_spec(shown, title, data.path, columns=_columns(cost, shown), hover=words)
        elif columns == "pictures":
            pictures = _pictures(network.pictures(data.sample), shown)
            figure = overview_spec(shown, title, data.path, pictures=pictures)
        elif selection.edits:
            moved = data.sources.what_if.outcome(selection.edits, data.sample, data.path).moved
            title, alt = (f"{text} · {edits_in_words(selection.edits)}" for text in (title, alt))
            shares = [share if isfinite(share := moved.get(row.path, 0.0)) else None for row in shown]
            words = {path: f"moved by {percent(value)}" for path, value in moved.items() if isfinite(value)}
            figure = overview_spec(shown, title, data.path, columns=[Column("moved by", shares, ACCENT)], hover=words)
        else:
            figure = overview_spec(shown, title, data.path)
        return Drawing.of(figure, alt)


def _over(data: LayerData, rows: Sequence[Summary]) -> str:
    """What the rows rest on, in words, if there is a scan."""
    numbers, source = data.sources.numbers, data.sources.scan
    if source is None:
        return ""
    batch = [row for row in rows if not numbers.rests_on_scan(row.path)]
    if len(batch) == len(rows):
        return f" · over {numbers.batch_in_words}{source.changed and ', since the model has changed after the scan'}"
    own = f", {len(batch):,} of the rows over {numbers.batch_in_words}" if batch else ""
    return f" · over {source.samples_in_words}{own}"


def _total(cost: NetworkCost) -> str:
    """What one sample costs in all. The number of parameters stands in the header."""
    least = "" if cost.is_complete else "at least "
    counted = [f"one sample: {least}{large(cost.multiply_adds)} multiply-adds", f"{large(cost.nbytes)}B of activations"]
    return " · ".join([*counted, *([] if cost.seconds is None else [f"{milliseconds(cost.seconds)} (eager)"])])


def _quantities(cost: NetworkCost, layer: LayerCost | None) -> list[tuple[float | None, float | None]]:
    """A layer's multiply-adds, parameters, bytes and seconds, each with that of all layers together."""
    own: tuple[float | None, ...]
    own = (None,) * 4 if layer is None else (layer.multiply_adds, layer.parameters, layer.nbytes, layer.seconds)
    return list(zip(own, (cost.multiply_adds, cost.parameters, cost.nbytes, cost.layer_seconds), strict=True))


def _share(own: float | None, whole: float | None) -> float | None:
    return None if own is None or not whole else own / whole


def _columns(cost: NetworkCost, rows: Sequence[Summary]) -> list[Column]:
    found = [cost.layers.get(row.path) for row in rows]
    # A nested model has no bars: next to its share of 100 % those of the layers in it would be too short to compare.
    own = [None if layer is None or layer.is_model else layer for layer in found]
    shares = [[_share(*pair) for pair in _quantities(cost, layer)] for layer in own]
    headings = ("mult-<br>adds", "para-<br>meters", "bytes", "time")
    return [
        Column(heading, [row[place] for row in shares])
        for place, heading in enumerate(headings)
        if place < 3 or cost.seconds is not None
    ]


def _in_words(cost: NetworkCost, layer: LayerCost) -> str:
    """What a layer costs, as lines of the hover text."""
    texts: dict[str, Callable[[float], str]] = {
        "multiply-adds": large,
        "parameters": large,
        "activation": lambda size: f"{large(size)}B a sample",
        "time": lambda seconds: f"{milliseconds(seconds)} a sample",
    }
    lines = []
    for (name, text), (own, whole) in zip(texts.items(), _quantities(cost, layer), strict=True):
        share = _share(own, whole)
        if own is not None:
            lines.append(f"{name} {text(own)}{'' if share is None else f' ({percent(share)})'}")
    return "<br>".join([*lines, *([f"multiply-adds: {escape(layer.note)}"] if layer.note else [])])


def _pictures(found: Mapping[str, Pixels], rows: Sequence[Summary]) -> Pictures:
    """The pictures of the rows, one below the other."""
    levels = np.full((PICTURE_ROW * len(rows), STRIP_WIDTH), GAP_LEVEL, np.uint8)
    for place, row in enumerate(rows):
        if row.path in found:
            top = place * PICTURE_ROW + (PICTURE_ROW - STRIP_HEIGHT) // 2
            levels[top : top + STRIP_HEIGHT] = found[row.path]
    return Pictures(palette_png(levels, "viridis"))


def warnings_in_words(layers: int, operations: int = 0) -> str:
    """How many layers have warnings, and how many operations that belong to no layer.

    >>> warnings_in_words(11), warnings_in_words(1), warnings_in_words(0)
    ('11 layers have warnings', '1 layer has warnings', 'no warnings')
    >>> warnings_in_words(2, 1), warnings_in_words(0, 3)
    ('2 layers and 1 operation have warnings', '3 operations have warnings')
    """
    counts = {"layer": layers, "operation": operations}
    found = [f"{count:,} {name}{'s' * (count > 1)}" for name, count in counts.items() if count]
    return f"{' and '.join(found)} {'has' if layers + operations == 1 else 'have'} warnings" if found else "no warnings"
