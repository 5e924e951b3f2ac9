"""From a selection to a figure: the session's arrays through analysis to what the explorer shows."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import keras
import numpy as np

from actwidget.analysis.axes import depths, is_numeric, kind_of
from actwidget.analysis.categories import categories, meaning_of
from actwidget.analysis.difference import difference
from actwidget.analysis.health import QUANTILES, Summary, summary, summed_up, warnings
from actwidget.analysis.histogram import Histogram, histogram
from actwidget.analysis.kernels import kernel_pictures, unknown_pictures
from actwidget.analysis.quantiles import RunningQuantiles
from actwidget.analysis.statistics import RunningStatistics, Statistics, statistics
from actwidget.capture.access.cache import Key
from actwidget.capture.access.compare import paired
from actwidget.capture.access.session import ANSWERS, ROW, TALLY, WEIGHTS, WHOLE
from actwidget.capture.access.submodel import left_out
from actwidget.capture.semantics.bounds import activation_bounds
from actwidget.capture.semantics.channel_axis import ChannelAxis, channel_axis_of, keeps_steps
from actwidget.capture.semantics.receptive_field import field_of, inputs_behind
from actwidget.capture.semantics.value_kind import may_be_flags, value_kind_of
from actwidget.capture.semantics.weights import Weight, weights_of
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
)
from actwidget.figures.text import between, number, percent
from actwidget.figures.weights import MOST, DrawnWeight, draw_weight, drawn_weights_spec, weight_words
from actwidget.widgets import html
from actwidget.widgets.checks import Head
from actwidget.widgets.grid import Grid
from actwidget.widgets.plot import Serialized, serialize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from actwidget.analysis.categories import Meaning
    from actwidget.capture.access.session import Session
    from actwidget.capture.run.batch_parts import Captured, Row
    from actwidget.figures.activation import Scaling

Array = np.ndarray[Any, Any]
READINGS = {"auto": None, "last": -1, "first": 1, "none": None}
"""Which axis of an activation holds the channels: as the layer has it, the last one, the first one, none at all."""
NUMBERS, PICTURE, DRAWING = "numbers", "picture", "drawing"
"""Kinds of what is kept beside what a session keeps."""
COUNTED = 8_000_000
"""So many bytes at most are needed to count the values of a layer."""
_BESIDE = ThreadPoolExecutor(1, "actwidget")  # numpy and the PNG encoder let another thread run: a second core helps


@dataclass(frozen=True, eq=False)
class Tally:
    """What was counted over all samples of an activation that came in parts."""

    statistics: Statistics
    quantiles: np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Drawing:
    """What the explorer shows of a selection: the figure, its text twin, and how to tell the numbers as HTML.

    `needs` names the controls that it has a use for; `None` for all of its view. Arrow keys move through `grid`.
    """

    figure: Serialized
    alt: str
    tell: Callable[[], str] = str
    needs: tuple[str, ...] | None = None
    grid: Grid | None = None

    def __post_init__(self) -> None:
        """Bounds the text twin, whatever names are in it."""
        object.__setattr__(self, "alt", short(self.alt, 1500))

    @property
    def nbytes(self) -> int:
        """About how many bytes it takes."""
        figure = self.figure
        # Large arrays are there twice: as numbers, and as the page takes them.
        return sum(map(len, (figure.spec, self.alt, *figure.images))) + 2 * sum(map(len, figure.arrays))

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
            class_names: Names of the units of the model's output; of a single sigmoid unit the names of both classes.
            tokens: For each sample the texts of its steps.
            labels: For each sample its true class.
        """
        self._session = session
        self._class_names = class_names
        self._tokens = tokens
        self._labels = labels
        self._kept = session.kept
        self._binary = Head.of(session.graph).is_binary
        self._summaries: dict[str, Summary] = {}
        self._warnings: dict[str, tuple[str, ...]] = {}
        self._naming: dict[str, bool] = {}
        self._meanings: dict[str, Meaning] = {}
        self._reading = ("", "auto")

    def read(self, path: str, reading: str) -> None:
        """Has one layer's channels on another axis, a key of `READINGS`; those of all others are as they have them."""
        if (path, reading) != self._reading:
            changed = {self._reading[1], reading} != {"auto"}
            self._reading = (path, reading)
            if changed:
                self.clear()

    def clear(self) -> None:
        """Lets go of everything that was made of activations."""
        self._kept.drop(lambda key: key.kind not in {WHOLE, ROW})
        self._summaries.clear()
        self._warnings.clear()
        self._naming.clear()
        self._meanings.clear()

    def statistics(self, path: str) -> Statistics | None:
        """The numbers of a layer over the whole batch; `None` where it has none.

        Raises:
            MemoryBudgetError: The activation is larger than the budget, and can only be had as a whole.
            CaptureError: The forward pass failed.
        """
        row = self._row(path)
        return None if row is None or not _numeric(row.value) else self._of_batch(path)

    def _of_sample(self, path: str, row: Row, sample: int) -> Statistics:
        """The numbers of one sample at hand, channels last."""
        if row.samples == 1:
            return self._of_batch(path)
        key = Key(path, NUMBERS, sample)
        if (numbers := self._kept.get(key)) is None:
            numbers = self._numbers(path, row.value[np.newaxis])
            self._kept.put(key, numbers, _size_of(numbers))
        return cast("Statistics", numbers)

    def _of_batch(self, path: str) -> Statistics:
        """The numbers over all samples. Of an activation larger than the budget they are counted part by part, once."""
        if self._is_counted_in_parts(path):
            return self._tally(path).statistics
        key = Key(path, NUMBERS)
        if (numbers := self._kept.get(key)) is None:
            value = self._as_samples(path, np.asarray(self._session.value(path)))
            numbers = self._noted(path, self._numbers(path, value), self._meaning_of(path, value))
            self._kept.put(key, numbers, _size_of(numbers))
        return cast("Statistics", numbers)

    def _numbers(self, path: str, value: Array) -> Statistics:
        return statistics(value[:, np.newaxis] if value.ndim == 1 else value, bounds=self._bounds(path))

    def _noted(self, path: str, numbers: Statistics, meaning: Meaning) -> Statistics:
        """The numbers over all samples, of which it is noted what they stand for and what is wrong with them."""
        self._meanings[path] = meaning
        self._warnings[path] = warnings(numbers, self.channels(path).channel_label, meaning)
        return numbers

    def _meaning_of(self, path: str, value: Array) -> Meaning:
        """What the values of an activation at hand stand for."""
        graph = self._session.graph
        return meaning_of(value, value_kind_of(graph, path), may_be_flags=may_be_flags(graph, path))

    def _tell(self, path: str) -> str:
        """The numbers of a layer over the whole batch as HTML."""
        numbers = self._of_batch(path)
        return html.numbers(numbers, self.channels(path).channel_label, self._meanings[path])

    def _is_counted_in_parts(self, path: str) -> bool:
        return not self._session.fits(path) and self._session.alike(path) is not False

    def _tally(self, path: str) -> Tally:
        key = Key(path, TALLY)
        if self._kept.get(key) is None:
            tallies = self._counted([path])
            if path not in tallies:
                raise self._session.too_large(path)
            return tallies[path]
        return cast("Tally", self._kept.get(key))

    def _counted(self, paths: Sequence[str]) -> dict[str, Tally]:
        """What is counted over all samples of some activations, of those that can be had in parts, in one pass."""
        running = {path: RunningStatistics(bounds=self._bounds(path)) for path in paths}
        quantiles = {path: RunningQuantiles() for path in paths}
        meanings: dict[str, Meaning] = {}

        def take(path: str, first: int, part: Captured) -> None:
            value = self._arranged(path, part.value)
            if _numeric(value):
                if not first:
                    self._names_things(path, value[0])
                # Floats are flags only if those of all parts are.
                if meanings.get(path, "flags") == "flags":
                    meanings[path] = self._meaning_of(path, value)
                running[path].update(value[:, np.newaxis] if value.ndim == 1 else value)
                quantiles[path].update(value)

        self._session.stream(paths, take)
        found = {}
        for path in paths:
            if self._session.alike(path) and running[path].samples:
                numbers = self._noted(path, running[path].result(), meanings[path])
                found[path] = Tally(numbers, quantiles[path].result(QUANTILES))
                self._kept.put(Key(path, TALLY), found[path], _size_of(numbers))
        return found

    def _bounds(self, path: str) -> Any:
        return activation_bounds(self._session.graph.operations[path], self._session.graph.nodes.get(path))

    def _row(self, path: str, sample: int | None = None) -> Row | None:
        """What a layer gives for one sample, by default the one on screen, channels last."""
        session = self._session
        sample = session.sight[1][0] if sample is None else sample
        if session.batch is not None and not session.fits(path) and session.alike(path) is None:
            self._counted([path])  # it tells whether a sample can be had by itself, and keeps those in sight
        row = session.row(path, sample)
        return None if row is None else replace(row, value=self._arranged(path, row.value[np.newaxis])[0, ...])

    def _as_samples(self, path: str, value: Array) -> Array:
        """An activation with the sample as its first axis; what has none (a sum over the batch) is one sample."""
        size = 0 if self._session.batch is None else self._session.batch.size
        return self._arranged(path, value if value.ndim and len(value) == size else value[np.newaxis])

    def _arranged(self, path: str, value: Array) -> Array:
        """Samples with their channels last; some layers divide their output along another axis."""
        return self.channels(path).moved_last(value) if value.ndim > 1 and _numeric(value) else value

    def _names_things(self, path: str, value: Array, sample: int = 0) -> bool:
        """Whether a layer's values name things, which those of the first sample tell; `value` is that of `sample`."""
        if path not in self._naming:
            first = self._row(path, 0) if sample and value.dtype.kind in "iu" else None
            self._naming[path] = _names(value if first is None else first.value)
        return self._naming[path]

    def channels(self, path: str) -> ChannelAxis:
        """How a layer's activation is divided, and what the parts are called."""
        own = self._own_channels(path)
        rank = len(self._session.graph.nodes[path].output_shape or ())
        # A vector has one axis alone.
        chosen, reading = self._reading
        if rank == 2 or path != chosen or reading == "auto":
            return own
        # Along another axis there are no heads.
        label = own.channel_label if own.channel_label != "head" else "channel" if rank > 3 else "unit"
        return ChannelAxis(READINGS[reading], label)

    def channel_count(self, path: str) -> int | None:
        """How many channels a layer of an open shape gives for the sample in sight; `None` without inputs."""
        row = self._row(path)
        return None if row is None else (row.value.shape or (1,))[-1]

    def _own_channels(self, path: str) -> ChannelAxis:
        graph = self._session.graph
        parts = path.split("/")
        above = ["/".join(parts[:length]) for length in range(1, len(parts))]
        owners = [graph.root, *(graph.operations[each] for each in above if each in graph.operations)]
        return channel_axis_of(graph.nodes[path], graph.operations[path], graph.steps(path), owners)

    def warnings(self, path: str) -> tuple[str, ...]:
        """What is wrong with a layer that has been looked at, in words."""
        return self._warnings.get(path, ())

    def summaries(self) -> list[Summary]:
        """A line on each layer that has numbers, in order of execution; the model runs where that is needed.

        Raises:
            CaptureError: The forward pass failed.
        """
        session, graph, batch = self._session, self._session.graph, self._session.batch
        if batch is None:
            return []
        absent = left_out(graph, batch)
        paths = [node.path for node in graph.tree if node.origin != "opaque" and node.path not in absent]
        missing = [path for path in paths if path not in self._summaries]
        large = [path for path in missing if not session.fits(path)]
        for path, captured in session.walk([path for path in missing if session.fits(path)]):
            value = self._as_samples(path, captured.value)
            if _numeric(value) and value.size:
                meaning, noun = self._meaning_of(path, value), self.channels(path).channel_label
                numbers = self._noted(path, self._numbers(path, value), meaning)
                self._kept.put(Key(path, NUMBERS), numbers, _size_of(numbers))
                self._summaries[path] = summary(path, value, numbers, noun, meaning=meaning)
        for group in self._groups([path for path in large if session.alike(path) is not False]):
            held = {path: self._kept.peek(Key(path, TALLY)) for path in group}
            tallies = {path: tally for path, tally in held.items() if tally is not None}
            if new := [path for path in group if path not in tallies]:
                tallies |= self._counted(new)
            for path, tally in tallies.items():
                meaning, noun = self._meanings[path], self.channels(path).channel_label
                self._summaries[path] = summed_up(path, tally.quantiles, tally.statistics, noun, meaning=meaning)
        return [self._summaries[path] for path in paths if path in self._summaries]

    def _groups(self, paths: Sequence[str]) -> Iterator[list[str]]:
        """Layers in groups of which one sample of each, with what is counted of it, keeps to the budget together."""
        group: list[str] = []
        size = 0
        for path in paths:
            batch = self._session.batch
            own = self._session.size(path) // (1 if batch is None else batch.size) + COUNTED
            if group and size + own > self._session.budget:
                yield group
                group, size = [], 0
            group.append(path)
            size += own
        if group:
            yield group

    def too_large(self) -> list[str]:
        """The layers of which there is no summary, as they are larger than the budget and only to be had as a whole."""
        session = self._session
        return [path for path in session.graph.nodes if session.alike(path) is False and not session.fits(path)]

    def overview(self, selected: str) -> Drawing:
        """The whole network, with one layer marked."""
        name = self._session.graph.tree.name
        rows = self.summaries()
        if not rows:
            return _message(name, "Give inputs to see activations.")
        unwell = [row for row in rows if row.warnings]
        left = self.too_large()
        more = f" · {len(left):,} too large for max_bytes" if left else ""
        title = f"{name} · {len(rows):,} layers · {len(unwell):,} to look at{more}"
        alone = [f"left out, as they are only to be had as a whole: {', '.join(left[:20])}"] if left else []
        alt = "; ".join([title, *alone, *(f"{row.path}: {', '.join(row.warnings)}" for row in unwell[:20])])
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
        row = self._row(path, sample)
        if row is None or not _numeric(row.value) or not row.value.size or row.value.shape == ():
            return _message(path, "There is nothing to compare here.")
        name = self._session.graph.tree.name
        sample = min(sample, row.samples - 1)
        if isinstance(other, int):
            if min(other, row.samples - 1) == sample:
                more = (
                    "Nothing to compare with: give two samples" if row.samples == 1 else "Choose two different samples"
                )
                return _message(path, f"{more}, or compare=other_model.")
            there, names = self._row(path, other), (f"sample {sample}", f"sample {other}")
            second = row.value if there is None else there.value
        else:
            apart_path = paired(self._session.graph, other.graph)[path]
            other.look(apart_path, [sample])
            seen = other.row(apart_path, sample)
            second = row.value if seen is None else self._arranged(path, seen.value[np.newaxis])[0]
            names = (name, f"{other.graph.tree.name} (other)")
        first = row.value
        if first.shape != second.shape:
            return _message(path, f"The shapes differ: {first.shape} and {second.shape}.")
        apart = difference(first, second)
        noun = self.channels(path).channel_label
        figure = comparison_spec(
            path, first, second, apart, names=names, noun=noun, channel=channel, at=_place(selection, first)
        )
        most = ", ".join(
            f"{each} ({number(apart.mean_absolute[each])}{', not finite on one side' if apart.broken[each] else ''})"
            for each in apart.order[:5].tolist()
        )
        alt = f"{path}: {names[0]} beside {names[1]}; {noun}s that differ most, by mean difference: {most}"
        grid = Grid(apart.order, figure["data"][1]["z"].shape[1])
        return Drawing(serialize(figure), alt, lambda: f'<p class="actw-muted">{html.escape(alt, 1500)}</p>', grid=grid)

    def weights(self, path: str, channel: int | None, input_channel: int | None = None) -> Drawing:
        """The weights of a layer."""
        operation = self._session.graph.operations[path]
        self._session.watch([operation] if isinstance(operation, keras.Layer) else [])
        weights = weights_of(operation)
        if not weights:
            return _message(path, "This layer has no weights.")
        # The heads of attention scores are not the channels that the layer's weights belong to.
        belong = self._as_computed(path) and self.channels(path).channel_label != "head"
        divided = channel if belong else None
        chosen = _choosable(weights)[0]
        drawn: dict[str, DrawnWeight] = {}
        key = Key(path, WEIGHTS)
        # Of each weight the drawing, with the input channel that it shows: made anew when that is another one.
        known: dict[str, tuple[int | None, DrawnWeight | str]] = self._kept.get(key) or {}
        made = dict(known)
        for place, (name, weight) in enumerate(weights.items()):
            shown = input_channel if name == chosen else None
            if name not in made or made[name][0] != shown:
                made[name] = shown, _draw_weight(name, weight, shown) if place < MOST else weight_words(weight.values)
            if isinstance(drawing := made[name][1], DrawnWeight):
                drawn[name] = drawing
        if made != known:
            self._kept.put(
                key, made, sum(len(each) if isinstance(each, str) else each.nbytes for _, each in made.values())
            )
        marks = {name: weight.entries_of(divided) for name, weight in weights.items()}
        told = {name: each if isinstance(each, str) else each.words for name, (_, each) in made.items()}
        alt = "; ".join(
            f"{name}: {weight.values.shape}, {f'{weight.note}, ' if weight.note else ''}{told[name]}"
            for name, weight in weights.items()
        )
        figure = drawn_weights_spec(path, drawn, marks, more=len(weights) - len(drawn))
        own = [weight.channels for weight in weights.values() if weight.channels is not None]
        grid = Grid(np.flatnonzero(np.bincount(np.concatenate(own)))) if own and belong else None
        return Drawing(serialize(figure), f"{path}, weights: {alt}", grid=grid)

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
        if shape is None or None in shape[1:] or self._session.batch.lengths:
            row = self._row(path)
            return () if row is None or kind_of(row.value.shape, row.value.dtype) != kind else row.value.shape
        if len(shape) < 4 or node.dtype in {"bool", "string"}:
            return ()
        # Some layers divide their output along another axis than the last; from here on it is the last.
        known = tuple(int(length or 0) for length in shape[1:])
        shape = self.channels(path).moved_last(np.broadcast_to(np.float32(0), (1, *known))).shape
        return tuple(map(int, shape[1:])) if kind_of(tuple(shape[1:]), np.float32) == kind else ()

    def columns(self, path: str) -> dict[str, Any] | None:
        """The numbers of each channel over the whole batch, by name; `None` where there are none."""
        if (numbers := self.statistics(path)) is None:
            return None
        each, meaning = numbers.per_channel, self._meanings[path]
        found: dict[str, Any] = {self.channels(path).channel_label: np.arange(numbers.channels)}
        if meaning == "flags":
            return found | {"true %": 100 * (1 - np.asarray(each.zeros))}
        found |= {"minimum": each.minimum, "mean": each.mean, "maximum": each.maximum, "std": each.standard_deviation}
        found["zeros %"] = 100 * np.asarray(each.zeros)
        if meaning == "names":
            return {name: column for name, column in found.items() if name not in {"mean", "std"}}
        if each.saturated is not None:
            found["saturated %"] = 100 * np.asarray(each.saturated)
        dead = {"dead?": each.dead} if meaning == "activations" else {}
        rare = {**dead, "constant?": each.constant, "NaN": each.nan, "infinite": each.infinite}
        return found | {name: values for name, values in rare.items() if np.any(values)}

    def overlay(
        self, path: str, channel: int | None, sample: int, position: tuple[int, int] | None, sort: str = "index"
    ) -> Drawing:
        """One channel, or the mean over all, over the picture that `picture_of` tells; with a position, what that sees.

        Arrow keys go through the channels in the order that `sort` names.

        Raises:
            CaptureError: The forward pass failed.
        """
        graph, batch = self._session.graph, self._session.batch
        row = self._row(path, sample) if self._sample_shape(path, "maps") else None
        if batch is None or row is None:
            return _message(path, "This layer gives no feature map that could be laid over the input.")
        if (index := self.picture_of(path)) is None:
            return _message(path, "This layer depends on no input that is a picture.")
        pixels = batch.samples[index][sample]
        order = np.arange(row.value.shape[-1])
        if sort != "index":
            order = channel_order(self._of_sample(path, row, sample), sort)
        values = row.value.mean(axis=-1, dtype=np.float32) if channel is None else row.value[..., channel]
        position = position if self._as_computed(path) else None
        field = field_of(graph, path, position or (0, 0), input_index=index) if self._as_computed(path) else None
        box = place = None
        if field is not None and field.axes == (1, 2):  # as the picture is drawn, whatever the layers make of its axes
            rows, columns = field.spans
            box = None if position is None else (rows[0], columns[0], rows[1], columns[1])
            if field.spacing is not None:
                down, across = field.spacing
                place = Placement(down.first, across.first, down.step, across.step)
        noun, source = self.channels(path).channel_label, self._called(index)
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
        return Drawing(serialize(figure), alt, lambda: self._tell(path), grid=Grid(order))

    def draw(self, selection: Selection) -> Drawing:
        """The figure of one selection.

        Raises:
            CaptureError: The forward pass failed.
        """
        key = Key(selection.path, DRAWING, selection)
        if (kept := self._kept.get(key)) is not None:
            return cast("Drawing", kept)
        drawing = self._draw(selection)
        self._kept.put(key, drawing, drawing.nbytes, self._base(selection.path, selection.sample))
        return drawing

    def _base(self, path: str, sample: int) -> Key | None:
        """What pictures and figures of a sample hold in memory: without it they would keep it there."""
        if self._session.batch is None or self._session.graph.nodes[path].origin == "opaque":
            return None
        return Key(path, WHOLE) if self._session.fits(path) else Key(path, ROW, sample)

    def _draw(self, selection: Selection) -> Drawing:
        path, channel, sample = selection.path, selection.channel, selection.sample
        node = self._session.graph.nodes[path]
        if node.origin == "opaque":
            return _message(path, f"Can't be captured: it {node.reason}.")
        try:
            row = self._row(path, sample)
        except NotCapturableError as error:  # an optional input that was left out, a layer that this batch passes by
            return _message(path, str(error))
        if row is None:
            return _message(path, "Give inputs to see activations.")
        value, sample = row.value, min(sample, row.samples - 1)
        if not value.size:
            return _message(path, "This activation holds no values.")
        if self._is_read(path, row, sample):
            return self._read(path, row, sample, channel)
        counting = _BESIDE.submit(self._histogram, value, channel, path)
        numbers = self._of_sample(path, row, sample)
        noun = self.channels(path).channel_label
        drawn = self._picture(row, numbers, selection)
        view = View(
            title=path,
            picture=drawn,
            numbers=numbers,
            histogram=counting.result(),
            channel=channel,
            order_name=selection.sort,
            sample=sample if row.samples > 1 else None,
            class_names=self._names(path),
            binary=self._binary and self._is_output(path),
            noun=noun,
            tokens=self._step_names(path, sample),
            label=self._labels[sample] if self._labels is not None and self._is_output(path) else None,
            mask=row.mask if drawn.kind == "sequence" else None,
        )
        spec = serialize(activation_spec(view))
        grid = Grid(drawn.order, 1 if drawn.tiles is None else drawn.tiles.columns)
        return Drawing(spec, _alt(view, noun), lambda: self._tell(path), grid=grid)

    def _is_read(self, path: str, row: Row, sample: int) -> bool:
        """Whether what a layer gives is read rather than seen."""
        value = row.value
        one_each = value.ndim == 0 and row.samples > 1
        return not _numeric(value) or value.dtype == bool or one_each or self._names_things(path, value, sample)

    def _read(self, path: str, row: Row, sample: int, channel: int | None) -> Drawing:
        """What is read rather than seen: texts, flags, one number a sample."""
        own, is_numeric = row.value, _numeric(row.value)

        def tell() -> str:
            return self._tell(path) if is_numeric else ""

        shown = ", ".join(repr(item) for item in np.ravel(own)[:20].tolist())
        if own.ndim == 0 and row.samples > 1 and is_numeric:
            value = np.asarray(self._session.value(path))
            binary = self._binary and self._is_output(path)
            meaning = f"probability of {self._class_names[1] if self._class_names else 'class 1'}" if binary else ""
            figure = scalar_spec(path, value, sample=sample, meaning=meaning or "activation")
            alt = f"{path}: one number a sample{meaning and f', the {meaning}'}, {shown} for sample {sample}"
            return Drawing(serialize(figure), alt, tell, ("sample",), Grid(np.arange(len(value)), of="sample"))
        figure = values_spec(path, own, number_of=sample if row.samples > 1 else None, channel=channel)
        drawn = own.ndim > 1 and figure["data"][0]["type"] != "table"
        needs = ("sample", "channel") if drawn and own.ndim == 3 and own.shape[-1] > 1 else ("sample",)
        # Of the channels of a picture one is drawn, of a sequence all, as columns.
        grid = Grid(np.arange(own.shape[-1])) if drawn else None
        return Drawing(serialize(figure), f"{path}: {shown}", tell, needs, grid)

    @property
    def knows_predictions(self) -> bool:
        """Whether `prediction` answers at once."""
        return Key("", ANSWERS) in self._kept or self._session.holds(self._session.graph.output)

    def prediction(self, sample: int) -> tuple[str, float]:
        """The model's top class for a sample and its probability; `("", 0.0)` where the output is no distribution.

        Of a single sigmoid unit the classes are 0 and 1, and it gives the probability of the second. The answers are of
        all samples where the model's output keeps to the budget, else of this one alone.
        """
        (tops, probabilities), place = self._answers(sample)
        if not len(tops) or math.isnan(probabilities[place]):
            return "", 0.0
        top = int(tops[place])
        return (self._class_names[top] if self._class_names else f"class {top}"), float(probabilities[place])

    def _answers(self, sample: int) -> tuple[tuple[Array, Array], int]:
        """What `_answers_of` gives of the model's output, and at which place a sample stands in it."""
        path, session = self._session.graph.output, self._session
        fits = session.batch is None or not path or session.fits(path)
        key, place = (Key("", ANSWERS), sample) if fits else (Key("", ANSWERS, sample), 0)
        if (answers := self._kept.get(key)) is None:
            answers = _answers_of(self._output(None if fits else sample), binary=self._binary)
            self._kept.put(key, answers, sum(each.nbytes for each in answers))
        return answers, place

    def thumbnail(self, sample: int) -> str | None:
        """A small picture of a sample as a data URI; `None` where none of the model's inputs is a picture."""
        if not (pictures := self._input_pictures()):
            return None
        key = Key("", "thumbnail", sample)
        if (uri := self._kept.get(key)) is None and (uri := thumbnail_png(next(iter(pictures.values()))[sample])):
            self._kept.put(key, uri, len(uri))
        return cast("str | None", uri)

    def picture_of(self, path: str) -> int | None:
        """Which input a layer is laid over, as `keras.tree.flatten` counts them; `None` where there is none.

        It is the first picture that the layer depends on, or, where that is not known, the first of all.
        """
        behind = inputs_behind(self._session.graph, path)
        return next((index for index in self._input_pictures() if behind is None or index in behind), None)

    def _input_pictures(self) -> dict[int, Array]:
        """The inputs that are pictures."""
        inputs = [] if self._session.batch is None else self._session.batch.samples
        given = {index: each for index, each in enumerate(inputs) if each is not None}
        return {index: each for index, each in given.items() if is_picture(each.shape[1:], each.dtype)}

    def _called(self, index: int) -> str:
        """What an input is called where there are others."""
        if self._session.batch is None or len(self._session.batch.samples) == 1:
            return "the input"
        names = self._session.graph.input_names
        return f"input {short(names[index], 40) if names else index}"

    def _output(self, sample: int | None) -> Array | None:
        """The model's output of all samples or one, where it is a vector a sample or the probability of two classes."""
        shape = self._session.graph.tree.output_shape
        if shape is None or (not self._binary and (len(shape) != 2 or shape[1] in {None, 1})):
            return None
        path = self._session.graph.output
        if not path:
            return None
        try:
            if sample is None:
                value = self._session.value(path)
            else:
                row = self._session.row(path, sample)
                value = None if row is None else row.value[np.newaxis]
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
        given, own = np.asarray(batch.samples[0]), self._tokens[sample]
        return own[: given.shape[1]] if given.ndim in {2, 3} and _numeric(given) else own

    def _is_output(self, path: str) -> bool:
        return path == self._session.graph.output

    def _picture(self, row: Row, numbers: Statistics, selection: Selection) -> Picture:
        selection = replace(selection, sample=min(selection.sample, row.samples - 1), channel=None)
        key, values = Key(selection.path, PICTURE, selection), row.value
        if (drawn := self._kept.get(key)) is None:
            order = channel_order(numbers, selection.sort)
            scaling = cast("Scaling", selection.scaling)
            drawn = picture(values, numbers, order, scaling, at=_place(selection, values))
            pixels = 0 if drawn.tiles is None else drawn.tiles.pixels.nbytes
            own = 0 if drawn.values.base is not None else drawn.values.nbytes
            base = self._base(selection.path, selection.sample)
            self._kept.put(key, drawn, len(drawn.uri) + drawn.order.nbytes + pixels + own, base)
        return cast("Picture", drawn)

    def _histogram(self, values: Array, channel: int | None, path: str) -> Histogram:
        bounds = self._bounds(path)
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
        kernel = None if weight.depthwise else weight.kernel
        if kernel is not None and kernel.ndim > 2 and kernel.shape[-2] > 1:
            return name, kernel.shape[-2]
    return "", 1


def _draw_weight(name: str, weight: Weight, input_channel: int | None) -> DrawnWeight:
    picture, told = _as_pictures(weight, input_channel)
    return draw_weight(name, weight.values, picture, ", ".join(text for text in (weight.note, told) if text))


def _as_pictures(weight: Weight, input_channel: int | None) -> tuple[Array | None, str]:
    """What is drawn of a weight of three and more axes, and what is said of that."""
    kernel = weight.kernel
    if kernel is None:
        shown = unknown_pictures(weight.values)
    elif kernel.ndim == 2 < weight.values.ndim:
        return kernel, f"as a matrix of {kernel.shape[0]} × {kernel.shape[1]}"
    else:
        shown = kernel_pictures(kernel, input_channel=input_channel, depthwise=weight.depthwise, groups=weight.groups)
    return (None, "") if shown is None else (shown.values, shown.words)


def _numeric(value: Array) -> bool:
    return is_numeric(value.dtype)


def _names(value: Array) -> bool:
    """Whether a sample's integers name things: steps by tokens, pixels by classes; a picture of bytes measures."""
    if value.dtype.kind not in "iu":
        return False
    one_map = value.ndim == 2 or (value.ndim == 3 and value.shape[-1] == 1)
    return value.ndim == 1 or (one_map and categories(value) is not None)


def _answers_of(output: Array | None, *, binary: bool) -> tuple[Array, Array]:
    """Of each sample the top class, and its probability: NaN where the output is no distribution."""
    if output is None:
        return np.empty(0, np.intp), np.empty(0)
    rows = output.astype(np.float64)
    if binary:
        rows = np.stack([1 - rows.ravel(), rows.ravel()], axis=1)
    with np.errstate(all="ignore"):
        is_distribution = np.isfinite(rows).all(axis=1) & (rows.min(axis=1) >= 0) & (abs(rows.sum(axis=1) - 1) <= 1e-2)
    tops = rows.argmax(axis=1)
    return tops, np.where(is_distribution, rows[np.arange(len(rows)), tops], np.nan)


def _size_of(numbers: Statistics) -> int:
    """About how many bytes the numbers of a layer take."""
    return 400 + sum(int(each.nbytes) for each in vars(numbers.per_channel).values() if each is not None)


def _alt(view: View, noun: str) -> str:
    numbers = view.numbers
    mean = f", mean {number(numbers.mean)}" if math.isfinite(numbers.mean) else ""
    values = f"values {between(numbers.minimum, numbers.maximum)}{mean}, {percent(numbers.zeros)} zeros"
    text = f"{view.title}: {numbers.channels} {noun}s, {values}"
    return text if view.channel is None else f"{text}; {noun} {view.channel} close up"
