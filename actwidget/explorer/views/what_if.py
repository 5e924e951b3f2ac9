"""What becomes of the model's answer if channels of the layer are switched off, scaled or replaced by their mean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actwidget.errors import OptionError
from actwidget.explorer.controls import Choice, Factor, Paths, Words
from actwidget.explorer.description.inspection import Action
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.registry import View, register
from actwidget.explorer.selection import EDITED
from actwidget.explorer.what_if.description import content_of, inspection_of, words_of
from actwidget.explorer.what_if.drafts import draft_of, refusal, switched_off, with_draft
from actwidget.explorer.what_if.edits import as_mapping, listed_channels
from actwidget.figures.what_if import what_if_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actwidget.explorer.controls import Control
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection

CHANNELS = Words("what_if_channels", "channels", "which channels of the layer are changed: 3 or 0, 4-7", "0, 4-7")
CHANGE = Choice(
    "what_if_change",
    "change",
    "what becomes of these channels",
    {"off": "switch off", "others": "all but these off", "scale": "scale", "mean": "replace by mean"},
)
FACTOR = Factor("what_if_factor", "factor", "what the channels are multiplied by", initial=0.5)
KEPT = Paths("what_if_kept")


@register
class WhatIf(View):
    """The answer before and after changes of activations, and how far each later layer moved."""

    name = "what_if"
    label = "What if"
    question = "What happens to the answer without these channels?"
    place = 46
    controls = (CHANNELS, CHANGE, FACTOR)
    figure_options = (KEPT,)

    def available(self, data: LayerData) -> str | None:
        """Of every layer whose output goes on to others, with numbers for channels."""
        return data.missing or refusal(data)

    def is_kept_on_page(self, _data: LayerData, selection: Selection) -> bool:
        """Only with changes: there is nothing to choose on such a page."""
        return bool(selection.edits)

    def fitted(self, control: Control, data: LayerData, selection: Selection) -> Control | None:
        """The controls as the change of this layer has them that is being made."""
        draft = draft_of(data, selection, self._kept(data, selection))
        change = selection.option(CHANGE) if draft is None else draft.change
        if isinstance(control, Words):
            return replace(control, shown="" if draft is None else listed_channels(draft.channels, most=None))
        if isinstance(control, Choice):
            return replace(control, shown=change)
        if isinstance(control, Factor) and change == "scale":
            factor = None if draft is None else draft.factor
            return replace(control, shown=float(selection.option(FACTOR)) if factor is None else factor)
        return None

    def option_chosen(self, name: str, value: Any, data: LayerData, selection: Selection) -> Mapping[str, Any]:
        """Changes the edit of the layer that is being made."""
        options = {**dict(selection.options), name: value}
        chosen = replace(selection, options=tuple(sorted(options.items())))
        draft = draft_of(data, selection, self._kept(data, selection))
        text = value if name == CHANNELS.name else ""
        if name != CHANNELS.name and draft is not None:
            text = listed_channels(draft.channels, most=None)
        options.pop(CHANNELS.name, None)  # what stands there follows from the edits
        change = value if name == CHANGE.name or draft is None else "scale" if name == FACTOR.name else draft.change
        change = chosen.option(CHANGE) if draft is None else change
        edits = with_draft(
            data, selection.edits, 0 if draft is None else draft.edits, text, change, float(chosen.option(FACTOR))
        )
        return {"options": {**options, CHANGE.name: change}, "edits": as_mapping(edits)}

    def action(self, data: LayerData, selection: Selection) -> Action | None:
        """Switches the selected channel off."""
        channel = selection.channel
        if channel is None or selection.show == self.name or refusal(data) is not None:
            return None
        edits = switched_off(data, selection.edits, channel)
        return Action("Switch it off", {"edits": as_mapping(edits), "show": self.name}, self.question)

    def layer_clicked(self, path: str, part: str, data: LayerData, selection: Selection) -> Mapping[str, Any]:
        """Compares the layer without and with the edits."""
        if part == "compare" and selection.edits:
            return {"layer": path, "compare": EDITED, "show": "comparison"}
        return super().layer_clicked(path, part, data, selection)

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """The answers and the layers; without an edit only what to do, for which nothing runs."""
        about = inspection_of(data, selection, KEPT)
        if not selection.edits:
            text = f"Choose {data.channel_label}s above to see the answer without them."
            return replace(Drawing.message(data.path, text), inspection=about)
        try:
            outcome = data.sources.what_if.outcome(selection.edits, data.sample, data.path)
        except OptionError as error:
            return replace(Drawing.message(data.path, str(error)), inspection=about)
        content = content_of(data, selection, outcome)
        words = words_of(content)
        return Drawing.of(what_if_spec(content), words, tell=lambda: words, inspection=about)

    def _kept(self, data: LayerData, selection: Selection) -> int:
        """How many edits of the layer are complete, so that the controls make another one."""
        return (selection.option(KEPT) or ()).count(data.path)
