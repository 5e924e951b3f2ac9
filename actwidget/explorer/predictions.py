"""The model's prediction for each sample: the class with the highest probability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.access.cache import Key
from actwidget.capture.access.session import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.capture.access.session import Session
    from actwidget.explorer.layer_values import Array


class Predictions:
    """The predicted class of each sample of a batch."""

    def __init__(self, session: Session, class_names: Sequence[str] | None, *, is_binary: bool) -> None:
        """Computes nothing yet: the model's output is read when a prediction is asked for.

        Args:
            session: Computes and caches the activations.
            class_names: The names of the classes.
            is_binary: Whether the output is one unit, the probability of the second of two classes.
        """
        self._session = session
        self._class_names = class_names
        self._is_binary = is_binary

    @property
    def are_known(self) -> bool:
        """Whether a prediction needs no forward pass."""
        return Key("", ANSWERS) in self._session.kept or self._session.holds(self._session.graph.output)

    def top(self, sample: int) -> tuple[str, float]:
        """The top class of a sample and its probability; `("", 0.0)` if the output is not a distribution.

        If the model's output fits into the byte budget, all samples are computed together, otherwise only this one.
        """
        (tops, probabilities), index = self._answers(sample)
        if not len(tops) or math.isnan(probabilities[index]):
            return "", 0.0
        top = int(tops[index])
        return (self._class_names[top] if self._class_names else f"class {top}"), float(probabilities[index])

    def _answers(self, sample: int) -> tuple[tuple[Array, Array], int]:
        """Top classes and their probabilities, as two arrays, and the index of the sample in them."""
        path, session = self._session.graph.output, self._session
        fits = session.batch is None or not path or session.fits(path)
        key, index = (Key("", ANSWERS), sample) if fits else (Key("", ANSWERS, sample), 0)
        if (answers := session.kept.get(key)) is None:
            answers = _top_classes(self._output(None if fits else sample), is_binary=self._is_binary)
            session.kept.put(key, answers, sum(array.nbytes for array in answers))
        return answers, index

    def _output(self, sample: int | None) -> Array | None:
        """The model's output for one sample or all (`None`); `None` if it holds no class probabilities."""
        shape, path = self._session.graph.tree.output_shape, self._session.graph.output
        is_vector = shape is not None and len(shape) == 2 and shape[1] not in {None, 1}
        if shape is None or not path or not (self._is_binary or is_vector):
            return None
        try:
            if sample is None:
                value = self._session.value(path)
            else:
                row = self._session.row(path, sample)
                value = None if row is None else row.value[np.newaxis]
        except Exception:  # noqa: BLE001 - if a later layer raises, the error is shown when that layer is selected
            return None
        return value if value is not None and is_numeric(value.dtype) else None


def _top_classes(output: Array | None, *, is_binary: bool) -> tuple[Array, Array]:
    """The top class of each sample and its probability, which is NaN if the sample's output is not a distribution."""
    if output is None:
        return np.empty(0, np.intp), np.empty(0)
    rows = output.astype(np.float64)
    if is_binary:
        rows = np.stack([1 - rows.ravel(), rows.ravel()], axis=1)
    with np.errstate(all="ignore"):
        is_distribution = np.isfinite(rows).all(axis=1) & (rows.min(axis=1) >= 0) & (abs(rows.sum(axis=1) - 1) <= 1e-2)
    tops = rows.argmax(axis=1)
    return tops, np.where(is_distribution, rows[np.arange(len(rows)), tops], np.nan)
