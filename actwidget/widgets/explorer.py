"""`LayerExplorer`: the layer tree, the selected layer's activations, and the traits that steer them."""

from __future__ import annotations

import asyncio
import base64
import textwrap
import time
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ipywidgets
import keras
import numpy as np
import traitlets

from actwidget.capture.access.compare import check_same_layers
from actwidget.capture.access.keras_code import keras_code
from actwidget.capture.access.session import Session
from actwidget.capture.access.submodel import connect, reason_against
from actwidget.capture.semantics.value_kind import prepares_input
from actwidget.capture.structure.selectors import select
from actwidget.errors import (
    ActwidgetError,
    ChannelError,
    MissingPackageError,
    OptionError,
    SampleError,
    short,
    shown,
)
from actwidget.figures import ORDERS, still_png
from actwidget.options import at_least
from actwidget.widgets import checks, html
from actwidget.widgets.assets import asset
from actwidget.widgets.code import CodePanel
from actwidget.widgets.controls import AXES, SCALINGS, SHOWS, Controls
from actwidget.widgets.drawing import Drawing, Drawings, Selection
from actwidget.widgets.page import html_page
from actwidget.widgets.parts import Parts
from actwidget.widgets.plot import PlotView
from actwidget.widgets.still import Still, View, publish, weakly
from actwidget.widgets.table import NumberTable
from actwidget.widgets.tree import LayerTree, packed_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import plotly.graph_objects as go

    from actwidget.analysis.health import Summary
    from actwidget.analysis.statistics import Statistics
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode
    from actwidget.widgets.grid import Grid

Checked = TypeVar("Checked")
VIEW = (
    "show", "layer", "reading", "channel", "sample", "compare", "scaling", "sort", "position", "slice", "input_channel"
)  # fmt: skip
OTHER = "model"
DRAWN = 0.15
"""Seconds in which a page has drawn what was sent; what is done in the meantime is done at its cost."""


class _Checked(traitlets.Any):
    """A trait whose owner checks each value, in `_valid_NAME`, before it is there.

    What `traitlets.validate` refuses while notifications are held would stay unless the error is a `TraitError`.
    """

    allow_none = False

    def validate(self, obj: Any, value: Any) -> Any:
        return getattr(obj, f"_valid_{self.name}")(value)

    def set(self, obj: Any, value: Any) -> None:
        """Sets the value; of one that is there already nobody would be notified."""
        known = obj.trait_has_value(self.name)  # the first one is not compared with the default, which is not valid
        before = self.get(obj) if known else None
        super().set(obj, value)
        if known and self.get(obj) == before:
            obj._chosen_again()  # noqa: SLF001 - its owner's


class LayerExplorer(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no type hints
    """Looks inside a Keras model: a tree of its layers, and the selected layer's activations as an interactive figure.

    Everything on screen can be set and read by name, with or without a browser. The attributes below are traits: they
    can be given, set, read and observed (`explorer.observe(callback, "layer")`). What is set is checked first, and what
    is not there raises a `LayerNotFoundError`, `ChannelError`, `SampleError` or `OptionError` and changes nothing.

    Attributes:
        show: What the figure shows: the `"activation"` of the selected layer, an `"overlay"` of one channel over the
            input picture, a `"comparison"` with another sample or model, a `"table"` of all channels' numbers, the
            layer's `"weights"`, or an `"overview"` of the whole network, a row for each layer.
        compare: What is compared with: the number of a sample, or `"model"` for the model given as `compare`.
        layer: The path of the selected layer. It can be set to any selector: a path, a unique name, an index into
            `model.layers`, or a layer.
        channel: The channel (or unit) shown close up, or `None` for the mean over all of them.
        sample: Which sample of the batch is shown.
        scaling: `"layer"` for one colour range over the layer, `"robust"` for one that leaves the most extreme values
            out and says so, `"channel"` for one for each channel.
        sort: The order of the channels: `"index"`, `"mean"`, `"maximum"`, `"standard_deviation"` or `"zeros"`.
        position: The row and the column in the feature map whose receptive field the overlay marks, or `None`.
        slice: Which slice of a volume or a video is shown, or `None` for the middle one. Of two axes before height and
            width the slices are counted through, the last axis first; the first slice is 0.
        reading: Which axis of the activation holds the channels: `"auto"` as the layer has it, the `"last"` one, the
            `"first"` one behind the samples, or `"none"`: all of it is one map, or one volume.
        input_channel: Of which input channel the kernels are shown, or `None` for the mean over them.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, name="conv")], name="small")
        >>> explorer = LayerExplorer(model, np.ones((2, 8, 8, 1)))
        >>> explorer
        LayerExplorer('small', layer='conv', channel=None, sample=0)
        >>> explorer.activation.shape
        (2, 6, 6, 4)
    """

    show = _Checked("activation", help="What the figure shows.")
    layer = _Checked("", help="The path of the selected layer.")
    channel = _Checked(None, allow_none=True, help="The channel close up, or None.")
    sample = _Checked(0, help="The sample that is shown.")
    compare = _Checked(None, allow_none=True, help="What is compared with.")
    scaling = _Checked("layer", help='"layer", "robust" or "channel".')
    sort = _Checked("index", help="The order of the channels.")
    position = _Checked(None, allow_none=True, help="Row and column of the map, for the receptive field.")
    slice = _Checked(None, allow_none=True, help="The slice of a volume, or None for the middle one.")
    input_channel = _Checked(None, allow_none=True, help="The kernels' input channel, or None for their mean.")
    reading = _Checked("auto", help="Which axis holds the channels.")
    _links: tuple[Any, ...] = ()
    _looking = False  # whether the weights will be looked into soon
    _failed = False  # whether the last drawing did
    _grid: Grid | None = None  # what can be selected in the figure
    _read_layer = ""  # the layer that `reading` was chosen for

    def __init__(
        self,
        model: keras.Model,
        inputs: Any = None,
        *,
        show: str | None = None,
        layer: Any = None,
        channel: int | None = None,
        sample: int = 0,
        scaling: str = "layer",
        sort: str = "index",
        compare: keras.Model | int | None = None,
        class_names: Sequence[str] | None = None,
        labels: Any = None,
        tokens: Sequence[str] | Sequence[Sequence[str]] | None = None,
        grouped: bool = True,
        max_bytes: int = 256_000_000,
        batch_size: int = 32,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """Opens an explorer on a model.

        Args:
            model: A Keras model.
            inputs: One batch: an array of shape `(samples, ...)`, or a list or dict of them as the model takes it. A
                single sample without its batch axis is taken where that is unambiguous. Without inputs only the tree
                is shown.
            show: What the figure shows, `"activation"`, `"overlay"`, `"comparison"`, `"table"`, `"weights"` or
                `"overview"`; by default the activation, or where there is something to compare with the comparison.
            layer: The layer to select first; by default the first one worth seeing.
            channel: The channel to show close up.
            sample: The sample to show.
            scaling: The colour range, `"layer"`, `"robust"` or `"channel"`.
            sort: The order of the channels.
            compare: Another model of the same architecture, or the number of a sample, to compare with.
            class_names: Names of the model's output units; for a single sigmoid unit two, of the class that it calls 0
                and of the one that it calls 1. Of several outputs the first is meant, here and by `labels`.
            labels: The true class of each sample, which is marked in the model's output: its unit's number, shape
                `(samples,)` or `(samples, 1)`, for a single sigmoid unit 0 or 1; or one-hot, `(samples, classes)`.
            tokens: The texts of the steps of a sequence, for all samples or a list for each; they name the steps on
                screen.
            grouped: Whether the tree groups layers with systematic names by their prefix.
            max_bytes: How many bytes are kept of activations and of what is made of them; the latest stay. Of a layer
                that would take more, one sample is computed at a time, and its numbers are counted part by part.
            batch_size: How many samples go through the model at a time. All go at once where a layer does not treat
                each sample by itself.
            state: What `state()` gave, to see the same view again; it goes before the other options.

        Raises:
            UnsupportedModelError: `model` can't be looked into; the message says why and what to do.
            InvalidInputsError: `inputs` do not fit the model.
            LayerNotFoundError, ChannelError, SampleError, OptionError: An option names something that is not there.
        """
        self._session = Session(model, inputs, budget=max_bytes, batch_size=batch_size)
        graph, batch = self._session.graph, self._session.batch
        self._drawings = Drawings(
            self._session,
            checks.class_names(class_names, graph),
            checks.tokens(tokens, batch),
            checks.labels(labels, batch, graph),
        )
        self._submodels: dict[str, keras.Model] = {}
        self._other: Session | None = None
        if isinstance(compare, keras.Model):
            check_same_layers(graph, compare, inputs)
            self._other = Session(compare, inputs, budget=max_bytes, batch_size=batch_size)
            compare = OTHER
        show = show or ("activation" if compare is None else "comparison")
        self._rendering = True  # nothing is drawn until all is in place
        view = {
            "show": show,
            "layer": layer,
            "channel": channel,
            "sample": sample,
            "compare": compare,
            "scaling": scaling,
            "sort": sort,
            "position": None,
            "slice": None,
            "input_channel": None,
            "reading": "auto",
        }
        view |= checks.state(state, VIEW)
        self._parts = Parts()
        self._still = Still(" ".join(map(shown, [graph.tree.name, *view.values()])))
        try:
            self._compose(grouped=grouped)
            parts = [self._top, self._body, self._foot]
            super().__init__(parts, _dom_classes=("actw-explorer", self._still.live))
            self.layer = _first_worth_seeing(graph) if view["layer"] is None else view["layer"]
            for name in VIEW:
                if name != "layer":  # the others are checked against it
                    setattr(self, name, view[name])
        except Exception:
            self._free()  # ipywidgets keeps every widget until it is closed
            raise
        self._read_layer = self.layer
        self._connect()
        self._rendering = False
        with self._plot.hold_sync(), self._status.hold_sync():  # nobody is there yet to be told that it takes a while
            self._render()

    def _compose(self, *, grouped: bool) -> None:
        tree, batch = self.tree, self._session.batch
        parts = self._parts
        make = parts.make
        # The style comes with the header: each widget is one more message to the page.
        style = f"<style>{asset('explorer.css')}{self._still.hiding}</style>"
        self._header = make(ipywidgets.HTML, style + html.header(tree.name, len(self.model.layers), tree.parameters))
        self._prediction = make(ipywidgets.HTML)
        self._top = make(ipywidgets.HBox, [self._header, self._prediction], css="actw-top")
        self._tree_view = make(LayerTree, tree, grouped=grouped, label=f"Layers of {short(tree.name)}", css="actw-side")
        self._title = make(ipywidgets.HTML, css="actw-title")
        self._code = make(CodePanel, label="Keras code")
        heading = make(ipywidgets.HBox, [self._title, self._code], css="actw-heading")
        self._controls = Controls(
            parts, samples=1 if batch is None else batch.size, pictures=self._drawings.thumbnail(0) is not None
        )
        self._plot = make(PlotView, css="actw-figure")
        self._numbers = make(ipywidgets.HTML)
        self._table: NumberTable | None = None
        self._main = make(ipywidgets.VBox, [heading, self._controls.box, self._plot, self._numbers], css="actw-main")
        self._body = make(ipywidgets.HBox, [self._tree_view, self._main], css="actw-body")
        self._alert = make(ipywidgets.HTML, html.live("alert", ""))
        self._status = make(ipywidgets.HTML, html.live("status", "Ready"))
        self._foot = make(ipywidgets.HBox, [self._alert, self._status], css="actw-foot")

    def _connect(self) -> None:
        self._links = (traitlets.link((self, "layer"), (self._tree_view, "selected")),)
        self._controls.connect(self, self._warn)
        self._tree_view.on_again(self._chosen_again)
        self._plot.on_click(self._clicked)
        self._plot.on_key(self._pressed)

    # What can be read.

    @property
    def model(self) -> keras.Model:
        """The model that is looked at, the very one that was given."""
        return self._session.graph.model

    @property
    def inputs(self) -> Any:
        """The batch, in the structure and the dtypes that the model takes; `None` where none was given.

        Arrays have the shape `(samples, ...)`, also where a single sample was given. They are the explorer's own, not
        those that were given, and can be read only.
        """
        return None if self._session.batch is None else self._session.batch.fed

    @property
    def tree(self) -> LayerNode:
        """The root of the layer tree, as `layer_tree(model, inputs)` gives it."""
        return self._session.graph.tree

    @property
    def node(self) -> LayerNode:
        """The selected node of the tree."""
        return self._session.graph.nodes[self.layer]

    @property
    def activation(self) -> np.ndarray[Any, Any] | None:
        """The selected layer's activation for all samples, shape `(samples, ...)`; `None` without inputs.

        It has the layer's dtype, but bfloat16 comes as float32.

        Raises:
            NotCapturableError: The layer's value can't be had.
            CaptureError: The forward pass failed.
        """
        self._renew()
        return self._session.value(self.layer)

    @property
    def submodel(self) -> keras.Model:
        """The `keras.Model` from the model's inputs to the selected activation, as `submodel(model, layer)` gives it.

        Raises:
            NotCapturableError: The layer's value can't be had.
        """
        graph = self._session.graph
        if (error := reason_against(graph, self.layer, self._session.batch)) is not None:
            raise error
        if self.layer not in self._submodels:
            self._submodels = {self.layer: connect(graph, self.layer, self.layer)}
        return self._submodels[self.layer]

    @property
    def statistics(self) -> Statistics | None:
        """The numbers of the selected layer over the whole batch, and of each of its channels.

        `None` without inputs, and where the values are no numbers.

        Raises:
            NotCapturableError: The layer's value can't be had.
            CaptureError: The forward pass failed.
        """
        self._renew()
        return self._drawings.statistics(self.layer)

    @property
    def figure(self) -> go.Figure:
        """The `plotly.graph_objects.Figure` on screen, on white; beside a table, that of the activation."""
        self._renew()
        return self._plot.figure

    @property
    def code(self) -> str:
        """Plain Keras source that gives the selected activation, with `model` and `x` in scope.

        `x` is a batch as the model takes it; where another was given, a comment says that `inputs` is it.
        """
        self._session.graph.check()
        batch = self._session.batch
        code = keras_code(self._session.graph, self.layer, batch)
        changed = batch is not None and batch.note and self.node.origin != "opaque"
        return f"# x is a batch, here explorer.inputs\n{code}" if changed else code

    @property
    def summaries(self) -> list[Summary]:
        """A line on each layer, in order of execution: quantiles, zeros, dead channels, and what is wrong, in words.

        The model runs where that is needed, with no more than `max_bytes` of activations at a time.

        Raises:
            CaptureError: The forward pass failed.
        """
        self._renew()
        return self._drawings.summaries()

    def state(self) -> dict[str, Any]:
        """What makes the same view again, as a small dict of JSON values: `LayerExplorer(model, x, state=...)`."""
        view = {name: getattr(self, name) for name in VIEW}
        return {**view, "position": None if self.position is None else list(self.position)}

    def to_html(
        self, path: str | Path, *, layers: Sequence[Any] | None = None, max_bytes: int = 20_000_000
    ) -> list[str]:
        """Writes one HTML file in which layers can be browsed with no kernel and no network.

        Args:
            path: The file; it takes 2 MB and its pictures.
            layers: Selectors of the layers to store. By default the selected one, then all others in their order.
            max_bytes: How many bytes of pictures are stored at most; layers that would not fit are left out, and the
                page says so when they are chosen.

        Returns:
            The paths of the layers that are stored.

        Raises:
            LayerNotFoundError: A selector names no layer.
            CaptureError: The forward pass failed.
        """
        at_least(0, max_bytes, "max_bytes")
        self._renew()
        graph = self._session.graph
        if layers is None:
            wanted = dict.fromkeys([self.layer, *(node.path for node in graph.tree if node.origin != "opaque")])
        else:
            listed = checks.listed(layers, "layers as a list of layers to store", least=1)
            wanted = dict.fromkeys(select(graph, layer).path for layer in listed)
        stored: dict[str, dict[str, Any]] = {}
        left = max_bytes
        for each in wanted:
            selection = (
                self._selection() if each == self.layer else self._selection(path=each, channel=None, slice=None)
            )
            drawing = self._drawings.draw(selection)
            sent = drawing.figure
            arrays = [base64.b64encode(array).decode("ascii") for array in sent.arrays]
            entry = {"spec": sent.spec, "images": sent.images, "arrays": arrays}
            entry |= {"alt": drawing.alt, "numbers": drawing.numbers}
            size = sum(map(len, (sent.spec, *sent.images, *arrays)))
            if size <= left:
                stored[each] = {**entry, "title": html.title(graph.nodes[each])}
                left -= size
        first = next(iter(stored), "")
        text = html_page(self._heading(), packed_rows(self._tree_view.rows), stored, first)
        Path(path).write_text(text, encoding="utf-8")
        return list(stored)

    def to_image(self, path: str | Path, **options: Any) -> None:
        """Writes the figure as a picture, by Plotly's own means.

        Args:
            path: The file; its ending says the format: `.png`, `.svg`, `.pdf`, ...
            **options: Those of `plotly.graph_objects.Figure.write_image`: `width`, `height`, `scale`, `format`.

        Raises:
            MissingPackageError: Plotly needs for it the package kaleido (`pip install "actwidget[image]"`), and that a
                Chrome or Chromium.
        """
        try:
            self.figure.write_image(str(path), **options)
        except (ValueError, ImportError, RuntimeError) as error:  # which one depends on the release of Plotly
            if "kaleido" not in str(error).lower():
                raise
            needed = 'kaleido to write a picture: pip install "actwidget[image]"'
            if "chrome" in str(error).lower():
                needed = "Chrome or Chromium to write a picture: install it, or run plotly_get_chrome"
            message = f"Plotly needs {needed}. to_html() needs nothing."
            raise MissingPackageError(message) from error

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and a still picture for where it can't run: on GitHub, in print, with no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        if self._links and self._session.batch is not None:
            lines = [self._heading(), *textwrap.wrap(self._plot.alt, 100)]
            lines.append("A still picture. Run the cell for the live explorer.")
            bundle["image/png"] = base64.b64encode(still_png(lines, self._plot.images)).decode("ascii")
        return bundle

    def _ipython_display_(self) -> None:
        """Shows the widget, and in an output of its own the still picture, which hides while the widget lives."""
        live = bool(self._links)
        publish(super()._repr_mimebundle_() if live else {"text/plain": repr(self)})
        self._look_again()  # a cell may have trained the model since the last drawing
        if live and self._session.batch is not None:
            self._still.show(self._view())

    def _heading(self) -> str:
        return f"{short(self.tree.name)} · {self.tree.parameters:,} parameters"

    def _view(self) -> View:
        return View(self._heading(), self._plot.alt, self._numbers.value, self._plot.images)

    def close(self) -> None:
        """Removes the widget and all its parts from the page, and lets go of the activations."""
        if not self._links:  # closed already, or never opened: a widget is closed once more when it is collected
            super().close()
            return
        for link in self._links:
            link.unlink()
        self._links = ()
        self._rendering = True  # a trait that is set from now on draws nothing
        self._controls.close()
        self._session.clear()
        if self._other is not None:
            self._other.clear()
        self._drawings.clear()
        self._submodels.clear()
        self._free()

    def _free(self) -> None:
        self._still.cancel()
        self._parts.close()
        if self.layout is not None:
            self.layout.close()
        super().close()

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        name, layer = shown(self.tree.name), shown(self.layer)
        return f"LayerExplorer({name}, layer={layer}, channel={self.channel}, sample={self.sample})"

    # What can be set, checked before it is.

    def _valid_layer(self, value: Any) -> str:
        def chosen() -> str:
            self._session.graph.check()
            return select(self._session.graph, value).path

        return self._checked(chosen)

    def _valid_sample(self, value: Any) -> int:
        batch = self._session.batch
        count = 1 if batch is None else batch.size
        return self._checked(lambda: checks.index(value, count, "sample", f"the batch has {count}", SampleError))

    def _valid_compare(self, value: Any) -> int | str:
        batch = self._session.batch
        if isinstance(value, str) and value == OTHER and self._other is not None:
            return OTHER
        count = 1 if batch is None else batch.size
        there = f"the batch has {count}; to compare with a model, give it as LayerExplorer(..., compare=model)"
        return self._checked(lambda: checks.index(value, count, "sample", there, SampleError))

    def _valid_channel(self, value: Any) -> int:
        count = self._channels()
        there = f"{shown(self.layer)} has {count}"
        return self._checked(lambda: checks.index(value, count, "channel", there, ChannelError))

    def _valid_show(self, value: Any) -> str:
        known = {name: text for name, text in SHOWS.items() if name != "overlay" or self._drawings.thumbnail(0)}
        return self._checked(lambda: checks.option(value, known, "show"))

    def _valid_position(self, value: Any) -> tuple[int, int]:
        return self._checked(lambda: checks.position(value, self._drawings.map_of(self.layer)))

    def _valid_slice(self, value: Any) -> int:
        count = self._drawings.slices(self.layer)
        there = f"{shown(self.layer)} has {count}"
        return self._checked(lambda: checks.index(value, count, "slice", there, OptionError))

    def _valid_input_channel(self, value: Any) -> int:
        count = self._drawings.kernel_inputs(self.layer)
        there = f"{shown(self.layer)} has {f'a kernel of {count}' if count > 1 else 'none to choose'}"
        return self._checked(lambda: checks.index(value, count, "input channel", there, ChannelError))

    def _valid_reading(self, value: Any) -> str:
        known = self._checked(lambda: checks.option(value, AXES, "reading"))
        self._drawings.read(self.layer, known)  # the other choices are checked against it
        return known

    def _valid_scaling(self, value: Any) -> str:
        return self._checked(lambda: checks.option(value, SCALINGS, "scaling"))

    def _valid_sort(self, value: Any) -> str:
        return self._checked(lambda: checks.option(value, ORDERS, "sort"))

    def _checked(self, check: Callable[[], Checked]) -> Checked:
        try:
            return check()
        except ActwidgetError as error:
            self._warn(str(error))
            raise

    def _channels(self) -> int:
        divided, shape = self._drawings.channels(self.layer), self.node.output_shape
        if self.node.origin == "opaque":
            return 1
        count = None if shape is None else divided.count(shape)
        if count is None:
            count = self._drawings.channel_count(self.layer)
        return 1 if count is None else count

    # From a selection to the screen.

    def _clicked(self, customdata: list[Any]) -> None:
        if len(customdata) == 2 and customdata[0] == "sample" and isinstance(customdata[1], int):
            self.sample = customdata[1]
        elif customdata and isinstance(customdata[0], str) and customdata[0] in self._session.graph.nodes:
            with self._one_drawing():
                self.show, self.layer = "activation", customdata[0]
        elif len(customdata) == 3 and customdata[0] in ("cell", -1):
            self._point_at(customdata[1:])
        elif customdata and isinstance(customdata[0], (int, float)) and 0 <= customdata[0] < self._channels():
            self.channel = int(customdata[0])

    def _point_at(self, place: list[Any]) -> None:
        """Shows where a cell of the close-up lies over the input, and what it sees there."""
        rows, columns = self._drawings.map_of(self.layer)
        row, column = (int(index) if isinstance(index, (int, float)) else -1 for index in place)
        if 0 <= row < rows and 0 <= column < columns and self._drawings.picture_of(self.layer) is not None:
            with self._one_drawing():
                self.show, self.position = "overlay", (row, column)

    def _pressed(self, key: str) -> None:
        """Moves the selection through what is drawn, if there is anything to select."""
        if (grid := self._grid) is not None:
            setattr(self, grid.of, grid.moved(getattr(self, grid.of), key))

    def _warn(self, text: str) -> None:
        self._alert.value = html.live("alert", text)

    @traitlets.observe(*VIEW)
    def _changed(self, _change: Any) -> None:
        if not self._rendering:
            self._redraw()

    def _chosen_again(self) -> None:
        """What is there already was chosen: no error is left standing, and what failed is tried once more."""
        if self._failed and not self._rendering:
            self._redraw()
        elif self._links:
            self._warn("")

    def _redraw(self) -> None:
        with self._one_drawing():
            pass

    @contextmanager
    def _one_drawing(self) -> Iterator[None]:
        """Changes several traits and draws once."""
        self._rendering = True
        try:
            yield
            self._render()
        finally:
            self._rendering = False

    def _render(self) -> None:
        """Shows the selection; an error becomes a line on screen and the last picture stays."""
        start, self._session.seconds = time.perf_counter(), 0.0
        node = self.node
        self._session.look(node.path, self._samples())
        seen = self._session.holds(node.path)
        try:
            if not seen:
                self._status.value = html.live("status", f"Computing {node.path} …")
                self._plot.busy = True
            self._let_go()
            self._show(node, self._drawn(), start)
        except BaseException as error:
            self._plot.busy = False
            self._failed, self._grid = True, None
            if not isinstance(error, Exception):  # a person, or the kernel, wants it to end
                text = f"{node.path} was interrupted; the picture is the last good one. Choose it again to go on."
                self._status.value = html.live("status", text)
                raise
            # An exception in an observer would vanish.
            known = isinstance(error, ActwidgetError)
            self._warn(f"{node.path}: {error}" if known else f"{node.path}: {type(error).__name__}: {error}")
            self._status.value = html.live(
                "status", f"{node.path} could not be shown; the picture is the last good one."
            )
            return
        self._failed = False
        self._look_again()  # what was at hand, or rests on it, is shown first

    def _let_go(self) -> None:
        """Of what was chosen within the last layer what this one does not have."""
        drawings = self._drawings
        if self.reading != "auto" and self.layer != self._read_layer:
            self.reading = "auto"
        self._read_layer = self.layer
        if self.channel is not None and self.channel >= self._channels():
            self.channel = None
        if self.slice is not None and self.slice >= drawings.slices(self.layer):
            self.slice = None
        if self.input_channel is not None and self.input_channel >= drawings.kernel_inputs(self.layer):
            self.input_channel = None
        if self.position is not None and any(
            index >= length for index, length in zip(self.position, drawings.map_of(self.layer), strict=True)
        ):
            self.position = None

    def _afterwards(self, method: Callable[[], None], *, delay: float = 0.0, always: bool = True) -> None:
        """Calls a method when what was sent is on its way to the page.

        A page is reached through an event loop. Without one nobody is there to see it: the call is made at once, or if
        it is for the page alone not at all.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            if always:
                method()
        else:
            # What waits in the loop keeps no explorer alive: a cell can make many before the loop runs.
            loop.call_later(delay, weakly(method))

    def _look_again(self) -> None:
        if not self._looking:
            self._looking = True
            self._afterwards(self._renew, delay=DRAWN)

    def _renew(self) -> None:
        """Draws once more if a model's weights were written since they were looked into last."""
        try:
            self._looking = True  # what is drawn now need not be looked into
            if self._refresh() and self._links:
                self._redraw()
        finally:
            self._looking = False

    def _refresh(self) -> bool:
        """Lets go of all that no longer holds, since a model's weights were written; gives whether that was so."""
        stale = [session.refresh() for session in (self._session, self._other) if session is not None]
        if any(stale):
            self._drawings.clear()
            self._tree_view.marks = {}
        return any(stale)

    def _drawn(self) -> Drawing:
        if self.show == "overview":
            return self._drawings.overview(self.layer)
        if self.node.origin == "opaque" and self.show != "weights":
            return self._drawings.draw(self._selection())  # why there is nothing to see
        if self.show == "comparison" and self._session.batch is not None:
            other = self._other if self.compare == OTHER and self._other is not None else self._samples()[-1]
            return self._drawings.comparison(self._selection(), other)
        if self.show == "weights":
            return self._drawings.weights(self.layer, self.channel, self.input_channel)
        if self.show == "overlay":
            return self._drawings.overlay(self.layer, self.channel, self.sample, self.position, self.sort)
        return self._drawings.draw(self._selection())

    def _samples(self) -> list[int]:
        """The samples on screen: the selected one, and in a comparison the one that it is compared with."""
        batch = self._session.batch
        if batch is None or self.show != "comparison" or self.compare == OTHER:
            return [self.sample]
        return [self.sample, (self.sample + 1) % batch.size if self.compare is None else self.compare]

    def _selection(self, **other: Any) -> Selection:
        own = {name: getattr(self, name) for name in ("channel", "sample", "scaling", "sort", "slice")}
        return Selection(**{"path": self.layer, **own, **other})

    def _mark(self) -> None:
        """Marks the layers in the tree whose numbers, as far as they are known, warn."""
        paths = [node.path for node in self.tree] if self.show == "overview" else [self.layer]
        marks = {path: "; ".join(found) for path in paths if (found := self._drawings.warnings(path))}
        self._tree_view.marks = {**self._tree_view.marks, **marks}

    def _show(self, node: LayerNode, drawing: Drawing, start: float) -> None:
        with self._plot.hold_sync():
            self._plot.busy = False
            self._plot.alt = drawing.alt
            self._plot.figure = drawing.figure
            self._plot.arrows = drawing.grid is not None
        self._grid = drawing.grid
        self._title.value = html.title(node)
        self._code.code = self.code
        self._controls.arrange(
            channels=self._channels(),
            needs=drawing.needs if self.show == "activation" else None,
            slices=self._drawings.slices(self.layer) if self.show in {"activation", "comparison"} else 1,
            middle=self._drawings.middle_slice(self.layer),
            inputs=self._drawings.kernel_inputs(self.layer) if self.show == "weights" else 1,
            others=self._others(),
            readings=self.show == "activation" and self._is_ambiguous(node, drawing),
        )
        self._numbers.value = drawing.numbers
        self._show_table()
        self._warn("")
        self._mark()
        self._show_prediction()
        self._show_status(start)
        self._still.later(self._view)

    def _others(self) -> int:
        """How many samples there are to compare with, where no other model is."""
        batch = self._session.batch
        return 1 if batch is None or self._other is not None or self.show != "comparison" else batch.size

    def _is_ambiguous(self, node: LayerNode, drawing: Drawing) -> bool:
        """Whether another axis might hold the channels as well; of maps and volumes most layers say which one does."""
        rank = len(node.output_shape or ())
        if self.reading != "auto":
            return True
        return drawing.needs is None and (
            rank == 3 or (rank > 3 and not self._drawings.channels(node.path).is_explicit)
        )

    def _show_table(self) -> None:
        """Puts the table of all channels in the figure's place, or the figure back in its own."""
        shown_now = self._plot
        is_table = self.show == "table" and self.node.origin != "opaque"
        columns = self._drawings.columns(self.layer) if is_table else None
        if columns is not None:
            if self._table is None:
                self._table = self._parts.make(NumberTable)
                self._table.observe(self._row_selected, "selected")
            self._table.label = (
                f"Numbers of each {self._drawings.channels(self.layer).channel_label} of {short(self.layer)}"
            )
            self._table.fill(columns)
            self._table.selected = self.channel
            shown_now = self._table
        heading, controls, _, numbers = self._main.children
        self._main.children = [heading, controls, shown_now, numbers]

    def _row_selected(self, change: Any) -> None:
        if not self._rendering:
            self.channel = change["new"]

    def _show_prediction(self) -> None:
        """Shows what the model says, at once where that is known, else when the picture is on its way to the page."""
        if self._session.batch is None or not self._links:
            return
        if self._drawings.knows_predictions:
            self._predict()
        else:
            self._afterwards(self._predict, always=False)

    def _predict(self) -> None:
        if not self._links:  # closed in the meantime
            return
        label, probability = self._drawings.prediction(self.sample)
        self._prediction.value = html.prediction(label, probability, self._drawings.thumbnail(self.sample))

    def _show_status(self, start: float) -> None:
        session = self._session
        if session.batch is None:
            self._status.value = html.live(
                "status", "No inputs were given: LayerExplorer(model, inputs) shows activations."
            )
            return
        captured = f"Captured in {session.seconds * 1000:,.0f} ms" if session.seconds else "From the cache"
        spent = (time.perf_counter() - start - session.seconds) * 1000
        parts = [captured, f"drawn in {spent:,.0f} ms", session.told(), session.batch.note]
        kept, budget = session.bytes_kept / 1e6, session.budget / 1e6
        cache = f'<span class="actw-muted">{escape(f"cache {kept:,.1f} of {budget:,.0f} MB")}</span>'
        self._status.value = html.live("status", " · ".join(filter(None, parts))) + cache


def _first_worth_seeing(graph: ModelGraph) -> str:
    """The first layer with weights that does not prepare the inputs, else the first of any that does not.

    Where nothing can be had it is the first node of all, which says why.
    """
    nodes = [node for node in graph.tree if node.origin != "opaque"]
    rest = [node for node in nodes if not prepares_input(graph.operations[node.path])]
    learned = [node for node in rest if node.parameters]
    return (learned or rest or nodes or list(graph.tree))[0].path
