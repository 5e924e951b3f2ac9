"""`Ascent`: the pictures that excite some channels, made step by step."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.access.forward_pass import capture
from actwidget.capture.run.conversion import as_array
from actwidget.capture.run.inputs import prepare
from actwidget.capture.run.restore import unchanged
from actwidget.capture.semantics.channel_axis import ChannelAxis, channel_axis_of
from actwidget.capture.structure.paths import outers
from actwidget.errors import ChannelError, NotCapturableError, shown
from actwidget.explain.excitation.climbed import Climbed
from actwidget.explain.excitation.compiled_ascent import CompiledStep, compiled_step
from actwidget.explain.excitation.frequencies import FEW, MANY
from actwidget.explain.memory import most_samples, values_of_a_pass
from actwidget.options import index, listed

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.explain.excitation.picture_input import PictureInput

Array = np.ndarray[Any, Any]

RATE, LAST_RATE = 0.06, 0.02
"""The standard deviation of what a step adds to the pixels, from 0 to 1, at the first and at the last step."""
NOISE = 0.02
"""The standard deviation of the grey noise from which an ascent starts."""
RESTART = 0.25
"""The standard deviation of the noise that takes the place of a picture without a gradient."""
JITTER = 8
"""By how many pixels a picture is moved at most before each step, less where it is small."""
MOST_AT_ONCE = 64
"""How many pictures go through the model at once."""
DEEP = 60
"""How many values a pass computes for each of a picture, from where on the finer filter costs little beside it."""


@dataclass(frozen=True, eq=False)
class Excitation:
    """The inputs that excite some channels most.

    Attributes:
        image: The pictures in the model's own layout, shape `(channels, height, width, colours)`, values within
            `range`; of one channel a batch of one.
        activation: The mean of the channel on its picture, as `activations` gives it; of a list of channels an array,
            shape `(channels,)`.
        history: That after each step so far, shape `(steps,)` or `(steps, channels)`. Of all but the last step it is
            measured on the picture as it was moved for the next step.
        layer: The path of the layer.
        channel: The number of the channel; of a list of channels a tuple.
        range: The values of black and white.
    """

    image: Array
    activation: Any
    history: Array
    layer: str
    channel: int | tuple[int, ...]
    range: tuple[float, float]

    def picture(self, number: int = 0) -> Array:
        """The picture of one of the channels with its colours last, shape `(height, width, colours)`.

        Args:
            number: Which of the channels, by their order in the list.

        Raises:
            ChannelError: There are fewer.
        """
        chosen = index(number, len(self.image), "number", f"{len(self.image)} channels", ChannelError)
        image = self.image[chosen]
        is_first = image.shape[0] in {1, 3} and image.shape[-1] not in {1, 3}
        return np.moveaxis(image, 0, -1) if is_first else image

    def figure(self, number: int = 0) -> go.Figure:
        """The picture of one of the channels, and the curve of the steps, as a figure.

        Args:
            number: Which of the channels, by their order in the list.

        Raises:
            ChannelError: There are fewer.
        """
        from actwidget.figures.ideal_input import IdealInput, ideal_input_figure

        picture = self.picture(number)
        channels = np.ravel(self.channel)
        history = self.history if self.history.ndim == 1 else self.history[:, number]
        name = f"channel {channels[number]}"
        return ideal_input_figure(IdealInput(self.layer, name, picture, self.range, history, len(history)))

    def __repr__(self) -> str:
        """The layer, the channels, and what they give on their pictures."""
        given = ", ".join(f"{value:.4g}" for value in np.ravel(self.activation)[:4])
        more = ", …" if np.size(self.activation) > 4 else ""
        return f"Excitation({shown(self.layer)}, channel={shown(self.channel)}, activation={given}{more})"


class Step:
    """An ascent after one of its steps.

    Attributes:
        done: How many steps have been made.
        total: How many there are.
    """

    def __init__(self, ascent: Ascent, done: int) -> None:
        """Reads nothing yet."""
        self._ascent = ascent
        self.done, self.total = done, ascent.steps

    @property
    def groups(self) -> list[Array]:
        """The channels in the batches in which they go through the model; the last one is filled up."""
        return self._ascent.groups

    @property
    def result(self) -> Excitation:
        """What there is now. Before the last step the activation is that of the picture before the latest step."""
        return self._ascent.result()


_CHANNELS = "channel as a number, or a list of numbers"


class Ascent:
    """The ascent for some channels of one activation.

    Attributes:
        steps: How many steps it takes.
        groups: The channels in the batches in which they go through the model.
    """

    def __init__(
        self,
        graph: ModelGraph,
        picture: PictureInput,
        path: str,
        channel: Any,
        *,
        steps: int,
        seed: int,
        limits: tuple[float, float],
    ) -> None:
        """Checks the channels; the model is run if its shapes do not tell how many there are."""
        self.steps = steps
        self._graph, self._picture, self._path, self._limits = graph, picture, path, limits
        own, self._restarts = np.random.SeedSequence(seed).spawn(2)
        self._random = np.random.default_rng(own)
        self._start = self._noise(self._random, NOISE)
        self._axis, shape = self._found_axis()
        count = int(self._axis.count(shape) or 1)
        self._is_one = isinstance(channel, (numbers.Integral, str))
        given = [channel] if self._is_one else listed(channel, _CHANNELS, least=1)
        there = f"{shown(path)} has {count}"
        self._channels = [index(each, count, self._axis.channel_label, there, ChannelError) for each in given]
        axis = self._axis.axis if len(shape) > 1 else None
        self._climbed = Climbed(path, None if axis is None else axis % len(shape))
        self.groups = self._grouped()
        self._pictures: list[Any] = []
        self._moved = np.zeros(2, int)
        self._means: list[Array] = []

    def run(self) -> Iterator[Step]:
        """Makes the steps."""
        ops = keras.ops
        start = [np.broadcast_to(self._start, (len(group), *self._start.shape)) for group in self.groups]
        self._pictures = [ops.convert_to_tensor(each) for each in start]
        channels = [ops.convert_to_tensor(group) for group in self.groups]
        off = [np.zeros(len(group), np.float32) for group in self.groups]
        jitter = min(JITTER, self._picture.height // 16, self._picture.width // 16)
        for done in range(self.steps):
            progress = done / max(1, self.steps - 1)
            move = self._random.integers(-jitter, jitter, 2, endpoint=True)
            rate = RATE + (LAST_RATE - RATE) * progress
            every = []
            for number, own in enumerate(channels):
                step = self._step(replace(self._climbed, is_leaking=bool(off[number].any())))
                gains = step.filter.gains(progress)
                with unchanged(self._graph.root, name=self._graph.model.name):
                    pictures, means, lengths = step.run(
                        self._graph, self._pictures[number], own, off=off[number], shift=move, gains=gains, rate=rate
                    )
                every.append(as_array(means))
                if not np.all(as_array(lengths)):
                    pictures = self._restarted(pictures, as_array(lengths))
                    off[number] = np.maximum(off[number], as_array(lengths) == 0).astype(np.float32)
                self._pictures[number] = pictures
            self._moved += move
            self._means.append(self._checked(np.concatenate(every)))
            yield Step(self, done + 1)

    def result(self) -> Excitation:
        """What there is so far."""
        count, back = len(self._channels), tuple(-self._moved)
        pictures = [np.roll(as_array(each), back, axis=(1, 2)) for each in self._pictures]
        image = self._picture.as_input(np.concatenate(pictures)[:count])
        activation = self._means[-1][:count]
        if len(self._means) == self.steps:
            activation = self._checked(self._measured(pictures))[:count]
        history = np.array([*(means[:count] for means in self._means[1:]), activation])
        if self._is_one:
            one = self._channels[0]
            return Excitation(image, float(activation[0]), history[:, 0], self._path, one, self._limits)
        return Excitation(image, activation, history, self._path, tuple(self._channels), self._limits)

    def _measured(self, pictures: list[Array]) -> Array:
        """The mean of each channel on its picture."""
        step = self._step(self._climbed)
        found = []
        with unchanged(self._graph.root, name=self._graph.model.name):
            for each, channels in zip(pictures, self.groups, strict=True):
                tensors = keras.ops.convert_to_tensor(each), keras.ops.convert_to_tensor(channels)
                found.append(as_array(step.means(self._graph, *tensors)))
        return np.concatenate(found)

    def _found_axis(self) -> tuple[ChannelAxis, tuple[int | None, ...]]:
        """Which axis holds the channels, and the shape of the activation.

        Raises:
            NotCapturableError: It holds no floats, or none for each picture.
        """
        graph, path = self._graph, self._path
        node = graph.nodes[path]
        containers = [graph.root, *(graph.operations[each] for each in outers(path) if each in graph.operations)]
        axis = channel_axis_of(node, graph.operations[path], graph.steps(path), containers)
        shape, dtype = node.output_shape, node.dtype
        if shape is None or None in shape[1:] or not dtype:
            value = self._activation(self._picture.as_input(self._start[np.newaxis]))
            shape, dtype = value.shape, str(value.dtype)
        if not dtype.startswith(("float", "bfloat")):
            message = f"{shown(path)} gives values of dtype {dtype}, from which no gradient goes. Choose another layer."
            raise NotCapturableError(message)
        if not shape:
            message = f"{shown(path)} gives no value for each picture: its shape is {shape}. Choose another layer."
            raise NotCapturableError(message)
        return axis, shape

    def _size(self) -> int:
        """About how many values a pass computes for a picture."""
        return values_of_a_pass(self._graph, self._path, unknown=self._picture.height)

    def _grouped(self) -> list[Array]:
        """The channels in groups of equal size that fit into memory; the last one is filled up."""
        most = max(1, min(MOST_AT_ONCE, most_samples(self._size())))
        groups = -(-len(self._channels) // most)
        rows = -(-len(self._channels) // groups)
        return list(np.resize(np.array(self._channels, np.int32), (groups, rows)))

    def _step(self, climbed: Climbed) -> CompiledStep:
        pixels = self._picture.height * self._picture.width * self._picture.channels
        waves = MANY if self._size() > DEEP * pixels else FEW
        return compiled_step(self._graph, climbed, self._picture, self._limits, waves)

    def _noise(self, random: np.random.Generator, strength: float) -> Array:
        shape = (self._picture.height, self._picture.width, self._picture.channels)
        low, high = self._limits
        shares = np.clip(0.5 + strength * random.standard_normal(shape), 0, 1)
        return (low + (high - low) * shares).astype(np.float32)

    def _restarted(self, pictures: Any, lengths: Array) -> Any:
        """Pictures of which those without a gradient are other noise: there a unit may be on that is off elsewhere."""
        changed = as_array(pictures).copy()
        # Of each step the same, however the channels are grouped.
        random = np.random.default_rng([*self._restarts.generate_state(2), len(self._means)])
        changed[lengths == 0] = self._noise(random, RESTART)
        return keras.ops.convert_to_tensor(changed)

    def _checked(self, means: Array) -> Array:
        """The means of the channels, if they are finite.

        Raises:
            NotCapturableError: They are not.
        """
        bad = [channel for channel, mean in zip(self._channels, means, strict=False) if not np.isfinite(mean)]
        if bad:
            message = (
                f"{shown(self._path)} gives NaN or infinity for channel {bad[0]}, so there is no gradient to climb."
            )
            raise NotCapturableError(message)
        return means

    def _activation(self, images: Array) -> Array:
        """The activation on some inputs."""
        graph = self._graph
        value = images if graph.inputs is None else keras.tree.pack_sequence_as(graph.inputs, [images])
        batch = prepare(value, graph.inputs, graph.model.name, graph.spread)
        return capture(graph, batch, [graph.nodes[self._path]])[self._path].value
