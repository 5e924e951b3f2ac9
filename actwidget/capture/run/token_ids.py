"""Errors for token ids that an `Embedding` has no row for, which name the input with the id.

TensorFlow's own message names neither the layer nor the input. On a GPU there is no error at all: the values are zeros.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import keras
import numpy as np

from actwidget.errors import CaptureError, InvalidInputsError
from actwidget.keras_internals.graph import function_of, graph_nodes
from actwidget.keras_internals.tensors import producer

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch

Array = np.ndarray[Any, Any]
Flows = dict[int, tuple[str, Array]]
"""From the `id` of a symbolic tensor to the name and the values of the model input that reaches it unchanged."""

P = ParamSpec("P")
R = TypeVar("R")
_REFUSED = re.compile(r"indices\[[^\]]*\] = (-?\d+) is not in \[0, (\d+)\)")
# Layers that rearrange values without changing any of them.
_REARRANGING = (keras.layers.Flatten, keras.layers.Reshape, keras.layers.Permute, keras.layers.Identity)


def check_tokens(function: Any, batch: Batch, model_name: str) -> None:
    """Raises an error for ids that an `Embedding` has no row for, if an input of the graph reaches it unchanged.

    Args:
        function: A functional graph.
        batch: What the model is given.
        model_name: For the message.

    Raises:
        InvalidInputsError: There is such an id.
    """
    names = [str(producer(tensor).name) for tensor in function.inputs]
    flat = keras.tree.flatten(batch.value)
    given = {
        id(tensor): (name, array)
        for tensor, name, array in zip(function.inputs, names, flat, strict=True)
        if array is not None and array.dtype.kind in "iuf" and array.size
    }
    _check(function, given, model_name)


def _check(function: Any, given: Flows, model_name: str) -> None:
    for node in graph_nodes(function) if given else []:
        operation, args = node.operation, node.arguments.args
        flows = [given.get(id(tensor)) for tensor in keras.tree.flatten(args[:1])]
        if node.is_input or not any(flows):
            continue
        nested = function_of(operation)
        if nested is not None and len(flows) == len(nested.inputs):
            pairs = zip(nested.inputs, flows, strict=True)
            _check(nested, {id(tensor): flow for tensor, flow in pairs if flow is not None}, model_name)
        elif flows[0] is not None and isinstance(operation, _REARRANGING):
            given[id(node.outputs[0])] = flows[0]
        elif flows[0] is not None and type(operation).call is keras.layers.Embedding.call:
            name, ids = flows[0]
            rows = operation.input_dim
            # Keras counts ids below zero from the end.
            wrong = ids[~((ids >= -rows) & (ids < rows))]
            if wrong.size:
                raise _unknown_id_error(int(wrong[0]), name, rows, f"the rows of {operation.name!r}", model_name)


def naming_tokens(run: Callable[P, R]) -> Callable[P, R]:
    """Decorates a function of a graph and a batch that makes a forward pass, so that an error about an id names it.

    Raises:
        InvalidInputsError: An id of the batch has no row.
    """

    @functools.wraps(run)
    def named(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return run(*args, **kwargs)
        except CaptureError as error:
            graph, batch = args[:2]
            known = graph.input_names  # type: ignore[attr-defined]
            found = refused_token(error, batch, known, graph.model.name)  # type: ignore[arg-type, attr-defined]
            if found is None:
                raise
            raise found from error

    return named


def refused_token(
    error: CaptureError, batch: Batch, input_names: list[str], model_name: str
) -> InvalidInputsError | None:
    """Turns TensorFlow's error about an unknown id into one that names the input; `None` for any other error.

    Args:
        error: How the pass failed.
        batch: What the model was given.
        input_names: What its inputs are called; where there are no names, their places in the batch say it.
        model_name: For the message.
    """
    refused = _REFUSED.search(str(error))
    if refused is None:
        return None
    token, rows = int(refused[1]), int(refused[2])
    leaves = keras.tree.flatten_with_path(batch.value)
    places = ["/".join(map(str, place)) or "inputs" for place, _ in leaves]
    names = input_names or places
    for name, (_, array) in zip(names, leaves, strict=True):
        if array is None or array.dtype.kind not in "iuf":
            continue
        for each in (token, token - rows) if token < 0 else (token,):  # Keras adds the rows to an id below zero
            if np.any(array == each):
                return _unknown_id_error(each, name, rows, "the rows of the table where it is looked up", model_name)
    return None


def _unknown_id_error(token: int, name: str, rows: int, of_what: str, model_name: str) -> InvalidInputsError:
    message = (
        f"Model {model_name!r}: token {token} in input {name!r} is outside 0 to {rows - 1}, {of_what}. Give the ids of "
        "the vocabulary that the model was made for."
    )
    return InvalidInputsError(message)
