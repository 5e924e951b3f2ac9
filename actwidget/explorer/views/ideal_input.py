"""The picture that excites the selected channel most, made when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.errors import ActwidgetError
from actwidget.explain.excitation.gradient_ascent import excitation_steps
from actwidget.explain.excitation.picture_input import picture_input
from actwidget.explorer.controls import Button
from actwidget.explorer.description.facts import Fact
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.explorer.registry import View, register
from actwidget.explorer.work import Progress, Work
from actwidget.figures.ideal_input import IdealInput, ideal_input_spec
from actwidget.figures.parts.text import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actwidget.explain.excitation.ascent import Excitation, Step
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.selection import Selection

STEPS = 64
MAKE = Button("ideal_input", "Make", "Makes the picture that excites this channel most, by gradient ascent")


@dataclass(eq=False)
class Making:
    """An ideal input on its way.

    Attributes:
        steps: The steps that are left; after a stop they go on from there.
        result: What there is so far; `None` before the first step.
        done: How many steps have been made.
    """

    steps: Iterator[Step]
    result: Excitation | None = None
    done: int = 0


@register
class IdealInputView(View):
    """The ideal input of one channel, growing step by step, beside what the channel gives on the sample."""

    name = "ideal_input"
    label = "Ideal input"
    question = "What is this channel looking for?"
    place = 48
    controls = ("channel", MAKE)

    def available(self, data: LayerData) -> str | None:
        """Only of models that take one picture, and of layers that give floats."""
        if (reason := _refusal(data) or data.missing) is not None:
            return reason
        if not data.node.dtype.startswith(("float", "bfloat")) or data.is_read:
            return "Ideal inputs are made for channels of numbers with fractions, through which a gradient goes."
        if not data.is_read_as_computed:
            return "Ideal inputs are made for the layer's own channels. Set the channel axis to automatic."
        return None

    def work(self, data: LayerData, selection: Selection) -> Work | None:
        """The rest of the steps."""
        channel = _channel(data, selection)
        key = _key(data, channel)
        results = data.sources.results
        making: Making | None = results.get(key)
        if making is not None and making.done == STEPS:
            return None

        def start() -> Iterator[Progress]:
            own = results.get(key)
            if own is None:
                own = Making(_begun(data, channel))
                results.put(key, own)
            for step in own.steps:
                own.result, own.done = step.result, step.done
                yield Progress(step.done, step.total)

        return Work(key, f"the ideal input of {_name(data, channel)}", start)

    def code(self, data: LayerData, selection: Selection) -> str:
        """The call that gives what is on screen."""
        more = _range(data)
        given = "" if more == (0.0, 1.0) else f", range={more}"
        return f"excitation = aw.excite(model, {data.path!r}, {_channel(data, selection)}{given})\nexcitation.image"

    def is_kept_on_page(self, data: LayerData, selection: Selection) -> bool:
        """Only what was made."""
        return data.sources.results.get(_key(data, _channel(data, selection))) is not None

    def draw(self, data: LayerData, selection: Selection) -> Drawing:
        """What there is so far, or how to begin."""
        channel = _channel(data, selection)
        name, grid = _name(data, channel), Grid(np.arange(data.channel_count))
        making: Making | None = data.sources.results.get(_key(data, channel))
        result = None if making is None else making.result
        why = "" if selection.channel is not None else f", the strongest {data.channel_label} of this sample"
        if making is None or result is None:
            text = f"Make shows what {name}{why} is looking for: the picture that excites it most."
            if data.sources.scan is None:
                text += " Real samples that do: LayerExplorer(model, x, scan=aw.scan(model, data))."
            return Drawing(**{**vars(Drawing.message(data.path, text)), "grid": grid})
        mean = float(np.asarray(data.sample_statistics.per_channel.mean)[channel])
        is_map = data.has_maps and data.value.ndim == 3
        picture = data.picture
        content = IdealInput(
            title=data.path,
            name=name,
            image=result.picture(),
            limits=result.range,
            history=result.history,
            steps=STEPS,
            sample=None if picture is None else picture.pixels,
            sample_name="the input" if picture is None else picture.name,
            values=data.value[..., channel] if is_map else None,
            mean=mean,
        )
        ideal = number(float(result.activation))
        alt = (
            f"{data.path}: ideal input of {name}{why}, {making.done} of {STEPS} steps; its mean is {ideal}, "
            f"on sample {data.own_sample} {number(mean)}"
        )
        facts = [Fact(f"{name} on its ideal input", ideal), Fact(f"on sample {data.own_sample}", number(mean))]
        if making.done < STEPS:
            facts.append(Fact("steps", f"{making.done} of {STEPS}"))
        return Drawing.of(ideal_input_spec(content), alt, tell=lambda: facts, grid=grid)


def _begun(data: LayerData, channel: int) -> Iterator[Step]:
    model = data.sources.session.graph.model
    return excitation_steps(model, data.path, channel, steps=STEPS, size=_size(data), range=_range(data))


def _refusal(data: LayerData) -> str | None:
    """Why there are no ideal inputs for the model."""
    try:
        found = picture_input(data.sources.session.graph.model, _size(data))
    except ActwidgetError as error:
        return str(error)
    return None if found.channels in {1, 3} else "Ideal inputs are shown for pictures of one or three colours."


def _size(data: LayerData) -> tuple[int, int] | None:
    """The size of the sample, for models that take any."""
    pictures = data.sources.pictures.all()
    if len(pictures) != 1:
        return None
    (array,) = pictures.values()
    return int(array.shape[1]), int(array.shape[2])


def _range(data: LayerData) -> tuple[float, float]:
    """The range of the inputs, for models that do not tell which one they expect."""
    pictures = data.sources.pictures.all()
    values = next(iter(pictures.values()), np.zeros(1))
    low, high = float(np.min(values)), float(np.max(values))
    if low < 0:
        return -1.0, 1.0
    return (0.0, 1.0) if high <= 1 else (0.0, 255.0)


def _channel(data: LayerData, selection: Selection) -> int:
    """The selected channel, otherwise the strongest of the sample."""
    if selection.channel is not None:
        return selection.channel
    means = np.asarray(data.sample_statistics.per_channel.mean, np.float64)
    return int(np.argmax(np.where(np.isfinite(means), means, -np.inf)))


def _name(data: LayerData, channel: int) -> str:
    names = data.class_names
    return f"{data.channel_label} {channel}" if names is None else f"{names[channel]} ({channel})"


def _key(data: LayerData, channel: int) -> Any:
    return "ideal_input", data.path, channel, _size(data), _range(data)
