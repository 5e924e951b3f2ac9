"""`LayerExplorer`: the explorer as a notebook widget, with a trait for each field of its selection."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from actwidget.errors import shown
from actwidget.explorer.explorer import Explorer
from actwidget.explorer.selection import FIELDS, OTHER_MODEL, checked_state
from actwidget.options import at_least, is_model
from actwidget.widgets.checked_trait import Checked
from actwidget.widgets.composite import in_marimo
from actwidget.widgets.ipywidgets7 import view_bundle
from actwidget.widgets.readings import _Readings
from actwidget.widgets.screen import Screen
from actwidget.widgets.stored.export import write_image, write_page
from actwidget.widgets.stored.still import Still, picture_of, publish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import keras

    from actwidget.scanning.result import Scan
    from actwidget.widgets.stored.still import Snapshot

_NAMING = sorted(FIELDS, key=lambda name: name == "reading")
"""The options from which the name of the snapshot is made. Executed notebooks contain that name, so the order must not
change."""


class LayerExplorer(_Readings):
    """Looks inside a Keras model: a tree of its layers, and the selected layer's activations as an interactive figure.

    Everything on screen can be set and read by name, with or without a browser. The attributes below are traits: they
    can be given, set, read and observed (`explorer.observe(callback, "layer")`). Each new value is checked first: one
    that is not valid raises a `LayerNotFoundError`, `ChannelError`, `SampleError` or `OptionError` and changes nothing.

    In marimo, `view = mo.ui.anywidget(LayerExplorer(model, x))` is reactive: a cell that reads `view.layer` runs again
    when another layer is selected on the page.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, name="conv")], name="small")
        >>> explorer = LayerExplorer(model, np.ones((2, 8, 8, 1)))
        >>> explorer
        LayerExplorer('small', layer='conv', channel=None, sample=0)
        >>> explorer.activation.shape
        (2, 6, 6, 4)
    """

    show = Checked("activation")
    """What the figure shows of the selected layer: its `"activation"`, an `"overlay"` of one channel over the input
    picture, `"every_sample"` side by side, a `"comparison"` with another sample or model, `"why"` the model answers as
    it does, `"what_if"` channels were changed, the `"arithmetic"` of one value, the `"examples"` that excite a channel
    most and the kept `"samples"` in the layer's space (if there is a scan), the `"ideal_input"` of a channel, a
    `"table"` of statistics of all channels, the `"weights"`; of the whole network the `"overview"`, the `"similarity"`
    of layers (if there is a scan) or the `"graph"`."""
    layer = Checked("")
    """The path of the selected layer. It can be set to any selector: a path, a unique name, an index into
    `model.layers`, or a layer."""
    channel = Checked(None, allow_none=True)
    """The channel (or unit) shown close up, or `None` for the mean over all of them."""
    sample = Checked(0)
    """Which sample of the batch is shown."""
    compare = Checked(None, allow_none=True)
    """What to compare with: the index of a sample, `"model"` for the model given as `compare`, or `"edited"` for the
    model with the changes in `edits`."""
    scaling = Checked("channel")
    """The colours of the grid: `"channel"` for a range of its own for each channel, `"robust"` for one range that
    leaves out the most extreme values and says so, `"layer"` for one range for the whole layer. The close-up is always
    on the range of its channel."""
    sort = Checked("index")
    """The order of the channels: `"index"` for by number or, where they do not fit on one page, the strongest first
    (by the root mean square); `"number"` for always by number; `"mean"`, `"maximum"`, `"standard_deviation"`,
    `"zeros"`; `"effect"` for how much the answer falls without each of them, computed when it is asked for."""
    position = Checked(None, allow_none=True)
    """The row and the column in the feature map whose receptive field the overlay marks, or `None`."""
    slice = Checked(None, allow_none=True)
    """Which slice of a volume or a video is shown, counted from 0, or `None` for the middle one. With two axes before
    height and width, slices are numbered across both, the last axis varying fastest."""
    input_channel = Checked(None, allow_none=True)
    """The input channel for which the kernels are shown, or `None` for the mean over all of them."""
    reading = Checked("auto")
    """Which axis of the activation holds the channels: `"auto"` for the layer's own channel axis, `"last"` for the last
    axis, `"first"` for the first one after the batch axis, or `"none"` to show all of it as one map or volume."""
    basis = Checked("batch")
    """What the numbers and warnings of layers rest on: `"scan"`, the default if one was given, for all samples of the
    scan, or `"batch"`. Layers that the scan does not have rest on the batch, and say so."""
    edits = Checked(default_value={})
    """What is changed in the model: from selector to a list of `Ablate`, `Scale` and `Replace`, in order; read it gives
    paths. The tab "What if" shows what becomes of the answer, `explorer.edited` is the model with these changes."""
    options = Checked(default_value={})
    """The values of controls that belong to a single view, by name."""

    def __init__(
        self,
        model: keras.Model,
        inputs: Any = None,
        *,
        show: str | None = None,
        layer: Any = None,
        channel: int | None = None,
        sample: int = 0,
        scaling: str = "channel",
        sort: str = "index",
        compare: keras.Model | int | None = None,
        class_names: Sequence[str] | None = None,
        labels: Any = None,
        tokens: Sequence[str] | Sequence[Sequence[str]] | Mapping[int, str] | None = None,
        scan: Scan | Sequence[Scan] | None = None,
        grouped: bool = True,
        max_bytes: int = 256_000_000,
        batch_size: int = 32,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        """Opens an explorer on a model.

        Args:
            model: A Keras model.
            inputs: One batch: an array of shape `(samples, ...)`, or a list or dict of arrays as the model takes it. A
                single sample without a batch axis is accepted if that is unambiguous. Of a dataset, or any other
                iterable of batches, the first batch is taken. Without inputs only the tree is shown.
            show: What the figure shows; see the attribute `show`. The default is `"activation"`, or `"comparison"` with
                `compare`.
            layer: The layer to select first; by default the first one with weights.
            channel: The channel to show close up.
            sample: The sample to show.
            scaling: The colour range of the grid, `"channel"`, `"robust"` or `"layer"`.
            sort: The order of the channels.
            compare: Another model of the same architecture, or the index of a sample, to compare with.
            class_names: The names of the model's output units. A single sigmoid unit has two names: that of class 0,
                then that of class 1. If the model has several outputs, `class_names` and `labels` apply to the first.
            labels: The true class of each sample, which is marked in the model's output. Either the index of a unit (0
                or 1 for a single sigmoid unit), shape `(samples,)` or `(samples, 1)`; or one-hot rows, shape
                `(samples, classes)`.
            tokens: The texts that label the steps of a sequence: one list for all samples, one list per sample, or a
                dict from the id of a token to its text.
            scan: A scan of the model, as `actwidget.scan(model, data)` or `load_scan` gives it: samples of a whole data
                set, and numbers over all of them. It refers to the data that was scanned. A scan from a file is given
                its data again by `scan.with_data(data)`; without it samples have numbers and no pictures. In a list
                the first one is of this model, and the others of whatever models its layers are to be compared with,
                such as earlier checkpoints, on the same data.
            grouped: Whether the tree groups layers with systematic names by their prefix.
            max_bytes: The size of the cache for activations and everything computed from them. If the activation of a
                layer is larger than that, only the samples on screen are kept, and its statistics are computed part by
                part.
            batch_size: How many samples go through the model at a time. If a layer mixes the samples of a batch, all
                samples go through at once.
            state: A result of `state()`, to restore that view; it takes precedence over the other options.

        Raises:
            UnsupportedModelError: `model` can't be explored; the message says why and what to do.
            InvalidInputsError: `inputs` do not fit the model.
            LayerNotFoundError, ChannelError, SampleError, OptionError: An option names something that does not exist.
            ScanError: `scan` is of another model, or of other weights.
        """
        other = compare if is_model(compare) else None
        self._lock = threading.RLock()
        self._explorer = Explorer(
            model,
            inputs,
            other=other,
            class_names=class_names,
            labels=labels,
            tokens=tokens,
            scan=scan,
            max_bytes=max_bytes,
            batch_size=batch_size,
        )
        view = {
            "show": show or ("activation" if compare is None else "comparison"),
            "layer": self._explorer.selection.layer if layer is None else layer,
            "reading": "auto",
            "channel": channel,
            "sample": sample,
            "compare": compare if other is None else OTHER_MODEL,
            "scaling": scaling,
            "sort": sort,
            **dict.fromkeys(("position", "slice", "input_channel")),
            "basis": "batch" if scan is None else "scan",
            "edits": {},
            "options": {},
            **checked_state(state),
        }
        view["layer"] = self._explorer.selection.layer if view["layer"] is None else view["layer"]
        self._rendering = True  # prevents a redraw for each trait that is set below
        initial_view = [view[name] for name in _NAMING if name != "basis" or scan is not None]
        self._still = Still(" ".join(map(shown, [self.tree.name, *initial_view])))
        self._screen = Screen(self.tree, self._still, samples=self._explorer.data.batch_size, grouped=grouped)
        try:
            super().__init__(self._screen.boxes, _dom_classes=("actw-explorer", self._still.live))
            self.layer = view["layer"]  # first, since the other values are checked against the selected layer
            for name in ("edits", *FIELDS, "options"):
                setattr(self, name, view[name])
        except Exception:
            self._free()  # ipywidgets keeps a reference to every widget until it is closed
            raise
        self._connect()
        self._rendering = False
        with self._screen.plot.hold_sync(), self._screen.status.hold_sync():
            self._render()

    # What user code can read.

    @property
    def model(self) -> keras.Model:
        """The model that was given; the same object, not a copy."""
        return self._explorer.session.graph.model

    @property
    def inputs(self) -> Any:
        """The batch, in the structure and the dtypes that the model takes; `None` if none was given.

        Arrays have the shape `(samples, ...)`, even if a single sample was given. They are read-only copies of the
        arrays that were given. Assigning another batch shows it at once, as `set_inputs` does.

        Raises:
            UnsupportedModelError, InvalidInputsError: The assigned batch does not fit; nothing has changed then.
        """
        batch = self._explorer.session.batch
        return None if batch is None else batch.fed

    @inputs.setter
    def inputs(self, inputs: Any) -> None:
        self.set_inputs(inputs)

    def set_inputs(self, inputs: Any, labels: Any = None, tokens: Any = None) -> None:
        """Shows another batch: the same layer, view, channel and sample if they still exist.

        Args:
            inputs: One batch, as for `LayerExplorer`.
            labels: The true class of each sample. Without them the labels of before stay if there are as many samples.
            tokens: The texts of the steps of a sequence; without them as for `labels`.

        Raises:
            UnsupportedModelError, InvalidInputsError, OptionError: As for `LayerExplorer`; nothing has changed then.
        """
        super().set_inputs(inputs, labels, tokens)

    def take_sample(self, number: int) -> int:
        """Adds a sample of the scanned data to the batch, and selects it; a click on one on screen does the same.

        Args:
            number: Its number in the data, as `scan.top` and `scan.features` give it.

        Returns:
            Its number in the batch. It is added once; a sample that can't stand beside the others, such as a longer
            sequence, takes the place of all of them.

        Raises:
            OptionError: The explorer has no scan.
            ScanError, SampleError: The sample can't be read.
        """
        return super().take_sample(number)

    def run(self) -> None:
        """Does what the button of the view on screen does, and returns when it is done: nothing if all is computed.

        Raises:
            ActwidgetError: It can't be done; the message says why.
        """
        with self._lock:
            if self._working is not None and self._links:
                self._working.run()

    def state(self) -> dict[str, Any]:
        """The current view as a small dict of JSON values; `LayerExplorer(model, x, state=...)` restores it."""
        state = self._selected().state()
        if self._explorer.inspector.scan is None:
            del state["basis"]
        return state

    def to_html(
        self, path: str | Path, *, layers: Sequence[Any] | None = None, max_bytes: int = 20_000_000
    ) -> list[str]:
        """Writes one HTML file in which layers can be browsed without a kernel or a network.

        It holds the first of these layers in all views, then the whole network, the channels of all other layers, and
        their other views, as far as there is room. The tabs of views that are left out are dimmed and say so.

        Args:
            path: The file to write; its size is 2 MB plus that of the pictures.
            layers: Selectors of the layers to store. By default the selected one, then all others in order.
            max_bytes: How many bytes of pictures are stored at most.

        Returns:
            The paths of the layers that were stored.

        Raises:
            LayerNotFoundError: A selector names no layer.
            CaptureError: The forward pass failed.
        """
        at_least(0, max_bytes, "max_bytes")
        self._renew()
        return write_page(path, self._screen, self._explorer.drawings(layers), max_bytes)

    def to_image(self, path: str | Path, **options: Any) -> None:
        """Writes what is on screen to an image file with Plotly: the figure, with the facts beside it, or the table.

        Args:
            path: The file to write; its extension sets the format: `.png`, `.svg`, `.pdf`, ...
            **options: Those of `plotly.graph_objects.Figure.write_image`: `width`, `height`, `scale`, `format`. By
                default the picture is as large as on a wide screen.

        Raises:
            MissingPackageError: Plotly needs the package kaleido for this (`pip install "actwidget[image]"`), and
                kaleido needs Chrome or Chromium.
        """
        self._renew()
        snapshot = self._screen.snapshot
        write_image(self.figure if snapshot is None else go.Figure(snapshot.figure), path, **options)

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:
        """The widget, and a snapshot for places where it can't run: on GitHub, in print, without a kernel."""
        if not self._links:
            return {"text/plain": repr(self)}
        bundle = view_bundle(self)
        if in_marimo():  # which takes the widget alone, and does not call `_ipython_display_`
            self._check_weights_soon()
        elif (snapshot := self._snapshot()) is not None:
            bundle |= picture_of(snapshot)
        return bundle

    def _ipython_display_(self) -> None:
        """Shows the widget, and the snapshot as a separate output, which is hidden while the widget is on the page."""
        is_open = bool(self._links)
        publish(view_bundle(self) if is_open else {"text/plain": repr(self)})
        self._check_weights_soon()  # another cell may have trained the model since the last redraw
        if is_open and not in_marimo() and (snapshot := self._snapshot()) is not None:
            self._still.show(snapshot)

    def _snapshot(self) -> Snapshot | None:
        return None if self.inputs is None else self._screen.snapshot

    def close(self) -> None:
        """Removes the widget and all its parts from the page, and frees the memory of the activations."""
        # Without links it is closed already or was never opened. ipywidgets calls `close` again in `__del__`.
        if not self._links:
            super().close()
            return
        for link in self._links:
            link.unlink()
        self._links = ()
        self._rendering = True  # prevents a redraw if a trait is set after this
        if self._working is not None:
            self._working.stop()
        self._explorer.close()
        self._free()

    def _free(self) -> None:
        self._screen.close()
        if self.layout is not None:
            self.layout.close()
        super().close()

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        name, layer = shown(self.tree.name), shown(self.layer)
        return f"LayerExplorer({name}, layer={layer}, channel={self.channel}, sample={self.sample})"
