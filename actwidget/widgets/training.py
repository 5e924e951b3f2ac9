"""`TrainingPanel`: the figure of a training with its controls."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np

from actwidget.figures.message import message_figure
from actwidget.figures.serialized import serialize
from actwidget.figures.training.content import QUANTITIES, Chosen
from actwidget.figures.training.figure import training_alt, training_spec
from actwidget.widgets import html
from actwidget.widgets.assets import asset
from actwidget.widgets.components.choices import Choices
from actwidget.widgets.components.menu import Menu
from actwidget.widgets.components.parts import Parts
from actwidget.widgets.components.plot import PlotView
from actwidget.widgets.composite import Composite, in_marimo
from actwidget.widgets.ipywidgets7 import view_bundle
from actwidget.widgets.stored.still import Snapshot, Still, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from actwidget.figures.training.content import TrainingContent

FORMS = {"heatmap": "Heatmap", "ridge": "Ridges"}
WAITING = "The figure grows with the first record: call model.fit(..., callbacks=[watch])."


class TrainingPanel(Composite):
    """The figure of a training, which grows while the model trains, and the controls that say what it shows.

    Attributes:
        chosen: What a person has chosen.
    """

    def __init__(self, content: Callable[[Chosen], TrainingContent | None]) -> None:
        """Draws what there is so far.

        Args:
            content: Gives what the figure shows for what is chosen; None as long as there is nothing.
        """
        self.chosen = Chosen()
        self._content = content
        self._steps: list[int] = []
        self._layers: list[str] = []
        self._is_drawing = self._is_shown = False
        # A page's messages can come in a thread of their own, while the cell that trains runs.
        self._lock = threading.RLock()
        self._still = Still("training")
        self._drawn: Snapshot | None = None
        self._parts = Parts()
        make = self._parts.make
        style = f"<style>{asset('explorer.css')}{asset('training.css')}{self._still.hiding}</style>"
        self._header = make(ipywidgets.HTML, style + '<span class="actw-model">Training</span>')
        self._status = make(ipywidgets.HTML, html.live("status", WAITING))
        top = make(ipywidgets.HBox, [self._header, self._status], css="actw-top")
        numbers = [(name, each.label) for name, each in QUANTITIES.items()]
        self._quantity = make(
            Menu, choices=numbers, value=self.chosen.quantity, label="all layers", tip="Which number of all layers"
        )
        tip = "The layer that is shown over time"
        self._layer = make(Menu, choices=[("", "none yet")], value="", label="layer", tip=tip)
        forms = [{"name": name, "label": label} for name, label in FORMS.items()]
        self._form = make(Choices, kind="segments", items=forms, value=self.chosen.form, label="distribution")
        tip = "The moment whose channels are shown beside those of now"
        self._moment = make(
            ipywidgets.IntSlider, description="moment", tooltip=tip, min=0, max=0, readout=False, css="actw-moment"
        )
        controls = [self._quantity, self._layer, self._form, self._moment]
        self._controls = make(ipywidgets.HBox, controls, css="actw-controls")
        self._plot = make(PlotView, css="actw-figure")
        main = make(ipywidgets.VBox, [self._controls, self._plot], css="actw-main")
        super().__init__([top, main], _dom_classes=("actw-explorer", "actw-training", self._still.live))
        self._quantity.observe(lambda change: self.choose(quantity=change["new"]), "value")
        self._layer.observe(lambda change: self.choose(layer=change["new"]), "value")
        self._form.observe(lambda change: self.choose(form=change["new"]), "value")
        self._moment.observe(self._slid, "value")
        self._plot.on_click(self._clicked)
        self.draw()

    @property
    def figure(self) -> Any:
        """The figure that is shown, a `plotly.graph_objects.Figure`."""
        return self._plot.figure

    def choose(self, **changes: Any) -> None:
        """Shows something else.

        Args:
            **changes: Fields of `Chosen`.
        """
        if not self._is_drawing:
            self.chosen = replace(self.chosen, **changes)
            self.draw()

    def draw(self) -> None:
        """Draws what there is now."""
        with self._lock:
            content = self._content(self.chosen)
            if content is None:
                self._plot.figure = message_figure("Training", WAITING)
                self._plot.alt = WAITING
                return
            self._is_drawing = True
            try:
                self._show(content)
            finally:
                self._is_drawing = False

    def _show(self, content: TrainingContent) -> None:
        spec = training_spec(content)
        with self._plot.hold_sync():
            self._plot.figure = serialize(spec)
            self._plot.alt = training_alt(content)
        # The snapshot has no axes of names.
        rows = {**spec["data"][0], "y": np.arange(len(content.layers))}
        plain = {**spec, "data": [rows, *spec["data"][1:]]}
        self._drawn = Snapshot(content.title, "Training", self._plot.alt, content.fault, plain)
        self._status.value = html.live("status", content.title) + (
            html.live("alert", content.fault) if content.fault else ""
        )
        self._steps = content.steps.tolist()
        if list(content.layers) != self._layers:
            self._layers = list(content.layers)
            with self._layer.hold_sync():
                self._layer.choices = [(path, path) for path in self._layers]
                self._layer.value = content.layer.path
        self._layer.value = content.layer.path
        with self._moment.hold_sync():
            self._moment.max = len(self._steps) - 1
            self._moment.value = content.moment

    def show(self) -> None:
        """Shows the panel as an output of the running cell, with a snapshot for places without a kernel.

        `keep` brings the snapshot up to date.
        """
        publish(view_bundle(self))
        if not in_marimo():
            self._still.hold_place()
            self._is_shown = True
            self.keep()

    def keep(self) -> None:
        """Makes what is shown now the snapshot of the cell that shows the panel."""
        if self._is_shown and self._drawn is not None:
            self._still.fill_place(self._drawn)

    def _slid(self, change: Any) -> None:
        if not self._is_drawing and self._steps:
            self.choose(step=self._steps[min(change["new"], len(self._steps) - 1)])

    def _clicked(self, customdata: list[Any]) -> None:
        """Shows the layer and the moment that were clicked; -1 stands for the layer that is shown."""
        layer, moment = (int(each) for each in customdata[:2])
        if layer < -1 or moment >= len(self._steps):
            return
        changes: dict[str, Any] = {"step": self._steps[moment]}
        if layer >= 0:
            changes["layer"] = self._layers[layer]
        self.choose(**changes)

    def close(self) -> None:
        """Removes the widget and its parts from the page."""
        self._parts.close()
        if self.layout is not None:
            self.layout.close()
        super().close()

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        return f"TrainingPanel({len(self._steps)} moments of {len(self._layers)} layers)"
