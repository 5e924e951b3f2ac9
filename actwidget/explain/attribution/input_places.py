"""Where the attributions of inputs are taken: at the inputs themselves, or behind inputs that have no gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import keras

from actwidget.errors import NotCapturableError
from actwidget.explain.differentiation.places import Place, channel_axis, has_gradients
from actwidget.keras_internals.graph import function_of

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode
    from actwidget.explain.differentiation.passes import Passes


def places_of_inputs(passes: Passes) -> list[Place | None]:
    """For each flat input the place where its attribution is taken; `None` for one that was left out.

    Raises:
        NotCapturableError: Nothing that can be differentiated stands behind an input.
    """
    leaves = passes.leaves
    dtypes = [
        str(passes.symbols[number].dtype) if passes.symbols is not None else str(getattr(leaf, "dtype", "object"))
        for number, leaf in enumerate(leaves)
    ]
    key = "inputs", tuple(dtypes), tuple(leaf is None for leaf in leaves)
    found: list[Place | None] = passes.known.fact(key, lambda: list(_find_inputs(passes, dtypes)))
    return found


def _find_inputs(passes: Passes, dtypes: list[str]) -> Iterator[Place | None]:
    without = [
        number
        for number, leaf in enumerate(passes.leaves)
        if leaf is not None and hasattr(leaf, "shape") and not has_gradients(dtypes[number])
    ]
    names = _names(passes)
    first = keras.config.image_data_format() == "channels_first"
    for number, leaf in enumerate(passes.leaves):
        if leaf is None or not hasattr(leaf, "shape") or not len(leaf.shape):
            yield None
        elif number in without:
            yield _behind(passes, number, without, names[number], dtypes[number])
        else:
            rank = len(leaf.shape)
            axis = None if rank < 3 else 1 if first and rank > 3 else -1
            yield Place(names[number], names[number] if passes.symbols else "", number, axis)


def _names(passes: Passes) -> list[str]:
    if passes.symbols is not None and passes.graph.input_names:
        return passes.graph.input_names
    places = [place for place, _ in keras.tree.flatten_with_path(passes.batch.fed)]
    return ["/".join(map(str, place)) or "inputs" for place in places]


def _behind(passes: Passes, number: int, without: list[int], name: str, dtype: str) -> Place:
    """The first activation with gradients behind an input without."""
    graph = passes.graph
    has_graph = function_of(passes.root) is not None
    path = _reached_from(graph, name) if has_graph else _embedding(graph, without.index(number), len(without))
    if path is None:
        what = "text" if dtype in {"string", "object"} else dtype
        message = (
            f"Input {name!r} of model {graph.model.name!r} holds {what}, which has no gradients, and nothing "
            "differentiable, such as an Embedding, was found behind it. Name an activation to explain: layer=..., see "
            "print(actwidget.layer_tree(model))."
        )
        raise NotCapturableError(message)
    return Place(name, path, None, channel_axis(graph, graph.nodes[path]), number)


def _reached_from(graph: ModelGraph, name: str) -> str | None:
    """The first activation of floats behind an input in a functional graph."""
    reached = {name}
    sources: dict[str, list[str]] = {}
    for source, target in graph.edges:
        sources.setdefault(target, []).append(source)
    opened: set[str] = set()
    for node in graph.nodes.values():
        outer = node.path.rpartition("/")[0]
        if outer in opened:
            position = [each.path for each in graph.nodes[outer].children].index(node.path)
            given = sources.get(outer, [])
            if node.class_name == "InputLayer" and position < len(given) and given[position] in reached:
                reached.add(node.path)
                continue
        if not any(source in reached for source in sources.get(node.path, [])):
            continue
        if function_of(graph.operations[node.path]) is not None:
            opened.add(node.path)
        elif has_gradients(node.dtype):
            inside = next((each.path for each in node if _is_embedding(graph, each)), None)
            return inside or node.path
        else:
            reached.add(node.path)
    return None


def _embedding(graph: ModelGraph, number: int, count: int) -> str | None:
    """The embedding of one of several inputs without gradients in a model without a graph."""
    found = [node.path for node in graph.tree if _is_embedding(graph, node)]
    if not found:
        found = [
            node.path
            for node in graph.tree
            if has_gradients(node.dtype)
            and node.origin != "opaque"
            and not node.children
            and node.path not in graph.asides
            and node.output_shape
            and node.output_shape[0] is None
        ][:1]
    return found[number] if found and (len(found) >= count) else None


def _is_embedding(graph: ModelGraph, node: LayerNode) -> bool:
    is_one = isinstance(graph.operations[node.path], keras.layers.Embedding)
    return is_one and node.origin != "opaque" and bool(node.output_shape) and node.output_shape[0] is None  # type: ignore[index]
