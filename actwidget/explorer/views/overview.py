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
        name, network = data.model_name, data.whole_network
        rows = network.summaries()
        if not rows:
            return Drawing.message(name, "Give inputs to see activations.")
        unwell = [row for row in rows if row.warnings]
        left_out = {
            "too large for max_bytes": network.too_large(),
            "without values for this batch": network.without_value(),
        }
        more = "".join(f" · {len(paths):,} {why}" for why, paths in left_out.items() if paths)
        title = f"{name} · {len(rows):,} layers · {warnings_in_words(len(unwell))}{more}"
        alone = [f"left out, {why}: {', '.join(paths[:20])}" for why, paths in left_out.items() if paths]
        alt = "; ".join([title, *alone, *(f"{row.path}: {', '.join(row.warnings)}" for row in unwell[:20])])
        return Drawing.of(overview_spec(rows, title, data.path), alt)


def warnings_in_words(count: int) -> str:
    """How many layers have warnings.

    >>> warnings_in_words(11), warnings_in_words(1), warnings_in_words(0)
    ('11 layers have warnings', '1 layer has warnings', 'no warnings')
    """
    return f"{count:,} layers have warnings" if count > 1 else "1 layer has warnings" if count else "no warnings"
