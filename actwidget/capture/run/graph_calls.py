"""The calls that a functional graph makes, read from the graph without running it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import keras

from actwidget.capture.run.probes.probe import Observe, ProbedCall
from actwidget.capture.run.probes.registry import probe_of
from actwidget.capture.structure.call_names import CallNames, is_composite
from actwidget.capture.structure.calls import Call, Output
from actwidget.capture.structure.shapes import with_open_batch
from actwidget.keras_internals.graph import function_of, graph_nodes


class Seen(Protocol):
    """The result of a call on symbols: the observed call."""

    seen: Call


def graph_call(operation: Any, try_out: Callable[[Any, Any, Any], Seen], observe: Observe) -> Call:
    """The call of a layer that has a functional graph, with the calls inside it, as read from the graph.

    Args:
        operation: The layer.
        try_out: Calls an inner layer without a graph on symbolic `args` and `kwargs`.
        observe: Calls a layer inside a loop and returns the calls that it observes there.
    """
    function = function_of(operation)
    names = CallNames(operation)
    call = Call(operation, "", 0)
    for node in graph_nodes(function):
        name, index = names.call(node.operation)
        inner = dataclasses.replace(_inside(node, try_out, observe), name=name, index=index)
        inner.outputs = {
            names.output(name, number): output_of(function, tensor) for number, tensor in enumerate(node.outputs)
        }
        call.calls.append(inner)
    return call


def output_of(function: Any, tensor: keras.KerasTensor) -> Output:
    """The shape and dtype of a tensor of a graph; the number of samples is always open."""
    return Output(with_open_batch(tuple(tensor.shape), function.inputs[0].shape[0]), str(tensor.dtype))


def _inside(node: Any, try_out: Callable[[Any, Any, Any], Seen], observe: Observe) -> Call:
    """A call in a functional graph, with the calls inside it as far as they can be found out."""
    operation, args, kwargs = node.operation, node.arguments.args, node.arguments.kwargs
    if node.is_input or not is_composite(operation):
        return Call(operation, "", 0)
    if function_of(operation) is not None:
        return graph_call(operation, try_out, observe)
    probe = probe_of(operation)
    if probe is not None and probe.is_loop:
        return Call(operation, "", 0, intermediates=probe.expected(ProbedCall(operation, args, kwargs, observe)))
    return try_out(operation, args, kwargs).seen
