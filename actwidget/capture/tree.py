"""What can be selected in a model: `layer_tree(model)`."""

from __future__ import annotations

import dataclasses
import functools
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.failing import Failing
from actwidget.capture.forward import (
    as_tensors,
    same_call_marks,
    same_name_scope,
    same_random_states,
    unchanged,
)
from actwidget.capture.graph import ModelGraph, Place, Step
from actwidget.capture.inputs import Batch, built_shape, is_structure, prepare
from actwidget.capture.level import (
    SCORES,
    SCORES_CLASS,
    Functional,
    Level,
    function_of,
    graph_nodes,
    has_scores,
    is_compiled,
    is_composite,
    is_loop,
    is_stateful,
    sublayers,
)
from actwidget.capture.node import LayerNode, Origin
from actwidget.capture.paths import sendable
from actwidget.capture.tap import ELSEWHERE, Call, Output, Tap
from actwidget.capture.tapped import Tapped
from actwidget.errors import (
    CaptureError,
    InvalidInputsError,
    ModelNotBuiltError,
    NotCapturableError,
    OptionError,
    UnsupportedModelError,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOT_CALLED = "was not called in this forward pass"
NO_TENSOR = "gives no tensor"


def layer_tree(model: keras.Model, inputs: Any = None) -> LayerNode:
    """The tree of everything in a model whose activation can be selected.

    Args:
        model: A Keras 3 model of any kind.
        inputs: A sample batch. It is needed by a model that nothing has built yet, and worth giving for a model without
            a functional graph: only a forward pass can tell what such a model calls.

    Returns:
        The root, whose children are the nodes of the model in order of execution, inputs first.

    Raises:
        UnsupportedModelError: `model` is no Keras 3 model.
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


def trace(
    model: Any, inputs: Any = None, *, record: dict[str, Any] | None = None, most: int | None = None
) -> ModelGraph:
    """Reads what can be selected in a model; it stays as it is.

    A functional graph is read without running anything. A model without one is run once on `inputs` and seen.

    Args:
        model: The model.
        inputs: A sample batch.
        record: Is filled with the tensor at each path if the model is run on all samples.
        most: Of more samples than this the model is run on some alone, and what others would call is not known.

    Raises:
        UnsupportedModelError: It is no Keras 3 model.
        ModelNotBuiltError: The model is not built, and there is no sample to build it with.
        InvalidInputsError: The model can't take `inputs`.
    """
    check_is_keras_model(model)
    root = model.model if isinstance(model, Tapped) else model
    edits = dict(model.edits) if isinstance(model, Tapped) else {}
    allowed = model.allow_unreached if isinstance(model, Tapped) else frozenset()
    if isinstance(root, keras.Sequential) and function_of(root) is None:
        _build(root, inputs)
    function = function_of(root)
    builder = _Builder()
    tap = functools.partial(Tap, root, edits=edits, allow_unreached=allowed, structure=True)
    if function is None:
        children, outputs, output = _watched(root, builder, tap, inputs, record=record, most=most)
        given = None
    else:
        given = function.inputs[0] if isinstance(root, keras.Sequential) else function.input
        children = builder.graph(function, "", None, owner=root)
        if builder.untried and inputs is not None:
            builder = _watching(root, tap, given, inputs, most)
            children = builder.graph(function, "", None, owner=root)
        outputs = [Output(_shape(tensor, root), str(tensor.dtype)) for tensor in function.outputs]
        output = next(path for path, place in builder.places.items() if place.tensor is function.outputs[0])
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
    seen = builder.failed, builder.called, builder.untried
    return ModelGraph(model, root, tree, given, *known, output, edits, allowed, *seen)


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
        self.called: frozenset[str] | None = None  # what some samples called, where the others were not asked

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
            for number, tensor in enumerate(node.outputs):
                path = prefix + level.output(called, number)
                self.places[path] = Place(function, tensor, outer)
                # A layer that was tried out has told its shapes better than by Keras's own guess.
                tried = len(outputs) == len(node.outputs)
                output = outputs[number] if tried else Output(_shape(tensor, owner), str(tensor.dtype))
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
        if is_loop(operation):
            return self.declared(operation, prefix), []
        if prefix in self._watched:
            return self.seen(self._watched[prefix], prefix, size=self._size), []
        try:
            tap = run_symbolically(operation, node.arguments.args, node.arguments.kwargs)
        except Exception:  # noqa: BLE001 - what can't be tried out beforehand is seen when it runs
            self.untried = True
            return self.declared(operation, prefix), []
        return self.seen(tap.seen, prefix), tap.outputs

    def seen(
        self, call: Call, prefix: str, *, size: int | None = None, unseen: str = NOT_CALLED
    ) -> tuple[LayerNode, ...]:
        """The nodes of the calls inside one that was seen, and of the layers that were not called."""
        if is_loop(call.operation):
            return self.declared(call.operation, prefix)
        found = []
        for inner in call.calls:
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
        if call.scores is not None:
            output = Output(_without_size(call.scores.shape, size), call.scores.dtype)
            found.append(self._scores(prefix, call.operation, output))
        if function_of(call.operation) is None:
            called = {id(inner.operation) for inner in call.calls}
            level = Level(call.operation, is_made=call.is_made)
            reason = ELSEWHERE if is_compiled(call.operation) else unseen
            found += [
                self._node(prefix + level.call(layer)[0], layer, 0, origin="opaque", reason=reason)
                for layer in sublayers(call.operation)
                if id(layer) not in called
            ]
        return tuple(found)

    def declared(self, operation: Any, prefix: str) -> tuple[LayerNode, ...]:
        """The layers that a layer holds, when nothing is known of how it calls them."""
        function = function_of(operation)
        if function is not None:
            # Its graph is known, though not how it is come to.
            known = _Builder()
            nodes = known.graph(function, prefix, None)
            self.operations |= known.operations
            self.paths = {**known.paths, **self.paths}
            return tuple(_tapped(node) for node in nodes)
        level = Level(operation)
        loop = f"runs once a time step, inside the loop of {operation.name!r}" if is_loop(operation) else ""
        found = []
        for layer in sublayers(operation):
            called, _ = level.call(layer)
            inside = () if loop else self.declared(layer, f"{prefix}{called}/")
            found.append(
                self._node(
                    prefix + called, layer, 0, origin="opaque" if loop else "tapped", children=inside, reason=loop
                )
            )
        if has_scores(operation):
            found.append(self._scores(prefix, operation, None))
        return tuple(found)

    def _scores(self, prefix: str, operation: Any, output: Output | None) -> LayerNode:
        path = prefix + SCORES
        node = self._node(path, operation, 0, output, origin="tapped")
        if self.paths[id(operation)] == path:
            del self.paths[id(operation)]  # the layer itself is what its call gives, the node after this one
        return dataclasses.replace(node, name=SCORES, class_name=SCORES_CLASS, parameters=0, trainable=False)

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


class _Trial(keras.Operation):  # type: ignore[misc]  # Keras has no type hints
    """Runs a layer under a tap on symbolic inputs, of which Keras makes a scratch graph."""

    def __init__(self, tap: Tap) -> None:
        super().__init__(name="trial")
        self._tap = tap

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self._tap.run(*args, **kwargs)


def run_symbolically(operation: Any, args: Any, kwargs: Any) -> Tap:
    """The tap that has seen a layer's calls on symbolic inputs; nothing is computed.

    Args:
        operation: The layer.
        args: What it is called with, `keras.KerasTensor`s for tensors.
        kwargs: The same by name.
    """
    tap = Tap(operation, structure=True)
    with same_call_marks(operation), same_name_scope():
        _Trial(tap).compute_output_spec(*args, **kwargs)
    return tap


def _watched(
    root: keras.Model,
    builder: _Builder,
    tap: Callable[..., Tap],
    inputs: Any,
    *,
    record: dict[str, Any] | None,
    most: int | None,
) -> tuple[tuple[LayerNode, ...], list[Output], str]:
    """The nodes of a model without a functional graph: from one forward pass, or without inputs from a trial."""
    if inputs is not None:
        return _seen_on(root, builder, tap, prepare(inputs, None, root.name), record=record, most=most)
    if not root.built:
        message = (
            f"Model {root.name!r} ({type(root).__name__}) has never been called, so nothing is known of its layers. "
            "Pass a batch as `inputs`, or call the model on one first."
        )
        raise ModelNotBuiltError(message)
    for symbols in _symbols(root):
        with suppress(Exception):  # what can't be tried out beforehand is seen when it runs
            tried = run_symbolically(root, (symbols,), {})
            return builder.seen(tried.seen, ""), tried.outputs, tried.output_path
    builder.untried = True
    return builder.declared(root, ""), [], ""


def _symbols(root: keras.Model) -> list[Any]:
    """The symbolic inputs that a model without a functional graph may take, the likeliest first.

    Of a functional model that overrides `call()` they are known. Keras keeps the shape with which another was built,
    but not the dtype: where numbers of the model's own won't do, it may take whole ones, as ids.
    """
    if isinstance(root, Functional):
        return [root.input]
    try:
        shape = root.get_build_config()["input_shape"]
    except Exception:  # noqa: BLE001 - a model may have its own way of keeping it, or none
        return []
    return [
        keras.tree.map_shape_structure(lambda each, of=dtype: keras.KerasTensor((None, *each[1:]), dtype=of), shape)
        for dtype in dict.fromkeys([root.input_dtype, "int32"])
    ]


def _watching(root: keras.Model, new_tap: Callable[..., Tap], given: Any, inputs: Any, most: int | None) -> _Builder:
    """A builder that knows from a forward pass what the layers call whose insides can't be tried out."""
    batch = prepare(inputs, given, root.name)
    tap = new_tap()
    size = _enough(root, batch, most)
    # What a layer that raises calls is not known.
    with (
        suppress(CaptureError, OptionError, NotCapturableError),
        unchanged(root),
        Failing(root.name, lambda: tap.failed),
    ):
        tap.run(as_tensors(batch.rows(0, size), given), training=False)
    if tap.failed is not None and size < batch.size:
        return _watching(root, new_tap, given, inputs, None)
    builder = _Builder({f"{path}/": call for path, call in tap.calls.items()}, size)
    builder.called = frozenset(tap.calls) if size < batch.size else None
    return builder


def _seen_on(
    root: keras.Model,
    builder: _Builder,
    new_tap: Callable[..., Tap],
    batch: Batch,
    *,
    record: dict[str, Any] | None,
    most: int | None,
) -> tuple[tuple[LayerNode, ...], list[Output], str]:
    size = _enough(root, batch, most)
    if size < batch.size:
        record = None
    tap = new_tap(wanted=() if record is None else None)
    unseen = NOT_CALLED
    try:
        with unchanged(root), Failing(root.name, lambda: tap.failed):
            tap.run(as_tensors(batch.rows(0, size)), training=False)
        if record is not None:
            tap.check_edits()
    except (CaptureError, OptionError, NotCapturableError) as error:
        if size < batch.size:  # some models take batches of their own size alone
            return _seen_on(root, builder, new_tap, batch, record=record, most=None)
        if not isinstance(error, CaptureError):  # of an edit
            raise
        builder.failed = tap.failed
        if builder.failed is None or _at_the_door(tap.seen):
            message = f"Model {root.name!r} can't take these inputs. {error}"
            raise InvalidInputsError(message) from error
        unseen = f"was not reached, since {builder.failed!r} raised"
    if record is not None:
        record.update(tap.values)
    builder.called = frozenset(tap.calls) if size < batch.size else None
    outputs = [Output(_without_size(output.shape, size), output.dtype) for output in tap.outputs]
    return builder.seen(tap.seen, "", size=size, unseen=unseen), outputs, tap.output_path


def _at_the_door(seen: Call) -> bool:
    """Whether the first layer of a model refused what it was given, not its edit, and it is one of Keras's own."""
    first, *others = seen.calls
    refused = first.reason.startswith("raised") and type(first.operation).__module__.startswith("keras.")
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
    model.build(found[0])


def _refusal(model: keras.Sequential, shape: tuple[int | None, ...]) -> str | None:
    """Why a `Sequential` can't be built for a shape, tried out on a copy: one that fails can't be built again."""
    with same_random_states():
        try:
            copy = keras.models.clone_model(model)
        except Exception:  # noqa: BLE001 - a layer that can't be copied can't be tried out
            return None
        try:
            copy.build(shape)
        except Exception as error:  # noqa: BLE001 - whatever a layer says
            return told(error)
    return None


def check_is_keras_model(model: Any) -> None:
    """Raises an error that says what `model` is and what to do, unless it is a Keras 3 model.

    Raises:
        UnsupportedModelError: It is something else.
    """
    if isinstance(model, keras.Model):
        return
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    bases = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if isinstance(model, type) and issubclass(model, keras.Model):
        advice = f"That is the class itself: make a model of it first, {model.__name__}(...)."
    elif isinstance(model, keras.Layer):
        advice = "That is a single layer. Wrap it: keras.Sequential([keras.Input(shape), layer])."
    elif "tf_keras" in bases:
        advice = (
            "That is a legacy Keras 2 model (tf_keras). Save it with model.save('model.keras') and load that file with "
            "keras.models.load_model, or build it again with `import keras`."
        )
    elif "torch" in bases:
        advice = "That is a PyTorch module. actwidget looks into Keras 3 models; with PyTorch use forward hooks."
    elif "tensorflow" in bases:
        advice = (
            "That is a TensorFlow object, such as a loaded SavedModel, which keeps no layers. Load the .keras file "
            "with keras.models.load_model."
        )
    elif isinstance(model, (str, bytes)) or hasattr(model, "__fspath__"):
        advice = "That is a path or a name. Load it first: keras.models.load_model(path)."
    elif callable(model) and not isinstance(model, type):
        advice = "Pass a keras.Model; if that makes one, call it first."
    else:
        advice = "Pass a keras.Model."
    message = f"Expected a Keras 3 model, got {kind}. {advice}"
    raise UnsupportedModelError(message)
