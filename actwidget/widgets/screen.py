"""`Screen`: the widgets that an explorer consists of, and how they show a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from actwidget.errors import short
from actwidget.widgets import html
from actwidget.widgets.assets import asset
from actwidget.widgets.components.choices import Choices
from actwidget.widgets.components.code import CodePanel
from actwidget.widgets.components.controls import Controls
from actwidget.widgets.components.inspection import InspectionPanel
from actwidget.widgets.components.parts import Parts
from actwidget.widgets.components.plot import PlotView
from actwidget.widgets.components.samples import SampleStrip
from actwidget.widgets.components.table import NumberTable
from actwidget.widgets.components.tree import LayerTree
from actwidget.widgets.stored.still import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.answers.predictions import TopAnswers
    from actwidget.explorer.drawing import Drawing
    from actwidget.explorer.shown import Shown
    from actwidget.explorer.work import Progress
    from actwidget.widgets.stored.still import Still


SCOPES = [{"name": "layer", "label": "Layer"}, {"name": "network", "label": "Whole network"}]


class Screen:
    """The widgets of an explorer.

    Attributes:
        heading: The model's name and size in one line.
        boxes: The children of the explorer's own box, from top to bottom.
        tree: The tree of layers.
        scope: The switch between a layer and the whole network.
        tabs: The views.
        controls: The row of controls above the figure.
        plot: The figure.
        table: The table that some views show instead of the figure; `None` until one is needed.
        inspection: The numbers of the selected channel.
        stage: The figure or the table, with the inspection and the error message over it. It has one height.
        numbers: The statistics of the layer, at the foot.
        alert: The error message.
        status: The status line.
        samples: The strip of samples.
        prediction: The model's answer for the sample.
        title: The name of the selected layer.
        code: The Keras code for the selected layer.
        header: The name and size of the model.
    """

    def __init__(self, tree: LayerNode, still: Still, *, samples: int, grouped: bool) -> None:
        """Creates the widgets.

        Args:
            tree: The root of the layer tree.
            still: The snapshot that is hidden while these widgets are on the page.
            samples: How many samples there are.
            grouped: Whether the tree groups layers by their names.
        """
        self._parts = Parts()
        self.heading = f"{short(tree.name)} · {html.size_of(tree)}"
        self.table: NumberTable | None = None
        self._row_selected: Callable[[Any], None] = lambda _change: None
        self._shown: Shown | None = None
        try:
            self._compose(tree, still, samples=samples, grouped=grouped)
        except Exception:
            self._parts.close()  # ipywidgets keeps a reference to every widget until it is closed
            raise

    def _compose(self, tree: LayerNode, still: Still, *, samples: int, grouped: bool) -> None:
        make = self._parts.make
        # The style is part of the header, since a widget of its own would be one more message to the page.
        style = f"<style>{asset('explorer.css')}{still.hiding}</style>"
        self.header = make(ipywidgets.HTML, style + html.header(tree))
        self.scope = make(
            Choices, kind="segments", label="What is shown", items=SCOPES, value="layer", css="actw-scope"
        )
        self.samples = make(SampleStrip, samples)
        self.prediction = make(ipywidgets.HTML)
        top = make(ipywidgets.HBox, [self.header, self.scope, self.samples, self.prediction], css="actw-top")
        self.tree = make(LayerTree, tree, grouped=grouped, label=f"Layers of {short(tree.name)}", css="actw-side")
        self.title = make(ipywidgets.HTML, css="actw-title")
        self.code = make(CodePanel, label="Keras code")
        heading = make(ipywidgets.HBox, [self.title, self.code], css="actw-heading")
        self.tabs = make(Choices, kind="tabs", label="Views", css="actw-views")
        self.controls = Controls(self._parts)
        self.plot = make(PlotView, css="actw-figure")
        self.inspection = make(InspectionPanel, css="actw-inspector")
        self.alert = make(ipywidgets.HTML, html.live("alert", ""), css="actw-alerts")
        self.stage = make(ipywidgets.VBox, [self.plot, self.inspection, self.alert], css="actw-stage")
        main = make(ipywidgets.VBox, [heading, self.tabs, self.controls.box, self.stage], css="actw-main")
        body = make(ipywidgets.HBox, [self.tree, main], css="actw-body")
        self.numbers = make(ipywidgets.HTML, css="actw-layer-numbers")
        self.status = make(ipywidgets.HTML, html.live("status", "Ready"))
        foot = make(ipywidgets.HBox, [self.numbers, self.status], css="actw-foot")
        self.boxes = [top, body, foot]

    def on_row(self, callback: Callable[[Any], None]) -> None:
        """Registers a function that is called when another row of the table is selected."""
        self._row_selected = callback

    @property
    def snapshot(self) -> Snapshot | None:
        """A snapshot of what is on screen; `None` while nothing is."""
        return None if self._shown is None else Snapshot.of(self.heading, self._shown)

    def warn(self, text: str) -> None:
        """Shows an error message; `""` clears it."""
        self.alert.value = html.live("alert", text)

    def say(self, text: str, aside: str = "") -> None:
        """Sets the status line, with text of less importance beside it."""
        self.status.value = html.live("status", text) + (html.aside(aside) if aside else "")

    def tell(self, text: str, progress: Progress | None) -> None:
        """Says what is being computed, with a bar if it is known how far that is."""
        bar = "" if progress is None else html.progress(progress.done, progress.total)
        self.status.value = html.live("status", text) + bar

    def wait_for(self, path: str) -> None:
        """Says that a layer is being computed, and dims the last figure."""
        self.say(f"Computing {path} …")
        self.plot.busy = True

    def show(self, shown: Shown, code: Callable[[], str], channel: int | None) -> None:
        """Shows a drawing: the figure first, then the code and the statistics, which take longer to compute.

        Args:
            shown: The drawing, with its layer and controls.
            code: Returns the Keras code for the layer.
            channel: The selected channel.
        """
        drawing, self._shown = shown.drawing, shown
        with self.plot.hold_sync():
            self.plot.busy = False
            self.plot.alt = drawing.alt
            self.plot.figure = drawing.figure
            self.plot.arrows = drawing.grid is not None
        self.title.value = html.title(shown.heading, shown.sentence)
        self.tabs.show_tabs(shown.tabs, shown.view)
        self.scope.value = "network" if shown.is_of_network else "layer"
        self.controls.arrange(shown.controls)
        self.inspection.show(drawing.inspection)
        with self.code.hold_sync():
            self.code.code, self.code.note = code(), "" if shown.has_own_code else html.ORIGINS[shown.node.origin]
            self.code.label = "Keras code of the layer" if shown.is_of_network else "Keras code"
        self.numbers.value = html.facts(drawing.facts)
        self._show_table(drawing, channel)
        self.warn("")

    def mark(self, warnings: Mapping[str, str], *, only: bool = False) -> None:
        """Marks layers with warnings in the tree, in addition to those marked already unless `only` is set."""
        self.tree.marks = dict(warnings) if only else {**self.tree.marks, **warnings}

    def predict(self, answers: TopAnswers) -> None:
        """Shows the model's answer for the sample."""
        self.prediction.value = html.prediction(answers)

    def _show_table(self, drawing: Drawing, channel: int | None) -> None:
        """Replaces the figure by the drawing's table; a drawing without a table brings the figure back."""
        figure_or_table: Any = self.plot
        if drawing.table is not None:
            figure_or_table = self._made_table()
            figure_or_table.label = drawing.table.label
            figure_or_table.fill(drawing.table.columns)
            figure_or_table.selected = channel
        children = [figure_or_table, self.inspection, self.alert]
        if children != list(self.stage.children):
            self.stage.children = children

    def make_all(self) -> None:
        """Makes the widgets that otherwise are made when a view first needs them."""
        self._made_table()
        self.controls.make_all()

    def _made_table(self) -> NumberTable:
        if self.table is None:
            self.table = self._parts.make(NumberTable, css="actw-table-box")
            self.table.observe(self._row_selected, "selected")
        return self.table

    def close(self) -> None:
        """Closes all widgets, since ipywidgets keeps a reference to every widget until it is closed."""
        self.controls.close()
        self._parts.close()
