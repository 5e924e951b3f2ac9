"""The model's answer for each sample in a few words, for the header: its top classes, or its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.access.cache import Key
from actwidget.capture.access.session import ANSWERS
from actwidget.explorer.answers.kind import are_logits, is_distribution, kind_of_output, unit_names
from actwidget.figures.answers.content import by_value, value_in_words

if TYPE_CHECKING:
    from actwidget.capture.access.session import Session
    from actwidget.explorer.annotations import Annotations
    from actwidget.explorer.layer_values import Array

TOP = 3
"""How many classes or numbers are said."""


class TopAnswer(NamedTuple):
    """A class, label or number.

    Attributes:
        name: What it is called.
        share: Its probability, from 0 to 1; `None` if it is another kind of number.
        text: The probability in percent, or the number, as a person says it.
    """

    name: str
    share: float | None
    text: str


@dataclass(frozen=True)
class TopAnswers:
    """The answer for one sample.

    Attributes:
        output: The name of the output; `""` if the model has only one.
        items: At most three classes, the most probable first, or numbers; none if the output is no answer.
    """

    output: str = ""
    items: tuple[TopAnswer, ...] = ()

    @property
    def words(self) -> str:
        """The answer in one line: the likeliest class with its probability, or the first two numbers; `""` for none."""
        shown = self.items[: 1 if any(item.share is not None for item in self.items) else 2]
        return ", ".join(f"{item.name}: {item.text}" for item in shown)


class Predictions:
    """The answers of a model's first output for the samples of a batch."""

    def __init__(self, session: Session, annotations: Annotations) -> None:
        """Computes nothing yet: the model's output is read when an answer is asked for.

        Args:
            session: Computes and caches the activations.
            annotations: The class names and labels that the user has given.
        """
        self._session = session
        self._annotations = annotations

    @property
    def are_known(self) -> bool:
        """Whether an answer needs no forward pass."""
        return Key("", ANSWERS) in self._session.kept or self._session.holds(self._session.graph.output)

    def answers(self, sample: int) -> TopAnswers:
        """The answer for a sample: without items if the output is a picture, a code or anything else that is no answer.

        If the model's output fits into the byte budget, all samples are computed together, otherwise only this one.
        """
        path, session = self._session.graph.output, self._session
        fits = session.batch is None or not path or session.fits(path)
        key, index = (Key("", ANSWERS), sample) if fits else (Key("", ANSWERS, sample), 0)
        if (kept := session.kept.get(key)) is None:
            output = self._output(None if fits else sample)
            kept = np.empty(0) if output is None else output
            session.kept.put(key, kept, kept.nbytes)
        output = cast("Array", kept)
        return self._answer(output[index]) if index < len(output) else TopAnswers()

    def _output(self, sample: int | None) -> Array | None:
        """The first output for one sample or all (`None`); `None` if it is neither a vector nor a number."""
        graph, path = self._session.graph, self._session.graph.output
        shape = graph.nodes[path].output_shape if path else None
        if shape is None or len(shape) not in {1, 2}:
            return None
        try:
            if sample is None:
                value = self._session.value(path)
            else:
                row = self._session.row(path, sample)
                value = None if row is None else row.value[np.newaxis]
        except Exception:  # noqa: BLE001 - if a later layer raises, the error is shown when that layer is selected
            return None
        return value if value is not None and value.ndim and is_numeric(value.dtype) else None

    def _answer(self, value: Array) -> TopAnswers:
        """The answer for one sample of the output, shape `()` or `(units,)`."""
        graph, annotations, batch = self._session.graph, self._annotations, self._session.batch
        path, inputs = graph.output, [] if batch is None else batch.samples
        kind = kind_of_output(graph, path, value, annotations, inputs)
        is_logits = are_logits(graph, path, annotations)
        is_broken = kind == "classes" and not is_distribution(value)
        if kind is None or is_broken or (kind == "scores" and not is_logits):
            return TopAnswers()
        name = graph.nodes[path].name
        names = unit_names(kind, annotations.class_names, value, name, is_logits=is_logits)
        units = value.astype(np.float64).reshape(-1)
        if kind == "two classes":
            units = np.concatenate([1 - units, units])
        order = np.arange(units.size) if kind == "numbers" else by_value(units)
        is_share = kind not in {"numbers", "scores"}
        items = tuple(
            TopAnswer(names[unit], float(units[unit]) if is_share else None, value_in_words(kind, float(units[unit])))
            for unit in order[:TOP].tolist()
            if np.isfinite(units[unit])
        )
        return TopAnswers(name if len(graph.outputs) > 1 else "", items)
