"""Generates plain Keras source code that computes one node's activation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.access.submodel import reason_against
from actwidget.keras_internals.graph import function_of, graph_nodes

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph, Step

_NO_NAME = (
    "Keras has no public name for an output between the model's input and this node: layer.output is the output of the",
    "layer's first call, and that of a nested model belongs to its own graph.",
)
_NOT_PLAIN = (
    "The nested model is called with more than its inputs (a mask, for example), which a chain of sub-models would",
    "have to pass on.",
)
_NO_GRAPH = (
    "No functional graph contains this node, so keras.Model(model.inputs, ...) can't reach it: actwidget records its",
    "value while the model runs.",
)
_EDITED = ("The model has edits, and its edited values exist only while it runs.",)


class _NotPublic(Exception):  # noqa: N818 - control flow within this file, not an error that a user sees
    """Public Keras has no expression for something; the argument holds the lines of a comment that says why."""


def keras_code(graph: ModelGraph, path: str, batch: Batch | None = None) -> str:
    """Source code that assigns the activation of the node at `path` to the variable `activation`.

    It needs `model` (the user's model) and `x` (its inputs) in scope and imports the rest. It uses only the public API
    of Keras if that can reach the node. Otherwise it calls `actwidget.submodel`, and a comment says why. For a node
    that can't be captured the code is just a comment with the reason.

    Args:
        graph: The model's graph.
        path: The path of one of its nodes.
        batch: The inputs; `None` if there are none.
    """
    if (error := reason_against(graph, path, batch)) is not None:
        return f"# {error}\n"
    try:
        return _plain(graph, path)
    except _NotPublic as unreachable:
        comment = "".join(f"# {line}\n" for line in unreachable.args[0])
    given = ", inputs=x" if graph.was_run else ""
    passed = {"positions": "*x", "names": "**x"}.get(graph.spread, "x")
    return (
        f"{comment}import actwidget\n\nextractor = actwidget.submodel(model, {path!r}{given})\n"
        f"activation = extractor({passed}, training=False)\n"
    )


def _plain(graph: ModelGraph, path: str) -> str:
    if path not in graph.places:
        raise _NotPublic(_EDITED if graph.edits else _NO_GRAPH)
    place = graph.places[path]
    owner, name, value = graph.root, "model", "x"
    lines = ["import keras", ""]
    for number, step in enumerate(_steps(place.outer)):
        nested = "nested" if number == 0 else f"nested_{number + 1}"
        before, value = _argument(owner, name, value, step, f"to_{nested}")
        lines += [f"{nested} = {_named(owner, name, step.node.operation)}", *before]
        owner, name = step.node.operation, nested
    try:
        tensor = _expression(owner, name, place.tensor)
    except _NotPublic:
        before, value = _value_by_call(owner, name, value, place.tensor, "before")
        return "\n".join([*lines, *before, f"activation = {value}", ""])
    lines += [
        f"tensor = {tensor}",
        f"extractor = keras.Model({_inputs_expression(owner, name)}, tensor)",
        f"activation = extractor({value}, training=False)",
        "",
    ]
    return "\n".join(lines)


def _steps(step: Step | None) -> list[Step]:
    """The calls of nested models that lead to `step`, outermost first."""
    return [] if step is None else [*_steps(step.outer), step]


def _argument(owner: Any, name: str, value: str, step: Step, extractor: str) -> tuple[list[str], str]:
    """The argument of a nested call: the lines that have to come before it, and an expression for its value.

    Args:
        owner: The model in which the call is made.
        name: The variable that holds that model.
        value: An expression for the inputs of that model.
        step: The call.
        extractor: The name of a new variable for a model that computes the argument.
    """
    args, kwargs = step.node.arguments.args, step.node.arguments.kwargs
    if len(args) != 1 or any(isinstance(leaf, keras.KerasTensor) for leaf in keras.tree.flatten(kwargs)):
        raise _NotPublic(_NOT_PLAIN)
    given = args[0]
    if isinstance(given, keras.KerasTensor):
        return _value_by_model(owner, name, value, given, extractor)
    parts = given if isinstance(given, (list, tuple, dict)) else []
    if not parts or len(keras.tree.flatten(given)) != len(parts):
        raise _NotPublic(_NOT_PLAIN)
    if isinstance(given, dict):
        tensors = ", ".join(f"{key!r}: {_expression(owner, name, tensor)}" for key, tensor in given.items())
        outputs = f"{{{tensors}}}"
    else:
        outputs = f"[{', '.join(_expression(owner, name, tensor) for tensor in given)}]"
    return _model_and_call(owner, name, value, outputs, extractor)


def _value_by_model(
    owner: Any, name: str, value: str, tensor: keras.KerasTensor, extractor: str
) -> tuple[list[str], str]:
    """The same as `_argument` for one tensor: a model that ends there, or else a call of the layer that produces it."""
    try:
        output = _expression(owner, name, tensor)
    except _NotPublic:
        return _value_by_call(owner, name, value, tensor, extractor)
    return _model_and_call(owner, name, value, output, extractor)


def _model_and_call(owner: Any, name: str, value: str, outputs: str, extractor: str) -> tuple[list[str], str]:
    """The line that makes a model with some outputs, and the expression that calls it on a value."""
    model = f"keras.Model({_inputs_expression(owner, name)}, {outputs})"
    return [f"{extractor} = {model}"], f"{extractor}({value}, training=False)"


def _value_by_call(
    owner: Any, name: str, value: str, tensor: keras.KerasTensor, extractor: str
) -> tuple[list[str], str]:
    """The same for a tensor without a public name whose layer's input has one: the layer is called on that input."""
    node = next(node for node in graph_nodes(function_of(owner)) if any(output is tensor for output in node.outputs))
    args = node.arguments.args
    options = {key for key, option in node.arguments.kwargs.items() if option is not None and key != "training"}
    plain = len(node.outputs) == len(args) == 1 and isinstance(args[0], keras.KerasTensor) and not options
    if not plain or not isinstance(node.operation, keras.Layer):
        raise _NotPublic(_NO_NAME)
    lines, given = _value_by_model(owner, name, value, args[0], extractor)
    return lines, f"{_named(owner, name, node.operation)}({given}, training=False)"


def _inputs_expression(owner: Any, name: str) -> str:
    return f"{name}.inputs[0]" if isinstance(owner, keras.Sequential) else f"{name}.input"


def _expression(owner: Any, name: str, tensor: keras.KerasTensor) -> str:
    """A public expression for a symbolic tensor of a model."""
    for index, candidate in enumerate(owner.inputs):
        if candidate is tensor:
            return f"{name}.inputs[{index}]"
    nodes = graph_nodes(function_of(owner))
    maker = next(node.operation for node in nodes if any(output is tensor for output in node.outputs))
    try:
        if (attribute := _attribute(maker, "output", tensor)) is not None:
            return f"{_named(owner, name, maker)}.{attribute}"
    except _NotPublic:
        pass
    for index, candidate in enumerate(owner.outputs):
        if candidate is tensor:
            return f"{name}.outputs[{index}]"
    for consumer in dict.fromkeys(node.operation for node in nodes):
        if (attribute := _attribute(consumer, "input", tensor)) is not None:
            try:
                return f"{_named(owner, name, consumer)}.{attribute}"
            except _NotPublic:
                continue
    raise _NotPublic(_NO_NAME)


def _named(owner: Any, name: str, operation: Any) -> str:
    """A public expression for a layer or operation of a model."""
    if any(layer is operation for layer in owner.layers):
        if owner.get_layer(operation.name) is operation:
            return f"{name}.get_layer({operation.name!r})"
    else:
        same = [other for other in getattr(owner, "operations", []) if other.name == operation.name]
        if len(same) == 1 and same[0] is operation:
            return f"next(op for op in {name}.operations if op.name == {operation.name!r})"
    raise _NotPublic(_NO_NAME)


def _attribute(operation: keras.Operation, name: str, tensor: keras.KerasTensor) -> str | None:
    """The tensor as an attribute of an operation: `"output"`, `"output[1]"`, `"input['a']"`; or `None`."""
    if function_of(operation) is not None:  # the inputs and outputs of a nested model belong to its own graph
        return None
    try:
        value = getattr(operation, name)
    except (AttributeError, ValueError):
        return None
    for steps, leaf in keras.tree.flatten_with_path(value):
        if leaf is tensor:
            return name + "".join(f"[{step!r}]" for step in steps)
    return None
