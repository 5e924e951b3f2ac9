"""`LayerData`: everything that a view can ask about one layer. Views get nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from actwidget.analysis.axes import depths
from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.access.cache import Key
from actwidget.capture.access.compare import paired
from actwidget.capture.semantics.channel_axis import ChannelAxis, keeps_steps
from actwidget.capture.semantics.receptive_field import Field, field_of
from actwidget.capture.semantics.weights import Weight, weights_of
from actwidget.errors import NotCapturableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actwidget.analysis.histogram import Histogram
    from actwidget.analysis.meaning import Meaning
    from actwidget.analysis.statistics import Statistics
    from actwidget.capture.run.batch_parts import Row
    from actwidget.capture.structure.node import LayerNode
    from actwidget.explorer.layer_values import Array
    from actwidget.explorer.network.network import Network
    from actwidget.explorer.sources import Sources


class InputPicture(NamedTuple):
    """An input to overlay a layer on: its pixels, shape `(height, width, 1 or 3)`, its index and its name."""

    pixels: Array
    place: int
    name: str


@dataclass(frozen=True, eq=False)
class LayerData:
    """One layer and one sample. What needs a forward pass or a count is computed when it is first read.

    Attributes:
        sources: The objects that compute the data.
        path: The layer's path.
        sample: The index of the sample in the batch.
    """

    sources: Sources
    path: str
    sample: int

    # Known from the tree and the batch.

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
        """The number of samples in the batch; 1 without inputs."""
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
        """The number of channels; the model runs if the shape leaves it open."""
        if self.node.origin == "opaque":
            return 1
        shape = self.node.output_shape
        count = None if shape is None else self.channel_axis.count(shape)
        if count is None and (row := self.row) is not None:
            count = (row.value.shape or (1,))[-1]
        return 1 if count is None else count

    @property
    def has_ambiguous_channels(self) -> bool:
        """Whether another axis might hold the channels; most layers of maps and volumes declare which one does."""
        rank = len(self.node.output_shape or ())
        return rank == 3 or (rank > 3 and not self.channel_axis.is_explicit)

    @property
    def is_read_as_computed(self) -> bool:
        """Whether the channel axis in use is the one along which the layer computes its channels."""
        return self.sources.values.is_read_as_computed(self.path)

    @property
    def is_output(self) -> bool:
        """Whether it is the model's output; if it has several, the first one."""
        return self.path == self.sources.session.graph.output

    @property
    def class_names(self) -> Sequence[str] | None:
        """The class names of its units, if it is the model's output and the user has given names."""
        return self.sources.annotations.class_names or None if self.is_output else None

    @property
    def is_binary(self) -> bool:
        """Whether its one unit is the probability of the second of two classes."""
        return self.is_output and self.sources.annotations.is_binary

    # The values of the sample.

    @cached_property
    def missing(self) -> str | None:
        """Why there are no values to show, in words; `None` if there are some."""
        if self.node.origin == "opaque":
            return f"Can't be captured: it {self.node.reason}."
        try:
            row = self.row
        except NotCapturableError as error:  # an optional input that was left out, a layer not called for this batch
            return str(error)
        if row is None:
            return "Give inputs to see activations."
        return None if row.value.size else "This activation holds no values."

    @cached_property
    def row(self) -> Row | None:
        """The layer's activation for the sample, channels last, with its mask; `None` without inputs.

        Raises:
            NotCapturableError: The layer was not called for this batch.
            MemoryBudgetError: The activation is larger than the byte budget and can't be computed part by part.
            CaptureError: The forward pass failed.
        """
        return self.sources.measurements.row(self.path, self.sample)

    @property
    def value(self) -> Array:
        """The values of the sample, shape `(..., channels)`; valid only while `missing` is `None`."""
        return np.asarray(None) if self.row is None else self.row.value

    @property
    def samples(self) -> int:
        """The number of samples in the activation; 1 if it has no batch axis, and `value` is all of it."""
        return 1 if self.row is None else self.row.samples

    @property
    def own_sample(self) -> int:
        """The index of the sample in the activation; 0 if the activation has no batch axis."""
        return min(self.sample, self.samples - 1)

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return is_numeric(self.value.dtype)

    @property
    def is_read(self) -> bool:
        """Whether the values are shown as text, not as a picture: strings, flags, ids, or one number per sample."""
        value = self.value
        is_one_number = value.ndim == 0 and self.samples > 1
        if not self.is_numeric or value.dtype == bool or is_one_number:
            return True
        return self.sources.values.names_things(self.path, value, self.own_sample)

    @property
    def tokens(self) -> Sequence[str] | None:
        """The sample's tokens, cut to the length of the input; `None` if the layer does not keep the order of steps."""
        batch, tokens = self.sources.session.batch, self.sources.annotations.tokens
        if tokens is None or batch is None or not keeps_steps(self.sources.session.graph, self.path):
            return None
        given, own = np.asarray(batch.samples[0]), tokens[self.own_sample]
        return own[: given.shape[1]] if given.ndim in {2, 3} and is_numeric(given.dtype) else own

    @property
    def label(self) -> int | None:
        """The true class of the sample, if the layer is the model's output and labels were given."""
        labels = self.sources.annotations.labels
        return labels[self.own_sample] if labels is not None and self.is_output else None

    def of_sample(self, sample: int) -> LayerData:
        """The same layer for another sample."""
        return LayerData(self.sources, self.path, sample)

    # Statistics.

    @cached_property
    def sample_statistics(self) -> Statistics:
        """The statistics of the sample."""
        if (row := self.row) is None:
            raise NotCapturableError(self.missing or "")
        return self.sources.measurements.of_sample(self.path, row, self.own_sample)

    @property
    def statistics(self) -> Statistics | None:
        """The statistics over the whole batch, or over the scan; `None` if the values are not numbers.

        Raises:
            MemoryBudgetError: The activation is larger than the byte budget and can't be computed part by part.
            CaptureError: The forward pass failed.
        """
        return self.sources.numbers.of(self.path) if self.row is not None and self.is_numeric else None

    @property
    def meaning(self) -> Meaning:
        """What the values stand for; they are counted to find it out."""
        return self.sources.measurements.meaning(self.path)

    @property
    def batch_values(self) -> Array:
        """The values of all samples."""
        return np.asarray(self.sources.session.value(self.path))

    def histogram(self, channel: int | None, within: tuple[float, float] | None = None) -> Histogram:
        """The histogram of the sample's values, or of those within a range, together with that of one channel."""
        return self.sources.measurements.histogram(self.path, self.value, channel, within)

    # Volumes, feature maps, and the input picture below them.

    def _sample_shape(self, kind: str) -> tuple[int, ...]:
        return self.sources.values.sample_shape(self.path, kind, lambda: self.row)

    @property
    def slice_lengths(self) -> tuple[int, ...]:
        """The lengths of the axes along which volumes are cut into slices; empty if the layer gives no volumes."""
        return depths(self._sample_shape("volume"))

    @property
    def slice_count(self) -> int:
        """The number of slices to choose from; 1 if the layer gives no volumes."""
        return math.prod(self.slice_lengths) or 1

    @property
    def middle_slice(self) -> int:
        """The slice that is shown if none is chosen."""
        lengths = self.slice_lengths
        return int(np.ravel_multi_index([(length - 1) // 2 for length in lengths], lengths)) if all(lengths) else 0

    def slice_at(self, number: int | None) -> tuple[int, ...] | None:
        """The index of a slice along each axis that is cut; `None` stands for the middle slice."""
        if number is None:
            return None
        return tuple(map(int, np.unravel_index(number, self.slice_lengths)))

    @property
    def has_maps(self) -> bool:
        """Whether the layer gives feature maps."""
        return bool(self._sample_shape("maps"))

    @property
    def map_size(self) -> tuple[int, int]:
        """The rows and columns of its feature maps; zeros without maps, or if the user chose another channel axis."""
        shape = self._sample_shape("maps") if self.is_read_as_computed else ()
        return (shape[0], shape[1]) if shape else (0, 0)

    @property
    def has_input_pictures(self) -> bool:
        """Whether any input of the model is a picture, even one that the layer does not depend on."""
        return bool(self.sources.pictures.all())

    @cached_property
    def picture(self) -> InputPicture | None:
        """The input picture that the layer depends on; `None` if there is none."""
        batch, index = self.sources.session.batch, self.sources.pictures.seen_by(self.path)
        if batch is None or index is None:
            return None
        return InputPicture(batch.samples[index][self.sample], index, self.sources.pictures.name(index))

    @cached_property
    def middle_field(self) -> Field | None:
        """The region of its picture that the value in the middle of a map depends on.

        `None` without maps or a picture, or if the region can't be computed or is none of rows and columns.
        """
        rows, columns = self.map_size
        if not rows or not columns or self.picture is None:
            return None
        field = self.receptive_field((rows // 2, columns // 2), self.picture.place)
        return field if field is not None and field.axes == (1, 2) else None

    def receptive_field(self, position: tuple[int, int], input_index: int) -> Field | None:
        """The region of an input that one position of its feature maps depends on; `None` if it can't be computed."""
        if not self.is_read_as_computed:
            return None
        return field_of(self.sources.session.graph, self.path, position, input_index=input_index)

    # Weights.

    @cached_property
    def weights(self) -> dict[str, Weight]:
        """The layer's weights by name. From now on `Session.refresh` notices when they are written."""
        operation = self.sources.session.graph.operations[self.path]
        if getattr(operation, "weights", None):
            self.sources.session.watch([operation])
        return weights_of(operation)

    @property
    def kernel(self) -> tuple[str, int]:
        """The first kernel of maps with several input channels, and their number; `("", 1)` if there is none."""
        for name, weight in self.weights.items():
            kernel = None if weight.depthwise else weight.kernel
            if kernel is not None and math.prod(kernel.shape[:-2]) > 1 and kernel.shape[-2] > 1:
                return name, kernel.shape[-2]
        return "", 1

    # The comparison, and the whole network.

    @property
    def has_other_model(self) -> bool:
        """Whether there is another model to compare with."""
        return self.sources.other is not None

    @property
    def comparable_samples(self) -> int:
        """The number of samples to choose from for a comparison; 1 if it is with another model."""
        return 1 if self.has_other_model else self.batch_size

    @property
    def other_model_name(self) -> str:
        """The name of the model to compare with; `""` if there is none."""
        return "" if self.sources.other is None else self.sources.other.graph.tree.name

    def of_other_model(self) -> Array | None:
        """The values of the same layer and sample in the model to compare with, in the layout of `value`.

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
    def whole_network(self) -> Network:
        """What can be asked about all layers together."""
        return self.sources.network

    # Results that views keep in the cache.

    def remembered(self, kind: str) -> Any:
        """What `keep` has stored for the layer under `kind`; `None` if nothing is stored."""
        return self.sources.session.kept.get(Key(self.path, kind))

    def keep(self, kind: str, value: Any, nbytes: int) -> None:
        """Stores something for the layer under `kind`, within the byte budget, until the weights change."""
        self.sources.session.kept.put(Key(self.path, kind), value, nbytes)

    def remember(self, kind: str, of: Any, make: Callable[[], Any], nbytes: Callable[[Any], int]) -> Any:
        """The cached result of `make`, which is called if the cache has none. It goes when the sample's values go.

        Args:
            kind: The kind of result, part of the cache key.
            of: What the result depends on besides the layer; has to be hashable.
            make: Computes the result from the sample's values.
            nbytes: Gives the size of a result in bytes.
        """
        kept, key = self.sources.session.kept, Key(self.path, kind, of)
        if (result := kept.get(key)) is None:
            result = make()
            kept.put(key, result, nbytes(result), self.sources.values.base(self.path, self.own_sample))
        return result
