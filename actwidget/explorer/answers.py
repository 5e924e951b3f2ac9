"""The model's answer: what kind each of its outputs is, and how it is shown as such."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.semantics.loss import aim_of
from actwidget.explorer.annotations import Head
from actwidget.explorer.drawing import Drawing
from actwidget.explorer.navigation import Grid
from actwidget.figures import Answer, answer_order, answer_spec
from actwidget.figures.answers.class_map import pixel_shares
from actwidget.figures.answers.content import by_value
from actwidget.figures.parts.text import percent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actwidget.capture.semantics.loss import Aim
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.explorer.annotations import Annotations
    from actwidget.explorer.description.facts import Fact
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array
    from actwidget.explorer.selection import Selection
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
    has_pictures = any(len(shape) == 3 and shape[-1] in {1, 3} and min(shape[:2]) >= 4 for shape in inputs)
    if not is_numeric(value.dtype) or value.dtype == bool:
        return None
    if value.dtype.kind in "iu":
        return "map" if _are_classes_of_pixels(value) and value.shape[:2] in {shape[:2] for shape in inputs} else None
    if value.size == 1 and value.ndim < 2:
        return "two classes" if head.is_binary else "numbers"
    if value.ndim == 1:
        return _kind_of_vector(head, value, is_named=is_named, aim=aim, is_linear=is_linear, inputs=inputs)
    return _kind_of_rows_or_map(head, value, is_named=is_named, has_pictures=has_pictures)


def _kind_of_rows_or_map(head: Head, value: Array, *, is_named: bool, has_pictures: bool) -> Kind | None:
    if value.ndim == 2:
        is_box = has_pictures and 4 <= value.shape[-1] <= MOST_COLUMNS and head.activation != "softmax"
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
    if not is_named and aim != "classes" and value.size in {math.prod(shape) for shape in inputs}:
        return None  # an autoencoder gives its input back
    if head.activation == "softmax" or is_distribution(value):
        return "classes"
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
    return aim_of(graph.root, graph.nodes[path].name, graph.outputs.index(path))


def are_logits(graph: ModelGraph, path: str, annotations: Annotations) -> bool:
    """Whether the values of an output without a softmax are known to be scores of classes."""
    is_named = path == graph.output and bool(annotations.class_names or annotations.labels)
    return is_named or _aim(graph, path) == "classes"


def answer_of(data: LayerData, channel: int | None) -> Answer | None:
    """What the figure of an output shows; `None` for layers that are no output, and outputs that are no answer."""
    sources = data.sources
    graph, batch = sources.session.graph, sources.session.batch
    if data.path not in graph.outputs or batch is None or not data.is_read_as_computed or data.channel_label == "head":
        return None
    value = data.value
    kind = kind_of_output(graph, data.path, value, sources.annotations, batch.samples)
    if kind is None:
        return None
    is_logits = kind == "scores" and are_logits(graph, data.path, sources.annotations)
    names = unit_names(kind, data.class_names, value, data.node.name, is_logits=is_logits)
    has_batch = kind in {"two classes", "numbers"} and data.samples > 1
    picture = data.picture if kind in {"map", "rows"} else None
    return Answer(
        title=data.path,
        kind=kind,
        values=value,
        names=names,
        true=data.label,
        chosen=channel,
        sample=data.own_sample if data.samples > 1 else None,
        every=data.batch_values.reshape(data.samples, -1) if has_batch else None,
        picture=None if picture is None else picture.pixels,
        is_logits=is_logits,
    )


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


def draw_answer(data: LayerData, selection: Selection, tell: Callable[[], Sequence[Fact]]) -> Drawing | None:
    """An output of the model as the answer that it is; `None` for other layers.

    Args:
        data: The selected layer.
        selection: The current selection.
        tell: Computes the statistics below the figure.
    """
    if (answer := answer_of(data, selection.channel)) is None:
        return None
    if answer.kind == "two classes" and answer.every is not None:
        grid = Grid(np.arange(len(answer.every)), of="sample")
    else:
        grid = Grid(answer_order(answer))
    controls: tuple[str, ...] = (
        ("sample",) if answer.kind == "two classes" or answer.values.size == 1 else ("sample", "channel")
    )
    if data.has_ambiguous_channels:
        controls += ("reading",)
    return Drawing.of(answer_spec(answer), _alt(answer), tell=tell, controls=controls, grid=grid)


def _alt(answer: Answer) -> str:
    """The answer in one sentence."""
    if answer.kind == "rows":
        rows, columns = answer.values.shape
        return f"{answer.title}: {rows:,} rows of {columns} numbers"
    if answer.kind == "map":
        shares = pixel_shares(answer)
        most = [
            f"{answer.names[each]} {percent(float(shares[each]))}" for each in answer_order(answer)[:5] if shares[each]
        ]
        return f"{answer.title}: the likeliest class of each pixel; {', '.join(most)} of the pixels"
    units = answer.units
    order = answer_order(answer) if answer.kind != "two classes" else by_value(units)
    shown = order[:5].tolist()
    if answer.chosen is not None and answer.kind != "two classes" and answer.chosen not in shown:
        shown.append(answer.chosen)
    words = ", ".join(f"{answer.names[each]} {answer.in_words(float(units[each]))}" for each in shown)
    true = "" if answer.true is None else f"; the true class is {answer.names[answer.true]}"
    return f"{answer.title}: {words}{true}"
