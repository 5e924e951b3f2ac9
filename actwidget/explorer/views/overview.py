"""The whole network: a row for each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actwidget.explorer.drawing import Drawing
from actwidget.explorer.registry import View, register
from actwidget.figures import overview_spec

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection


@register
class Overview(View):
    """Quantiles, zeros and warnings of every layer."""

    name = "overview"
    label = "Overview"
    question = "Is the network well?"
    place = 60
    is_of_network = True

    def available(self, _data: LayerData) -> str | None:
        """Of every network."""
        return None

    def draw(self, data: LayerData, _selection: Selection) -> Drawing:
        """A row for each layer, the selected one marked."""
        name, rows = data.model_name, data.network
        if not rows:
            return Drawing.message(name, "Give inputs to see activations.")
        unwell = [row for row in rows if row.warnings]
        left = data.left_out_of_network
        more = f" · {len(left):,} too large for max_bytes" if left else ""
        title = f"{name} · {len(rows):,} layers · {len(unwell):,} to look at{more}"
        alone = [f"left out, as they are only to be had as a whole: {', '.join(left[:20])}"] if left else []
        alt = "; ".join([title, *alone, *(f"{row.path}: {', '.join(row.warnings)}" for row in unwell[:20])])
        return Drawing.of(overview_spec(rows, title, data.path), alt)
