"""`WhatIf`: the answers before and after edits, and how far each layer has moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import keras
import numpy as np

from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.access.session import Session
from actwidget.capture.access.submodel import left_out
from actwidget.capture.edits.layers import Ablate, Replace, Scale
from actwidget.capture.run.batch_parts import alone
from actwidget.capture.run.conversion import as_array
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.capture.structure.paths import outers
from actwidget.errors import NotCapturableError
from actwidget.explain.downstream import ChannelEdit, Downstream, Held, downstream, held, observed
from actwidget.explorer.what_if.edits import Edits, as_mapping, edited

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.explorer.what_if.edits import Change

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What edits change for one sample.

    Attributes:
        before: For each output of the model its value for the sample without the edits.
        after: The same with the edits.
        moved: From the path of each layer that can change to the length of its change, in units of the length of its
            activation before (Euclidean norms over all values of the sample); in order of execution.
        is_partial: Whether only the calls behind the edited layer have run.
    """

    before: list[Array]
    after: list[Array]
    moved: dict[str, float]
    is_partial: bool


class WhatIf:
    """Runs one session's model with edits.

    Attributes:
        current: The edits of the explorer.
    """

    def __init__(self, session: Session) -> None:
        """Runs nothing yet."""
        self.current: Edits = ()
        self._session = session
        self._models: dict[Edits, keras.Model] = {}
        self._sessions: dict[Edits, Session] = {}
        self._outcomes: dict[Any, Outcome] = {}
        self._passes: dict[Any, _Passes] = {}

    def clear(self) -> None:
        """Forgets all values, since the weights have changed."""
        for each in self._sessions.values():
            each.clear()
        for kept in (self._models, self._sessions, self._outcomes, self._passes):
            kept.clear()

    def model(self, edits: Edits) -> keras.Model:
        """The model with edits; without any the model itself."""
        graph, batch = self._session.graph, self._session.batch
        if not edits:
            return graph.model
        inputs = batch.fed if graph.was_run and batch is not None else None
        return _remembered(self._models, edits, lambda: edited(graph.model, edits, inputs))

    def session(self, edits: Edits) -> Session:
        """A session of the model with edits, on the same batch."""
        own, batch = self._session, self._session.batch

        def make() -> Session:
            fed = None if batch is None else batch.fed
            return Session(self.model(edits), fed, budget=int(own.budget), batch_size=own.batch_size)

        return cast("Session", _remembered(self._sessions, edits, make))

    def outcome(self, edits: Edits, sample: int, path: str) -> Outcome:
        """What edits change for a sample.

        Args:
            edits: At least one edit.
            sample: The index of the sample.
            path: The layer on screen. If it is edited only what lies behind it runs as long as the other edits stay.

        Raises:
            CaptureError: The forward pass failed.
            NotCapturableError: An edit could not be made for this batch.
        """
        key = edits, sample
        return cast("Outcome", _remembered(self._outcomes, key, lambda: self._computed(edits, sample, path), most=32))

    def known(self, edits: Edits, sample: int) -> Outcome | None:
        """The outcome if it has been computed already."""
        return self._outcomes.get((edits, sample))

    def _computed(self, edits: Edits, sample: int, path: str) -> Outcome:
        session = self._session
        self._session.graph.check()
        session.watch([session.graph.model])
        by_path = as_mapping(edits)
        moving = path if path in by_path else next(iter(by_path))
        others = tuple(each for each in edits if each.path != moving)
        key = (moving, others, sample)
        passes: _Passes = _remembered(self._passes, key, lambda: _Passes(session, sample, moving, others))
        return passes.outcome(by_path)


class _Passes:
    """Passes for one sample with fixed edits of all layers but one, whose edits can change."""

    def __init__(self, session: Session, sample: int, moving: str, others: Edits) -> None:
        """Runs the model without edits, and up to the layer with those of the others.

        Args:
            session: The model and the batch.
            sample: The index of the sample.
            moving: The path of the layer whose edits can change.
            others: The edits of the others.
        """
        self._graph, self._others = session.graph, as_mapping(others)
        batch, graph = session.batch, session.graph
        if batch is None:
            message = "Give inputs to see what becomes of the answer."
            raise NotCapturableError(message)
        nodes = [graph.nodes[each] for each in graph.outputs if each]
        self._is_alone = bool(are_samples_independent(graph, nodes)) and not batch.lengths
        self._batch: Batch = alone(batch, [sample]) if self._is_alone else batch
        self._row, self._moving = (0 if self._is_alone else sample), moving
        self._behind: Downstream | None = None
        self._held: Held | None = None
        self._fixed: dict[str, Array] = {}
        self._begin()

    def _begin(self) -> None:
        """The values without edits, and what the passes start from."""
        self._find_behind()
        # Where only what lies behind the edits runs, only that is compared: the other activations are not kept.
        is_all_compared = self._behind is None or self._fixed
        compared = None if is_all_compared or self._behind is None else {*self._behind.affected, *self._behind.paths}
        values, outputs = observed(self._graph, self._batch, wanted=compared)
        self._base = {path: self._of_sample(value) for path, value in values.items() if is_numeric(value.dtype)}
        self._outputs = [self._of_sample(as_array(each)) for each in keras.tree.flatten(outputs)]

    def _find_behind(self) -> None:
        """Finds what lies behind the edits and what it starts from, if the graph tells."""
        graph = self._graph
        first = downstream(graph, [self._moving])
        if first is None or set(first.needed) & left_out(graph, self._batch):
            return
        later = [path for path in self._others if path in first.affected]
        behind = downstream(graph, [self._moving, *later]) if later else first
        if behind is None:
            return
        before = {path: changes for path, changes in self._others.items() if path not in later}
        edits = {path: _Chained(changes) for path, changes in before.items()}
        try:
            if before:
                self._fixed = {
                    path: self._of_sample(value) for path, value in observed(graph, self._batch, edits)[0].items()
                }
            self._held = held(graph, self._batch, behind.needed, edits)
        except NotCapturableError:
            return
        self._behind = behind

    def _of_sample(self, value: Array) -> Array:
        return value[self._row, ...] if value.ndim and len(value) == self._batch.size else value

    def outcome(self, by_path: Mapping[str, Sequence[Change]]) -> Outcome:
        """What the edits of all layers change."""
        if self._behind is None or self._held is None:
            edits = {path: _Chained(changes) for path, changes in by_path.items()}
            values, outputs = observed(self._graph, self._batch, edits)
            after = {path: self._of_sample(value) for path, value in values.items()}
            flat = keras.tree.flatten(outputs)
        else:
            shapes = {path: tuple(self._base[path].shape) for path in self._behind.paths}
            changes = {path: self._channel_edit(shapes[path], by_path.get(path, ())) for path in self._behind.paths}
            flat, tensors = self._behind.run(self._held, changes, everything=True)
            after = {**self._fixed, **{path: self._of_sample(as_array(each)) for path, each in tensors.items()}}
        found = {path: after[path] for path in self._base if path in after}
        return Outcome(
            self._outputs,
            [self._of_sample(as_array(each)) for each in flat],
            self._distances(found, [*by_path]),
            self._behind is not None,
        )

    def _distances(self, after: Mapping[str, Array], edited_paths: Sequence[str]) -> dict[str, float]:
        """How far each layer has moved, of those that the edits can reach."""
        order = [*self._graph.nodes]
        if self._behind is None:
            first = min(map(order.index, edited_paths))
            around = {outer for path in edited_paths for outer in outers(path)}
            reached = {path for place, path in enumerate(order) if place >= first or path in around}
        else:
            reached = {*self._behind.affected, *self._fixed}
        found = {
            path: relative_distance(self._base[path], after[path]) for path in order if path in reached & after.keys()
        }
        # Other layers' edits are in the fixed values of all layers, also of those that they do not reach.
        sure = reached if self._behind is None else {*self._behind.affected, *edited_paths}
        return {path: distance for path, distance in found.items() if distance or path in sure}

    def _channel_edit(self, shape: tuple[int, ...], changes: Sequence[Change]) -> ChannelEdit:
        return channel_edit((1, *shape), changes, self._batch.size, self._row)


class _Chained:
    """Several changes, one after the other, as one edit of a tap."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes

    def __call__(self, tensor: Any) -> Any:
        for change in self._changes:
            tensor = change(tensor)
        return tensor


def channel_edit(shape: tuple[int, ...], changes: Sequence[Change], samples: int = 1, row: int = 0) -> ChannelEdit:
    """Several changes as one: what each value is multiplied by, and what is added.

    Args:
        shape: The shape of one sample of the activation, with a batch axis of length 1.
        changes: The changes, in order.
        samples: How many samples the batch has.
        row: Which sample of an array with a batch axis is meant where the batch is that sample alone.
    """
    axes = tuple(change.axis % len(shape) for change in changes if not isinstance(change, Replace))
    is_whole = any(isinstance(change, Replace) for change in changes)
    small = shape if is_whole else tuple(size if axis in axes else 1 for axis, size in enumerate(shape))
    chosen, factor, offset = np.zeros(small, bool), np.ones(small), np.zeros(small)
    for change in changes:
        if isinstance(change, Replace):
            array = change.fitted((None, *shape[1:]))
            array = array[row : row + 1] if samples == 1 and len(array) > 1 else array
            chosen, factor, offset = np.ones(array.shape, bool), np.zeros(array.shape), np.asarray(array, np.float64)
            continue
        here = np.broadcast_to(change.chosen(shape), chosen.shape)
        chosen = chosen | here
        if isinstance(change, Ablate):
            factor, offset = np.where(here, 0.0, factor), np.where(here, change.value, offset)
        elif isinstance(change, Scale):
            scale = np.where(here, change.factor, 1.0)
            factor, offset = factor * scale, offset * scale
    return ChannelEdit(chosen, factor, offset)


def relative_distance(before: Array, after: Array) -> float:
    """The length of the difference of two activations, in units of the length of the first (Euclidean norms).

    It is infinity if the first is zero and the second is not, and NaN if they hold NaN.

    >>> relative_distance(np.array([3.0, 4.0]), np.array([3.0, 5.0]))
    0.2
    """
    if before.shape != after.shape:
        return float("nan")
    with np.errstate(all="ignore"):
        wide = np.result_type(before.dtype, np.float32)
        length, distance = _length(before.astype(wide, copy=False)), _length(np.subtract(after, before, dtype=wide))
    return distance / length if length else (0.0 if distance == 0 else float("inf"))


def _length(values: Array) -> float:
    return float(np.sqrt(np.sum(np.square(values), dtype=np.float64)))


def _remembered(kept: dict[Any, Any], key: Any, make: Any, most: int = 4) -> Any:
    """The value for a key, made if there is none; of more than `most` the oldest is dropped."""
    if key not in kept:
        kept[key] = make()
        while len(kept) > most:
            del kept[next(iter(kept))]
    return kept[key]
