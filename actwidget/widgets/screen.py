"""`Screen`: the widgets that an explorer is put together from, and a drawing shown on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from actwidget.errors import short
from actwidget.widgets import html
from actwidget.widgets.assets import asset
from actwidget.widgets.components.code import CodePanel
from actwidget.widgets.components.parts import Parts
from actwidget.widgets.components.plot import PlotView
from actwidget.widgets.components.table import NumberTable
from actwidget.widgets.components.tree import LayerTree
from actwidget.widgets.controls import Controls
from actwidget.widgets.still import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.drawing import Drawing
    from actwidget.explorer.explorer import Shown
    from actwidget.widgets.still import Still


class Screen:
    """The parts of an explorer on a page.

    Attributes:
        boxes: What the explorer's own box holds, from top to bottom.
        tree: The layers.
        controls: The row above the figure.
        plot: The figure.
        table: The table that some views show in the figure's place, once there has been one.
        main: Everything beside the tree.
        numbers: The statistics below the figure.
        alert: What went wrong.
        status: What was done.
        prediction: What the model answers.
        title: The selected layer.
        code: The selected layer as Keras code.
        header: The model.
    """

    def __init__(
        self, tree: LayerNode, still: Still, views: Mapping[str, str], *, layers: int, samples: int, grouped: bool
    ) -> None:
        """Makes the widgets.

        Args:
            tree: The root of the layer tree.
            still: The still picture that is hidden while these widgets are on the page.
            views: The views by name, with what they are called.
            layers: How many layers the model says that it has.
            samples: How many samples there are.
            grouped: Whether the tree groups layers by their names.
        """
        self._parts = Parts()
        self._heading = f"{short(tree.name)} · {tree.parameters:,} parameters"
        self.table: NumberTable | None = None
        self._row_selected: Callable[[Any], None] = lambda _change: None
        try:
            self._compose(tree, still, views, layers=layers, samples=samples, grouped=grouped)
        except Exception:
            self._parts.close()  # ipywidgets keeps every widget until it is closed
            raise

    def _compose(
        self, tree: LayerNode, still: Still, views: Mapping[str, str], *, layers: int, samples: int, grouped: bool
    ) -> None:
        make = self._parts.make
        # The style comes with the header: each widget is one more message to the page.
        style = f"<style>{asset('explorer.css')}{still.hiding}</style>"
        self.header = make(ipywidgets.HTML, style + html.header(tree.name, layers, tree.parameters))
        self.prediction = make(ipywidgets.HTML)
        top = make(ipywidgets.HBox, [self.header, self.prediction], css="actw-top")
        self.tree = make(LayerTree, tree, grouped=grouped, label=f"Layers of {short(tree.name)}", css="actw-side")
        self.title = make(ipywidgets.HTML, css="actw-title")
        self.code = make(CodePanel, label="Keras code")
        heading = make(ipywidgets.HBox, [self.title, self.code], css="actw-heading")
        self.controls = Controls(self._parts, views, samples=samples)
        self.plot = make(PlotView, css="actw-figure")
        self.numbers = make(ipywidgets.HTML)
        self.main = make(ipywidgets.VBox, [heading, self.controls.box, self.plot, self.numbers], css="actw-main")
        body = make(ipywidgets.HBox, [self.tree, self.main], css="actw-body")
        self.alert = make(ipywidgets.HTML, html.live("alert", ""))
        self.status = make(ipywidgets.HTML, html.live("status", "Ready"))
        foot = make(ipywidgets.HBox, [self.alert, self.status], css="actw-foot")
        self.boxes = [top, body, foot]

    def on_row(self, callback: Callable[[Any], None]) -> None:
        """Has `callback` called with a change of the table's selected row."""
        self._row_selected = callback

    @property
    def snapshot(self) -> Snapshot:
        """What is on screen, for a still picture."""
        return Snapshot(self._heading, self.plot.alt, self.numbers.value, self.plot.images)

    @property
    def heading(self) -> str:
        """The model's name and size in one line."""
        return self._heading

    def warn(self, text: str) -> None:
        """Says what went wrong; with `""` that all is well again."""
        self.alert.value = html.live("alert", text)

    def say(self, text: str, aside: str = "") -> None:
        """Says what was done, and something of less importance beside it."""
        self.status.value = html.live("status", text) + (html.aside(aside) if aside else "")

    def wait_for(self, path: str) -> None:
        """Says that a layer is being computed, and dims the last figure."""
        self.say(f"Computing {path} …")
        self.plot.busy = True

    def show(self, shown: Shown, code: Callable[[], str], channel: int | None) -> None:
        """Shows a drawing: the figure first, then what takes a while to count.

        Args:
            shown: What is shown.
            code: Gives the layer as Keras code.
            channel: The selected channel.
        """
        drawing = shown.drawing
        with self.plot.hold_sync():
            self.plot.busy = False
            self.plot.alt = drawing.alt
            self.plot.figure = drawing.figure
            self.plot.arrows = drawing.grid is not None
        self.title.value = html.title(shown.node)
        self.code.code = code()
        self.controls.arrange(shown.controls, channel_count=shown.channel_count)
        self.numbers.value = html.facts(drawing.facts)
        self._show_table(drawing, channel)
        self.warn("")

    def mark(self, warnings: Mapping[str, str], *, only: bool = False) -> None:
        """Marks layers in the tree; those that are marked stay so unless these are to be the `only` ones."""
        self.tree.marks = dict(warnings) if only else {**self.tree.marks, **warnings}

    def predict(self, label: str, probability: float, thumbnail: str | None) -> None:
        """Shows what the model answers."""
        self.prediction.value = html.prediction(label, probability, thumbnail)

    def _show_table(self, drawing: Drawing, channel: int | None) -> None:
        """Puts a table in the figure's place, or the figure back in its own."""
        there: Any = self.plot
        if drawing.table is not None:
            if self.table is None:
                self.table = self._parts.make(NumberTable)
                self.table.observe(self._row_selected, "selected")
            self.table.label = drawing.table.label
            self.table.fill(drawing.table.columns)
            self.table.selected = channel
            there = self.table
        heading, controls, _, numbers = self.main.children
        self.main.children = [heading, controls, there, numbers]

    def close(self) -> None:
        """Closes all widgets: ipywidgets keeps every one until it is closed."""
        self.controls.close()
        self._parts.close()
