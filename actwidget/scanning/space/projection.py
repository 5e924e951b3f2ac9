"""The kept samples in two dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.errors import MissingPackageError, ScanError, shown
from actwidget.options import one_of
from actwidget.scanning.space.kept import Array, Kept, around_mean

METHODS = {"pca": "PCA", "umap": "UMAP"}
LEAST = 3
"""Fewer points have no shape."""


@dataclass(frozen=True, eq=False)
class Projection:
    """The kept samples of a layer in two dimensions.

    Attributes:
        path: The layer.
        method: `"pca"` or `"umap"`.
        samples: The numbers of the samples in the data, int64 `(kept,)`, in order.
        points: float64 `(kept, 2)`. The second column is 0 for a layer of one channel.
        labels: The label of each sample; `None` where there is none.
        explained: The share of the variance along each of the two directions; `None` for UMAP.
        directions: Those directions, float64 `(2, channels)`, the largest entry of each positive; `None` for UMAP.
        mean: The mean output, float64 `(channels,)`.
        left_out: How many kept samples are not shown because their output is not finite.
    """

    path: str
    method: str
    samples: npt.NDArray[np.int64]
    points: npt.NDArray[np.float64]
    labels: tuple[int | None, ...]
    explained: tuple[float, float] | None
    directions: npt.NDArray[np.float64] | None
    mean: npt.NDArray[np.float64]
    left_out: int

    def place(self, output: Any) -> npt.NDArray[np.float64] | None:
        """Where another output of the layer lies among the points.

        Args:
            output: Shape `(channels,)`.

        Returns:
            float64 `(2,)`; `None` for UMAP, which has no place for other samples, and where it is not finite.
        """
        if self.directions is None:
            return None
        found: npt.NDArray[np.float64] = self.directions @ (np.asarray(output, np.float64) - self.mean)
        return found if np.isfinite(found).all() else None

    def to_frame(self) -> Any:
        """The points as a `pandas.DataFrame`, with a row for each sample.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        pandas = MissingPackageError.unless_pandas()
        columns = {"x": self.points[:, 0], "y": self.points[:, 1], "label": list(self.labels)}
        return pandas.DataFrame(columns, index=pandas.Index(self.samples, name="sample"))

    def __repr__(self) -> str:
        """One line."""
        return f"Projection of {len(self.samples):,} samples of {shown(self.path)} by {METHODS[self.method]}"


def projection_of(kept: Kept, method: str, seed: int) -> Projection:
    """Projects the kept samples of a layer.

    Args:
        kept: The samples.
        method: `"pca"` or `"umap"`.
        seed: For UMAP.

    Raises:
        OptionError: There is no such method.
        ScanError: There are fewer than three samples, or all outputs are the same.
        MissingPackageError: scikit-learn, or umap-learn, is not installed.
    """
    one_of(method, METHODS, "method")
    kept.at_least(LEAST, "a projection")
    mean, centred = around_mean(kept.features)
    if centred is None:
        message = (
            f"{shown(kept.path)} gives the same output for all {len(kept.samples):,} kept samples, so there is nothing "
            "to tell them apart by. Choose another layer."
        )
        raise ScanError(message)
    explained, directions = None, None
    if method == "umap":
        points = _umap(centred, seed)
    else:
        directions, explained = _directions(centred)
        points = centred @ directions.T
    return Projection(kept.path, method, kept.samples, points, kept.labels, explained, directions, mean, kept.left_out)


def _directions(centred: Array) -> tuple[npt.NDArray[np.float64], tuple[float, float]]:
    """The two directions of most variance, and its share along each."""
    decomposition = MissingPackageError.unless_imported(
        "sklearn.decomposition", 'Projections need scikit-learn: pip install "actwidget[scan]".'
    )
    scale = np.abs(centred).max()
    count = min(2, *centred.shape)
    # ARPACK finds the first directions of many exactly; it can't find all of them.
    solver = "arpack" if count < min(centred.shape) else "full"
    found = decomposition.PCA(count, svd_solver=solver, random_state=0).fit(centred / scale)
    directions = np.zeros((2, centred.shape[1]))
    directions[:count] = found.components_
    # A direction is known up to its sign, which libraries choose in different ways.
    largest = directions[np.arange(2), np.abs(directions).argmax(axis=1)]
    directions *= np.where(largest < 0, -1.0, 1.0)[:, np.newaxis]
    first, *second = found.explained_variance_ratio_.tolist()
    return directions, (first, second[0] if second else 0.0)


def _umap(centred: Array, seed: int) -> npt.NDArray[np.float64]:
    umap = MissingPackageError.unless_imported("umap", "UMAP needs umap-learn: pip install umap-learn.")
    near = min(15, len(centred) - 1)
    # With few samples there are not enough eigenvectors for its usual start.
    start = "spectral" if len(centred) > 3 * near else "random"
    made = umap.UMAP(n_components=2, n_neighbors=near, random_state=seed, n_jobs=1, init=start)
    points: npt.NDArray[np.float64] = made.fit_transform(centred.astype(np.float32)).astype(np.float64)
    return points
