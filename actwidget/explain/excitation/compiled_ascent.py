"""One step of an ascent, compiled: the pass, its gradient, the filter and the new pictures."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import keras
import numpy as np

from actwidget.errors import NotCapturableError
from actwidget.explain.excitation.climbed import Climbed
from actwidget.explain.excitation.frequencies import Filter
from actwidget.explain.excitation.picture_input import PictureInput
from actwidget.explain.recently_used import recently_used
from actwidget.keras_internals.backend import backend

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph

Array = np.ndarray[Any, Any]
Limits = tuple[float, float]

_KEPT = 4
"""How many compiled steps are kept for a model."""


class CompiledStep:
    """A step for one activation, one size of picture and one range of values.

    Attributes:
        filter: The filter of the gradient.
    """

    def __init__(self, graph: ModelGraph, climbed: Climbed, picture: PictureInput, limits: Limits, waves: int) -> None:
        """Compiles nothing yet."""
        self.filter = Filter.of(picture.height, picture.width, picture.channels, waves)
        self._climbed, self._picture, self._limits = climbed, picture, limits
        self._name = graph.model.name
        # Kept with the model as the key, so it must not hold the model, except while it is called.
        self._graph: ModelGraph | None = None
        self._lock = threading.RLock()
        self._run = backend.compiled(self._step, list(graph.root.variables), keeps_nan=True)
        self._measure = backend.compiled(self._means, list(graph.root.variables), keeps_nan=True)

    def means(self, graph: ModelGraph, pictures: Any, channels: Any) -> Any:
        """The mean of each picture's channel, shape `(pictures,)`. The arguments are those of `run`."""
        with self._lock:
            self._graph = graph
            try:
                return self._measure(pictures, channels)
            finally:
                self._graph = None

    def _means(self, pictures: Any, channels: Any) -> Any:
        return self._climbed.value(self._of_step, self._inputs(pictures), channels)[1]

    def run(self, graph: ModelGraph, pictures: Any, channels: Any, **more: Any) -> tuple[Any, ...]:
        """Makes a step.

        Args:
            graph: The model's graph.
            pictures: Tensor of shape `(pictures, height, width, channels)`.
            channels: Which channel each of them is for, as a tensor.
            **more: `off`, a one for each picture whose unit was off, otherwise a zero; `shift`, by how many rows and
                columns the pictures are moved before the step; `gains`, those of the filter; `rate`, the standard
                deviation of what is added to pixels, as a share of their range.

        Returns:
            The new pictures; the mean of each one's channel before the step; and the length of its gradient.
        """
        values = more["off"], np.asarray(more["shift"], np.int32), more["gains"], np.float32(more["rate"])
        with self._lock:
            self._graph = graph
            try:
                result: tuple[Any, ...] = self._run(
                    pictures, channels, *keras.tree.map_structure(keras.ops.convert_to_tensor, values)
                )
            finally:
                self._graph = None
        return result

    def _step(self, pictures: Any, channels: Any, *more: Any) -> tuple[Any, ...]:
        ops = keras.ops
        off, shift, gains, rate = more
        pictures = ops.roll(pictures, shift, axis=(1, 2))
        (_, means), (gradient,) = backend.with_gradients(
            lambda leaf: self._climbed.value(self._of_step, self._inputs(leaf), channels, off), [pictures]
        )
        if gradient is None:
            message = (
                f"No gradient goes from {self._climbed.path!r} to the pictures of model {self._name!r}: something on "
                "the way can't be differentiated, such as whole numbers. Choose a layer before that."
            )
            raise NotCapturableError(message)
        low, high = self._limits
        moved, lengths = self.filter.run(
            pictures, ops.cast(gradient, "float32"), gains, rate * (high - low), (low + high) / 2
        )
        return ops.clip(moved, low, high), means, lengths

    @property
    def _of_step(self) -> ModelGraph:
        assert self._graph is not None  # noqa: S101 - it is set while the step runs
        return self._graph

    def _inputs(self, pictures: Any) -> Any:
        """The model's inputs, in its layout and its structure."""
        value = keras.ops.cast(self._picture.as_input(pictures), self._picture.dtype)
        symbols = self._of_step.inputs
        return value if symbols is None else keras.tree.pack_sequence_as(symbols, [value])


_STEPS: WeakKeyDictionary[keras.Model, dict[Any, CompiledStep]] = WeakKeyDictionary()
_STEPS_LOCK = threading.Lock()


def compiled_step(
    graph: ModelGraph, climbed: Climbed, picture: PictureInput, limits: Limits, waves: int
) -> CompiledStep:
    """The step for an activation, which is compiled once for each number of pictures.

    Args:
        graph: The model's graph.
        climbed: What is climbed.
        picture: The model's input.
        limits: The values of black and white.
        waves: How many waves the filter has along each axis.
    """
    # A model whose layers were built anew has other variables.
    key = climbed, picture, limits, waves, tuple(map(id, graph.root.variables))
    with _STEPS_LOCK:
        kept = _STEPS.setdefault(graph.model, {})
        return recently_used(kept, key, lambda: CompiledStep(graph, climbed, picture, limits, waves), _KEPT)
