"""How much alike the outputs of layers are: linear CKA."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from actwidget.errors import MissingPackageError, OptionError, ScanError, shown
from actwidget.options import listed
from actwidget.scanning.space.kept import around_mean

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from actwidget.scanning.result import Scan

LEAST = 4
"""The unbiased estimate needs so many samples."""
BLOCK_BYTES = 32_000_000


@dataclass(frozen=True, eq=False)
class Similarity:
    """How much alike the outputs of layers are over the same samples.

    Attributes:
        paths: The layers of the rows.
        columns: The layers of the columns: the same ones, or those of the other scan.
        values: float64 `(rows, columns)`: linear CKA, 1 for the same up to a rotation and a factor, near 0 for
            unrelated ones (the estimate is unbiased, so it can be slightly below); NaN for a layer whose output is the
            same for all samples, or not finite for too many.
        samples: The numbers of the samples on which it rests, int64 `(samples,)`.
        names: What the rows and the columns are of: two texts, `""` where it is one scan.
    """

    paths: list[str]
    columns: list[str]
    values: npt.NDArray[np.float64]
    samples: npt.NDArray[np.int64]
    names: tuple[str, str] = ("", "")

    def to_frame(self) -> Any:
        """The matrix as a `pandas.DataFrame`, with a row and a column for each layer.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        pandas = MissingPackageError.unless_pandas()
        return pandas.DataFrame(self.values, index=pandas.Index(self.paths, name="layer"), columns=self.columns)

    def figure(self) -> go.Figure:
        """The matrix as a Plotly figure, the first layers at the top left."""
        import plotly.graph_objects as go

        from actwidget.figures.space.similarity import similarity_spec

        count = len(self.samples)
        return go.Figure(similarity_spec(self.paths, self.columns, self.values, samples=count, names=self.names))

    def __repr__(self) -> str:
        """One line."""
        return f"Similarity of {len(self.paths)} × {len(self.columns)} layers over {len(self.samples):,} samples"


def similarity(scan: Scan, other: Scan | None = None, layers: Sequence[str] | str | None = None) -> Similarity:
    """How much alike the outputs of layers are, by linear CKA on the samples that a scan kept.

    Centred kernel alignment (Kornblith, Norouzi, Lee and Hinton, 2019) compares two layers by how alike they make
    pairs of samples. It does not change with a rotation of the channels or a common factor, so layers of different
    sizes, or of two trainings, can be compared. The Hilbert-Schmidt independence criterion in it is estimated without
    bias (Song et al., 2012), since the usual estimate is close to 1 for any layers with more channels than samples.

    Args:
        scan: A scan.
        other: Another scan of the same data with the same `seed`, such as one of an earlier checkpoint: its layers are
            the columns. By default the layers of `scan` are compared with each other.
        layers: The paths of the layers, of both scans; by default all.

    Returns:
        The matrix. It rests on the samples that both kept, apart from those for which a layer gives NaN or infinity.

    Raises:
        LayerNotFoundError: A layer was not scanned.
        ScanError: There are fewer than four such samples.
        OptionError: `other` is no scan, or `layers` no paths.

    Example:
        >>> import keras, numpy as np
        >>> from actwidget import scan, similarity
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.ReLU(name="b")])
        >>> found = scan(model, np.random.default_rng(0).normal(size=(50, 4)), progress=False)
        >>> similarity(found, layers=["a", "b"]).values.shape
        (2, 2)
    """
    steps = similarity_steps(scan, other, layers)
    for step in steps:
        result = step.result
    assert result is not None  # noqa: S101 - the last step has it
    return result


class Step(NamedTuple):
    """A part of the work: `done` of `total` pairs of blocks of samples, and after the last one the result."""

    done: int
    total: int
    result: Similarity | None


def similarity_steps(scan: Scan, other: Scan | None = None, layers: Any = None) -> Iterator[Step]:
    """Computes the similarity of layers in steps. The arguments and errors are those of `similarity`."""
    if other is not None and not hasattr(other, "features"):
        message = f"Expected another Scan to compare with, got {shown(other)}."
        raise OptionError(message)
    scans = [scan] if other is None or other is scan else [scan, other]
    paths = [_paths(each, layers) for each in scans]
    given = [each.features(path) for each, own in zip(scans, paths, strict=True) for path in own]
    common = given[0][0]
    for samples, _ in given:
        common = np.intersect1d(common, samples)
    rows = [features[np.isin(samples, common)].astype(np.float64) for samples, features in given]
    finite = np.stack([np.isfinite(each).all(axis=1) for each in rows])
    # A layer that is hardly ever finite takes no samples from the others.
    is_usable = finite.sum(axis=1) >= LEAST
    used = finite[is_usable].all(axis=0)
    if used.sum() < LEAST:
        of_both = "that both scans kept " if len(scans) > 1 else ""
        message = (
            f"Expected at least {LEAST} samples {of_both}with finite outputs, got {used.sum()}. Scan more samples, "
            "with a larger keep or max_bytes, and the same data and seed for both scans."
        )
        raise ScanError(message)
    chosen = [_scaled(each[used]) if is_fine else None for each, is_fine in zip(rows, is_usable, strict=True)]
    count = len(paths[0])
    for done, total, alike in _alignment(chosen):
        values = None if alike is None else alike[:count, -len(paths[-1]) :]
        result = None
        if values is not None:
            names = ("", "") if len(scans) == 1 else ("scan", "other")
            result = Similarity(paths[0], paths[-1], values, common[used], names)
        yield Step(done, total, result)


def _paths(scan: Scan, layers: Any) -> list[str]:
    if layers is None:
        return scan.paths
    wanted = [layers] if isinstance(layers, str) else listed(layers, "layers as a list of paths", least=1)
    return list(map(str, wanted))


def _scaled(features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """Features around their mean, the largest one 1; `None` if they are all the same but for rounding."""
    _, centred = around_mean(features)
    return None if centred is None else centred / np.abs(centred).max()


def _alignment(
    layers: Sequence[npt.NDArray[np.float64] | None],
) -> Iterator[tuple[int, int, npt.NDArray[np.float64] | None]]:
    """Debiased linear CKA of each pair of layers, in blocks of rows of the Gram matrices.

    With the Gram matrices K and L of two layers, their diagonals 0, Song et al. (2012) estimate HSIC by
    (tr(KL) + (1'K1)(1'L1) / ((n - 1)(n - 2)) - 2 / (n - 2) 1'KL1) / (n (n - 3)). CKA is the HSIC of two layers over the
    root of the product of that of each with itself, in which the factor 1 / (n (n - 3)) cancels.
    """
    known = {place: each for place, each in enumerate(layers) if each is not None}
    found = np.full((len(layers), len(layers)), np.nan)
    if not known:
        yield 1, 1, found
        return
    n = len(next(iter(known.values())))
    rows = int(min(n, max(1, BLOCK_BYTES // (8 * n * len(known)))))
    traces, sums = np.zeros((len(known), len(known))), np.zeros((len(known), n))
    for start in range(0, n, rows):
        stop = min(start + rows, n)
        blocks = np.empty((len(known), stop - start, n))
        for place, features in enumerate(known.values()):
            np.matmul(features[start:stop], features.T, out=blocks[place])
        blocks[:, np.arange(stop - start), np.arange(start, stop)] = 0
        sums[:, start:stop] = blocks.sum(axis=2)
        flat = blocks.reshape(len(known), -1)
        traces += flat @ flat.T
        yield stop, n + 1, None
    totals = sums.sum(axis=1)
    both = traces + np.outer(totals, totals) / ((n - 1) * (n - 2)) - 2 / (n - 2) * sums @ sums.T
    own = np.sqrt(np.where(np.diag(both) > 1e-12 * np.diag(traces), np.diag(both), np.nan))
    places = np.asarray(list(known))
    found[np.ix_(places, places)] = both / np.outer(own, own)
    yield n + 1, n + 1, found
