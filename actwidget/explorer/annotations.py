"""Class names, true labels and tokens that the user gives for a batch, checked against the model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from actwidget.capture.semantics.bounds import is_sigmoid, is_softmax, output_index
from actwidget.capture.structure.paths import sendable
from actwidget.errors import OptionError, shown
from actwidget.options import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph


@dataclass(frozen=True)
class Annotations:
    """What the user has given besides the batch itself.

    Attributes:
        class_names: A name for each unit of the model's output; two names for a single sigmoid unit.
        labels: The true class of each sample.
        tokens: The text of each step, one list per sample.
        is_binary: Whether the output is a single unit per sample, the probability of the second of two classes.
        vocabulary: The word of each id of a token; empty where it was not given.
        origins: Where samples come from that were added to the batch, in words, by their number.
    """

    class_names: Sequence[str] | None = None
    labels: Sequence[int | None] | None = None
    tokens: Sequence[Sequence[str]] | None = None
    is_binary: bool = False
    origins: Mapping[int, str] = field(default_factory=dict)
    vocabulary: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, graph: ModelGraph, batch: Batch | None, *, class_names: Any = None, labels: Any = None, tokens: Any = None
    ) -> Annotations:
        """Checks class names, labels and tokens against the model and the batch.

        Raises:
            OptionError: One of them does not fit the model or the batch.
        """
        names = _class_names(class_names, graph)
        vocabulary = _vocabulary(tokens)
        step_texts = _words_of(vocabulary, batch) if vocabulary else _tokens(tokens, batch)
        return cls(
            names, _labels(labels, batch, graph), step_texts, Head.of(graph).is_binary, vocabulary=vocabulary or {}
        )

    def on(self, graph: ModelGraph, batch: Batch | None, *, labels: Any = None, tokens: Any = None) -> Annotations:
        """The annotations of another batch: the class names stay, and so do labels and tokens if the size is the same.

        Args:
            graph: The model's graph.
            batch: The other batch.
            labels: Its labels; `None` for the same as before.
            tokens: Its tokens; `None` for the same as before.

        Raises:
            OptionError: One of them does not fit the model or the batch.
        """
        size = 0 if batch is None else batch.size
        given = Annotations.of(graph, batch, class_names=self.class_names, labels=labels, tokens=tokens)
        if tokens is None and self.vocabulary:
            given = replace(given, tokens=_words_of(self.vocabulary, batch), vocabulary=self.vocabulary)
        if labels is None and self.labels is not None and len(self.labels) == size:
            given = replace(given, labels=self.labels)
        elif tokens is None and self.tokens is not None and len(self.tokens) == size:
            given = replace(given, tokens=self.tokens)
        return given

    def label_of(self, sample: int) -> str:
        """The true class of a sample, by its name if it has one; `""` if no label is known."""
        label = None if self.labels is None else self.labels[sample]
        return "" if label is None else self.class_name(label)

    def class_name(self, label: int) -> str:
        """What a class is called."""
        is_named = self.class_names is not None and 0 <= label < len(self.class_names)
        return self.class_names[label] if self.class_names and is_named else f"class {label}"

    def with_origin(self, origin: str) -> int | None:
        """The number of the sample that was added to the batch from somewhere; `None` if none was."""
        return next((number for number, each in self.origins.items() if each == origin), None)

    def with_sample(self, number: int, origin: str, alone: Batch | None = None) -> Annotations:
        """The same with one more sample at the end, or with another sample at a place, of which no label is known.

        Args:
            number: The number of the sample.
            origin: Where it comes from, in words.
            alone: A batch of this sample alone, whose ids are looked up in the vocabulary; `None` for no words.
        """
        own = (_words_of(self.vocabulary, alone) or [[]])[0] if self.vocabulary else []
        labels = None if self.labels is None else [*self.labels[:number], None, *self.labels[number + 1 :]]
        tokens = None if self.tokens is None else [*self.tokens[:number], own, *self.tokens[number + 1 :]]
        return replace(self, labels=labels, tokens=tokens, origins={**self.origins, number: origin})


def _class_names(names: Any, graph: ModelGraph) -> list[str] | None:
    """A name for each unit of the model's first output; two names for a single sigmoid unit.

    Raises:
        OptionError: `names` is not a list, or its length does not match the output.
    """
    if names is None:
        return None
    head, name = Head.of(graph), graph.tree.name
    expected = f"class_names as a list of texts, one for each output unit of {name!r}"
    texts = [sendable(each if isinstance(each, str) else shown(each)) for each in listed(names, expected)]
    if head.is_binary and len(texts) == 1:
        return [f"not {texts[0]}", texts[0]]
    if head.units is None or len(texts) == (2 if head.is_binary else head.units):
        return texts
    if head.is_binary:
        message = (
            f"Expected 2 class_names for the single sigmoid unit of {head}: of the class that it calls 0, then of the "
            f"class that it calls 1; got {len(texts)}."
        )
    elif head.units == 1:
        message = f"Expected 1 class_names for the single unit of {head}, got {len(texts)}. {_NO_SIGMOID}"
    else:
        message = f"Expected {head.units} class_names, one for each output unit of {head}, got {len(texts)}."
    raise OptionError(message)


def _labels(given: Any, batch: Batch | None, graph: ModelGraph) -> list[int] | None:
    """The true class of each sample: the index of an output unit, or 0 or 1 for a single sigmoid unit.

    Raises:
        OptionError: They are neither class indices nor one-hot rows, or there is not one for each sample.
    """
    if given is None or batch is None:
        return None
    head = Head.of(graph)
    if head.rank > 2:
        message = (
            f"Expected no labels: {head} gives an answer for each step or pixel, its shape is {head.shape}, and labels "
            f"hold one class for a whole sample; got {shown(given)}. Leave labels out."
        )
        raise OptionError(message)
    if head.units == 1 and not head.is_binary:
        message = f"Expected no labels for the single unit of {head}, got {shown(given)}. {_NO_SIGMOID}"
        raise OptionError(message)
    classes = 2 if head.is_binary else head.units
    try:
        values = np.asarray(given).astype(np.float64, casting="unsafe" if not np.iscomplexobj(given) else "safe")
    except Exception:  # noqa: BLE001 - objects that are not numbers can raise anything when they are cast
        values = np.empty(0)
    if values.ndim == 2 and values.shape[1] > 1 and values.shape == (batch.size, classes or values.shape[1]):
        if not (((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all()):
            message = (
                f"Expected one-hot labels, in each row a single 1 among zeros, for {head}; got {shown(given)}. "
                "Of shares, or several classes a sample, give the class of each: labels.argmax(axis=-1)."
            )
            raise OptionError(message)
        return [int(number) for number in values.argmax(axis=1)]
    numbers = values.ravel().tolist()
    fits = all(number.is_integer() and 0 <= number < (classes or math.inf) for number in numbers)
    if len(numbers) != batch.size or not fits:
        units = "classes" if head.is_binary else "output units"
        which = f", from 0 to {classes - 1}" if classes else ""
        message = (
            f"Expected labels as {batch.size} numbers of {units} of {head}, one for each sample{which}, or as one-hot "
            f"rows; got {shown(given)}."
        )
        raise OptionError(message)
    return [int(number) for number in numbers]


def _vocabulary(tokens: Any) -> dict[int, str] | None:
    """The word of each id; `None` if tokens are given in another form.

    Raises:
        OptionError: The ids are no whole numbers, or there is none.
    """
    if not isinstance(tokens, Mapping):
        return None
    if not tokens or not all(isinstance(each, (int, np.integer)) for each in tokens):
        message = f"Expected tokens as a dict from the id of a token, a whole number, to its text; got {shown(tokens)}."
        raise OptionError(message)
    return {int(each): sendable(str(text)) for each, text in tokens.items()}


def _words_of(vocabulary: Mapping[int, str], batch: Batch | None) -> list[list[str]] | None:
    """The words of a batch by the ids of its first input; `None` if that holds no ids.

    An id without a word stands for itself.
    """
    ids = None if batch is None else batch.samples[0]
    if ids is None or ids.ndim != 2 or ids.dtype.kind not in "iu":
        return None
    return [[vocabulary.get(int(each), str(int(each))) for each in row] for row in ids]


def _tokens(texts: Any, batch: Batch | None) -> list[list[str]] | None:
    """The text of each step, one list per sample.

    Raises:
        OptionError: `texts` is neither one list of strings nor one such list per sample.
    """
    if texts is None or batch is None:
        return None
    expected = f"tokens as a list of texts, or one such list for each of the {batch.size} samples"
    given = listed(texts, expected)
    if all(isinstance(token, str) for token in given):
        return [[sendable(token) for token in given]] * batch.size
    if len(given) != batch.size or not all(isinstance(sample, (list, tuple)) for sample in given):
        message = f"Expected {expected}; got {shown(texts)}."
        raise OptionError(message)
    return [[sendable(str(token)) for token in sample] for sample in given]


_NO_SIGMOID = (
    "Without a sigmoid that is known as such it is a logit or a number, not the probability of a class. If it is a "
    'logit, put the sigmoid behind it: keras.Sequential([model, keras.layers.Activation("sigmoid")]).'
)


@dataclass(frozen=True)
class Head:
    """An output of the model.

    Attributes:
        name: The model's name.
        shape: The output's shape, including the batch axis; `None` if it is not known.
        activation: The function that it ends in, if it turns numbers into probabilities.
        is_first: Whether the model has several outputs, of which this is the first.
    """

    name: str
    shape: tuple[int | None, ...] | None
    activation: Literal["softmax", "sigmoid", ""]
    is_first: bool

    @classmethod
    def of(cls, graph: ModelGraph, path: str | None = None) -> Head:
        """The head of a model.

        Args:
            graph: The model's graph.
            path: The path of one of its outputs; by default the first one.
        """
        path = graph.output if path is None else path
        node, operation = graph.nodes.get(path, graph.tree), graph.operations.get(path)
        activation: Literal["softmax", "sigmoid", ""] = ""
        if operation is not None:
            index = output_index(node)
            activation = (
                "sigmoid" if is_sigmoid(operation, index) else "softmax" if is_softmax(operation, index) else ""
            )
        is_first = path == graph.output != "" and graph.tree.output_shape is None
        return cls(graph.tree.name, node.output_shape, activation, is_first)

    @property
    def is_binary(self) -> bool:
        """Whether it is a single sigmoid unit per sample, the probability of the second of two classes."""
        is_single = self.shape is not None and (self.shape[1:] == (1,) or len(self.shape) == 1)
        return is_single and self.activation == "sigmoid"

    @property
    def rank(self) -> int:
        """The number of axes of the output; 0 if it is not known."""
        return len(self.shape or ())

    @property
    def units(self) -> int | None:
        """The number of output units; `None` if the shape leaves it open."""
        if self.shape is None:
            return None
        return 1 if len(self.shape) == 1 else self.shape[-1]

    def __str__(self) -> str:
        """The model's name; if it has several outputs, also that the first one is meant."""
        return f"{self.name!r}{' (of its outputs the first)' if self.is_first else ''}"
