"""One pass of a model as a compiled function of tensors, which refers to the model only weakly."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras

from actwidget.capture.run.tapped_model import Tapped
from actwidget.capture.structure.call_arguments import Spread, arguments
from actwidget.errors import ActwidgetError, NotCapturableError
from actwidget.explain.differentiation.differentiable_tap import DifferentiableTap, reached
from actwidget.explain.differentiation.points import Point
from actwidget.explain.differentiation.target import Answer, Kind, in_float32, scores_of
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.variables import variables_of


@dataclass(frozen=True)
class Pass:
    """What one pass computes.

    Attributes:
        points: Where it is differentiated, or where something is put in.
        wanted: The paths whose activations it gives.
        gradients: Whether it gives gradients.
        weights: Whether they are those of the weights, not of the points.
    """

    points: tuple[Point, ...] = ()
    wanted: tuple[str, ...] = ()
    gradients: bool = True
    weights: bool = False


@dataclass(eq=False)
class CompiledPass:
    """One pass of a model as a function of tensors, compiled for each combination of their shapes.

    Attributes:
        what: What the pass computes.
        model: The model.
        kind: The kind of target.
        function: Gives the target's callable.
        logits: Whether a final softmax or sigmoid is taken off.
        spread: How the model takes its inputs.
        skeleton: The structure of the inputs.
        constants: The inputs that are plain values of Python's, by their place among the flat inputs.
        answer: What was found out about the answer when the pass was traced.
        traces: How often it was traced, or run as Python.
        failed: The path of the layer that raised.
    """

    what: Pass
    model: weakref.ref[keras.Model]
    kind: Kind
    function: Callable[[], Any]
    logits: bool
    spread: Spread
    skeleton: Any
    constants: Mapping[int, Any]
    answer: Answer = field(default_factory=Answer)
    traces: int = 0
    failed: str | None = None
    _run: Callable[..., Any] | None = None
    _eagerly: bool = False

    def __call__(self, leaves: Sequence[Any], points: Sequence[Any], classes: Any) -> Any:
        """Runs the pass; as plain Python if it can't be compiled, since the model needs the values themselves.

        Args:
            leaves: The flat inputs; `None` for constants, and for those that are among the points.
            points: What goes in at each point.
            classes: The class of each sample, for that kind of target.

        Returns:
            The scores, the classes, the gradients and the activations by path.
        """
        if self._eagerly:
            return self._traced(leaves, points, classes)
        if self._run is None:
            model = self.model()
            self._run = backend.compiled(self._traced, variables_of([model], flat_layers(model)))
        try:
            return self._run(leaves, points, classes)
        except ActwidgetError:
            raise
        except Exception as error:
            if backend.ran_out_of_memory(error):
                raise
            result = self._traced(leaves, points, classes)
            self._eagerly = True
            return result

    def _traced(self, leaves: Sequence[Any], points: Sequence[Any], classes: Any) -> Any:
        self.traces += 1
        what, model = self.what, self.model()
        root = model.model if isinstance(model, Tapped) else model
        weights = list(root.trainable_variables) if what.weights and root is not None else []

        def forward(*given: Any) -> tuple[Any, Any]:
            if not what.weights:
                return self._forward(model, leaves, given, classes)
            with keras.StatelessScope(state_mapping=zip(weights, given, strict=True)):
                return self._forward(model, leaves, points, classes)

        watched = [variable.value for variable in weights] if what.weights else list(points)
        if what.gradients and watched:
            (_, more), gradients = backend.with_gradients(forward, watched)
        else:
            more, gradients = forward(*watched)[1], []
        scores, chosen_classes, values = more
        return scores, chosen_classes, [None if each is None else in_float32(each) for each in gradients], values

    def _forward(self, model: Any, leaves: Sequence[Any], given: Sequence[Any], classes: Any) -> tuple[Any, Any]:
        """The sum of the scores, and all that is wanted of the pass."""
        filled = [self.constants.get(place, leaf) for place, leaf in enumerate(leaves)]
        changes = {}
        for point, tensor in zip(self.what.points, given, strict=True):
            if point.index is not None:
                filled[point.index] = tensor
            else:
                changes[point.path] = point.edit(tensor)
        edited = isinstance(model, Tapped)
        tap = DifferentiableTap(
            model.model if edited else model,
            wanted=self.what.wanted,
            edits=model.edits if edited else {},
            changes=changes,
            allow_unreached=model.allow_unreached if edited else frozenset(),
        )
        args, kwargs = arguments(keras.tree.pack_sequence_as(self.skeleton, filled), self.spread)
        try:
            outputs = tap.run(*args, **kwargs, training=False)
        except Exception:
            self.failed = tap.failed
            raise
        _check(tap, changes, self.what.wanted, model.name)
        return self._scored(tap, outputs, classes, model.name)

    def _scored(self, tap: DifferentiableTap, outputs: Any, classes: Any, model_name: str) -> tuple[Any, Any]:
        flat = keras.tree.flatten(outputs)
        endings = [tap.endings.get(id(leaf)) for leaf in flat]
        names = ["" if ending is None else ending.name for ending in endings]
        if self.logits:
            flat = [leaf if ending is None else ending.before() for leaf, ending in zip(flat, endings, strict=True)]
        outputs = keras.tree.pack_sequence_as(outputs, flat)
        scores, chosen_classes, answer = scores_of(
            outputs, names, self.kind, self.function(), classes, logits=self.logits, model_name=model_name
        )
        taken = ", ".join(dict.fromkeys(filter(None, names))) if self.logits else ""
        self.answer = replace(answer, pre_activation=taken)
        values = {path: in_float32(tap.values[path]) for path in self.what.wanted}
        return keras.ops.sum(scores), (scores, chosen_classes, values)


def _check(tap: DifferentiableTap, changes: Mapping[str, Any], wanted: Sequence[str], model_name: str) -> None:
    """Raises an error unless a pass has reached everything.

    Raises:
        NotCapturableError: It has not.
    """
    for path in changes:
        if not reached(tap, path):
            message = (
                f"There is no differentiable way from the target to {path!r} in model {model_name!r}: "
                f"{path!r} {tap.why_missing(path)}. Take a layer before or behind it."
            )
            raise NotCapturableError(message)
    tap.check_edits()
    tap.check_values(wanted)
