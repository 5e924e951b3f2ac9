"""`Explorer`: a model, a batch, the current selection and everything derived from them, without any widgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.capture.access.batches import first_batch
from actwidget.capture.access.compare import check_same_layers, paired
from actwidget.capture.access.keras_code import keras_code
from actwidget.capture.access.session import Session
from actwidget.capture.access.submodel import connect, reason_against
from actwidget.capture.run.batch_parts import with_sample
from actwidget.capture.structure.selectors import select
from actwidget.explorer.annotations import Annotations
from actwidget.explorer.controls import Number
from actwidget.explorer.inspector import Inspector
from actwidget.explorer.registry import View, views
from actwidget.explorer.scanned.scan_source import ScanSource
from actwidget.explorer.scanned.taken_sample import take
from actwidget.explorer.selection import (
    EDITED,
    OTHER_MODEL,
    Selection,
    checked,
    checked_options,
    checked_other_sample,
    fitted,
    initial_layer,
)
from actwidget.explorer.shown import Shown, shown, shown_on_page
from actwidget.explorer.what_if.edits import checked_edits, edit_code
from actwidget.options import listed, one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import keras

    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array
    from actwidget.explorer.work import Work

_CAN_BE_NONE = {"channel", "compare", "position", "slice", "input_channel"}


class Explorer:
    """Looks inside a model, layer by layer.

    Attributes:
        session: Computes and caches the activations of the model.
        other: The same for the model to compare with; `None` if there is none.
        inspector: Gives the data of each layer.
        selection: The current selection; `select` changes it.
    """

    def __init__(
        self,
        model: keras.Model,
        inputs: Any = None,
        *,
        other: keras.Model | None = None,
        class_names: Any = None,
        labels: Any = None,
        tokens: Any = None,
        scan: Any = None,
        max_bytes: int = 256_000_000,
        batch_size: int = 32,
    ) -> None:
        """Opens an explorer without drawing anything. The arguments are those of `LayerExplorer`.

        Args:
            model: A Keras model.
            inputs: One batch, or `None`.
            other: Another model of the same architecture, to compare with.
            class_names: Names of the model's output units.
            labels: The true class of each sample.
            tokens: The texts of the steps of a sequence.
            scan: A scan of the model, as `actwidget.scan` gives it.
            max_bytes: The byte budget of the cache for activations and everything computed from them.
            batch_size: How many samples go through the model at a time.

        Raises:
            UnsupportedModelError, InvalidInputsError, OptionError, ScanError: As for `LayerExplorer`.
        """
        inputs, note = first_batch(inputs, model)
        self.session = Session(model, inputs, budget=max_bytes, batch_size=batch_size, note=note)
        graph, batch = self.session.graph, self.session.batch
        annotations = Annotations.of(graph, batch, class_names=class_names, labels=labels, tokens=tokens)
        self.other: Session | None = None
        if other is not None:
            check_same_layers(graph, other, inputs)
            self.other = Session(other, inputs, budget=max_bytes, batch_size=batch_size)
        self.inspector = Inspector(self.session, annotations, self.other, ScanSource.of(scan, graph))
        self.selection = Selection(layer=initial_layer(graph))
        self._submodels: dict[str, keras.Model] = {}
        self._axis_layer = ""  # the channel axis that the user chose applies to this layer only
        self._turned_at: dict[str, tuple[Any, ...]] = {}  # where the user turned to another page, by its option
        self._chosen_among: int | None = None  # how many channels there were when the channel was chosen

    # The batch.

    def set_inputs(self, inputs: Any, *, labels: Any = None, tokens: Any = None) -> None:
        """Takes another batch; what is selected stays if it still exists.

        Args:
            inputs: One batch, or `None`.
            labels: The true class of each sample. `None` keeps those of before if there are as many samples.
            tokens: The texts of the steps of a sequence; `None` as for `labels`.

        Raises:
            UnsupportedModelError, InvalidInputsError, OptionError: As for `LayerExplorer`; nothing has changed then.
        """
        inputs, note = first_batch(inputs, self.session.graph.model)
        session = self.session.on(inputs, note)
        annotations = self.inspector.annotations.on(session.graph, session.batch, labels=labels, tokens=tokens)
        self._replace(session, inputs, annotations)

    def set_sample(self, sample: Array, origin: str, place: int | None = None) -> int:
        """Adds a sample to the batch, or puts another one in a place of it.

        Args:
            sample: One sample in the shape that the model takes.
            origin: Where it comes from, in words.
            place: Which sample it takes the place of; `None` to append it.

        Returns:
            Its number.

        Raises:
            InvalidInputsError: It does not fit; nothing has changed then.
        """
        batch = self.session.batch
        inputs = sample[np.newaxis] if batch is None else with_sample(batch, sample, place)
        session = self.session.on(inputs)
        number = (0 if batch is None else batch.size) if place is None else place
        self._replace(session, inputs, self.inspector.annotations.with_sample(number, origin))
        return number

    def take_scanned(self, number: int) -> int:
        """Adds a sample of the scan to the batch, unless it is there already; see `taken_sample.take`.

        Returns:
            Its number in the batch.
        """
        taken = take(self.inspector.scan, number, self.session, self.inspector.annotations)
        if taken.session is not self.session and taken.session.batch is not None:
            self._replace(taken.session, taken.session.batch.fed, taken.annotations)
        return taken.place

    def _replace(self, session: Session, inputs: Any, annotations: Annotations) -> None:
        other = None
        if self.other is not None:
            other = self.other.on(inputs)
            if (session.graph, other.graph) != (self.session.graph, self.other.graph):
                paired(session.graph, other.graph)
        old = [each for each in (self.session, self.other) if each is not None]
        if session.graph is not self.session.graph:
            self._submodels.clear()
        self.session, self.other = session, other
        self.inspector = self.inspector.on(session, annotations, other)
        for each in old:
            each.clear()
        self.take(self.selection)

    def take(self, selection: Selection) -> None:
        """Selects what a selection holds, apart from a layer or a sample that the batch does not have (any more)."""
        if selection.layer not in self.session.graph.nodes:
            selection = Selection(show=selection.show, layer=initial_layer(self.session.graph), sample=selection.sample)
        if any(each.path not in self.session.graph.nodes for each in selection.edits):
            selection = replace(selection, edits=())
        if selection.sample >= (1 if self.session.batch is None else self.session.batch.size):
            selection = replace(selection, sample=0)
        self.selection = selection
        if selection.reading != "auto" and selection.layer == self._axis_layer:
            self.inspector.choose_axis(selection.layer, selection.reading)

    # The selection.

    @property
    def tree(self) -> LayerNode:
        """The root of the layer tree."""
        return self.session.graph.tree

    @property
    def node(self) -> LayerNode:
        """The selected layer."""
        return self.session.graph.nodes[self.selection.layer]

    @property
    def view(self) -> View:
        """The view on screen."""
        return views()[self.selection.show]

    @property
    def data(self) -> LayerData:
        """The data of the selected layer."""
        self.inspector.follow(self.selection)
        return self.inspector.layer(self.selection.layer, self.selection.sample)

    @property
    def samples(self) -> list[int]:
        """The samples on screen."""
        batch = self.session.batch
        return [self.selection.sample] if batch is None else self.view.samples(self.selection, batch.size)

    def offered_views(self) -> dict[str, View]:
        """The views that make sense for the model and its inputs."""
        data = self.data
        return {name: view for name, view in views().items() if view.is_offered(data)}

    def check(self, name: str, value: Any) -> Any:  # noqa: PLR0911 - a field each
        """Validates a value for one field against the current selection; returns it in its normal form.

        Raises:
            LayerNotFoundError, ChannelError, SampleError, OptionError: The value is not valid for that field.
        """
        graph = self.session.graph
        if value is None and name in _CAN_BE_NONE:
            return None
        if name == "show":
            return one_of(value, self.offered_views(), "show")
        if name == "layer":
            graph.check()
            return select(graph, value).path
        if name == "compare":
            known = {OTHER_MODEL: self.other is not None, EDITED: bool(self.selection.edits)}
            is_model = isinstance(value, str) and known.get(value, False)
            return value if is_model else checked_other_sample(value, self.data)
        if name == "edits":
            return checked_edits(value, graph)
        if name == "options":
            return checked_options(value, [control for view in views().values() for control in view.own_options])
        valid = checked(name, value, self.data)
        if name == "channel":
            self._chosen_among = self.data.channel_count
        if name == "reading":
            self._axis_layer = self.selection.layer
            self._chosen_among = None  # along another axis of the same layer the number is kept as far as it goes
            # At once: how many channels and slices there are, which later checks need, depends on the axis.
            self.inspector.choose_axis(self._axis_layer, valid)
        return valid

    def select(self, **changes: Any) -> Selection:
        """Changes fields of the selection one after the other, each after a check.

        Raises:
            LayerNotFoundError, ChannelError, SampleError, OptionError: A value is not valid. The fields before it have
                been changed, it and those after it have not.
        """
        for name, value in changes.items():
            self.selection = replace(self.selection, **{name: self.check(name, value)})
        return self.selection

    def fit(self) -> Selection:
        """Resets the fields that were chosen for the previous layer and do not exist in this one."""
        selection = self.selection
        if selection.reading != "auto" and selection.layer != self._axis_layer:
            self.select(reading="auto")
        self.selection = fitted(self.selection, self.data, self._chosen_among)
        self._keep_pages()
        return self.selection

    def _keep_pages(self) -> None:
        """Drops a page that the user turned to once another item is selected: the page of that one is shown then."""
        selection, options = self.selection, dict(self.selection.options)
        for control in (each for view in views().values() for each in view.own_options if isinstance(each, Number)):
            at = tuple(getattr(selection, field) for field in control.follows)
            if self._turned_at.pop(control.name, at) != at:
                options.pop(control.name, None)
            if control.follows and control.name in options:
                self._turned_at[control.name] = at
        self.selection = replace(selection, options=tuple(sorted(options.items())))

    def arrangement(self, selection: Selection) -> Any:
        """What of the drawing of a selection depends on the room for it."""
        return self.view.arrangement(self.data, selection)

    # Drawing it.

    def look(self) -> bool:
        """Tells the session which layer and samples are on screen, so that it keeps them in the cache.

        Returns:
            Whether their activations are in the cache already, so that no forward pass is needed.
        """
        self.session.look(self.selection.layer, self.samples)
        return self.session.holds(self.selection.layer)

    def show(self) -> Shown:
        """Draws the selection with the view on screen.

        Raises:
            MemoryBudgetError: An activation is larger than the byte budget and can't be computed part by part.
            CaptureError: The forward pass failed.
        """
        return shown(self.data, self.view, self.selection)

    def work(self) -> Work | None:
        """What the view on screen can compute if it is asked to."""
        data, view = self.data, self.view
        return view.work(data, self.selection) if view.available(data) is None else None

    def first_view(self, *, of_network: bool) -> str:
        """The name of the first view of a layer, or of the whole network."""
        return next(name for name, view in self.offered_views().items() if view.is_of_network == of_network)

    def drawings(self, layers: Sequence[Any] | None) -> Iterator[Shown]:
        """Draws layers and the whole network for a page that computes nothing, the most wanted first.

        These are the selected layer in all views that apply to it, from the one on screen on; the whole network in its
        views; the first view of every other layer; and at last their other views, those first that need fewest bytes.

        Args:
            layers: Selectors. By default the selected layer, then all other layers that can be captured, in order.

        Raises:
            LayerNotFoundError: A selector names no layer.
            CaptureError: The forward pass failed.
        """
        graph = self.session.graph
        wanted: Iterable[str]
        if layers is None:
            every = (node.path for node in graph.tree if node.origin != "opaque")
            wanted = dict.fromkeys([self.selection.layer, *every])
        else:
            given = listed(layers, "layers as a list of layers to store", least=1)
            wanted = dict.fromkeys(select(graph, layer).path for layer in given)
        first = views()[self.first_view(of_network=False)]
        return shown_on_page(self.inspector, self.selection, list(wanted), [*self.offered_views().values()], first)

    # What user code reads.

    @property
    def submodel(self) -> keras.Model:
        """The `keras.Model` from the model's inputs to the selected activation.

        Raises:
            NotCapturableError: The layer's activation can't be captured.
        """
        graph, path = self.session.graph, self.selection.layer
        if (error := reason_against(graph, path, self.session.batch)) is not None:
            raise error
        if path not in self._submodels:
            self._submodels = {path: connect(graph, path, path)}
        return self._submodels[path]

    @property
    def code(self) -> str:
        """Source code that computes what is on screen, with `model` and `x` in scope.

        It is plain Keras for the selected activation, where the view has no code of its own.
        """
        graph, batch = self.session.graph, self.session.batch
        graph.check()
        data, view = self.data, self.view
        own = view.code(data, self.selection) if view.available(data) is None else None
        shown_code = own or keras_code(graph, self.selection.layer, batch)
        code = "\n".join(filter(None, [shown_code, edit_code(self.selection.edits)]))
        is_changed = batch is not None and batch.note and (own is not None or self.node.origin != "opaque")
        return f"# x is a batch, here explorer.inputs\n{code}" if is_changed else code

    def warnings(self) -> dict[str, str]:
        """The warnings about the layers on screen and those of the scan, by path, once they have been counted."""
        paths = [node.path for node in self.tree] if self.view.is_of_network else [self.selection.layer]
        return self.inspector.numbers.marks(paths)

    def status(self, seconds: float) -> tuple[str, str]:
        """What was done to show the selection, and how full the cache is, in words.

        Args:
            seconds: How long it took in all, including the forward passes.
        """
        session = self.session
        if session.batch is None:
            return "No inputs were given: LayerExplorer(model, inputs) shows activations.", ""
        captured = f"Captured in {session.seconds * 1000:,.0f} ms" if session.seconds else "From the cache"
        drawn = f"drawn in {(seconds - session.seconds) * 1000:,.0f} ms"
        text = " · ".join(filter(None, [captured, drawn, session.parts_in_words(), session.batch.note]))
        return text, f"cache {session.bytes_kept / 1e6:,.1f} of {session.budget / 1e6:,.0f} MB"

    def refresh(self) -> bool:
        """Drops everything that is out of date because a model's weights were written; returns whether any was."""
        parts = (self.session, self.other, self.inspector.scan)
        stale = [part.refresh() for part in parts if part is not None]
        if any(stale):
            self.inspector.clear()
        return any(stale)

    def close(self) -> None:
        """Frees the memory of all activations and everything computed from them."""
        self.session.clear()
        if self.other is not None:
            self.other.clear()
        self.inspector.clear()
        self._submodels.clear()
