"""Builds the nodes of a layer tree."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import keras

from actwidget.capture.run.probes.probe import ProbedCall
from actwidget.capture.run.probes.registry import probe_of
from actwidget.capture.run.reasons import NO_TENSOR, NOT_CALLED, OF_SAVED_MODEL
from actwidget.capture.run.tap import run_apart, run_symbolically
from actwidget.capture.structure.call_names import CallNames, counted_layers, in_loop, is_composite, is_loop, sublayers
from actwidget.capture.structure.calls import Call, Intermediates, Output
from actwidget.capture.structure.model_graph import Aside, Place, Step
from actwidget.capture.structure.node import LayerNode, Origin
from actwidget.capture.structure.paths import sendable
from actwidget.capture.structure.shapes import with_open_batch
from actwidget.keras_internals.classes import is_keras_class
from actwidget.keras_internals.graph import function_of, graph_nodes


class NodeBuilder:
    """Builds the nodes of a tree from a graph, from observed calls, or from the sublayers that a layer declares.

    Attributes:
        untried: Whether there is a layer whose inside only a forward pass can show.
        failed: The path of the call that raised, if the model was run to find its layers.
        called: The paths that were called, if the model was run on only some of the samples.
        places: As in `ModelGraph`; so are `paths`, `operations` and `asides`.
        outputs: From the `id` of a symbolic tensor to its shape and dtype as the tree shows them.
    """

    def __init__(self, calls: Mapping[str, Call] | None = None, size: int | None = None) -> None:
        """Builds no nodes yet.

        Args:
            calls: The calls of some layers that were observed in a forward pass, by path with a `/` at the end. The
                nodes inside these layers are built from them.
            size: How many samples that pass had.
        """
        self.untried = False
        self.failed: str | None = None
        self.called: frozenset[str] | None = None
        self.places: dict[str, Place] = {}
        self.paths: dict[int, str] = {}
        self.operations: dict[str, keras.Operation] = {}
        self.asides: dict[str, Aside] = {}
        self.outputs: dict[int, Output] = {}
        self._calls_seen = calls or {}
        self._size = size
        self._sizes: dict[int, int] = {}  # of variables; asking one for its shape takes as long as building a node

    def parameters(self, layer: keras.Layer) -> int:
        """The number of parameters of a layer, including its inner layers."""
        total = 0
        for weight in layer.weights:
            if (size := self._sizes.get(id(weight))) is None:
                size = self._sizes[id(weight)] = math.prod(weight.shape)
            total += size
        return total

    def graph(self, function: Any, prefix: str, outer: Step | None, owner: Any = None) -> tuple[LayerNode, ...]:
        """The nodes of a functional graph, including those inside its nested models."""
        names = CallNames(function)
        origin: Origin = "functional" if outer is None else "composed"
        found = []
        for node in graph_nodes(function):
            operation = node.operation
            called, index = names.call(operation)
            inside, outputs = ((), []) if node.is_input else self._inside(function, node, f"{prefix}{called}/", outer)
            dtypes = _dtypes(node)
            for number, tensor in enumerate(node.outputs):
                path = prefix + names.output(called, number)
                self.places[path] = Place(function, tensor, outer)
                # Shapes from a call on symbols are better than those that Keras guesses.
                tried = len(outputs) == len(node.outputs)
                output = outputs[number] if tried else Output(_shape(tensor, owner), dtypes[number])
                self.outputs[id(tensor)] = output
                found.append(
                    self._node(path, operation, index, output, origin=origin, children=() if number else inside)
                )
        return tuple(found)

    def _inside(
        self, function: Any, node: Any, prefix: str, outer: Step | None
    ) -> tuple[tuple[LayerNode, ...], list[Output]]:
        """The nodes inside a call of a graph, and its outputs if it was called on symbols to find these nodes."""
        operation = node.operation
        nested = function_of(operation)
        if nested is not None:
            return self.graph(nested, prefix, Step(function, node, outer)), []
        if not is_composite(operation):
            return self._of_saved_model(operation, prefix), []
        if prefix in self._calls_seen:
            return self.seen(self._calls_seen[prefix], prefix, size=self._size), []
        args, kwargs = node.arguments.args, node.arguments.kwargs
        probe = probe_of(operation)
        try:
            if probe is not None and probe.is_loop:  # calling it on symbols would trace every step of the loop
                expected = probe.expected(ProbedCall(operation, args, kwargs, run_apart))
                return self.seen(Call(operation, "", 0, intermediates=expected), prefix), []
            tap = run_symbolically(operation, args, kwargs)
        except Exception:  # noqa: BLE001 - a layer that fails on symbols shows its inside when it runs on values
            self.untried = True
            return self.declared(operation, prefix), []
        return self.seen(tap.seen, prefix), tap.outputs

    def seen(
        self, call: Call, prefix: str, *, size: int | None = None, unseen: str = NOT_CALLED
    ) -> tuple[LayerNode, ...]:
        """The nodes of all calls inside an observed call, and of the sublayers that were not called."""
        if is_loop(call.operation) and call.intermediates is None:
            return self.declared(call.operation, prefix)
        found = self._of_calls(call.calls, prefix, size, unseen)
        probed = call.intermediates or Intermediates()
        aside = self._of_calls(probed.calls, prefix, size, unseen)
        aside += self._of_values(call.operation, probed, prefix, size)
        found += self._recorded_as_aside(call.operation, aside, prefix)
        if function_of(call.operation) is None:
            called = {id(inner.operation) for inner in [*call.calls, *probed.calls]}
            names = CallNames(call.operation, is_made=call.is_made)
            reason = in_loop(call.operation) if is_loop(call.operation) else unseen
            found += [
                self._node(prefix + names.call(layer)[0], layer, 0, origin="opaque", reason=reason)
                for layer in sublayers(call.operation)
                if id(layer) not in called
            ]
        return (*found, *self._of_saved_model(call.operation, prefix))

    def _of_calls(self, calls: Iterable[Call], prefix: str, size: int | None, unseen: str) -> list[LayerNode]:
        """The nodes of observed calls, with all nodes inside them."""
        found = []
        for inner in calls:
            inside = (
                self.seen(inner, f"{prefix}{inner.name}/", size=size, unseen=unseen)
                if not inner.reason or inner.calls
                else ()
            )
            outputs: dict[str, Output | None] = {**inner.outputs} or {inner.name: None}
            for number, (name, output) in enumerate(outputs.items()):
                reason = inner.reason or ("" if output else NO_TENSOR)
                shown = output and Output(with_open_batch(output.shape, size), output.dtype)
                found.append(
                    self._node(
                        prefix + name,
                        inner.operation,
                        inner.index,
                        shown,
                        origin="opaque" if reason else "tapped",
                        children=() if number else inside,
                        reason=reason,
                    )
                )
        return found

    def _of_values(
        self, operation: Any, probed: Intermediates, prefix: str, size: int | None = None
    ) -> list[LayerNode]:
        """The nodes of intermediate values of a layer that no call inside it returns, such as attention scores."""
        found = []
        for name, value in probed.values.items():
            output = value.output and Output(with_open_batch(value.output.shape, size), value.output.dtype)
            found.append(self._part(operation, prefix + name, value.kind, output, origin="tapped"))
        return found

    def _of_saved_model(self, operation: Any, prefix: str) -> tuple[LayerNode, ...]:
        """The node of the function that a layer loaded from a SavedModel runs; none for any other layer."""
        if not isinstance(operation, keras.layers.TFSMLayer):
            return ()
        path = prefix + operation.call_endpoint
        return (self._part(operation, path, "Function", None, origin="opaque", reason=OF_SAVED_MODEL),)

    def _part(
        self, operation: Any, path: str, kind: str, output: Output | None, *, origin: Origin, reason: str = ""
    ) -> LayerNode:
        """The node of a part of a layer that is no layer itself."""
        node = self._node(path, operation, 0, output, origin=origin, reason=reason)
        if self.paths[id(operation)] == path:
            del self.paths[id(operation)]  # the layer's path is that of its output, whose node comes later
        name = path.rpartition("/")[2]
        return dataclasses.replace(node, name=name, class_name=kind, parameters=0, trainable=False)

    def _recorded_as_aside(self, operation: Any, nodes: list[LayerNode], prefix: str) -> list[LayerNode]:
        """Returns nodes after recording that their values come from the probe of the layer whose path is `prefix`."""
        probe = probe_of(operation)
        if probe is None:
            return nodes
        layer = prefix.removesuffix("/")
        for node in [each for outer in nodes for each in (outer, *outer)]:
            steps = self.asides[node.path].steps if node.path in self.asides else 0
            self.asides[node.path] = Aside(layer, steps + probe.steps, probe.no_edit(layer))
        return nodes

    def declared(self, operation: Any, prefix: str) -> tuple[LayerNode, ...]:
        """The nodes of a layer's sublayers, for a layer whose calls can't be observed."""
        function = function_of(operation)
        if function is not None:
            # The layer's graph gives its calls. But the graph around the layer is not known, so only a tap can capture
            # the nodes, and their `places` are dropped.
            known = NodeBuilder()
            nodes = known.graph(function, prefix, None)
            self.operations |= known.operations
            self.paths = {**known.paths, **self.paths}
            self.asides |= known.asides
            return tuple(as_tapped(node) for node in nodes)
        probe = probe_of(operation)
        probed = Intermediates() if probe is None else probe.declared(operation)
        loop_reason = in_loop(operation) if is_loop(operation) else ""
        probed_layers = {id(call.operation) for call in probed.calls}
        names = CallNames(operation)
        others = [Call(layer, names.call(layer)[0], 0, reason=loop_reason) for layer in sublayers(operation)]
        found = self._declared_calls([call for call in others if id(call.operation) not in probed_layers], prefix)
        aside = self._declared_calls(probed.calls, prefix) + self._of_values(operation, probed, prefix)
        saved = self._of_saved_model(operation, prefix)
        return (*found, *self._recorded_as_aside(operation, aside, prefix), *saved)

    def _declared_calls(self, calls: Iterable[Call], prefix: str) -> list[LayerNode]:
        """The nodes of expected calls that have not been observed."""
        found = []
        for call in calls:
            path = prefix + call.name
            inside: tuple[LayerNode, ...] = ()
            if call.calls or call.intermediates is not None:
                values = self._of_values(call.operation, call.intermediates or Intermediates(), f"{path}/")
                inside = (*self._declared_calls(call.calls, f"{path}/"), *values)
            elif not call.reason:
                inside = self.declared(call.operation, f"{path}/")
            origin: Origin = "opaque" if call.reason else "tapped"
            found.append(
                self._node(path, call.operation, call.index, origin=origin, children=inside, reason=call.reason)
            )
        return found

    def _node(
        self,
        path: str,
        operation: Any,
        index: int,
        output: Output | None = None,
        *,
        origin: Origin,
        children: tuple[LayerNode, ...] = (),
        reason: str = "",
    ) -> LayerNode:
        self.paths.setdefault(id(operation), path)
        self.operations[path] = operation
        is_layer = isinstance(operation, keras.Layer)
        return LayerNode(
            path=path,
            name=sendable(operation.name),
            class_name=type(operation).__name__,
            call=index,
            output_shape=output.shape if output else None,
            dtype=output.dtype if output else "",
            parameters=self.parameters(operation) if is_layer else 0,
            trainable=bool(operation.trainable) if is_layer else False,
            children=children,
            origin=origin,
            reason=reason,
            layer_count=len(counted_layers(operation)) if isinstance(operation, keras.Model) else 0,
        )


def _guesses_dtype(operation: Any) -> bool:
    """Whether Keras knows only the shape of a layer's output, and assumes that the output has the layer's own dtype.

    Most of Keras's own layers whose output has another dtype declare it.
    """
    if isinstance(operation, (keras.layers.StringLookup, keras.layers.IntegerLookup, keras.layers.Lambda)):
        return True
    cls = type(operation)
    if not isinstance(operation, keras.Layer) or cls.compute_output_spec is not keras.Layer.compute_output_spec:
        return False
    shape_class = next(base for base in cls.__mro__ if "compute_output_shape" in vars(base))
    return not is_keras_class(shape_class)


def _dtypes(node: Any) -> list[str]:
    """The dtypes of the outputs of a call in a graph. If Keras only guesses them, the layer is called on symbols."""
    if _guesses_dtype(node.operation):
        with suppress(Exception):  # if that fails, Keras's guess is used
            tap = run_symbolically(node.operation, node.arguments.args, node.arguments.kwargs)
            if len(tap.outputs) == len(node.outputs):
                return [output.dtype for output in tap.outputs]
    return [str(tensor.dtype) for tensor in node.outputs]


def _shape(tensor: keras.KerasTensor, model: Any) -> tuple[int | None, ...] | None:
    """A tensor's shape. In a `Sequential`, the number of samples of the batch that built it becomes `None`."""
    shape = tuple(tensor.shape)
    return with_open_batch(shape, model.inputs[0].shape[0]) if isinstance(model, keras.Sequential) else shape


def as_tapped(node: LayerNode) -> LayerNode:
    """The same node for an edited model, whose values only a tap can capture."""
    origin = node.origin if node.origin == "opaque" else "tapped"
    return dataclasses.replace(node, origin=origin, children=tuple(as_tapped(child) for child in node.children))
