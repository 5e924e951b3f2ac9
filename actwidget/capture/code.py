"""The recipe to take away: plain Keras source that gives one node's activation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from actwidget.capture.tree import ModelGraph


def keras_code(graph: ModelGraph, path: str) -> str:
    """Source code that leaves the activation of the node at `path` in the variable `activation`.

    It needs `model` (the user's model) and `x` (its inputs) in scope and imports the rest. It is plain public Keras
    where that can reach the node; where it can't, it calls `actwidget.submodel` and a comment says why.

    Args:
        graph: The model's graph.
        path: The path of one of its nodes.
    """
    tensor = _expression(graph, path)
    if tensor is None:
        operation = graph.operations[path]
        return (
            f"# Keras has no public name for this output of {operation.name!r}: the layer is called more than once,\n"
            "# and layer.output is always that of its very first call.\n"
            "import actwidget\n\n"
            f"extractor = actwidget.submodel(model, {path!r})\n"
            "activation = extractor(x, training=False)\n"
        )
    inputs = "model.inputs[0]" if isinstance(graph.model, keras.Sequential) else "model.input"
    return (
        "import keras\n\n"
        f"tensor = {tensor}\n"
        f"extractor = keras.Model({inputs}, tensor)\n"
        "activation = extractor(x, training=False)\n"
    )


def _expression(graph: ModelGraph, path: str) -> str | None:
    """A public expression for the symbolic tensor of a node, or `None` where there is none."""
    model, tensor, operation = graph.model, graph.tensors[path], graph.operations[path]
    for index, candidate in enumerate(model.inputs):
        if candidate is tensor:
            return f"model.inputs[{index}]"
    named = _named(graph, operation)
    if named is not None and (attribute := _attribute(operation, "output", tensor)) is not None:
        return f"{named}.{attribute}"
    for index, candidate in enumerate(model.outputs):
        if candidate is tensor:
            return f"model.outputs[{index}]"
    for consumer in dict.fromkeys(graph.operations.values()):
        attribute = _attribute(consumer, "input", tensor)
        if attribute is not None and (name := _named(graph, consumer)) is not None:
            return f"{name}.{attribute}"
    return None


def _named(graph: ModelGraph, operation: keras.Operation) -> str | None:
    """How public Keras reaches a layer or operation of the model."""
    if any(layer is operation for layer in graph.model.layers):
        if graph.model.get_layer(operation.name) is operation:
            return f"model.get_layer({operation.name!r})"
        return None
    same = [other for other in getattr(graph.model, "operations", []) if other.name == operation.name]
    if len(same) == 1 and same[0] is operation:
        return f"next(op for op in model.operations if op.name == {operation.name!r})"
    return None


def _attribute(operation: keras.Operation, name: str, tensor: keras.KerasTensor) -> str | None:
    """`"output"`, `"output[1]"`, `"input['a']"`: where the operation's first call holds the tensor, if it does."""
    try:
        value = getattr(operation, name)
    except (AttributeError, ValueError):
        return None
    for steps, leaf in keras.tree.flatten_with_path(value):
        if leaf is tensor:
            return name + "".join(f"[{step!r}]" for step in steps)
    return None
