"""`Scan`: what a scan of a data set has found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.histogram import Histogram
from actwidget.analysis.statistics import Statistics
from actwidget.capture.structure.paths import known_path, not_found
from actwidget.errors import ChannelError, MissingPackageError, OptionError, shown
from actwidget.options import index
from actwidget.scanning.counting.found import ByLabel, Example, Skipped
from actwidget.scanning.counting.top_samples import NO_LABEL
from actwidget.scanning.histograms import histogram_of
from actwidget.scanning.identity import differences, of_model
from actwidget.scanning.sample_data import SampleData
from actwidget.scanning.space.kept import Kept
from actwidget.scanning.space.neighbours import Neighbour, neighbours_of
from actwidget.scanning.space.projection import Projection, projection_of
from actwidget.scanning.storage import load, write

if TYPE_CHECKING:
    import keras

    from actwidget.scanning.counting.tally import Tally
    from actwidget.scanning.state import State

Array = npt.NDArray[Any]


class Scan:
    """What was found over all samples of a data set; `actwidget.scan` makes it.

    Paths are those of `layer_tree`. All methods that take one raise a `LayerNotFoundError` for a layer that was not
    scanned.
    """

    def __init__(self, state: State, data: SampleData | None = None) -> None:
        """Wraps what was counted; `scan` and `load_scan` make such objects.

        Args:
            state: What was counted.
            data: The data that was scanned; `None` without it.
        """
        self._state = state
        self._data = SampleData(None, state) if data is None else data
        self._statistics: dict[str, Statistics] = {}

    @property
    def count(self) -> int:
        """How many samples were counted."""
        return self._state.count

    @property
    def complete(self) -> bool:
        """Whether the scan went through all of the data."""
        return self._state.complete

    @property
    def skipped(self) -> list[Skipped]:
        """The batches that were left out, in order."""
        return [Skipped(self._number(start), self._number(start) + size, why) for start, size, why in self._state.skips]

    @property
    def paths(self) -> list[str]:
        """The paths of the layers, in order of execution."""
        return list(self._state.tallies)

    @property
    def data(self) -> Any:
        """The data that was scanned: the same object, not a copy; `None` for a scan from a file."""
        return self._data.data

    @property
    def missing_samples(self) -> str | None:
        """Why `sample` can't give the samples of the data, in words; `None` if it can.

        A scan from a file has no data before `with_data`, and a stream (a `tf.data.Dataset`, a generator) can't be read
        by number.
        """
        return self._data.missing

    def with_data(self, data: Any) -> Scan:
        """The same scan with the data that was scanned, of which a file holds nothing, so that samples can be shown.

        Args:
            data: The same samples in the same order: arrays, a `PyDataset`, or a list of shards, as for `scan`. Of a
                scan of a stream it can be an array with the samples of all batches.

        Returns:
            A scan that refers to the data and to the same counts.

        Raises:
            ScanError: There are more or fewer samples than were scanned.

        Example:
            >>> import keras, numpy as np
            >>> from actwidget import scan
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="hidden")])
            >>> x = np.arange(8.0).reshape(4, 2)
            >>> found = scan(model, iter([x]), progress=False).with_data(x)
            >>> found.sample(3)
            array([[6., 7.]])
        """
        given = SampleData(data, self._state)
        given.check()
        return Scan(self._state, given)

    def sample(self, number: int) -> Any:
        """A sample of the data as a batch of one, which the model and `LayerExplorer` take.

        Args:
            number: Its number, as in `top` and `features`.

        Returns:
            An array of shape `(1, ...)`, or a list or dict of such arrays.

        Raises:
            ScanError: It can't be read; see `missing_samples`.
            SampleError: There is no such sample.
        """
        return self._data.inputs(number)

    def differences(self, model: keras.Model) -> list[str]:
        """What tells a model from the one that was scanned, in words: `"another model"`, `"other weights"`.

        Layers are compared by their settings, not by their names, and weights bit by bit.

        Args:
            model: A Keras model.

        Returns:
            Empty if it is the same.
        """
        return differences(self._state.identity, of_model(model))

    @property
    def statistics(self) -> Mapping[str, Statistics]:
        """The statistics of each layer over all samples, by path, in order of execution."""
        if not self._statistics:
            self._statistics = {path: tally.statistics() for path, tally in self._state.tallies.items()}
        return dict(self._statistics)

    @property
    def quantile_error(self) -> float:
        """How wrong the rank of a quantile may be, as a share of all values: at most 0.03, with 99 % certainty.

        It is KLL's rank error, and where a random share of the values was drawn that of the draw.
        """
        return max((tally.quantiles.error() for tally in self._state.tallies.values()), default=0.0)

    def quantiles(self, path: str, q: Any, *, channel: int | None = None) -> Any:
        """Quantiles of a layer's finite values, or of one channel's.

        Args:
            path: The layer.
            q: A share from 0 to 1, or several.
            channel: The channel; `None` for all values.

        Returns:
            A float for one share, else float64 of the shape of `q`; NaN without values. Ranks are right to
            `quantile_error`; the quantiles 0 and 1 are exact.

        Raises:
            OptionError: A share is not from 0 to 1.
            ChannelError: The layer has no such channel.
        """
        tally = self._tally(path)
        try:
            shares = np.asarray(q, np.float64)
        except (TypeError, ValueError):
            shares = np.asarray(np.nan)
        if not ((shares >= 0) & (shares <= 1)).all():
            message = f"Expected shares from 0 to 1 as the quantiles, got {shown(q)}."
            raise OptionError(message)
        one = None if channel is None else self._channel(tally, channel)
        found = tally.quantiles.quantiles(shares.reshape(-1), one)
        statistics = tally.statistics()
        least, greatest = (
            (statistics.minimum, statistics.maximum)
            if one is None
            else (statistics.per_channel.minimum[one], statistics.per_channel.maximum[one])
        )
        found = np.clip(found, least, greatest)
        found[shares.reshape(-1) == 0], found[shares.reshape(-1) == 1] = least, greatest
        return float(found[0]) if shares.ndim == 0 else found.reshape(shares.shape)

    def histogram(self, path: str, channel: int | None = None, *, bins: int = 64) -> Histogram:
        """The histogram of a layer's values, and of one channel's in the same bins.

        How many values there are, how many are 0 and between which ends they lie is exact; how the others are
        distributed over the bins is as right as the quantiles are.

        Args:
            path: The layer.
            channel: The channel, or `None`.
            bins: How many bins, at least 1.

        Returns:
            As of a batch in memory.

        Raises:
            ChannelError: The layer has no such channel.
        """
        tally = self._tally(path)
        return histogram_of(tally, None if channel is None else self._channel(tally, channel), bins)

    def top(self, path: str, channel: int) -> list[Example]:
        """The samples that excite a channel most: the largest value first, of equal ones the smaller sample number.

        A sample's value is its largest finite one; a sample without any is left out.

        Args:
            path: The layer.
            channel: The channel.

        Returns:
            At most as many examples as `top` in `scan`.

        Raises:
            ChannelError: The layer has no such channel.
        """
        tally = self._tally(path)
        one, top = self._channel(tally, channel), tally.top
        return [
            Example(
                self._number(int(top.samples[rank, one])),
                float(top.values[rank, one]),
                tuple(map(int, top.places[rank, one])),
                None if top.labels[rank, one] == NO_LABEL else int(top.labels[rank, one]),
            )
            for rank in range(len(top.values))
            if top.values[rank, one] > -np.inf
        ]

    def by_label(self, path: str) -> ByLabel:
        """The mean of each channel by the label of the sample.

        Args:
            path: The layer.

        Returns:
            The labels and the means; without labels there are no rows.
        """
        tally = self._tally(path)
        return ByLabel(tally.by_label.labels.copy(), tally.by_label.means)

    def features(self, path: str) -> tuple[npt.NDArray[np.int64], Array]:
        """The layer's output for at most `keep` samples, which are drawn at random and are the same for all layers.

        Args:
            path: The layer.

        Returns:
            The samples' numbers, int64 `(kept,)`, in order; and float32 `(kept, channels)`: a vector as it is, of a map
            the mean of each channel over its finite values.
        """
        kept = self._tally(path).kept
        order = np.argsort(kept.samples, kind="stable")
        return self._state.numbers(kept.samples[order]), kept.rows[order]

    @property
    def labels(self) -> list[int | None]:
        """The label of each kept sample, in the order of `features`; `None` for a sample without one."""
        if not self.paths:
            return []
        kept = self._tally(self.paths[0]).kept
        labels = kept.labels[np.argsort(kept.samples, kind="stable")].tolist()
        return [None if label == NO_LABEL else label for label in labels]

    def projection(self, path: str, method: str = "pca", *, seed: int = 0) -> Projection:
        """The kept samples in two dimensions, by a layer's output: of a map the mean of each channel.

        Args:
            path: The layer.
            method: `"pca"` for the two directions of most variance, or `"umap"`, which keeps neighbours together.
            seed: For UMAP.

        Returns:
            The points, with the numbers and labels of their samples; those with NaN or infinity are left out.

        Raises:
            OptionError: There is no such method.
            ScanError: Fewer than three samples were kept, or the output is the same for all of them.
            MissingPackageError: scikit-learn is not installed, or for `"umap"` umap-learn.
        """
        return projection_of(self._finite(path), method, seed)

    def neighbours(self, path: str, sample: Any, n: int = 8) -> list[Neighbour]:
        """The kept samples for which a layer's output is most like that of another one.

        Args:
            path: The layer.
            sample: The number of a sample of which the output was kept; or an output of the layer, `(channels,)`, of a
                map the mean of each channel.
            n: How many, at least 1.

        Returns:
            At most `n`, the nearest first, by the Euclidean distance; of equal ones the smaller sample number.

        Raises:
            SampleError: That sample's output was not kept, or is not finite.
            ChannelError: The output given is of another shape, or not finite.
            ScanError: No other sample was kept.
        """
        return neighbours_of(self._finite(path), sample, n)

    def to_frame(self, path: str | None = None) -> Any:
        """The statistics as a `pandas.DataFrame`: of a layer with a row for each channel, or with one for each layer.

        Args:
            path: The layer; `None` for all layers.

        Returns:
            The frame, with a column for each number.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        if path is not None:
            return self._tally(path).statistics().to_frame()
        pandas = MissingPackageError.unless_pandas()
        left_out = {"per_channel", "bound"}
        rows = [
            {name: value for name, value in vars(each).items() if name not in left_out}
            for each in self.statistics.values()
        ]
        return pandas.DataFrame(rows, index=pandas.Index(self.paths, name="layer"))

    def save(self, file: str | os.PathLike[str]) -> None:
        """Writes all that was found to a file, from which `load_scan` reads it; there is no pickle in it.

        Args:
            file: Where to write it.

        Raises:
            ScanError: It can't be written.
        """
        write(self._state, file)

    def __repr__(self) -> str:
        """One line: the model, how many samples and layers, and whether that is all."""
        left = f", {len(self.skipped)} batches skipped" if self._state.skips else ""
        more = "" if self.complete else ", not complete"
        samples, layers = f"{self.count:,} samples", f"{len(self._state.tallies)} layers"
        return f"Scan of {shown(self._state.model_name)}: {samples}, {layers}{left}{more}"

    def _tally(self, path: str) -> Tally:
        known = known_path(path, self._state.tallies)
        if known is None:
            raise not_found(path, self._state.model_name, self._state.tallies)
        tally = self._state.tallies[known]
        tally.flush()
        return tally

    def _finite(self, path: str) -> Kept:
        """The kept samples with finite outputs of a layer."""
        samples, features = self.features(path)
        return Kept.of(path, samples, features, self.labels)

    def _number(self, sample: int) -> int:
        """The number of a sample in the data, from how a scan numbers it by shard."""
        return self._state.number(sample)

    def _channel(self, tally: Tally, channel: int) -> int:
        return index(channel, tally.channels, "channel", f"there are {tally.channels}", ChannelError)


def load_scan(file: str | os.PathLike[str]) -> Scan:
    """A scan from the file that `Scan.save`, or `scan(..., file=...)`, has written.

    Args:
        file: The file.

    Returns:
        The scan, with `complete` false if it had not come to its end.

    Raises:
        ScanError: The file can't be read, or it holds no scan.

    Example:
        >>> import keras, numpy as np, tempfile
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
        >>> from actwidget import load_scan, scan
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scan(model, np.ones((10, 4)), progress=False).save(f"{folder}/scan.npz")
        ...     load_scan(f"{folder}/scan.npz").count
        10
    """
    return Scan(load(file))
