"""Passes of a model that are differentiated: compiled once, in parts of a batch, with the model left unchanged."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.run.batch_parts import chosen
from actwidget.capture.run.conversion import as_array, as_tensors, is_shared
from actwidget.capture.run.failures import Failing
from actwidget.capture.run.fitted_inputs import fitted, holds_text
from actwidget.capture.run.inputs import Batch, different_lengths, prepare
from actwidget.capture.run.restore import unchanged
from actwidget.capture.run.tapped_model import Tapped
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.capture.structure.call_arguments import Signature, Spread
from actwidget.capture.trace import read
from actwidget.explain.differentiation.compiled_pass import CompiledPass, Pass
from actwidget.explain.differentiation.known_models import known_model
from actwidget.explain.differentiation.points import Point
from actwidget.explain.differentiation.target import Answer, Target
from actwidget.explain.differentiation.unreachable import no_way
from actwidget.explain.memory import most_samples, values_of_a_pass
from actwidget.keras_internals.graph import function_of

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.errors import NotCapturableError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Result:
    """What a pass gives for some samples.

    Attributes:
        scores: The target's value, shape `(samples,)`.
        classes: The class of each sample, shape `(samples,)`; `None` for a callable.
        gradients: For each point, or each weight, the gradient of the sum of the scores; `None` without influence.
        values: The activations at the wanted paths.
    """

    scores: Array
    classes: Array | None
    gradients: list[Array | None]
    values: dict[str, Array]


class Passes:
    """The passes of a model on one batch.

    Attributes:
        model: The user's model.
        root: The model that runs: the user's, or the one inside it of which that is an edited form.
        known: What is remembered of the model.
        batch: The inputs.
        target: What is explained.
        logits: Whether a final softmax or sigmoid is taken off.
        answer: What the latest pass has found out about the model's answer.
    """

    def __init__(self, model: keras.Model, inputs: Any, *, logits: bool = True) -> None:
        """Prepares passes.

        Args:
            model: The model.
            inputs: One batch, as for `activations`.
            logits: Whether a final softmax or sigmoid is taken off.

        Raises:
            UnsupportedModelError, InvalidInputsError: As for `activations`.
        """
        self.model = model
        self.root: keras.Model = model.model if isinstance(model, Tapped) else model
        self.edits = dict(model.edits) if isinstance(model, Tapped) else {}
        self.logits = logits
        self.target = Target("top")
        self.answer = Answer()
        self.batch, self.spread = self._read(inputs)
        if self.batch.lengths:
            raise different_lengths(self.batch.lengths, model.name)

    def _read(self, inputs: Any) -> tuple[Batch, Spread]:
        if isinstance(self.root, keras.Model) and self.root.built:
            self.known = known_model(self.model)
            spread: Spread | None = self.known.facts.get("spread")
            if function_of(self.root) is not None and spread is not None:
                return fitted(self.root, inputs, edited=bool(self.edits)), spread
            if spread is not None and not holds_text(inputs):
                for way, value in Signature(self.root).ways(inputs):
                    if way == spread:
                        return prepare(value, None, self.model.name, spread), spread
        graph, batch = read(self.model, inputs)
        if batch is None:
            batch = prepare(inputs, graph.inputs, self.model.name)
        self.graph = graph
        self._inputs = inputs
        self.known = known_model(self.model)
        self.known.facts["spread"] = graph.spread
        return batch, graph.spread

    @cached_property
    def graph(self) -> ModelGraph:
        """The model's graph. It is read only when something about the model is not known yet."""
        return read(self.model, self.batch.fed)[0]

    @cached_property
    def symbols(self) -> list[Any] | None:
        """The model's flat symbolic inputs; `None` if it has none."""
        function = function_of(self.root)
        return None if function is None else list(function.inputs)

    @property
    def rows_apart(self) -> bool:
        """Whether samples can go through in parts: no layer is known to mix the samples of a batch."""
        find = lambda: are_samples_independent(self.graph, self.graph.tree.children) is not False  # noqa: E731
        fixed = self.symbols is not None and any(tensor.shape[0] is not None for tensor in self.symbols)
        return bool(self.known.fact("rows apart", find)) and not fixed

    @property
    def most_rows(self) -> int:
        """How many samples can go through at once without taking all memory."""
        return int(self.known.fact("most rows", lambda: most_samples(values_of_a_pass(self.graph))))

    def no_way(self, path: str) -> NotCapturableError:
        """The error for a place on which the target does not depend, after a pass has shown that."""
        return no_way(path, self.model.name, self.answer.pre_activation)

    def shape_at(self, path: str) -> tuple[int, ...]:
        """The shape of one sample of an activation, for inputs of the shapes of this batch."""
        shapes = tuple(getattr(leaf, "shape", ())[1:] for leaf in self.leaves)
        found: tuple[int, ...] = self.known.fact(("shape", path, shapes), lambda: self._find_shape(path))
        return found

    def _find_shape(self, path: str) -> tuple[int, ...]:
        shape = self.graph.nodes[path].output_shape
        if shape is not None and shape[0] is None and None not in shape[1:]:
            return tuple(int(length) for length in shape[1:] if length is not None)
        target, self.target = self.target, Target("callable", function=_nothing)
        try:
            values = self.run(Pass((), (path,), gradients=False)).values[path]
            return tuple(map(int, values.shape[1:]))
        finally:
            self.target = target

    @cached_property
    def leaves(self) -> list[Any]:
        """The flat inputs, as the model gets them."""
        return list(keras.tree.flatten(self.batch.fed))

    def run(self, what: Pass, rows: Array | None = None, given: Sequence[Array] = ()) -> Result:
        """Makes one pass, and leaves the model as it is.

        Args:
            what: What it computes.
            rows: The samples that go through, each as often as it stands there; `None` for the whole batch.
            given: What goes in at each point, the rows first.

        Raises:
            OptionError: The model has no such class, or the target does not fit its outputs.
            NotCapturableError: A point is not reached.
            CaptureError: A layer raised.
        """
        whole = rows is None
        samples = np.arange(self.batch.size) if rows is None else rows
        fed = self.batch.fed if whole else self._chosen(samples)
        replaced = {point.index for point in what.points if point.mode == "input"}
        leaves = keras.tree.flatten(as_tensors(fed, None if self.symbols is None else self._packed_symbols()))
        tensors = [None if place in replaced or _is_constant(leaf) else leaf for place, leaf in enumerate(leaves)]
        points = [self._tensor(array, point) for array, point in zip(given, what.points, strict=True)]
        target = self.target
        classes = None if target.classes is None else keras.ops.convert_to_tensor(target.classes[samples], "int32")
        compiled = self._compiled(what)
        with unchanged(self.root, trial=True), Failing(self.model.name, lambda: compiled.failed):
            scores, chosen_classes, gradients, values = compiled(tensors, points, classes)
        compiled.answer.check(target, self.model.name)
        self.answer = compiled.answer
        return Result(
            as_array(scores),
            None if chosen_classes is None else as_array(chosen_classes),
            [None if each is None else as_array(each) for each in gradients],
            {path: as_array(value) for path, value in values.items()},
        )

    def _packed_symbols(self) -> Any:
        return keras.tree.pack_sequence_as(self.batch.fed, self.symbols or [])

    def _tensor(self, array: Array, point: Point) -> Any:
        dtype = None
        if point.index is not None and self.symbols is not None:
            dtype = self.symbols[point.index].dtype
        return keras.ops.convert_to_tensor(array, dtype=dtype)

    def _chosen(self, rows: Array) -> Any:
        """The inputs for some samples, each as often as it is wanted."""
        if len(rows) == self.batch.size and np.array_equal(rows, np.arange(len(rows))):
            return self.batch.fed
        if all(is_shared(leaf) or isinstance(leaf, np.ndarray) for leaf in self.leaves):
            return keras.tree.map_structure(lambda leaf: leaf if is_shared(leaf) else leaf[rows], self.batch.fed)
        return chosen(self.batch, rows.tolist())

    def _compiled(self, what: Pass) -> CompiledPass:
        """The compiled function for a pass: the one of an earlier call, if there was one."""
        function, held = self.target.function, None
        if function is not None:
            # Other callables than plain functions, such as bound methods, may not live as long as what they stand for.
            held = weakref.ref(function) if isinstance(function, FunctionType) else None
            if held is None:
                return self._made(what, lambda: function)
        constants = tuple((place, leaf) for place, leaf in enumerate(self.leaves) if _is_constant(leaf))
        key = what, self.target.kind, self.logits, held, constants, len(self.leaves), self.spread
        made: CompiledPass = self.known.function(key, lambda: self._made(what, held or (lambda: None)))
        return made

    def _made(self, what: Pass, function: Callable[[], Any]) -> CompiledPass:
        skeleton = keras.tree.map_structure(lambda _: 0, self.batch.fed)
        constants = {place: leaf for place, leaf in enumerate(self.leaves) if _is_constant(leaf)}
        model = weakref.ref(self.model)
        return CompiledPass(what, model, self.target.kind, function, self.logits, self.spread, skeleton, constants)


def _nothing(outputs: Any) -> Any:
    """A target for a pass of which only activations are wanted."""
    first = keras.tree.flatten(outputs)[0]
    return keras.ops.cast(keras.ops.zeros_like(keras.ops.reshape(first, (-1,))), "float32")


def _is_constant(leaf: Any) -> bool:
    """Whether an input is a plain value of Python's, which a compiled function takes over as it is."""
    return leaf is None or not (keras.ops.is_tensor(leaf) or isinstance(leaf, np.ndarray))
