"""`LayerData`: everything that is known of one layer. Views get it and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.access.cache import Key
from actwidget.capture.access.compare import paired
from actwidget.capture.semantics.channel_axis import ChannelAxis, keeps_steps
from actwidget.capture.semantics.receptive_field import Field, field_of
from actwidget.capture.semantics.weights import Weight, weights_of
from actwidget.errors import NotCapturableError
from actwidget.figures.weights import MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actwidget.analysis.histogram import Histogram
    from actwidget.analysis.meaning import Meaning
    from actwidget.analysis.statistics import Statistics
    from actwidget.analysis.summary import Summary
    from actwidget.capture.access.session import Session
    from actwidget.capture.run.batch_parts import Row
    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.annotations import Annotations
    from actwidget.explorer.input_pictures import InputPictures
    from actwidget.explorer.layer_values import Array, LayerValues
    from actwidget.explorer.measurements import Measurements


class InputPicture(NamedTuple):
    """An input that a layer can be laid over: its pixels, shape `(height, width, 1 or 3)`, its place and its name."""

    pixels: Array
    place: int
    name: str


@dataclass(frozen=True, eq=False)
class Sources:
    """Where what is known of a layer comes from.

    Attributes:
        session: Activations.
        values: The same with their channels last.
        measurements: Statistics.
        pictures: The inputs that are pictures.
        annotations: What a person has said about classes, labels and tokens.
        other: The model that is compared with, on the same batch.
    """

    session: Session
    values: LayerValues
    measurements: Measurements
    pictures: InputPictures
    annotations: Annotations
    other: Session | None = None


@dataclass(frozen=True, eq=False)
class LayerData:
    """One layer, looked at for one sample. What takes a forward pass or a count is found out when it is first read.

    Attributes:
        sources: Where all of it comes from.
        path: The layer's path.
        sample: The number of the sample that was asked for.
    """

    sources: Sources
    path: str
    sample: int

    # What the tree and the batch tell.

    @property
    def node(self) -> LayerNode:
        """The node of the tree."""
        return self.sources.session.graph.nodes[self.path]

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self.sources.session.graph.tree.name

    @property
    def batch_size(self) -> int:
        """How many samples were given; 1 where none were."""
        batch = self.sources.session.batch
        return 1 if batch is None else batch.size

    @cached_property
    def channel_axis(self) -> ChannelAxis:
        """Which axis holds the channels, and what a channel is called."""
        return self.sources.values.channel_axis(self.path)

    @property
    def channel_label(self) -> str:
        """What a channel is called: `"channel"`, `"unit"` or `"head"`."""
        return self.channel_axis.channel_label

    @cached_property
    def channel_count(self) -> int:
        """How many channels there are; where the shape is open the model runs to find out."""
        if self.node.origin == "opaque":
            return 1
        shape = self.node.output_shape
        count = None if shape is None else self.channel_axis.count(shape)
        if count is None and (row := self.row) is not None:
            count = (row.value.shape or (1,))[-1]
        return 1 if count is None else count

    @property
    def has_ambiguous_channels(self) -> bool:
        """Whether another axis might hold the channels; of maps and volumes most layers say which one does."""
        rank = len(self.node.output_shape or ())
        return rank == 3 or (rank > 3 and not self.channel_axis.is_explicit)

    @property
    def is_read_as_computed(self) -> bool:
        """Whether the channels are read from the axis along which the layer computes."""
        return self.sources.values.is_read_as_computed(self.path)

    @property
    def is_output(self) -> bool:
        """Whether it is the model's output, the first of several."""
        return self.path == self.sources.session.graph.output

    @property
    def class_names(self) -> Sequence[str] | None:
        """The names of its units, where they are classes that a person has named."""
        return self.sources.annotations.class_names or None if self.is_output else None

    @property
    def is_binary(self) -> bool:
        """Whether its one unit is the probability of the second of two classes."""
        return self.is_output and self.sources.annotations.is_binary

    # The values of the sample.

    @cached_property
    def missing(self) -> str | None:
        """Why there are no values to look at, in words; `None` where there are."""
        if self.node.origin == "opaque":
            return f"Can't be captured: it {self.node.reason}."
        try:
            row = self.row
        except NotCapturableError as error:  # an optional input that was left out, a layer that this batch passes by
            return str(error)
        if row is None:
            return "Give inputs to see activations."
        return None if row.value.size else "This activation holds no values."

    @cached_property
    def row(self) -> Row | None:
        """What the layer gives for the sample, with its mask, channels last; `None` without inputs.

        Raises:
            NotCapturableError: The layer was not called for this batch.
            MemoryBudgetError: The activation is larger than the byte budget and can only be had as a whole.
            CaptureError: The forward pass failed.
        """
        return self.sources.measurements.row(self.path, self.sample)

    @property
    def value(self) -> Array:
        """The values of the sample, shape `(..., channels)`; only where nothing is `missing`."""
        return np.asarray(None) if self.row is None else self.row.value

    @property
    def samples(self) -> int:
        """How many samples the activation has: 1 where it has no such axis, and `value` is all of it."""
        return 1 if self.row is None else self.row.samples

    @property
    def own_sample(self) -> int:
        """The number of the sample among those that the activation has."""
        return min(self.sample, self.samples - 1)

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return is_numeric(self.value.dtype)

    @property
    def is_read(self) -> bool:
        """Whether the values are read rather than seen: texts, flags, names of things, one number a sample."""
        value = self.value
        one_each = value.ndim == 0 and self.samples > 1
        if not self.is_numeric or value.dtype == bool or one_each:
            return True
        return self.sources.values.names_things(self.path, value, self.own_sample)

    @property
    def tokens(self) -> Sequence[str] | None:
        """The tokens of the sample, less those its steps have no room for, where the layer keeps their order."""
        batch, tokens = self.sources.session.batch, self.sources.annotations.tokens
        if tokens is None or batch is None or not keeps_steps(self.sources.session.graph, self.path):
            return None
        given, own = np.asarray(batch.samples[0]), tokens[self.own_sample]
        return own[: given.shape[1]] if given.ndim in {2, 3} and is_numeric(given.dtype) else own

    @property
    def label(self) -> int | None:
        """The true class of the sample, where the layer is the output and it is known."""
        labels = self.sources.annotations.labels
        return labels[self.own_sample] if labels is not None and self.is_output else None

    def of_sample(self, sample: int) -> LayerData:
        """The same layer, looked at for another sample."""
        return LayerData(self.sources, self.path, sample)

    # What is counted.

    @property
    def sample_statistics(self) -> Statistics:
        """The statistics of the sample."""
        if (row := self.row) is None:
            raise NotCapturableError(self.missing or "")
        return self.sources.measurements.of_sample(self.path, row, self.own_sample)

    @property
    def statistics(self) -> Statistics | None:
        """The statistics over the whole batch; `None` where the values are no numbers.

        Raises:
            MemoryBudgetError: The activation is larger than the byte budget and can only be had as a whole.
            CaptureError: The forward pass failed.
        """
        return self.sources.measurements.of_batch(self.path) if self.row is not None and self.is_numeric else None

    @property
    def meaning(self) -> Meaning:
        """What the values stand for; it is known once `statistics` are."""
        return self.sources.measurements.meaning(self.path)

    @property
    def batch_values(self) -> Array:
        """The values of all samples."""
        return np.asarray(self.sources.session.value(self.path))

    def histogram(self, channel: int | None) -> Histogram:
        """The distribution of the sample's values, with those of one channel beside it."""
        return self.sources.measurements.histogram(self.path, self.value, channel)

    # Volumes, maps, and what lies under them.

    @property
    def slice_lengths(self) -> tuple[int, ...]:
        """The lengths of the axes along which volumes are cut into slices; empty where the layer gives none."""
        return self.sources.values.slice_lengths(self.path, self.sample)

    @property
    def slice_count(self) -> int:
        """How many slices of its volumes there are to choose from; 1 where it gives none."""
        return math.prod(self.slice_lengths) or 1

    @property
    def middle_slice(self) -> int:
        """The slice that is shown where none is chosen."""
        lengths = self.slice_lengths
        return int(np.ravel_multi_index([(length - 1) // 2 for length in lengths], lengths)) if all(lengths) else 0

    def slice_at(self, number: int | None) -> tuple[int, ...] | None:
        """Where a slice lies along each axis that is cut; `None` for the middle one."""
        if number is None:
            return None
        return tuple(map(int, np.unravel_index(number, self.slice_lengths)))

    @property
    def has_maps(self) -> bool:
        """Whether the layer gives feature maps."""
        return bool(self.sources.values.sample_shape(self.path, "maps", self.sample))

    @property
    def map_size(self) -> tuple[int, int]:
        """The rows and columns of its feature maps; zeros where it gives none, or is read along another axis."""
        shape = self.sources.values.sample_shape(self.path, "maps", self.sample) if self.is_read_as_computed else ()
        return (shape[0], shape[1]) if shape else (0, 0)

    @property
    def has_input_pictures(self) -> bool:
        """Whether an input of the model is a picture, be it one that the layer depends on or not."""
        return bool(self.sources.pictures.all())

    @property
    def picture(self) -> InputPicture | None:
        """The input picture that it depends on; `None` where there is none."""
        batch, index = self.sources.session.batch, self.sources.pictures.seen_by(self.path)
        if batch is None or index is None:
            return None
        return InputPicture(batch.samples[index][self.sample], index, self.sources.pictures.name(index))

    def receptive_field(self, position: tuple[int, int], input_index: int) -> Field | None:
        """What of an input one position of its maps depends on; `None` where that can't be computed."""
        if not self.is_read_as_computed:
            return None
        return field_of(self.sources.session.graph, self.path, position, input_index=input_index)

    # Weights.

    @cached_property
    def weights(self) -> dict[str, Weight]:
        """The layer's weights by name; from now on it is noticed when they are written."""
        operation = self.sources.session.graph.operations[self.path]
        if getattr(operation, "weights", None):
            self.sources.session.watch([operation])
        return weights_of(operation)

    @property
    def kernel(self) -> tuple[str, int]:
        """The first kernel whose input channels are averaged on show, and how many it has; `("", 1)` without one."""
        for name, weight in list(self.weights.items())[:MOST]:
            if (
                weight.kernel is not None
                and weight.kernel.ndim > 2
                and not weight.depthwise
                and weight.kernel.shape[-2] > 1
            ):
                return name, weight.kernel.shape[-2]
        return "", 1

    @property
    def kernel_input_count(self) -> int:
        """How many input channels its kernel has to choose from; 1 where there is no choice."""
        return self.kernel[1]

    # What it is compared with, and the network around it.

    @property
    def has_other_model(self) -> bool:
        """Whether there is another model to compare with."""
        return self.sources.other is not None

    @property
    def comparable_samples(self) -> int:
        """How many samples there are to compare with, where no other model is."""
        return 1 if self.has_other_model else self.batch_size

    @property
    def other_model_name(self) -> str:
        """The name of the model that is compared with."""
        return "" if self.sources.other is None else self.sources.other.graph.tree.name

    def of_other_model(self) -> Array | None:
        """The values of the same layer and sample in the model that is compared with, channels where they are here.

        Raises:
            CaptureError: The forward pass of the other model failed.
        """
        other = self.sources.other
        if other is None:
            return None
        path = paired(self.sources.session.graph, other.graph)[self.path]
        other.look(path, [self.own_sample])
        row = other.row(path, self.own_sample)
        return None if row is None else self.sources.values.channels_last(self.path, row.value[np.newaxis])[0]

    @property
    def network(self) -> list[Summary]:
        """A line on each layer of the whole network; the model runs where that is needed."""
        return self.sources.measurements.summaries()

    @property
    def left_out_of_network(self) -> list[str]:
        """The layers that `network` has no line on, as they don't fit in the byte budget."""
        return self.sources.measurements.too_large()

    # What is kept.

    def remembered(self, kind: str) -> Any:
        """What is kept of the layer under one word; `None` where nothing is."""
        return self.sources.session.kept.get(Key(self.path, kind))

    def keep(self, kind: str, value: Any, nbytes: int) -> None:
        """Keeps something of the layer under one word, within the byte budget, until its weights or inputs change."""
        self.sources.session.kept.put(Key(self.path, kind), value, nbytes)

    def remember(self, kind: str, of: Any, make: Callable[[], Any], nbytes: Callable[[Any], int]) -> Any:
        """What `make` gives of the sample's values, kept within the byte budget as long as these values are kept.

        Args:
            kind: What it is, the same word for all of its kind.
            of: What it depends on beside the layer; has to be hashable.
            make: Makes it, where it is not kept.
            nbytes: How many bytes it takes.
        """
        kept, key = self.sources.session.kept, Key(self.path, kind, of)
        if (found := kept.get(key)) is None:
            found = make()
            kept.put(key, found, nbytes(found), self.sources.values.base(self.path, self.own_sample))
        return found
