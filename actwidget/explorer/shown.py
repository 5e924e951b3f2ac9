"""`Shown`: everything that the screen needs to show a selection, and the same for a page that computes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from actwidget.errors import short
from actwidget.explorer.controls import fitted
from actwidget.explorer.description.sentence import network_sentence, sentence
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.registry import Tab, View, views

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.controls import Control
    from actwidget.explorer.inspector import Inspector
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection

MOST_NAMED = 2
"""More samples are counted in a caption."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Everything that the screen needs to show a selection.

    Attributes:
        node: The selected layer.
        heading: The layer's path, or the model's name if the view is of the whole network.
        sentence: What the layer is and gives, or how large the network is, in one sentence.
        caption: The layer, the view, the samples and the sentence, in one line.
        drawing: What the current view draws for it.
        controls: The controls, in the order on screen.
        view: The name of the current view.
        tabs: The views of the layer, or those of the whole network if the current view is one of them.
        is_of_network: Whether it is.
        has_own_code: Whether the view has code of its own, not that of the layer.
    """

    node: LayerNode
    heading: str
    sentence: str
    caption: str
    drawing: Drawing
    controls: list[Control]
    view: str
    tabs: list[Tab]
    is_of_network: bool
    has_own_code: bool = False


def shown(data: LayerData, view: View, selection: Selection) -> Shown:
    """Draws a layer in a view.

    Args:
        data: The layer.
        view: The view; where it does not apply, the drawing is the reason.
        selection: The selection.

    Raises:
        MemoryBudgetError: An activation is larger than the byte budget and can't be computed part by part.
        CaptureError: The forward pass failed.
    """
    reason = view.available(data)
    drawing = view.draw(data, selection) if reason is None else Drawing.message(data.path, reason)
    return Shown(
        node=data.node,
        heading=data.model_name if view.is_of_network else data.path,
        sentence=network_sentence(data) if view.is_of_network else sentence(data),
        caption=_caption(data, view, selection),
        drawing=drawing,
        controls=_controls(data, view, selection, drawing),
        view=view.name,
        tabs=_tabs(data, view),
        is_of_network=view.is_of_network,
        has_own_code=reason is None and view.code(data, selection) is not None,
    )


def shown_on_page(
    inspector: Inspector, selection: Selection, layers: Sequence[str], offered: Sequence[View], first: View
) -> Iterator[Shown]:
    """Draws layers and the whole network for a page that computes nothing, the most wanted first.

    Args:
        inspector: Gives the data of each layer.
        selection: What is on screen.
        layers: The paths of the layers, the most wanted first.
        offered: All views that make sense for the model and its inputs.
        first: The view in which all layers are drawn, and which says why if it does not apply.
    """

    def drawn(path: str, view: View) -> Iterator[Shown]:
        here = replace(selection, show=view.name)
        if path != here.layer:
            here = replace(here, layer=path, channel=None, position=None, slice=None, input_channel=None)
        data = inspector.layer(path, here.sample)
        if view is first or (view.available(data) is None and view.is_kept_on_page(data, selection)):
            yield shown(data, view, here)

    top, *others = layers
    ordered = sorted(offered, key=lambda view: view.name != selection.show)
    sizes = {}
    for view in [view for view in ordered if not view.is_of_network]:
        for each in drawn(top, view):
            sizes[view.name] = each.drawing.nbytes
            yield each
    for view in [view for view in ordered if view.is_of_network]:
        yield from drawn(top, view)
    rest = [view for view in ordered if not view.is_of_network and view is not first]
    for view in [first, *sorted(rest, key=lambda view: sizes.get(view.name, 0))]:
        for path in others:
            yield from drawn(path, view)


def _caption(data: LayerData, view: View, selection: Selection) -> str:
    """What is on screen, in one line that stands above a picture of it."""
    if view.is_of_network:
        return f"{short(data.model_name)} · {view.label}"
    words = ""
    if (batch := data.sources.session.batch) is not None:
        samples = view.samples(selection, batch.size)
        words = f"sample{'s' * (len(samples) > 1)} {' and '.join(map(str, samples))}"
        words = words if len(samples) <= MOST_NAMED else f"{len(samples)} samples"
    return " · ".join(filter(None, [short(data.path), view.label, words, sentence(data)]))


def _tabs(data: LayerData, on_screen: View) -> list[Tab]:
    """The views that stand beside one, in their order, each with the reason if it does not apply."""
    return [
        Tab(view.name, view.label, view.question, view.available(data))
        for view in views().values()
        if view.is_of_network == on_screen.is_of_network and view.has_tab(data)
    ]


def _controls(data: LayerData, view: View, selection: Selection, drawing: Drawing) -> list[Control]:
    """The controls that apply to a drawing."""
    # A drawing names its controls only if it shows its values as text.
    conditions = {"is_read": drawing.controls is not None, "is_axis_chosen": selection.reading != "auto"}
    offered = view.controls if drawing.controls is None else drawing.controls
    controls = [
        fitted(each, data, **conditions) if isinstance(each, str) else view.fitted(each, data, selection)
        for each in offered
    ]
    return [control for control in controls if control is not None]
