"""What kind of answer an output of a model is, and what its classes or numbers are called."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.semantics.loss import aim_of
from actwidget.explorer.annotations import Head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actwidget.capture.semantics.loss import Aim
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.explorer.annotations import Annotations
    from actwidget.explorer.layer_values import Array
    from actwidget.figures.answers.content import Kind

MOST_LABELS = 100
"""More sigmoids without names may be the pixels of a picture."""
MOST_NUMBERS = 10
"""So many numbers can each be read at once; more are shown as bars."""
MOST_CLASSES = 256
"""Larger integers in a map are no classes."""
MOST_COLUMNS = 12
"""Rows of more numbers than this are not boxes, but vectors."""
TOLERANCE = 1e-2
"""How far the sum of a distribution may be from 1: half precision rounds."""


def kind_of_answer(
    head: Head,
    value: Array,
    *,
    is_named: bool = False,
    aim: Aim | None = None,
    is_linear: bool = False,
    inputs: Sequence[tuple[int, ...]] = (),
) -> Kind | None:
    """What an output is, as a person would say; `None` if that is not known, or it is no answer (a picture, a code).

    Args:
        head: The output.
        value: One sample of it, channels last.
        is_named: Whether the user has given names or true classes for its units.
        aim: What the loss that the model is compiled with compares.
        is_linear: Whether it is a dense layer without an activation function.
        inputs: The shapes of the model's inputs for one sample, to know an autoencoder by.

    >>> softmax = Head("net", (None, 3), "softmax", is_first=False)
    >>> kind_of_answer(softmax, np.array([0.1, 0.2, 0.7]))
    'classes'
    """
    pictures = [shape for shape in inputs if len(shape) == 3 and shape[-1] in {1, 3} and min(shape[:2]) >= 4]
    is_of_pictures = 0 < len(inputs) == len(pictures)
    if not is_numeric(value.dtype) or value.dtype == bool:
        return None
    if value.dtype.kind in "iu":
        return "map" if _are_classes_of_pixels(value) and value.shape[:2] in {shape[:2] for shape in inputs} else None
    if value.size == 1 and value.ndim < 2:
        return "two classes" if head.is_binary else "numbers"
    if value.ndim == 1:
        return _kind_of_vector(head, value, is_named=is_named, aim=aim, is_linear=is_linear, inputs=inputs)
    return _kind_of_rows_or_map(head, value, is_named=is_named, is_of_pictures=is_of_pictures)


def _kind_of_rows_or_map(head: Head, value: Array, *, is_named: bool, is_of_pictures: bool) -> Kind | None:
    if value.ndim == 2:
        is_box = is_of_pictures and 4 <= value.shape[-1] <= MOST_COLUMNS and head.activation != "softmax"
        return "rows" if is_box and not is_distribution(value) else None
    if value.ndim == 3 and min(value.shape[:2]) > 1:
        is_mask = value.shape[-1] == 1 and head.activation == "sigmoid" and is_named
        return "map" if is_mask or (value.shape[-1] > 1 and is_distribution(value)) else None
    return None


def _are_classes_of_pixels(value: Array) -> bool:
    """Whether integers can be the classes of pixels, as an argmax gives them; bytes are rather a picture."""
    is_map = value.ndim == 2 or (value.ndim == 3 and value.shape[-1] == 1)
    return is_map and value.dtype != np.uint8 and value.size > 0 and value.min() >= 0 and value.max() < MOST_CLASSES


def _kind_of_vector(
    head: Head, value: Array, *, is_named: bool, aim: Aim | None, is_linear: bool, inputs: Sequence[tuple[int, ...]]
) -> Kind | None:
    if head.activation == "softmax" or is_distribution(value):
        return "classes"
    if not is_named and aim != "classes" and value.size in {math.prod(shape) for shape in inputs}:
        return None  # an autoencoder gives its input back
    if head.activation == "sigmoid":
        return "labels" if is_named or value.size <= MOST_LABELS else None
    if aim == "numbers" and value.size <= MOST_NUMBERS and not is_named:
        return "numbers"
    return "scores" if is_named or aim is not None or is_linear else None


def is_distribution(value: Array) -> bool:
    """Whether the values along the last axis are shares that add up to 1, everywhere.

    >>> is_distribution(np.array([0.25, 0.75])), is_distribution(np.array([0.5, 0.75]))
    (True, False)
    """
    if value.shape[-1] < 2 or not np.isfinite(value).all() or value.min() < 0:
        return False
    sums = value.sum(axis=-1, dtype=np.float64)
    return bool((np.abs(sums - 1) <= TOLERANCE).all())


def kind_of_output(
    graph: ModelGraph, path: str, value: Array, annotations: Annotations, inputs: Sequence[Array]
) -> Kind | None:
    """What the output at a path is; `None` if the path is that of no output.

    Args:
        graph: The model's graph.
        path: The path of a layer.
        value: One sample of its activation, channels last.
        annotations: The class names and labels, which are those of the first output.
        inputs: The model's inputs, samples first.
    """
    if path not in graph.outputs or not path:
        return None
    node, operation = graph.nodes[path], graph.operations[path]
    is_first = path == graph.output
    activation = getattr(getattr(operation, "activation", None), "__name__", "")
    return kind_of_answer(
        Head.of(graph, path),
        value,
        is_named=is_first and bool(annotations.class_names or annotations.labels),
        aim=_aim(graph, path),
        is_linear=node.class_name == "Dense" and activation == "linear",
        inputs=[array.shape[1:] for array in inputs if array is not None],
    )


def _aim(graph: ModelGraph, path: str) -> Aim | None:
    return aim_of(graph.root, graph.nodes[path].name, graph.outputs.index(path), len(graph.outputs))


def are_logits(graph: ModelGraph, path: str, annotations: Annotations) -> bool:
    """Whether the values of an output without a softmax are known to be scores of classes."""
    is_named = path == graph.output and bool(annotations.class_names or annotations.labels)
    return is_named or _aim(graph, path) == "classes"


def unit_names(
    kind: Kind, class_names: Sequence[str] | None, value: Array, layer: str, *, is_logits: bool = False
) -> list[str]:
    """What the classes, labels or numbers of an output are called: as the user says, else by their number."""
    given = list(class_names or ())
    if kind == "map" and len(given) == 1:
        given = [f"not {given[0]}", *given]
    if kind == "numbers" and value.size == 1:
        return given or [layer]
    count = 2 if kind == "two classes" else value.shape[-1]
    if kind == "map" and (value.dtype.kind in "iu" or count == 1):
        count = max(2, int(value.max(initial=0)) + 1)
    nouns = {"scores": "class" if is_logits else "unit", "labels": "label", "numbers": "number"}
    noun = nouns.get(kind, "class")
    return [*given, *(f"{noun} {index}" for index in range(len(given), count))]
