"""How many bytes activations take, found out before the model runs on the whole batch."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.access.forward_pass import capture
from actwidget.capture.run.batch_parts import alone
from actwidget.capture.run.conversion import is_option
from actwidget.capture.run.tap import run_symbolically
from actwidget.capture.structure.calls import Intermediates
from actwidget.errors import CaptureError, MemoryBudgetError, NotCapturableError
from actwidget.keras_internals.attributes import restored_attributes
from actwidget.keras_internals.layers import flat_layers

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.calls import Call
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode

Shapes = dict[str, tuple[int | None, ...] | None]


def sizes_of(graph: ModelGraph, batch: Batch, nodes: Sequence[LayerNode]) -> dict[str, int | None]:
    """The bytes of some nodes' activations for a batch, by path; `None` for sizes that are not known beforehand.

    If a shape is unknown in more than the batch axis, the model is called on symbolic tensors of the batch's shape.
    """
    is_open = bool(batch.lengths) or any(None in (node.output_shape or (None, None))[1:] for node in nodes)
    shapes = _shapes_on(graph, batch) if is_open else {}
    # Even if the inputs declare a fixed number of samples, Keras accepts any other number.
    declared = {tensor.shape[0] for tensor in keras.tree.flatten(graph.inputs) if tensor is not None}
    sizes: dict[str, int | None] = {}
    for node in nodes:
        shape = shapes.get(node.path, node.output_shape)
        if shape is None or None in shape[1:]:
            sizes[node.path] = None
            continue
        rows = [batch.size if axis is None or axis in declared else axis for axis in shape[:1]]
        sizes[node.path] = _itemsize(node) * math.prod(axis or 0 for axis in (*rows, *shape[1:]))
    return sizes


def with_measured(
    graph: ModelGraph, batch: Batch, sizes: Mapping[str, int | None]
) -> tuple[dict[str, int], frozenset[str]]:
    """The bytes of activations, and the paths of those that had to be measured on one sample.

    An activation that can't be captured for one sample counts as 0 bytes.

    Args:
        graph: The model's graph.
        batch: The inputs.
        sizes: The result of `sizes_of`.
    """
    known = {path: size for path, size in sizes.items() if size is not None}
    unknown = [graph.nodes[path] for path in sizes if path not in known]
    if not unknown:
        return known, frozenset()
    try:
        with restored_attributes(flat_layers(graph.root), trial=True):
            measured = capture(graph, alone(batch, [0]), unknown)
    except (NotCapturableError, CaptureError):
        measured = {}
    for node in unknown:
        value = measured[node.path].value if node.path in measured else np.empty(0)
        known[node.path] = value.nbytes * (batch.size if value.ndim and len(value) == 1 else 1)
    return known, frozenset(measured)


def check_budget(sizes: Mapping[str, int], max_bytes: float, measured: Collection[str] = ()) -> None:
    """Raises an error if activations together take more than `max_bytes`.

    Args:
        sizes: The bytes of each activation, by path.
        max_bytes: The limit.
        measured: The paths whose size was not known beforehand and was measured on one sample.

    Raises:
        MemoryBudgetError: They take more; the message names the largest one.
    """
    total = sum(sizes.values())
    if total > max_bytes:
        largest = max(sizes, key=sizes.__getitem__)
        how = f", measured on one sample for {len(measured)} of them" if measured else ""
        message = (
            f"The activations asked for take {total:,} bytes{how}, more than max_bytes={max_bytes:,.0f}. Ask for fewer "
            f"layers (the largest is {largest!r} with {sizes[largest]:,}) or fewer samples."
        )
        raise MemoryBudgetError(message)


def _itemsize(node: LayerNode) -> int:
    """The bytes of one element of an activation."""
    item = {"string": 16, "bool": 1, "bfloat16": 4}.get(node.dtype)
    return np.dtype(node.dtype or "float32").itemsize if item is None else item


def _shapes_on(graph: ModelGraph, batch: Batch) -> Shapes:
    """The shapes from a call of the model on symbolic tensors of the batch's shape; empty if that call fails."""
    arrays, given = keras.tree.flatten(batch.value), keras.tree.flatten(batch.fed)
    dtypes = [_dtype(array) for array in arrays]
    if graph.inputs is not None:
        dtypes = [tensor.dtype for tensor in keras.tree.flatten(graph.inputs)]
    symbols = [
        own if own is None or is_option(own) else keras.KerasTensor(array.shape, dtype=dtype)
        for array, own, dtype in zip(arrays, given, dtypes, strict=True)
    ]
    try:
        args, kwargs = graph.arguments(keras.tree.pack_sequence_as(batch.value, symbols))
        tap = run_symbolically(graph.root, args, kwargs)
    except Exception:  # noqa: BLE001 - a layer may raise anything on symbolic tensors; then no shapes are known
        return {}
    shapes: Shapes = {}
    _collect(tap.seen, "", shapes)
    return shapes


def _dtype(array: np.ndarray[Any, Any] | None) -> str:
    return "string" if array is None or array.dtype.kind in "OUS" else array.dtype.name


def _collect(call: Call, prefix: str, shapes: Shapes) -> None:
    intermediates = call.intermediates or Intermediates()
    shapes |= {prefix + name: value.output.shape for name, value in intermediates.values.items() if value.output}
    for inner in [*call.calls, *intermediates.calls]:
        shapes |= {prefix + name: output.shape for name, output in inner.outputs.items()}
        _collect(inner, f"{prefix}{inner.name}/", shapes)
