"""How much a model's answer depends on each channel of a layer: the answer without that channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.access.submodel import left_out, reason_against
from actwidget.capture.edits.edit import check_goes_on
from actwidget.capture.edits.layers import Ablate
from actwidget.capture.run.batch_parts import alone, is_close
from actwidget.capture.semantics.channel_axis import channel_axis_of
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.capture.structure.paths import outers
from actwidget.capture.structure.selectors import select
from actwidget.capture.trace import read
from actwidget.errors import InvalidInputsError, NotCapturableError, OptionError
from actwidget.explain.differentiation.target import target_of
from actwidget.explain.downstream import ChannelEdit, Downstream, downstream, held
from actwidget.explain.progress import last_of
from actwidget.explain.scores import Scorer
from actwidget.keras_internals.backend import backend
from actwidget.options import a_number, at_least

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class PartialEffects:
    """The effects of some channels, while those of others are still to be computed.

    Attributes:
        values: How much the score falls, shape `(samples, channels)`; NaN where it is not known yet.
        done: How many of its entries are known.
        score: The score of the unchanged model, shape `(samples,)`.
    """

    values: Array
    done: int
    score: Array

    @property
    def total(self) -> int:
        """How many entries there are."""
        return self.values.size


def channel_effects(
    model: keras.Model,
    inputs: Any,
    layer: Any,
    target: Any = None,
    *,
    logits: bool = False,
    value: float = 0.0,
    batch_size: int = 32,
    progress: bool = False,
) -> Array:
    """How much the score of a target falls when each single channel of a layer is set to a value.

    Where the model's graph tells, only what lies behind the layer runs, for several channels in one batch. Other models
    run as a whole for each batch. The model stays as it is.

    Args:
        model: A Keras model.
        inputs: One batch, as for `activations`.
        layer: A selector of the layer whose channels are changed: a path, a unique name, an index into `model.layers`,
            or a layer. Of a shared layer that call alone is changed.
        target: The class whose score is looked at: an index, one for each sample, or `None` for the top class of each
            sample. Of a single sigmoid unit `None` and 1 are the unit, 0 is one minus it. A callable is given the
            model's outputs and returns one number for each sample; models with several outputs, maps or boxes need one.
        logits: Whether the score is the value before a final softmax or sigmoid; by default it is the answer itself.
        value: What a channel is set to, in the units of the activation.
        batch_size: How many changed samples go through the model at a time. Models that mix the samples of a batch get
            all of them at once, with one channel changed.
        progress: Whether to show a progress bar.

    Returns:
        The fall of the score, shape `(samples, channels)`, in the units of the score: positive where the channel speaks
        for the target.

    Raises:
        UnsupportedModelError: `model` can't be looked into.
        LayerNotFoundError: `layer` names no layer, or several.
        InvalidInputsError: `inputs` do not fit the model.
        NotCapturableError: What flows there can't be reached.
        OptionError: `target` is no class, `value` does not fit the layer, or the layer gives no dense tensor.
        CaptureError: The forward pass failed.

    Example:
        >>> import keras, numpy as np
        >>> layers = [keras.Input((2,)), keras.layers.Rescaling(3.0, name="three"), keras.layers.Rescaling([1.0, -1.0])]
        >>> channel_effects(keras.Sequential(layers), np.ones((1, 2)), "three", target=0)
        array([[3., 0.]], dtype=float32)
    """
    steps = effect_steps(model, inputs, layer, target, logits=logits, value=value, batch_size=batch_size)
    return last_of(steps, "pair", progress=progress).values


def effect_steps(
    model: keras.Model,
    inputs: Any,
    layer: Any,
    target: Any = None,
    *,
    logits: bool = False,
    value: float = 0.0,
    batch_size: int = 32,
) -> Iterator[PartialEffects]:
    """The same as `channel_effects` step by step: yields what is known after each batch, so that it can be stopped.

    The arguments and errors are those of `channel_effects`. The last step has all values.
    """
    at_least(1, batch_size, "batch_size")
    a_number(value, "value", "channel_effects", Real)
    graph, batch = read(model, inputs)
    if batch is None:
        message = (
            f"Expected a batch of inputs for model {model.name!r}, got none. Give channel_effects(model, x, layer)."
        )
        raise InvalidInputsError(message)
    path = select(graph, layer).path
    return steps_on(graph, batch, path, target, logits=logits, value=value, batch_size=batch_size)


def steps_on(
    graph: ModelGraph,
    batch: Batch,
    path: str,
    target: Any = None,
    *,
    logits: bool = False,
    value: float = 0.0,
    batch_size: int = 32,
) -> Iterator[PartialEffects]:
    """The same as `effect_steps` for a model whose graph has been read."""
    if (error := reason_against(graph, path, batch)) is not None:
        raise error
    check_goes_on(graph, path)
    Ablate(0, value).check_dtype(graph.nodes[path].dtype)
    are_apart = are_samples_independent(graph, [graph.nodes[each] for each in graph.outputs if each])
    parts = [batch]
    if are_apart and batch.size > batch_size:
        starts = range(0, batch.size, batch_size)
        parts = [alone(batch, range(start, min(start + batch_size, batch.size))) for start in starts]
    wanted = target_of(target, batch.size)
    values: Array | None = None
    scores: list[Array] = []
    done = 0
    for number, part in enumerate(parts):
        first = number * batch_size
        own = wanted if wanted.classes is None else replace(wanted, classes=wanted.classes[first : first + part.size])
        passes = Passes.of(graph, part, path, Scorer(own, graph.model.name, logits=logits), value)
        scores.append(passes.score)
        if values is None:
            values = np.full((batch.size, passes.channels), np.nan, passes.score.dtype)
        for samples, channels, fall in passes.run(batch_size, are_apart=are_apart):
            values[first + samples, channels] = fall
            done += len(fall)
            yield PartialEffects(values.copy(), done, np.concatenate(scores))


class Passes:
    """Forward passes of a batch, each row with one channel of a layer changed."""

    def __init__(  # noqa: PLR0917 - each is what its name says
        self, graph: ModelGraph, batch: Batch, path: str, scorer: Scorer, value: float, behind: Downstream | None
    ) -> None:
        """Runs the unchanged model once.

        Args:
            graph: The model's graph.
            batch: The inputs.
            path: The path of the changed layer.
            scorer: Gives the score of each sample.
            value: What a channel is set to.
            behind: What lies behind the layer; `None` to run the whole model in each pass.
        """
        self._graph, self._batch, self._path, self._scorer, self._value = graph, batch, path, scorer, value
        self._behind = behind
        wanted = [path] if behind is None else [*dict.fromkeys([path, *behind.needed])]
        self._held = held(graph, batch, wanted, graph.edits, logits=scorer.logits)
        if scorer.logits and path in graph.outputs and any(self._held.endings):
            message = f"Expected logits=False for the effects of {path!r}, which is the output behind the logits."
            raise OptionError(message)
        activation = self._held.values[path]
        Ablate(0, value).check(activation)
        shape = tuple(activation.shape)
        if not shape or shape[0] != batch.size:
            message = f"Expected a layer with one activation for each of {batch.size} samples, got {path!r}: {shape}."
            raise OptionError(message)
        self._rank = len(shape)
        containers = [graph.root, *(graph.operations[each] for each in outers(path) if each in graph.operations)]
        axis = channel_axis_of(graph.nodes[path], graph.operations[path], graph.steps(path), containers).axis
        self._axis = None if axis is None or self._rank == 1 else axis % self._rank
        self.channels = 1 if self._axis is None else int(shape[self._axis])
        self.score = scorer.begin(self._held)

    @classmethod
    def of(cls, graph: ModelGraph, batch: Batch, path: str, scorer: Scorer, value: float) -> Passes:
        """The cheapest passes that the graph allows."""
        behind = downstream(graph, [path])
        if behind is not None and set(behind.needed) & left_out(graph, batch):
            behind = None
        try:
            return cls(graph, batch, path, scorer, value, behind)
        except NotCapturableError:
            if behind is None:
                raise
            return cls(graph, batch, path, scorer, value, None)

    def run(self, batch_size: int, *, are_apart: bool | None) -> Iterator[tuple[Array, Array, Array]]:
        """Runs all pairs of a sample and a channel.

        Args:
            batch_size: How many rows go through the model at a time.
            are_apart: Whether the model keeps the samples of a batch apart; `None` if a trial has to tell.

        Yields:
            The samples of some rows, their channels, and by how much the score of each has fallen.
        """
        samples, count = self._batch.size, self._batch.size * self.channels
        size = -(-count // -(-count // batch_size))  # batches of one size are compiled once
        if are_apart is None and size > samples and not self._are_kept_apart(size):
            are_apart = False
        if are_apart is False or size <= samples:
            size = samples
        every = np.arange(count)
        for start in range(0, count, size):
            # The last batch is filled up with the first rows, so that it has the same size.
            rows = np.take(every, np.arange(start, start + size), mode="wrap")
            own, channels = rows % samples, rows // samples
            fall = self.score[own] - self.scores(own, channels)
            real = min(size, count - start)
            yield own[:real], channels[:real], fall[:real]

    def _are_kept_apart(self, size: int) -> bool:
        """Whether changed copies of the samples give in one batch what they give by themselves."""
        samples = self._batch.size
        rows = np.arange(size)
        try:
            together = self.scores(rows % samples, rows // samples)
        except Exception as error:
            if backend.ran_out_of_memory(error):
                raise
            return False
        for channel in {0, size // samples - 1}:
            own = np.arange(samples)
            alone_there = self.scores(own, np.full(samples, channel))
            if not is_close(together[channel * samples :][:samples], alone_there):
                return False
        return True

    def scores(self, samples: Array, channels: Array) -> Array:
        """The scores of some samples, each with one channel changed."""
        pairs = np.zeros((len(samples), self.channels), bool)
        pairs[np.arange(len(samples)), channels] = True
        shape = [1] * self._rank
        shape[0] = len(samples)
        if self._axis is not None:
            shape[self._axis] = self.channels
        chosen = pairs.reshape(shape)
        is_plain = len(samples) == self._batch.size and np.array_equal(samples, np.arange(len(samples)))
        if self._behind is not None:
            edit_there = ChannelEdit(chosen, np.zeros([1] * self._rank), np.full([1] * self._rank, self._value))
            rows = None if is_plain else samples
            flat, _ = self._behind.run(self._held, {self._path: edit_there}, rows, logits=self._scorer.logits)
            outputs = keras.tree.pack_sequence_as(self._held.outputs, flat)
        else:
            outputs = self._whole(chosen, None if is_plain else samples)
        return self._scorer.score(outputs, samples)

    def _whole(self, chosen: Array, samples: Array | None) -> Any:
        """The outputs of the whole model, with an edit of the layer on the way."""
        graph = self._graph

        def changed(tensor: Any) -> Any:
            return keras.ops.where(chosen, keras.ops.cast(self._value, tensor.dtype), tensor)

        before = graph.edits.get(self._path)
        edits = {**graph.edits, self._path: changed if before is None else lambda tensor: changed(before(tensor))}
        batch = self._batch if samples is None else alone(self._batch, samples.tolist())
        return held(graph, batch, [], edits, logits=self._scorer.logits).outputs
