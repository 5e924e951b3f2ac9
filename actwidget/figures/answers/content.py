"""What the figure of an answer shows: its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from actwidget.figures.parts.nonfinite import precise
from actwidget.figures.parts.text import number, probability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Kind = Literal["classes", "two classes", "labels", "scores", "numbers", "map", "rows"]
"""What an output is: a distribution over classes; the probability of the second of two; independent labels; scores of
classes without a softmax (logits); numbers of a regression; a class for each pixel; rows of numbers (boxes)."""

SHARES = frozenset({"classes", "two classes", "labels"})
"""The kinds whose values are probabilities."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What the figure of an output shows.

    Attributes:
        title: The layer's path.
        kind: What the output is.
        values: One sample of it, channels last.
        names: What its classes, labels or numbers are called.
        true: The true class; `None` if it is not known.
        chosen: The unit that is selected.
        sample: The number of the sample; `None` if there is only one.
        every: The numbers of all samples, shape `(samples, numbers)`, for `"numbers"` and `"two classes"`.
        picture: The input, shape `(height, width, 1 or 3)`, for `"map"`.
        is_logits: Whether scores are known to be those of classes.
    """

    title: str
    kind: Kind
    values: NDArray[Any]
    names: Sequence[str]
    true: int | None = None
    chosen: int | None = None
    sample: int | None = None
    every: NDArray[Any] | None = None
    picture: NDArray[Any] | None = None
    is_logits: bool = False

    @property
    def is_share(self) -> bool:
        """Whether its values are probabilities."""
        return self.kind in SHARES

    @property
    def has_channels(self) -> bool:
        """Whether each of its names is a channel of the output, which can be selected."""
        is_of_channels = self.kind not in {"two classes", "rows"} and self.values.dtype.kind == "f"
        return is_of_channels and self.values.size > 1 and self.values.shape[-1] == len(self.names)

    @property
    def units(self) -> NDArray[np.float64]:
        """A value for each name: for a single sigmoid the probabilities of both classes."""
        values = np.asarray(self.values, np.float64).reshape(-1)
        return np.concatenate([1 - values, values]) if self.kind == "two classes" else values

    @cached_property
    def pixel_classes(self) -> NDArray[np.intp]:
        """The class of each pixel, shape `(height, width)`: the likeliest; of a single sigmoid the second above 0.5."""
        values = self.values
        if values.dtype.kind in "iu":
            return values.reshape(values.shape[:2]).astype(np.intp)
        if values.shape[-1] == 1:
            return (values[..., 0] > 0.5).astype(np.intp)
        return np.asarray(values.argmax(axis=-1), np.intp)

    @cached_property
    def pixel_shares(self) -> NDArray[np.float64]:
        """The share of the pixels that each class has, shape `(classes,)`."""
        indices = self.pixel_classes
        found: NDArray[np.float64] = np.bincount(indices.ravel(), minlength=len(self.names)) / indices.size
        return found

    def in_words(self, value: float) -> str:
        """A value as a person says it.

        Args:
            value: A probability or a number.

        Returns:
            "94 %" for a probability, "1.23" for a number.
        """
        return value_in_words(self.kind, value)


def value_in_words(kind: Kind, value: float) -> str:
    """A probability in percent, another value as a number.

    >>> value_in_words("classes", 0.000797), value_in_words("numbers", 12.5)
    ('0.08 %', '12.50')
    """
    if not np.isfinite(value):
        return precise(value)
    return probability(value) if kind in SHARES else number(value)


def by_value(values: NDArray[Any]) -> NDArray[np.intp]:
    """The units with the largest values first, NaN last; among equals the lower index comes first."""
    return np.argsort(-np.where(np.isnan(values), -np.inf, values), kind="stable").astype(np.intp)
