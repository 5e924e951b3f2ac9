"""From a selection to a figure: the session's arrays through analysis to what the explorer shows."""

from __future__ import annotations

import math
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import keras
import numpy as np

from actwidget.analysis.axes import depths, kind_of
from actwidget.analysis.categories import categories
from actwidget.analysis.difference import difference
from actwidget.analysis.health import Summary, summary, warnings
from actwidget.analysis.histogram import Histogram, histogram
from actwidget.analysis.kernels import kernel_pictures, unknown_pictures
from actwidget.analysis.statistics import Statistics, statistics
from actwidget.capture.bounds import activation_bounds
from actwidget.capture.channels import Channels, channels_of, keeps_steps
from actwidget.capture.compare import paired
from actwidget.capture.receptive import field_of, inputs_behind
from actwidget.capture.session import left_out
from actwidget.capture.weights import Weight, weights_of
from actwidget.errors import NotCapturableError, short
from actwidget.figures import (
    Picture,
    Placement,
    View,
    activation_spec,
    channel_order,
    comparison_spec,
    is_picture,
    message_figure,
    overlay_spec,
    overview_spec,
    picture,
    scalar_spec,
    thumbnail_png,
    values_spec,
    weights_spec,
)
from actwidget.figures.text import between, number, percent
from actwidget.figures.weights import MOST, weight_words
from actwidget.widgets import html
from actwidget.widgets.plot import Serialized, serialize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from actwidget.capture.session import Session
    from actwidget.figures.activation import Scaling

Array = np.ndarray[Any, Any]
READINGS = {"auto": None, "last": -1, "first": 1, "none": None}
"""Which axis of an activation holds the channels: as the layer has it, the last one, the first one, none at all."""
KEPT = 128
"""So many drawings are kept, of activations that are kept too."""
_BESIDE = ThreadPoolExecutor(1, "actwidget")  # numpy and the PNG encoder let another thread run: a second core helps


@dataclass(frozen=True)
class Drawing:
    """What the explorer shows of a selection: the figure, its text twin, and how to tell the numbers as HTML.

    `needs` names the controls that it has a use for; `None` for all of its view.
    """

    figure: Serialized
    alt: str
    tell: Callable[[], str] = str
    needs: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Bounds the text twin, whatever names are in it."""
        object.__setattr__(self, "alt", short(self.alt, 1500))

    @cached_property
    def numbers(self) -> str:
        """The numbers as HTML. Those of a large batch take a while: the figure can be on its way before."""
        return self.tell()


@dataclass(frozen=True)
class Selection:
    """What of a layer is drawn, and how: the explorer's traits of the same names."""

    path: str
    channel: int | None = None
    sample: int = 0
    scaling: str = "layer"
    sort: str = "index"
    slice: int | None = None


class Drawings:
    """Draws a session's activations; pictures and numbers are kept as long as the activation they rest on."""

    def __init__(
        self,
        session: Session,
        class_names: Sequence[str] | None = None,
        tokens: Sequence[Sequence[str]] | None = None,
        labels: Sequence[int] | None = None,
    ) -> None:
        """Draws from `session`.

        Args:
            session: Where activations come from.
            class_names: Names of the units of the model's output.
            tokens: For each sample the texts of its steps.
            labels: For each sample its true class.
        """
        self._session = session
        self._class_names = class_names
        self._tokens = tokens
        self._labels = labels
        self._summaries: dict[str, Summary] = {}
        self._warnings: dict[str, tuple[str, ...]] = {}
        self._statistics: dict[tuple[str, int | None], Statistics] = {}
        self._pictures: dict[Selection, Picture] = {}
        self._drawn: OrderedDict[Selection, Drawing] = OrderedDict()
        self._thumbnails: dict[int, str | None] = {}
        self._predictions: Array | None = None
        self._asked_for_predictions = False
        self._reading = ("", "auto")

    def read(self, path: str, reading: str) -> None:
        """Has one layer's channels on another axis, a key of `READINGS`; those of all others are as they have them."""
        if (path, reading) != self._reading:
            changed = {self._reading[1], reading} != {"auto"}
            self._reading = (path, reading)
            if changed:
                self.clear()

    def clear(self) -> None:
        """Lets go of everything."""
        self._statistics.clear()
        self._summaries.clear()
        self._warnings.clear()
        self._pictures.clear()
        self._drawn.clear()
        self._thumbnails.clear()
        self._predictions, self._asked_for_predictions = None, False

    def statistics(self, path: str) -> Statistics | None:
        """The numbers of a layer over the whole batch; `None` where it has none."""
        value = self._samples(path)
        return None if value is None or not _numeric(value) else self._numbers(value, path)

    def _numbers(self, value: Array, path: str, sample: int | None = None) -> Statistics:
        """The numbers of an activation at hand: one larger than the budget is in no cache to be asked for again."""
        if len(value) == 1:
            sample = None
        if (path, sample) not in self._statistics:
            rows = value if sample is None else value[sample : sample + 1]
            bounds = activation_bounds(self._session.graph.operations[path], self._session.graph.nodes.get(path))
            if rows.ndim == 1:
                rows = rows[:, np.newaxis]
            numbers = self._statistics[path, sample] = statistics(rows, bounds=bounds)
            if sample is None:
                self._warnings[path] = () if _names(value) else warnings(numbers, self.channels(path).noun)
            if len(self._statistics) > KEPT:  # of a wide layer they take 100 kB
                del self._statistics[next(iter(self._statistics))]
            return numbers
        return self._statistics[path, sample]

    def _samples(self, path: str) -> Array | None:
        """The activation with the sample as its first axis; what has none (a sum over the batch) is one sample."""
        value = self._session.value(path)
        return None if value is None else self._as_samples(path, value)

    def _as_samples(self, path: str, value: Array) -> Array:
        size = 0 if self._session.batch is None else self._session.batch.size
        value = value if value.ndim and len(value) == size else value[np.newaxis]
        # Some layers divide their output along another axis than the last; from here on it is the last.
        return self.channels(path).last(value) if value.ndim > 1 and _numeric(value) else value

    def channels(self, path: str) -> Channels:
        """How a layer's activation is divided, and what the parts are called."""
        own = self._own_channels(path)
        rank = len(self._session.graph.nodes[path].output_shape or ())
        # A vector has one axis alone.
        chosen, reading = self._reading
        return own if rank == 2 or path != chosen or reading == "auto" else Channels(READINGS[reading], own.noun)

    def _own_channels(self, path: str) -> Channels:
        graph = self._session.graph
        return channels_of(graph.nodes[path], graph.operations[path], graph.steps(path))

    def warnings(self, path: str) -> tuple[str, ...]:
        """What is wrong with a layer that has been looked at, in words."""
        return self._warnings.get(path, ())

    def _mask(self, path: str, sample: int) -> Array | None:
        captured = self._session.captured(path)
        return None if captured is None or captured.mask is None else captured.mask[sample]

    def summaries(self) -> list[Summary]:
        """A line on each layer that has numbers, in order of execution; the model runs where that is needed.

        Raises:
            CaptureError: The forward pass failed.
        """
        graph, batch = self._session.graph, self._session.batch
        absent = set() if batch is None else left_out(graph, batch)
        nodes = [node for node in graph.tree if node.origin != "opaque" and node.path not in absent]
        for path, captured in self._session.walk([node.path for node in nodes if node.path not in self._summaries]):
            value = self._as_samples(path, captured.value)
            if _numeric(value) and value.size:
                numbers, noun = self._numbers(value, path), self.channels(path).noun
                self._summaries[path] = summary(path, value, numbers, noun, measured=not _names(value))
        return [self._summaries[node.path] for node in nodes if node.path in self._summaries]

    def overview(self, selected: str) -> Drawing:
        """The whole network, with one layer marked."""
        name = self._session.graph.tree.name
        rows = self.summaries()
        if not rows:
            return _message(name, "Give inputs to see activations.")
        unwell = [row for row in rows if row.warnings]
        title = f"{name} · {len(rows):,} layers · {len(unwell):,} to look at"
        alt = "; ".join([title, *(f"{row.path}: {', '.join(row.warnings)}" for row in unwell[:20])])
        return Drawing(serialize(overview_spec(rows, title, selected)), alt)

    def comparison(self, selection: Selection, other: int | Session) -> Drawing:
        """The selected layer beside itself on another sample, or beside the same layer of another model.

        Args:
            selection: The layer, the sample, the channel that is marked, and the slice of a volume.
            other: The number of the other sample, or the session of the other model.

        Raises:
            CaptureError: The forward pass failed.
        """
        path, channel, sample = selection.path, selection.channel, selection.sample
        value = self._samples(path)
        if value is None or not _numeric(value) or not value.size or value.shape[1:] == ():
            return _message(path, "There is nothing to compare here.")
        name = self._session.graph.tree.name
        sample = min(sample, len(value) - 1)
        if isinstance(other, int):
            if min(other, len(value) - 1) == sample:
                more = (
                    "Nothing to compare with: give two samples" if len(value) == 1 else "Choose two different samples"
                )
                return _message(path, f"{more}, or compare=other_model.")
            second, names = value[other], (f"sample {sample}", f"sample {other}")
        else:
            seen = np.asarray(other.value(paired(self._session.graph, other.graph)[path]))
            second = self._as_samples(path, seen)
            second, names = second[min(sample, len(second) - 1)], (name, f"{other.graph.tree.name} (other)")
        first = value[sample]
        if first.shape != second.shape:
            return _message(path, f"The shapes differ: {first.shape} and {second.shape}.")
        apart = difference(first, second)
        noun = self.channels(path).noun
        figure = comparison_spec(
            path, first, second, apart, names=names, noun=noun, channel=channel, at=_place(selection, first)
        )
        most = ", ".join(
            f"{each} ({number(apart.mean_absolute[each])}{', not finite on one side' if apart.broken[each] else ''})"
            for each in apart.order[:5].tolist()
        )
        alt = f"{path}: {names[0]} beside {names[1]}; {noun}s that differ most, by mean difference: {most}"
        return Drawing(serialize(figure), alt, lambda: f'<p class="actw-muted">{html.escape(alt, 1500)}</p>')

    def weights(self, path: str, channel: int | None, input_channel: int | None = None) -> Drawing:
        """The weights of a layer."""
        operation = self._session.graph.operations[path]
        weights = weights_of(operation)
        if not weights:
            return _message(path, "This layer has no weights.")
        self._session.watch([operation])
        divided = channel if self._as_computed(path) else None
        chosen = _choosable(weights)[0]
        arrays = {name: weight.values for name, weight in weights.items()}
        pictures, words = {}, {}
        for name, weight in weights.items():
            picture, told = _as_pictures(weight, input_channel if name == chosen else None)
            if said := ", ".join(text for text in (weight.note, told) if text):
                words[name] = said
            if picture is not None:
                pictures[name] = picture
        marks = {name: weight.entries_of(divided) for name, weight in weights.items()}
        alt = "; ".join(
            f"{name}: {weight.values.shape}, {f'{weight.note}, ' if weight.note else ''}{weight_words(weight.values)}"
            for name, weight in weights.items()
        )
        return Drawing(serialize(weights_spec(path, arrays, pictures, marks, words)), f"{path}, weights: {alt}")

    def kernel_inputs(self, path: str) -> int:
        """How many input channels a layer's kernel has to choose from; 1 where there is no choice."""
        return _choosable(weights_of(self._session.graph.operations[path]))[1]

    def slices(self, path: str) -> int:
        """How many slices of a layer's volumes there are to choose from; 1 where it gives none."""
        return math.prod(depths(self._sample_shape(path, "volume"))) or 1

    def middle_slice(self, path: str) -> int:
        """The slice that is shown where none is chosen, counted as `slices` counts."""
        lengths = depths(self._sample_shape(path, "volume"))
        return int(np.ravel_multi_index([(length - 1) // 2 for length in lengths], lengths)) if all(lengths) else 0

    def map_of(self, path: str) -> tuple[int, int]:
        """The rows and columns of a layer's feature maps; zeros where it gives none, or is read along another axis."""
        shape = self._sample_shape(path, "maps") if self._as_computed(path) else ()
        return (shape[0], shape[1]) if shape else (0, 0)

    def _as_computed(self, path: str) -> bool:
        """Whether the axis that is read as the channels' is the one along which the layer computes."""
        rank = len(self._session.graph.nodes[path].output_shape or ())
        axes = [channels.axis for channels in (self._own_channels(path), self.channels(path))]
        return len({axis if axis is None or not rank else axis % rank for axis in axes}) == 1

    def _sample_shape(self, path: str, kind: str) -> tuple[int, ...]:
        """The shape of one sample, channels last, of a layer that gives what is called `kind`; else empty."""
        node = self._session.graph.nodes[path]
        if node.origin == "opaque" or self._session.batch is None:
            return ()
        shape = node.output_shape
        if shape is None or None in shape[1:]:
            value = self._samples(path)
            shape, dtype = (0,) if value is None else value.shape, getattr(value, "dtype", np.dtype(bool))
        elif len(shape) < 4 or node.dtype in {"bool", "string"}:
            return ()
        else:
            dtype = np.dtype(np.float32)
            # Some layers divide their output along another axis than the last; from here on it is the last.
            known = tuple(int(length or 0) for length in shape[1:])
            shape = self.channels(path).last(np.broadcast_to(np.float32(0), (1, *known))).shape
        return tuple(map(int, shape[1:])) if kind_of(tuple(shape[1:]), dtype) == kind else ()

    def grid(self, selection: Selection) -> tuple[list[int], int]:
        """The channels in the order in which they are drawn, and how many of them stand in a row."""
        self.draw(selection)
        drawn = self._pictures.get(replace(selection, channel=None))
        if drawn is None:
            return [0], 1
        return drawn.order.tolist(), drawn.tiles.columns if drawn.tiles is not None else 1

    def columns(self, path: str) -> dict[str, Any] | None:
        """The numbers of each channel over the whole batch, by name; `None` where there are none."""
        if (numbers := self.statistics(path)) is None:
            return None
        each = numbers.per_channel
        found: dict[str, Any] = {self.channels(path).noun: np.arange(numbers.channels)}
        found |= {"minimum": each.minimum, "mean": each.mean, "maximum": each.maximum, "std": each.standard_deviation}
        found["zeros %"] = 100 * np.asarray(each.zeros)
        if each.saturated is not None:
            found["saturated %"] = 100 * np.asarray(each.saturated)
        rare = {"dead?": each.dead, "constant?": each.constant, "NaN": each.nan, "infinite": each.infinite}
        return found | {name: values for name, values in rare.items() if np.any(values)}

    def overlay(self, path: str, channel: int | None, sample: int, position: tuple[int, int] | None) -> Drawing:
        """One channel, or the mean over all, over the picture that `picture_of` tells; with a position, what that sees.

        Raises:
            CaptureError: The forward pass failed.
        """
        graph, batch = self._session.graph, self._session.batch
        whole = self._samples(path) if self._sample_shape(path, "maps") else None
        if batch is None or whole is None:
            return _message(path, "This layer gives no feature map that could be laid over the input.")
        if (index := self.picture_of(path)) is None:
            return _message(path, "This layer depends on no input that is a picture.")
        pixels = keras.tree.flatten(batch.value)[index][sample]
        value = whole[min(sample, len(whole) - 1)]
        values = value.mean(axis=-1, dtype=np.float32) if channel is None else value[..., channel]
        position = position if self._as_computed(path) else None
        field = field_of(graph, path, position or (0, 0), of=index) if self._as_computed(path) else None
        box = place = None
        if field is not None and field.axes == (1, 2):  # as the picture is drawn, whatever the layers make of its axes
            rows, columns = field.spans
            box = None if position is None else (rows[0], columns[0], rows[1], columns[1])
            if field.spacing is not None:
                down, across = field.spacing
                place = Placement(down.first, across.first, down.step, across.step)
        noun, source = self.channels(path).noun, self._called(index)
        figure = overlay_spec(
            path, pixels, values, channel=channel, noun=noun, cell=position, box=box, place=place, source=source
        )
        if figure is None:
            return _message(path, "This activation holds no values.")
        over = "over" if place else "stretched over"
        alt = f"{path}: {'mean' if channel is None else f'{noun} {channel}'} {over} {source}"
        if position is not None:
            alt += f"; row {position[0]}, column {position[1]}"
            if box is None:
                alt += ": what it sees can't be computed"
            elif box[0] >= box[2] or box[1] >= box[3]:
                alt += f" sees padding alone, nothing of {source}"
            else:
                alt += f" sees rows {box[0]} to {box[2] - 1} and columns {box[1]} to {box[3] - 1} of {source}"
        return Drawing(serialize(figure), alt, lambda: html.numbers(self._numbers(whole, path), noun))

    def draw(self, selection: Selection) -> Drawing:
        """The figure of one selection.

        Raises:
            CaptureError: The forward pass failed.
        """
        if selection in self._drawn and self._session.holds(selection.path):
            self._session.value(selection.path)  # the one that was used last is let go of last
            self._drawn.move_to_end(selection)
            return self._drawn[selection]
        drawing = self._draw(selection)
        self._drawn[selection] = drawing
        # A drawing holds its activation: what the session has let go of goes here too.
        for old in [each for each in self._drawn if not self._session.holds(each.path)]:
            del self._drawn[old]
        if len(self._drawn) > KEPT:
            self._drawn.popitem(last=False)
        return drawing

    def _draw(self, selection: Selection) -> Drawing:
        path, channel, sample = selection.path, selection.channel, selection.sample
        node = self._session.graph.nodes[path]
        if node.origin == "opaque":
            return _message(path, f"Can't be captured: it {node.reason}.")
        try:
            value = self._samples(path)
        except NotCapturableError as error:  # an optional input that was left out, a layer that this batch passes by
            return _message(path, str(error))
        if value is None:
            return _message(path, "Give inputs to see activations.")
        sample = min(sample, len(value) - 1)
        if not np.size(value[sample]):
            return _message(path, "This activation holds no values.")
        if not _numeric(value) or value.dtype == bool or (value.ndim == 1 and len(value) > 1) or _names(value):
            return self._read(path, value, sample, channel)
        counting = _BESIDE.submit(self._histogram, value[sample], channel, path)
        numbers = self._numbers(value, path, sample)
        noun = self.channels(path).noun
        drawn = self._picture(value[sample], numbers, replace(selection, sample=sample, channel=None))
        view = View(
            title=path,
            picture=drawn,
            numbers=numbers,
            histogram=counting.result(),
            channel=channel,
            order_name=selection.sort,
            sample=sample if len(value) > 1 else None,
            class_names=self._names(path),
            noun=noun,
            tokens=self._step_names(path, sample),
            label=self._labels[sample] if self._labels is not None and self._is_output(path) else None,
            mask=self._mask(path, sample) if drawn.kind == "sequence" else None,
        )
        spec = serialize(activation_spec(view))
        return Drawing(spec, _alt(view, noun), lambda: html.numbers(self._numbers(value, path), noun))

    def _read(self, path: str, value: Array, sample: int, channel: int | None) -> Drawing:
        """What is read rather than seen: texts, flags, one number a sample."""

        def tell() -> str:
            return (
                html.numbers(self._numbers(value, path), "unit", measured=not _names(value)) if _numeric(value) else ""
            )

        shown = ", ".join(repr(item) for item in np.ravel(value[sample])[:20].tolist())
        if value.ndim == 1 and len(value) > 1 and _numeric(value):
            figure = scalar_spec(path, value, sample=sample)
            return Drawing(
                serialize(figure), f"{path}: one number a sample, {shown} for sample {sample}", tell, ("sample",)
            )
        own = np.asarray(value[sample])
        figure = values_spec(path, own, number_of=sample if len(value) > 1 else None, channel=channel)
        several = own.ndim == 3 and own.shape[-1] > 1 and figure["data"][0]["type"] != "table"
        needs = ("sample", "channel") if several else ("sample",)
        return Drawing(serialize(figure), f"{path}: {shown}", tell, needs)

    @property
    def knows_predictions(self) -> bool:
        """Whether `prediction` answers at once."""
        return self._asked_for_predictions or self._session.holds(self._session.graph.output)

    def prediction(self, sample: int) -> tuple[str, float]:
        """The model's top class for a sample and its probability; `("", 0.0)` where the output is no distribution."""
        if not self._asked_for_predictions:
            self._asked_for_predictions = True
            self._predictions = self._output()
        if self._predictions is None:
            return "", 0.0
        row = self._predictions[sample].astype(np.float64)
        if not np.isfinite(row).all() or row.min() < 0 or abs(row.sum() - 1) > 1e-2:
            return "", 0.0
        top = int(row.argmax())
        return (self._class_names[top] if self._class_names else f"class {top}"), float(row[top])

    def thumbnail(self, sample: int) -> str | None:
        """A small picture of a sample as a data URI; `None` where none of the model's inputs is a picture."""
        if sample not in self._thumbnails and (pictures := self._input_pictures()):
            self._thumbnails[sample] = thumbnail_png(next(iter(pictures.values()))[sample])
        return self._thumbnails.get(sample)

    def picture_of(self, path: str) -> int | None:
        """Which input a layer is laid over, as `keras.tree.flatten` counts them; `None` where there is none.

        It is the first picture that the layer depends on, or, where that is not known, the first of all.
        """
        behind = inputs_behind(self._session.graph, path)
        return next((index for index in self._input_pictures() if behind is None or index in behind), None)

    def _input_pictures(self) -> dict[int, Array]:
        """The inputs that are pictures."""
        inputs = [] if self._session.batch is None else keras.tree.flatten(self._session.batch.value)
        given = {index: each for index, each in enumerate(inputs) if each is not None}
        return {index: each for index, each in given.items() if is_picture(each.shape[1:], each.dtype)}

    def _called(self, index: int) -> str:
        """What an input is called where there are others."""
        if self._session.batch is None or len(keras.tree.flatten(self._session.batch.value)) == 1:
            return "the input"
        names = self._session.graph.input_names
        return f"input {short(names[index], 40) if names else index}"

    def _output(self) -> Array | None:
        """The model's output where it is one vector a sample."""
        shape = self._session.graph.tree.output_shape
        if shape is None or len(shape) != 2 or shape[1] in {None, 1}:
            return None
        path = self._session.graph.output
        if not path:
            return None
        try:
            value = self._session.value(path)
        except Exception:  # noqa: BLE001 - a later layer may fail; that is said when it is selected
            return None
        return value if value is not None and _numeric(value) else None

    def _names(self, path: str) -> Sequence[str] | None:
        return self._class_names if self._class_names and self._is_output(path) else None

    def _step_names(self, path: str, sample: int) -> Sequence[str] | None:
        """The tokens of a sample, without those its steps have no room for, where a layer's steps follow as they do."""
        batch = self._session.batch
        if self._tokens is None or batch is None or not keeps_steps(self._session.graph, path):
            return None
        given, own = np.asarray(keras.tree.flatten(batch.value)[0]), self._tokens[sample]
        return own[: given.shape[1]] if given.ndim in {2, 3} and _numeric(given) else own

    def _is_output(self, path: str) -> bool:
        return path == self._session.graph.output

    def _picture(self, values: Array, numbers: Statistics, selection: Selection) -> Picture:
        if selection not in self._pictures:
            order = channel_order(numbers, selection.sort)
            scaling = cast("Scaling", selection.scaling)
            self._pictures[selection] = picture(values, numbers, order, scaling, at=_place(selection, values))
        drawn = self._pictures[selection]
        # A picture holds its activation: what the session has let go of goes here too.
        self._pictures = {each: kept for each, kept in self._pictures.items() if self._session.holds(each.path)}
        return drawn

    def _histogram(self, values: Array, channel: int | None, path: str) -> Histogram:
        bounds = activation_bounds(self._session.graph.operations[path], self._session.graph.nodes.get(path))
        own = None if channel is None or values.ndim == 0 else values[..., channel]
        return histogram(values, channel_values=own, upper=None if bounds is None else bounds[1])


def _message(path: str, text: str) -> Drawing:
    """One sentence in place of a picture."""
    return Drawing(serialize(message_figure(path, text).to_dict()), f"{path}: {text}")


def _place(selection: Selection, sample: Array) -> tuple[int, ...] | None:
    """Where the chosen slice of a volume lies along each axis that is cut; `None` for the middle."""
    if selection.slice is None:
        return None
    return tuple(map(int, np.unravel_index(selection.slice, depths(sample.shape))))


def _choosable(weights: Mapping[str, Weight]) -> tuple[str, int]:
    """The first kernel on show of which input channels are averaged, and how many it has; 1 where there is none."""
    for name, weight in list(weights.items())[:MOST]:
        if weight.kernel is not None and weight.kernel.ndim > 2 and not weight.own and weight.kernel.shape[-2] > 1:
            return name, weight.kernel.shape[-2]
    return "", 1


def _as_pictures(weight: Weight, input_channel: int | None) -> tuple[Array | None, str]:
    """What is drawn of a weight of three and more axes, and what is said of that."""
    kernel = weight.kernel
    if kernel is None:
        shown = unknown_pictures(weight.values)
    elif kernel.ndim == 2 < weight.values.ndim:
        return kernel, f"as a matrix of {kernel.shape[0]} × {kernel.shape[1]}"
    else:
        shown = kernel_pictures(kernel, input_channel=input_channel, depthwise=weight.own, groups=weight.groups)
    return (None, "") if shown is None else (shown.values, shown.words)


def _numeric(value: Array) -> bool:
    return kind_of(value.shape[1:], value.dtype) != "values"


def _names(value: Array) -> bool:
    """Whether integers name things: steps by tokens, pixels by classes; a picture of bytes is a measurement."""
    if value.dtype.kind not in "iu":
        return False
    shape = value.shape[1:]
    one_map = len(shape) == 2 or (len(shape) == 3 and shape[-1] == 1)
    return len(shape) == 1 or (one_map and categories(value[0]) is not None)


def _alt(view: View, noun: str) -> str:
    numbers = view.numbers
    mean = f", mean {number(numbers.mean)}" if math.isfinite(numbers.mean) else ""
    values = f"values {between(numbers.minimum, numbers.maximum)}{mean}, {percent(numbers.zeros)} zeros"
    text = f"{view.title}: {numbers.channels} {noun}s, {values}"
    return text if view.channel is None else f"{text}; {noun} {view.channel} close up"
