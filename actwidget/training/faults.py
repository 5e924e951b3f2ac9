"""Finds where in a model values have ceased to be finite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.access.session import Session
from actwidget.capture.run.conversion import as_array
from actwidget.capture.run.restore import unchanged
from actwidget.errors import ActwidgetError
from actwidget.keras_internals.variables import read
from actwidget.training.gradients import loss_gradients
from actwidget.training.weights import State, is_finite, is_float

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.training.records import LayerRecord


def has_bad_loss(logs: Mapping[str, Any]) -> bool:
    """Whether a loss in what Keras reports is not finite; a metric may be by its nature."""
    return any(
        (name == "loss" or name.endswith("_loss"))
        and isinstance(value, int | float | np.number)
        and not math.isfinite(value)
        for name, value in logs.items()
    )


def first_bad_weight(graph: ModelGraph) -> str | None:
    """The first layer with a weight that is not finite."""
    seen: dict[int, bool] = {}

    def is_bad(path: str) -> bool:
        operation = graph.operations[path]
        weights = [each for each in _weights(operation) if is_float(each)]
        for weight in weights:
            if id(weight) not in seen:
                seen[id(weight)] = not is_finite(as_array(read(weight)))
        return any(seen[id(weight)] for weight in weights)

    return first_of([path for path in graph.nodes if is_bad(path)])


def first_bad_activation(graph: ModelGraph, inputs: Any, before: State | None = None) -> str | None:
    """The first layer that gives something not finite for a batch, with the weights of now or of before.

    Layers are run in inference mode; those of a batch that can't be run are None.
    """
    paths = [node.path for node in graph.tree if node.origin != "opaque"]
    bad: list[str] = []
    try:
        with unchanged(graph.model):
            if before is not None:
                before.put_back()  # for this block alone
            for path, captured in Session(graph.model, inputs, known=graph).walk(paths):
                if bad and not path.startswith(f"{bad[0]}/"):
                    break
                if _is_bad(captured.value):
                    bad.append(path)
    except ActwidgetError:
        return None
    return first_of(bad)


def _is_bad(value: np.ndarray[Any, Any]) -> bool:
    return value.dtype.kind == "f" and not is_finite(value)


def first_bad_gradient(
    graph: ModelGraph, x: Any, y: Any, sample_weight: Any, before: State | None = None
) -> str | None:
    """The first layer by whose weights the gradient of the loss is not finite."""
    try:
        gradients = loss_gradients(graph.model, x, y, sample_weight, before=before)
    except ActwidgetError:
        return None
    bad = {key for key, each in gradients.items() if each is not None and not is_finite(each)}
    return first_of([path for path in graph.nodes if bad & {id(weight) for weight in _weights(graph.operations[path])}])


def first_in_record(layers: Mapping[str, LayerRecord]) -> str | None:
    """The first layer of a record that gave something not finite."""
    return first_of([path for path, each in layers.items() if each.nan or each.infinite])


def first_of(paths: Sequence[str]) -> str | None:
    """The first of some paths in order of execution; of a nested model the first inside it."""
    first = next(iter(paths), None)
    while first is not None:
        inside = [path for path in paths if path.startswith(f"{first}/")]
        if not inside:
            break
        first = inside[0]
    return first


def _weights(operation: Any) -> list[Any]:
    return list(operation.weights) if isinstance(operation, keras.Layer) else []
