"""How each sample of a batch is told from the others: by a thumbnail, its first words, or its number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from actwidget.analysis.categories import text_of
from actwidget.analysis.dtypes import is_numeric
from actwidget.errors import short
from actwidget.figures import is_picture, small_picture
from actwidget.figures.parts.text import number as in_digits

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session
    from actwidget.explorer.annotations import Annotations
    from actwidget.explorer.layer_values import Array

WORDS = 8
"""How many of a text's words stand for it."""
NUMBERS = 6
"""How many of a sample's values its tooltip names."""


class SampleItem(NamedTuple):
    """How one sample stands in the strip.

    Attributes:
        tip: What it is, in a tooltip: `"sample 3, espresso"`.
        text: What stands in the strip where there is no picture; by default the sample's number.
        picture: A small PNG or JPEG; `b""` for none.
    """

    tip: str
    text: str = ""
    picture: bytes = b""


class SampleItems:
    """The items of a batch."""

    def __init__(self, session: Session, annotations: Annotations) -> None:
        """Reads nothing yet."""
        batch = session.batch
        self._annotations = annotations
        self._arrays = [] if batch is None else [each for each in batch.samples if each is not None]
        self._pictures = next((each for each in map(as_pictures, self._arrays) if each is not None), None)

    @property
    def kind(self) -> Literal["picture", "text", "number"]:
        """What stands for each sample."""
        if self._pictures is not None:
            return "picture"
        is_text = self._annotations.tokens is not None or any(map(_is_text, self._arrays))
        return "text" if is_text else "number"

    def item(self, sample: int) -> SampleItem:
        """The item of a sample."""
        parts = [
            f"sample {sample}",
            short(self._annotations.label_of(sample), 60),
            self._annotations.origins.get(sample, ""),
        ]
        if self._pictures is not None:
            return SampleItem(", ".join(filter(None, parts)), picture=small_picture(self._pictures[sample]) or b"")
        words = self._words(sample)
        known = words or self._numbers(sample)
        tip = ", ".join(filter(None, parts)) + (f": {short(known, 300)}" if known else "")
        return SampleItem(tip, short(" ".join(words.split()[:WORDS]), 60))

    def _words(self, sample: int) -> str:
        tokens = self._annotations.tokens
        if tokens is not None:
            return " ".join(tokens[sample])
        texts = [np.asarray(each[sample]).ravel() for each in self._arrays if _is_text(each)]
        return " ".join(text_of(text) for each in texts for text in each[:WORDS])

    def _numbers(self, sample: int) -> str:
        values = next((np.asarray(each[sample]).ravel() for each in self._arrays if is_numeric(each.dtype)), None)
        if values is None or not values.size:
            return ""
        more = f", … ({values.size:,} values)" if values.size > NUMBERS else ""
        return ", ".join(_digits(value) for value in values[:NUMBERS].tolist()) + more


def _digits(value: Any) -> str:
    return str(value) if isinstance(value, (bool, int)) or not np.isreal(value) else in_digits(float(value))


def _is_text(array: Array) -> bool:
    return bool(array.dtype.kind == "O")


def as_pictures(array: Array) -> Array | None:
    """Inputs that are pictures, shape `(samples, height, width, 1 or 3)`; squares without channels are grey ones."""
    if is_picture(array.shape[1:], array.dtype):
        return array
    is_square = array.ndim == 3 and array.shape[1] == array.shape[2]
    return array[..., np.newaxis] if is_square and is_picture((*array.shape[1:], 1), array.dtype) else None
