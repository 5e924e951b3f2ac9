"""What an ascent climbs: a channel of an activation, or what its activation function is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.run.editor import Edit
from actwidget.capture.run.tap import Frame, Tap
from actwidget.explain.differentiation.ending import Ending, ending_of
from actwidget.keras_internals.classes import is_from_keras

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph

LEAK = 1e-3
"""The share of what a ReLU is given, so that a unit that is off has a gradient."""
_LEAKING = "leaking"


class _Reached(BaseException):
    """The value has been recorded, and nothing behind it needs to run."""


class ClimbingTap(Tap):
    """Runs a model up to one activation, and keeps what its activation function was given.

    Attributes:
        ending: The call of the layer that gave the value; `None` where its activation function is not known.
    """

    def __init__(self, root: keras.Model, path: str, edits: Mapping[str, Edit], allowed: frozenset[str]) -> None:
        """Prepares a pass.

        Args:
            root: The model to run.
            path: The path of the activation.
            edits: From path to the layer with which the user has edited the model.
            allowed: The paths of the edits that may remain unmade.
        """
        super().__init__(root, wanted={path}, edits=edits, allow_unreached=allowed)
        self.ending: Ending | None = None
        self._opened: dict[int, Ending] = {}
        self._endings: dict[int, Ending] = {}

    def value(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], path: str) -> Any:
        """The activation, from a pass that ends there.

        Raises:
            NotCapturableError: The model does not give it in this pass.
        """
        try:
            self.run(*args, **kwargs, training=False)
        except _Reached:
            pass
        else:
            self.check_edits()
        self.check_values([path])
        return self.values[path]

    def take_inputs(self, frame: Frame, operation: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Notes the arguments of a call whose activation function is known."""
        args, kwargs = super().take_inputs(frame, operation, args, kwargs)
        if name := ending_of(operation) or (_LEAKING if _is_rectified(operation) else ""):
            self._opened[id(frame)] = Ending(name, operation, args, kwargs)
        return args, kwargs

    def leave(self, frame: Frame, outputs: Any) -> Any:
        """Notes which tensors the call gave."""
        if (noted := self._opened.pop(id(frame), None)) is not None:
            for tensor in keras.tree.flatten(outputs):
                # With the tensor itself, or another one could get its `id`.
                self._endings[id(tensor)] = Ending(noted.name, noted.operation, noted.args, noted.kwargs, tensor)
        return super().leave(frame, outputs)

    def _record(self, path: str, leaf: Any) -> None:
        super()._record(path, leaf)
        if path not in self.values:
            return
        self.ending = self._endings.get(id(leaf))
        if self.editor.is_done and len(self.taps) == 1:
            raise _Reached


def _is_rectified(operation: Any) -> bool:
    """Whether it may be flat where it gives nothing: a ReLU, or another activation function behind a product."""
    if not is_from_keras(operation):
        return False
    if isinstance(operation, (keras.layers.ReLU, keras.layers.Activation)):
        return True
    function = getattr(operation, "activation", None)
    return hasattr(operation, "kernel") and function not in {None, keras.activations.linear}


@dataclass(frozen=True)
class Climbed:
    """Channels of one activation.

    Attributes:
        path: The path of the activation.
        axis: Which axis of it holds the channels; `None` where there is one channel alone.
        is_leaking: Whether a little of what a ReLU is given is climbed as well, for units that are off.
    """

    path: str
    axis: int | None
    is_leaking: bool = False

    def value(self, graph: ModelGraph, inputs: Any, channels: Any, off: Any = 0.0) -> tuple[Any, Any]:
        """What an ascent climbs on some inputs, each with a channel of its own, and the mean of each channel.

        Args:
            graph: The model's graph.
            inputs: The inputs as tensors, in the structure of the model's.
            channels: The numbers of the channels, shape `(samples,)`.
            off: A one for each of them that leaks, otherwise a zero.

        Returns:
            The sum of what is climbed over all positions and samples, and the means, shape `(samples,)`.
        """
        tap = ClimbingTap(graph.root, self.path, graph.edits_before([self.path]), graph.allow_unreached)
        args, kwargs = graph.arguments(inputs)
        given = tap.value(args, kwargs, self.path)
        totals, means = self._of(given, channels)
        if tap.ending is None or (tap.ending.name == _LEAKING and not self.is_leaking):
            return keras.ops.sum(totals), means
        before, _ = self._of(tap.ending.before(), channels)
        climbed = totals + LEAK * off * before if tap.ending.name == _LEAKING else before
        return keras.ops.sum(climbed), means

    def _of(self, value: Any, channels: Any) -> tuple[Any, Any]:
        """For each sample the sum and the mean of its channel."""
        ops = keras.ops
        axis = -1 if self.axis is None else self.axis
        value = ops.expand_dims(value, -1) if self.axis is None else value
        others = [each for each in range(1, len(value.shape)) if each != axis % len(value.shape)]
        count = 1
        for each in others:
            count *= int(value.shape[each] or 1)
        # Half precision adds up too few digits, and the gradient of a mean over a large map is too small for it.
        sums = ops.sum(ops.cast(value, "float32"), axis=tuple(others)) if others else ops.cast(value, "float32")
        chosen = ops.take_along_axis(sums, ops.expand_dims(channels, 1), axis=1)[:, 0]
        return chosen, chosen / count
