"""The calls that a functional graph makes, read from the graph: nothing has to run for them."""

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
    """What a trial of a layer has seen."""

    seen: Call


def graph_call(operation: Any, try_out: Callable[[Any, Any, Any], Seen], observe: Observe) -> Call:
    """The call of a layer that has a functional graph, as that graph has it.

    Args:
        operation: The layer.
        try_out: Runs a layer inside, without a graph, on symbolic `args` and `kwargs`.
        observe: Runs a layer that stands inside a loop and sees the calls there.
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
    """A tensor of a graph, which takes any number of samples whatever it was built for."""
    return Output(with_open_batch(tuple(tensor.shape), function.inputs[0].shape[0]), str(tensor.dtype))


def _inside(node: Any, try_out: Callable[[Any, Any, Any], Seen], observe: Observe) -> Call:
    """A call in a functional graph, with what is known or can be tried out of its inside."""
    operation, args, kwargs = node.operation, node.arguments.args, node.arguments.kwargs
    if node.is_input or not is_composite(operation):
        return Call(operation, "", 0)
    if function_of(operation) is not None:
        return graph_call(operation, try_out, observe)
    probe = probe_of(operation)
    if probe is not None and probe.is_loop:
        return Call(operation, "", 0, intermediates=probe.expected(ProbedCall(operation, args, kwargs, observe)))
    return try_out(operation, args, kwargs).seen
