"""What the model answers: for each sample the class with the highest probability."""

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
    """The top classes of a batch."""

    def __init__(self, session: Session, class_names: Sequence[str] | None, *, is_binary: bool) -> None:
        """Reads the model's output when a prediction is asked for.

        Args:
            session: Where activations come from.
            class_names: The names of the classes.
            is_binary: Whether the output is one unit, the probability of the second of two classes.
        """
        self._session = session
        self._class_names = class_names
        self._is_binary = is_binary

    @property
    def are_known(self) -> bool:
        """Whether a prediction can be given at once."""
        return Key("", ANSWERS) in self._session.kept or self._session.holds(self._session.graph.output)

    def top(self, sample: int) -> tuple[str, float]:
        """The top class of a sample and its probability; `("", 0.0)` where the output is no distribution.

        All samples are answered together where the model's output keeps to the byte budget, else this one alone.
        """
        (tops, probabilities), place = self._answers(sample)
        if not len(tops) or math.isnan(probabilities[place]):
            return "", 0.0
        top = int(tops[place])
        return (self._class_names[top] if self._class_names else f"class {top}"), float(probabilities[place])

    def _answers(self, sample: int) -> tuple[tuple[Array, Array], int]:
        """The top classes with their probabilities, and at which place a sample stands among them."""
        path, session = self._session.graph.output, self._session
        fits = session.batch is None or not path or session.fits(path)
        key, place = (Key("", ANSWERS), sample) if fits else (Key("", ANSWERS, sample), 0)
        if (answers := session.kept.get(key)) is None:
            answers = _tops_of(self._output(None if fits else sample), is_binary=self._is_binary)
            session.kept.put(key, answers, sum(each.nbytes for each in answers))
        return answers, place

    def _output(self, sample: int | None) -> Array | None:
        """The model's output of all samples or one, where it is a vector a sample or the probability of two classes."""
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
        except Exception:  # noqa: BLE001 - a later layer may fail; that is said when it is selected
            return None
        return value if value is not None and is_numeric(value.dtype) else None


def _tops_of(output: Array | None, *, is_binary: bool) -> tuple[Array, Array]:
    """Of each sample the top class, and its probability: NaN where the output is no distribution."""
    if output is None:
        return np.empty(0, np.intp), np.empty(0)
    rows = output.astype(np.float64)
    if is_binary:
        rows = np.stack([1 - rows.ravel(), rows.ravel()], axis=1)
    with np.errstate(all="ignore"):
        is_distribution = np.isfinite(rows).all(axis=1) & (rows.min(axis=1) >= 0) & (abs(rows.sum(axis=1) - 1) <= 1e-2)
    tops = rows.argmax(axis=1)
    return tops, np.where(is_distribution, rows[np.arange(len(rows)), tops], np.nan)
