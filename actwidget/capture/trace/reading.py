"""What can be selected in a model: `layer_tree(model)`."""

from __future__ import annotations

import dataclasses
import functools
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.run.failures import Failing
from actwidget.capture.run.fitted_inputs import fitted, holds_text, preprocessed
from actwidget.capture.run.inputs import Batch, built_shape, is_structure, prepare, unlike
from actwidget.capture.run.probes.probe import Asked
from actwidget.capture.run.probes.registry import probe_of
from actwidget.capture.run.restore import as_tensors, unchanged
from actwidget.capture.run.tap import Tap, run_symbolically, watched
from actwidget.capture.run.tapped_model import Tapped
from actwidget.capture.run.token_ids import refused_token
from actwidget.capture.structure.call_arguments import Signature, Spread, arguments, has_call
from actwidget.capture.structure.call_names import Level, in_loop, is_composite, is_loop, is_stateful, sublayers
from actwidget.capture.structure.calls import Call, Intermediates, Output
from actwidget.capture.structure.inner_models import no_call, without_call
from actwidget.capture.structure.model_graph import Aside, ModelGraph, Place, Step
from actwidget.capture.structure.node import LayerNode, Origin
from actwidget.capture.structure.paths import sendable
from actwidget.capture.structure.supported_models import check_is_keras_model
from actwidget.errors import (
    CaptureError,
    InvalidInputsError,
    ModelNotBuiltError,
    NotCapturableError,
    OptionError,
    UnsupportedModelError,
    told,
)
from actwidget.keras_internals.classes import Functional, is_keras_class
from actwidget.keras_internals.graph import function_of, graph_nodes
from actwidget.keras_internals.isolation import isolated
from actwidget.keras_internals.rollback import as_before_if_it_fails

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

NOT_CALLED = "was not called in this forward pass"
NO_TENSOR = "gives no tensor"


def layer_tree(model: keras.Model, inputs: Any = None) -> LayerNode:
    """The tree of everything in a model whose activation can be selected.

    Args:
        model: A Keras 3 model of any kind.
        inputs: A sample batch, as for `activations`. It is needed by a model that nothing has built yet, and worth
            giving for a model without a functional graph: only a forward pass can tell what such a model calls.

    Returns:
        The root, whose children are the nodes of the model in order of execution, inputs first.

    Raises:
        UnsupportedModelError: `model` is no Keras 3 model, or it has no `call()` or no layers.
        ModelNotBuiltError: The model has never been built and no `inputs` were given.
        InvalidInputsError: The model can't take `inputs`.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")], name="small")
        >>> print(layer_tree(model))  # doctest: +ELLIPSIS
        small... Sequential ...
          hidden... Dense ... (None, 3) ... 15
        >>> layer_tree(model)["hidden"].parameters
        15
    """
    return trace(model, inputs).tree


def trace(model: Any, inputs: Any = None) -> ModelGraph:
    """Reads what can be selected in a model, as `read` does.

    Raises:
        UnsupportedModelError, ModelNotBuiltError, InvalidInputsError: As for `read`.
    """
    return read(model, inputs)[0]


def read(
    model: Any,
    inputs: Any = None,
    *,
    record: dict[str, Any] | None = None,
    most: int | None = None,
    parts: bool = False,
) -> tuple[ModelGraph, Batch | None]:
    """Reads what can be selected in a model, which stays as it is, and brings inputs to what it takes.

    A functional graph is read without running anything. A model without one is run once on `inputs` and seen.

    Args:
        model: The model.
        inputs: A sample batch.
        record: Is filled with the tensor at each path if the model is run on all samples.
        most: Of more samples than this the model is run on some alone, and what others would call is not known.
        parts: Whether the layers of a model without `call()` are listed, though none of them can be had.

    Returns:
        The model's graph and the batch, which is `None` without inputs.

    Raises:
        UnsupportedModelError: It is no Keras 3 model, or it has no `call()` or no layers.
        ModelNotBuiltError: The model is not built, and there is no sample to build it with.
        InvalidInputsError: The model can't take `inputs`.
    """
    check_is_keras_model(model)
    root = model.model if isinstance(model, Tapped) else model
    edits = dict(model.edits) if isinstance(model, Tapped) else {}
    allowed = model.allow_unreached if isinstance(model, Tapped) else frozenset()
    tap = functools.partial(Tap, root, edits=edits, allow_unreached=allowed, structure=True)
    builder = _Builder()
    batch: Batch | None = None
    given: Any = None
    outputs: list[Output] = []
    children: tuple[LayerNode, ...]
    output, spread, was_watched = "", Signature(root).usual, False
    if not has_call(root):
        if not parts:
            raise no_call(root)
        children = without_call(root, builder.declared(root, ""))
        batch = None if inputs is None else prepare(inputs, None, root.name)
    else:
        if isinstance(root, keras.Sequential) and function_of(root) is None:
            _build(root, inputs)
        function = function_of(root)
        if function is None:
            look = _watched(root, builder, tap, inputs, record=record, most=most)
            children, outputs, output = look.nodes, look.outputs, look.output
            batch, spread, was_watched = look.batch, look.spread, look.batch is not None
        else:
            given = function.inputs[0] if isinstance(root, keras.Sequential) else function.input
            children = builder.graph(function, "", None, owner=root)
            batch = None if inputs is None else fitted(root, inputs, edited=bool(edits))
            if builder.untried and batch is not None:
                builder, was_watched = _watching(root, tap, given, batch, most), True
                children = builder.graph(function, "", None, owner=root)
            outputs = [builder.outputs[id(tensor)] for tensor in function.outputs]
            output = next(path for path, place in builder.places.items() if place.tensor is function.outputs[0])
    if not children:
        message = (
            f"Model {model.name!r} ({type(model).__name__}) has no layers, so there is nothing to look at. Values that "
            "a model computes itself are seen once a layer gives them."
        )
        raise UnsupportedModelError(message)
    if edits:
        children = tuple(_tapped(child) for child in children)
        builder.places.clear()
    tree = LayerNode(
        path="",
        name=sendable(model.name),
        class_name=type(model).__name__,
        call=0,
        output_shape=outputs[0].shape if len(outputs) == 1 else None,
        dtype=outputs[0].dtype if len(outputs) == 1 else "",
        parameters=builder.parameters(model),
        trainable=bool(model.trainable),
        children=tuple(children),
    )
    known = builder.places, builder.paths, builder.operations
    graph = ModelGraph(
        model,
        root,
        tree,
        given,
        *known,
        output,
        edits,
        allowed,
        failed=builder.failed,
        called=builder.called,
        untried=builder.untried,
        watched=was_watched,
        spread=spread,
        asides=builder.asides,
    )
    return graph, batch


class _Builder:
    """Makes the nodes of a tree and keeps what is known of each."""

    def __init__(self, watched: Mapping[str, Call] | None = None, size: int | None = None) -> None:
        """Makes nodes, of some layers from their calls in a forward pass on `size` samples, by the paths of these."""
        self._watched = watched or {}
        self._size = size
        self._sizes: dict[int, int] = {}  # of variables: to ask one for its shape takes as long as making a node
        self.untried = False  # whether a layer's inside could not be found out without a forward pass
        self.places: dict[str, Place] = {}
        self.paths: dict[int, str] = {}
        self.operations: dict[str, keras.Operation] = {}
        self.failed: str | None = None  # the call that raised, where the model was run to be seen
        self.asides: dict[str, Aside] = {}
        self.called: frozenset[str] | None = None  # what some samples called, where the others were not asked
        self.outputs: dict[int, Output] = {}  # for the `id` of a symbolic tensor what the tree says of it

    def parameters(self, layer: keras.Layer) -> int:
        """How many numbers the weights of a layer hold, those of inner layers with them."""
        total = 0
        for weight in layer.weights:
            if (size := self._sizes.get(id(weight))) is None:
                size = self._sizes[id(weight)] = math.prod(weight.shape)
            total += size
        return total

    def graph(self, function: Any, prefix: str, outer: Step | None, owner: Any = None) -> tuple[LayerNode, ...]:
        """The nodes of a functional graph, all its nested calls opened."""
        level = Level(function)
        origin: Origin = "functional" if outer is None else "composed"
        found = []
        for node in graph_nodes(function):
            operation = node.operation
            called, index = level.call(operation)
            inside, outputs = ((), []) if node.is_input else self._inside(function, node, f"{prefix}{called}/", outer)
            dtypes = _dtypes(node)
            for number, tensor in enumerate(node.outputs):
                path = prefix + level.output(called, number)
                self.places[path] = Place(function, tensor, outer)
                # A layer that was tried out has told its shapes better than by Keras's own guess.
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
        """The nodes inside a call of a graph, and what it gives, where that was tried out."""
        operation = node.operation
        nested = function_of(operation)
        if nested is not None:
            return self.graph(nested, prefix, Step(function, node, outer)), []
        if not is_composite(operation):
            return (), []
        if prefix in self._watched:
            return self.seen(self._watched[prefix], prefix, size=self._size), []
        args, kwargs = node.arguments.args, node.arguments.kwargs
        probe = probe_of(operation)
        try:
            if probe is not None and probe.is_loop:  # to try it out would go through all steps
                expected = probe.expected(Asked(operation, args, kwargs, watched))
                return self.seen(Call(operation, "", 0, intermediates=expected), prefix), []
            tap = run_symbolically(operation, args, kwargs)
        except Exception:  # noqa: BLE001 - what can't be tried out beforehand is seen when it runs
            self.untried = True
            return self.declared(operation, prefix), []
        return self.seen(tap.seen, prefix), tap.outputs

    def seen(
        self, call: Call, prefix: str, *, size: int | None = None, unseen: str = NOT_CALLED
    ) -> tuple[LayerNode, ...]:
        """The nodes of the calls inside one that was seen, and of the layers that were not called."""
        if is_loop(call.operation) and call.intermediates is None:
            return self.declared(call.operation, prefix)
        found = self._calls(call.calls, prefix, size, unseen)
        asked = call.intermediates or Intermediates()
        aside = self._calls(asked.calls, prefix, size, unseen) + self._values(call.operation, asked, prefix, size)
        found += self._set_aside(call.operation, aside, prefix)
        if function_of(call.operation) is None:
            called = {id(inner.operation) for inner in [*call.calls, *asked.calls]}
            level = Level(call.operation, is_made=call.is_made)
            reason = in_loop(call.operation) if is_loop(call.operation) else unseen
            found += [
                self._node(prefix + level.call(layer)[0], layer, 0, origin="opaque", reason=reason)
                for layer in sublayers(call.operation)
                if id(layer) not in called
            ]
        return tuple(found)

    def _calls(self, calls: Iterable[Call], prefix: str, size: int | None, unseen: str) -> list[LayerNode]:
        """The nodes of calls that were seen, each with all that was seen inside it."""
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
                shown = output and Output(_without_size(output.shape, size), output.dtype)
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

    def _values(self, operation: Any, asked: Intermediates, prefix: str, size: int | None = None) -> list[LayerNode]:
        """The nodes of the values that a layer computes on the way and no call inside it gives."""
        found = []
        for name, value in asked.values.items():
            output = value.output and Output(_without_size(value.output.shape, size), value.output.dtype)
            path = prefix + name
            node = self._node(path, operation, 0, output, origin="tapped")
            if self.paths[id(operation)] == path:
                del self.paths[id(operation)]  # the layer itself is what its call gives, the node after this one
            found.append(dataclasses.replace(node, name=name, class_name=value.kind, parameters=0, trainable=False))
        return found

    def _set_aside(self, operation: Any, nodes: list[LayerNode], prefix: str) -> list[LayerNode]:
        """Notes of nodes that a layer is asked for them, in the layer's own path, which is `prefix`."""
        probe = probe_of(operation)
        if probe is None:
            return nodes
        layer = prefix.removesuffix("/")
        for node in [each for outer in nodes for each in (outer, *outer)]:
            steps = self.asides[node.path].steps if node.path in self.asides else 0
            self.asides[node.path] = Aside(layer, steps + probe.steps, probe.no_edit(layer))
        return nodes

    def declared(self, operation: Any, prefix: str) -> tuple[LayerNode, ...]:
        """The layers that a layer holds, when nothing is known of how it calls them."""
        function = function_of(operation)
        if function is not None:
            # Its graph is known, though not how it is come to.
            known = _Builder()
            nodes = known.graph(function, prefix, None)
            self.operations |= known.operations
            self.paths = {**known.paths, **self.paths}
            self.asides |= known.asides
            return tuple(_tapped(node) for node in nodes)
        probe = probe_of(operation)
        asked = Intermediates() if probe is None else probe.declared(operation)
        loop = in_loop(operation) if is_loop(operation) else ""
        asked_for = {id(call.operation) for call in asked.calls}
        level = Level(operation)
        others = [Call(layer, level.call(layer)[0], 0, reason=loop) for layer in sublayers(operation)]
        found = self._declared_calls([call for call in others if id(call.operation) not in asked_for], prefix)
        aside = self._declared_calls(asked.calls, prefix) + self._values(operation, asked, prefix)
        return (*found, *self._set_aside(operation, aside, prefix))

    def _declared_calls(self, calls: Iterable[Call], prefix: str) -> list[LayerNode]:
        """The nodes of calls of which nothing is seen."""
        found = []
        for call in calls:
            path = prefix + call.name
            inside: tuple[LayerNode, ...] = ()
            if call.calls or call.intermediates is not None:
                values = self._values(call.operation, call.intermediates or Intermediates(), f"{path}/")
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
        )


def _guesses_dtype(operation: Any) -> bool:
    """Whether Keras knows of a layer's output the shape alone, and takes the layer's own dtype for that of the output.

    Most of Keras's own layers that give another dtype say so.
    """
    if isinstance(operation, (keras.layers.StringLookup, keras.layers.IntegerLookup, keras.layers.Lambda)):
        return True
    cls = type(operation)
    if not isinstance(operation, keras.Layer) or cls.compute_output_spec is not keras.Layer.compute_output_spec:
        return False
    says_shape = next(base for base in cls.__mro__ if "compute_output_shape" in vars(base))
    return not is_keras_class(says_shape)


def _dtypes(node: Any) -> list[str]:
    """The dtypes of what a call of a graph gives, found out by a trial where Keras only guesses them."""
    if _guesses_dtype(node.operation):
        with suppress(Exception):  # then Keras's guess has to do
            tap = run_symbolically(node.operation, node.arguments.args, node.arguments.kwargs)
            if len(tap.outputs) == len(node.outputs):
                return [output.dtype for output in tap.outputs]
    return [str(tensor.dtype) for tensor in node.outputs]


@dataclasses.dataclass(frozen=True)
class _Look:
    """What was seen of a model without a functional graph.

    Attributes:
        nodes: Its nodes.
        outputs: What it gave.
        output: The path of the layer that gave the first of it, `""` where none did.
        batch: What it was run on, `None` where it was only tried out.
        spread: How it takes that.
    """

    nodes: tuple[LayerNode, ...]
    outputs: list[Output]
    output: str
    batch: Batch | None
    spread: Spread


def _watched(
    root: keras.Model,
    builder: _Builder,
    new_tap: Callable[..., Tap],
    inputs: Any,
    *,
    record: dict[str, Any] | None,
    most: int | None,
) -> _Look:
    """The nodes of a model without a functional graph: from one forward pass, or without inputs from a trial."""
    if inputs is not None:
        return _seen_in_some_way(root, builder, new_tap, inputs, record=record, most=most)
    usual = Signature(root).usual
    if not root.built:
        message = (
            f"Model {root.name!r} ({type(root).__name__}) has never been called, so nothing is known of its layers. "
            "Pass a batch as `inputs`, or call the model on one first."
        )
        raise ModelNotBuiltError(message)
    for args, kwargs in _symbols(root):
        with suppress(Exception), as_before_if_it_fails(root):  # what can't be tried out is seen when it runs
            tried = run_symbolically(root, args, kwargs)
            return _Look(builder.seen(tried.seen, ""), tried.outputs, tried.output_path, None, usual)
    builder.untried = True
    return _Look(builder.declared(root, ""), [], "", None, usual)


def _seen_in_some_way(
    root: keras.Model,
    builder: _Builder,
    new_tap: Callable[..., Tap],
    inputs: Any,
    *,
    record: dict[str, Any] | None,
    most: int | None,
) -> _Look:
    """The nodes of a model, seen on inputs in the first of the ways in which they may be meant that it runs on."""
    ways = Signature(root).ways(inputs)
    if holds_text(inputs) and (made := preprocessed(root, inputs)) is not None:
        ways += Signature(root).ways(made)
    for spread, value in ways if len(ways) > 1 else []:
        with suppress(InvalidInputsError, CaptureError):
            batch = prepare(value, None, root.name, spread)
            return _seen_on(root, builder, new_tap, batch, spread, record=record, most=most, to_the_end=True)
    spread, value = ways[0]
    batch = prepare(value, None, root.name, spread)
    return _seen_on(root, builder, new_tap, batch, spread, record=record, most=most)


def _symbols(root: keras.Model) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """The symbolic arguments that a model without a functional graph may take, the likeliest first.

    Of a functional model that overrides `call()` they are known. Keras keeps the shape with which another was built,
    but not the dtype: where numbers of the model's own won't do, it may take whole ones, as ids.
    """
    if isinstance(root, Functional):
        return [((root.input,), {})]
    try:
        config = root.get_build_config()
        shapes = {name.removesuffix("_shape"): shape for name, shape in config.get("shapes_dict", {}).items()}
        shape = shapes or config["input_shape"]
    except Exception:  # noqa: BLE001 - a model may have its own way of keeping it, or none
        return []
    values = [
        keras.tree.map_shape_structure(lambda each, of=dtype: keras.KerasTensor((None, *each[1:]), dtype=of), shape)
        for dtype in dict.fromkeys([root.input_dtype, "int32"])
    ]
    return [((), value) if shapes else ((value,), {}) for value in values]


def _watching(root: keras.Model, new_tap: Callable[..., Tap], given: Any, batch: Batch, most: int | None) -> _Builder:
    """A builder that knows from a forward pass what the layers call whose insides can't be tried out."""
    tap = new_tap()
    size = _enough(root, batch, most)
    # What a layer that raises would have called is not known.
    with (
        suppress(CaptureError, OptionError, NotCapturableError),
        unchanged(root, trial=True),
        Failing(root.name, lambda: tap.failed),
    ):
        tap.run(as_tensors(batch.rows(0, size), given), training=False)
    if tap.failed is not None and size < batch.size:
        return _watching(root, new_tap, given, batch, None)
    calls = {f"{path}/": call for path, call in tap.calls.items()}
    builder = _Builder(calls, None if batch.lengths else size)
    builder.called = frozenset(tap.calls) if size < batch.size else None
    return builder


def _seen_on(
    root: keras.Model,
    builder: _Builder,
    new_tap: Callable[..., Tap],
    batch: Batch,
    spread: Spread,
    *,
    record: dict[str, Any] | None,
    most: int | None,
    to_the_end: bool = False,
) -> _Look:
    """The nodes of a model, seen on a batch.

    Raises:
        InvalidInputsError: Nothing can be seen on it.
        CaptureError: A layer raised, and the pass has to run `to_the_end`.
        OptionError, NotCapturableError: An edit can't be made.
    """
    size = _enough(root, batch, most)
    some = size < batch.size
    tap = new_tap(wanted=() if record is None or some else None)
    args, kwargs = arguments(as_tensors(batch.rows(0, size)), spread)
    trial, unseen = record is None or some, NOT_CALLED
    try:
        with as_before_if_it_fails(root) as put_back:
            try:
                with unchanged(root, trial=trial), Failing(root.name, lambda: tap.failed):
                    tap.run(*args, **kwargs, training=False)
                if record is not None:
                    tap.check_edits()
            except CaptureError as error:
                if some or to_the_end:
                    raise
                builder.failed = tap.failed
                unseen = _since(error, tap, batch)
    except (CaptureError, OptionError, NotCapturableError):
        if some:  # some models take batches of their own size alone
            return _seen_on(root, builder, new_tap, batch, spread, record=record, most=None, to_the_end=to_the_end)
        raise
    if record is not None and not some:
        record.update(tap.values)
    builder.called = frozenset(tap.calls) if some else None
    samples = None if batch.lengths else size
    outputs = [Output(_without_size(output.shape, samples), output.dtype) for output in tap.outputs]
    nodes = builder.seen(tap.seen, "", size=samples, unseen=unseen)
    if builder.failed is not None:
        put_back()
    return _Look(nodes, outputs, tap.output_path, batch, spread)


def _since(error: CaptureError, tap: Tap, batch: Batch) -> str:
    """Why the layers behind one that raised were not called, where those before it can be seen.

    Raises:
        InvalidInputsError: The inputs themselves are wrong, or there is nothing to be seen.
    """
    name = tap.root.name
    if (token := refused_token(error, batch, [], name)) is not None:
        raise token from error
    if batch.lengths:
        message = f"{unlike(batch.lengths, name)} It does not run on these: {error}"
        raise InvalidInputsError(message) from error
    if tap.failed is None or _at_the_door(tap.seen):
        message = f"Model {name!r} can't take these inputs. {error}"
        raise InvalidInputsError(message) from error
    return f"was not reached, since {tap.failed!r} raised"


def _at_the_door(seen: Call) -> bool:
    """Whether the first layer of a model refused what it was given, not its edit: one of Keras's own, or not built."""
    first, *others = seen.calls
    is_own = type(first.operation).__module__.startswith("keras.")
    refused = first.reason.startswith("raised") and (is_own or not first.operation.built)
    return refused and not others and not first.calls


def _enough(root: keras.Model, batch: Batch, most: int | None) -> int:
    """On how many samples a model is run to be seen, if `most` go through it at a time later.

    Another number than `most`: an axis that is as long as there are samples is told by its changing with them. A
    stateful layer takes its own number of samples.
    """
    if most is None or batch.size <= most or is_stateful(root):
        return batch.size
    return min(most - 1 or 2, batch.size)


def _without_size(shape: tuple[int | None, ...] | None, size: int | None) -> tuple[int | None, ...] | None:
    """A shape that was seen on a batch of `size`, with an open batch axis."""
    return (None, *shape[1:]) if shape and size is not None and shape[0] == size else shape


def _shape(tensor: keras.KerasTensor, model: Any) -> tuple[int | None, ...]:
    """A tensor's shape; the batch axis of a `Sequential` is open, though a call on some batch may have built it."""
    shape = tuple(tensor.shape)
    if isinstance(model, keras.Sequential) and shape and shape[0] == model.inputs[0].shape[0]:
        return (None, *shape[1:])
    return shape


def _tapped(node: LayerNode) -> LayerNode:
    """The node of an edited model: only a tap sees what flows there."""
    origin = node.origin if node.origin == "opaque" else "tapped"
    return dataclasses.replace(node, origin=origin, children=tuple(_tapped(child) for child in node.children))


def _build(model: keras.Sequential, inputs: Any) -> None:
    """Builds a `Sequential` for a sample, if it is one array; on other structures it runs layer by layer.

    Raises:
        InvalidInputsError: It can't be built for that; it is as it was.
    """
    if type(model).call is not keras.Sequential.call or model.built:
        return
    if not model.layers:
        message = f"Model {model.name!r} is a Sequential without layers. Add some: model.add(keras.layers.Dense(2))."
        raise UnsupportedModelError(message)
    if inputs is None:
        message = (
            f"Model {model.name!r} has not been built, so its layers have no shapes yet. Pass a batch as `inputs`, or "
            "start the model with keras.Input(shape)."
        )
        raise ModelNotBuiltError(message)
    if is_structure(inputs):
        return
    batch = built_shape(inputs, model.name)
    sample = (None, *np.shape(inputs))
    found = [shape for shape in (batch, sample) if _refusal(model, shape) is None]
    if not found:
        message = f"Model {model.name!r} can't take these inputs, of shape {np.shape(inputs)}: {_refusal(model, batch)}"
        raise InvalidInputsError(message)
    with as_before_if_it_fails(model):
        try:
            model.build(found[0])
        except Exception as error:  # of a layer that can't be copied, so that it could not be tried out
            message = f"Model {model.name!r} can't take these inputs, of shape {np.shape(inputs)}: {told(error)}"
            raise InvalidInputsError(message) from error


def _refusal(model: keras.Sequential, shape: tuple[int | None, ...]) -> str | None:
    """Why a `Sequential` can't be built for a shape, tried out on a copy: one that fails can't be built again."""
    with isolated([model], symbolic=True):
        try:
            copy = keras.models.clone_model(model)
        except Exception:  # noqa: BLE001 - a layer that can't be copied can't be tried out
            return None
        try:
            copy.build(shape)
        except Exception as error:  # noqa: BLE001 - whatever a layer says
            return told(error)
    return None
