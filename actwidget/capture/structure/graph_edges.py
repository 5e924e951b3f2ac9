"""The edges of functional graphs, between nodes that are named by their paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from actwidget.capture.structure.call_names import CallNames
from actwidget.keras_internals.graph import edges, function_of, graph_nodes


def edges_in(operations: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The edges inside some layers, as pairs of paths: of a value, and of the call that is given it.

    Args:
        operations: The layers by their paths, `""` for the model itself. Of one without a functional graph there are
            no edges.

    Returns:
        The edges of one layer after the other, each in the order of execution. Where a call is given one value several
        times, that is one edge.
    """
    pairs = [
        pair for path, operation in operations.items() for pair in _edges_of(operation, f"{path}/" if path else "")
    ]
    return tuple(dict.fromkeys(pairs))


def _edges_of(operation: Any, prefix: str) -> Iterator[tuple[str, str]]:
    function = function_of(operation)
    if function is None:
        return
    names = CallNames(operation)
    calls: dict[int, str] = {}
    values: dict[int, str] = {}
    for node in graph_nodes(function):
        name, _ = names.call(node.operation)
        calls[id(node)] = prefix + name
        for number, tensor in enumerate(node.outputs):
            values[id(tensor)] = prefix + names.output(name, number)
    for edge in edges(function):
        yield values[id(edge.tensor)], calls[id(edge.target)]
