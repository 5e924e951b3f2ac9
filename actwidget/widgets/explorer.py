"""`LayerExplorer`: the explorer on a page, its selection as traits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actwidget.errors import shown
from actwidget.explorer.explorer import Explorer
from actwidget.explorer.selection import FIELDS, OTHER_MODEL, checked_state
from actwidget.options import at_least
from actwidget.widgets.checked_trait import Checked
from actwidget.widgets.export import picture_of, write_image, write_page
from actwidget.widgets.rendering import Rendering
from actwidget.widgets.screen import Screen
from actwidget.widgets.still import Still, publish

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import keras
    import numpy as np
    import plotly.graph_objects as go

    from actwidget.analysis.statistics import Statistics
    from actwidget.analysis.summary import Summary
    from actwidget.capture.structure.node import LayerNode

_NAMING = (
    *("show", "layer", "channel", "sample", "compare", "scaling", "sort", "position", "slice", "input_channel"),
    "reading",
)
"""What names the still of an explorer, in this order: an executed notebook holds it and must not change."""


class LayerExplorer(Rendering):
    """Looks inside a Keras model: a tree of its layers, and the selected layer's activations as an interactive figure.

    Everything on screen can be set and read by name, with or without a browser. The attributes below are traits: they
    can be given, set, read and observed (`explorer.observe(callback, "layer")`). What is set is checked first, and what
    is not there raises a `LayerNotFoundError`, `ChannelError`, `SampleError` or `OptionError` and changes nothing.

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
    """What the figure shows: the `"activation"` of the selected layer, an `"overlay"` of one channel over the input
    picture, a `"comparison"` with another sample or model, a `"table"` of all channels' numbers, the layer's
    `"weights"`, or an `"overview"` of the whole network, a row for each layer."""
    layer = Checked("")
    """The path of the selected layer. It can be set to any selector: a path, a unique name, an index into
    `model.layers`, or a layer."""
    channel = Checked(None, allow_none=True)
    """The channel (or unit) shown close up, or `None` for the mean over all of them."""
    sample = Checked(0)
    """Which sample of the batch is shown."""
    compare = Checked(None, allow_none=True)
    """What is compared with: the number of a sample, or `"model"` for the model given as `compare`."""
    scaling = Checked("layer")
    """`"layer"` for one colour range over the layer, `"robust"` for one that leaves the most extreme values out and
    says so, `"channel"` for one for each channel."""
    sort = Checked("index")
    """The order of the channels: `"index"`, `"mean"`, `"maximum"`, `"standard_deviation"` or `"zeros"`."""
    position = Checked(None, allow_none=True)
    """The row and the column in the feature map whose receptive field the overlay marks, or `None`."""
    slice = Checked(None, allow_none=True)
    """Which slice of a volume or a video is shown, or `None` for the middle one. Of two axes before height and width
    the slices are counted through, the last axis first; the first slice is 0."""
    input_channel = Checked(None, allow_none=True)
    """Of which input channel the kernels are shown, or `None` for the mean over them."""
    reading = Checked("auto")
    """Which axis of the activation holds the channels: `"auto"` as the layer has it, the `"last"` one, the `"first"`
    one behind the samples, or `"none"`: all of it is one map, or one volume."""
    options = Checked(default_value={})
    """What is chosen of the controls that some views have of their own, by name."""

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
        other = compare if _is_model(compare) else None
        self._explorer = Explorer(
            model,
            inputs,
            other=other,
            class_names=class_names,
            labels=labels,
            tokens=tokens,
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
            "options": {},
            **checked_state(state),
        }
        view["layer"] = self._explorer.selection.layer if view["layer"] is None else view["layer"]
        self._rendering = True  # nothing is drawn until all is in place
        about = [view[name] for name in _NAMING]
        self._still = Still(" ".join(map(shown, [self.tree.name, *about])))
        views = {name: view.label for name, view in self._explorer.offered_views().items()}
        sizes = {"layers": len(self.model.layers), "samples": self._explorer.data.batch_size}
        self._screen = Screen(self.tree, self._still, views, **sizes, grouped=grouped)
        try:
            super().__init__(self._screen.boxes, _dom_classes=("actw-explorer", self._still.live))
            self.layer = view["layer"]  # the others are checked against it
            for name in (*FIELDS, "options"):
                setattr(self, name, view[name])
        except Exception:
            self._free()  # ipywidgets keeps every widget until it is closed
            raise
        self._connect()
        self._rendering = False
        with (
            self._screen.plot.hold_sync(),
            self._screen.status.hold_sync(),
        ):
            self._render()

    # What can be read.

    @property
    def model(self) -> keras.Model:
        """The model that is looked at, the very one that was given."""
        return self._explorer.session.graph.model

    @property
    def inputs(self) -> Any:
        """The batch, in the structure and the dtypes that the model takes; `None` where none was given.

        Arrays have the shape `(samples, ...)`, also where a single sample was given. They are the explorer's own, not
        those that were given, and can be read only.
        """
        batch = self._explorer.session.batch
        return None if batch is None else batch.fed

    @property
    def tree(self) -> LayerNode:
        """The root of the layer tree, as `layer_tree(model, inputs)` gives it."""
        return self._explorer.tree

    @property
    def node(self) -> LayerNode:
        """The selected node of the tree."""
        return self._explorer.node

    @property
    def activation(self) -> np.ndarray[Any, Any] | None:
        """The selected layer's activation for all samples, shape `(samples, ...)`; `None` without inputs.

        It has the layer's dtype, but bfloat16 comes as float32.

        Raises:
            NotCapturableError: The layer's value can't be had.
            CaptureError: The forward pass failed.
        """
        self._renew()
        return self._explorer.session.value(self.layer)

    @property
    def submodel(self) -> keras.Model:
        """The `keras.Model` from the model's inputs to the selected activation, as `submodel(model, layer)` gives it.

        Raises:
            NotCapturableError: The layer's value can't be had.
        """
        return self._explorer.submodel

    @property
    def statistics(self) -> Statistics | None:
        """The numbers of the selected layer over the whole batch, and of each of its channels.

        `None` without inputs, and where the values are no numbers.

        Raises:
            NotCapturableError: The layer's value can't be had.
            CaptureError: The forward pass failed.
        """
        self._renew()
        return self._explorer.data.statistics

    @property
    def figure(self) -> go.Figure:
        """The `plotly.graph_objects.Figure` on screen, on white; beside a table, that of the activation."""
        self._renew()
        return self._screen.plot.figure

    @property
    def code(self) -> str:
        """Plain Keras source that gives the selected activation, with `model` and `x` in scope.

        `x` is a batch as the model takes it; where another was given, a comment says that `inputs` is it.
        """
        return self._explorer.code

    @property
    def summaries(self) -> list[Summary]:
        """A line on each layer, in order of execution: quantiles, zeros, dead channels, and what is wrong, in words.

        The model runs where that is needed, with no more than `max_bytes` of activations at a time.

        Raises:
            CaptureError: The forward pass failed.
        """
        self._renew()
        return self._explorer.inspector.measurements.summaries()

    def state(self) -> dict[str, Any]:
        """What makes the same view again, as a small dict of JSON values: `LayerExplorer(model, x, state=...)`."""
        return self._selected().state()

    def to_html(
        self, path: str | Path, *, layers: Sequence[Any] | None = None, max_bytes: int = 20_000_000
    ) -> list[str]:
        """Writes one HTML file in which layers can be browsed with no kernel and no network.

        It shows the view that is on screen, for layers that have it, and else their activations.

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
        drawings = self._explorer.drawings(layers)
        return write_page(path, self._screen.heading, self._screen.tree.rows, drawings, max_bytes)

    def to_image(self, path: str | Path, **options: Any) -> None:
        """Writes the figure as a picture, by Plotly's own means.

        Args:
            path: The file; its ending says the format: `.png`, `.svg`, `.pdf`, ...
            **options: Those of `plotly.graph_objects.Figure.write_image`: `width`, `height`, `scale`, `format`.

        Raises:
            MissingPackageError: Plotly needs for it the package kaleido (`pip install "actwidget[image]"`), and that a
                Chrome or Chromium.
        """
        write_image(self.figure, path, **options)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and a still picture for where it can't run: on GitHub, in print, with no kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        if self._links and self.inputs is not None:
            bundle["image/png"] = picture_of(self._screen.snapshot)
        return bundle

    def _ipython_display_(self) -> None:
        """Shows the widget, and in an output of its own the still picture, which hides while the widget lives."""
        is_open = bool(self._links)
        publish(super()._repr_mimebundle_() if is_open else {"text/plain": repr(self)})
        self._check_weights_soon()  # a cell may have trained the model since the last drawing
        if is_open and self.inputs is not None:
            self._still.show(self._screen.snapshot)

    def close(self) -> None:
        """Removes the widget and all its parts from the page, and frees the memory of the activations."""
        if not self._links:  # closed already, or never opened: a widget is closed once more when it is collected
            super().close()
            return
        for link in self._links:
            link.unlink()
        self._links = ()
        self._rendering = True  # a trait that is set from now on draws nothing
        self._explorer.close()
        self._free()

    def _free(self) -> None:
        self._still.cancel()
        self._screen.close()
        if self.layout is not None:
            self.layout.close()
        super().close()

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        name, layer = shown(self.tree.name), shown(self.layer)
        return f"LayerExplorer({name}, layer={layer}, channel={self.channel}, sample={self.sample})"


def _is_model(value: Any) -> bool:
    """Whether another model is given to compare with, not the number of a sample."""
    return hasattr(value, "layers") and callable(value)
