"""`Downstream`: the calls behind some activations of a functional or composed model, run by themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.run.conversion import as_array, as_tensors
from actwidget.capture.run.failures import Failing
from actwidget.capture.run.restore import unchanged
from actwidget.capture.run.tap import Tap
from actwidget.explain.compiled import compiled
from actwidget.explain.differentiation.differentiable_tap import DifferentiableTap
from actwidget.explain.differentiation.ending import Ending, ending_of
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.graph import function_of, graph_nodes, standardized_inputs
from actwidget.keras_internals.layers import with_training
from actwidget.keras_internals.tensors import mask_of, set_mask

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph, Step

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class ChannelEdit:
    """Channels of an activation multiplied by a factor, then raised by an offset; a factor of 0 leaves the offset.

    Attributes:
        chosen: bool, which values are changed; broadcasts over the activation, shape `(samples or 1, ..., channels)`.
        factor: What they are multiplied by, broadcasts in the same way.
        offset: What is added.
    """

    chosen: Array
    factor: Array
    offset: Array

    def tensors(self, dtype: str) -> tuple[Any, Any, Any]:
        """The three as tensors for an activation of a dtype."""
        convert = keras.ops.convert_to_tensor
        with np.errstate(all="ignore"):
            numbers = [convert(each, dtype=dtype) for each in (self.factor, self.offset)]
        return convert(self.chosen), numbers[0], numbers[1]


def _applied(tensor: Any, edit: tuple[Any, Any, Any]) -> Any:
    chosen, factor, offset = edit
    ops = keras.ops
    if backend.dtype_of(tensor) == "bool":
        return ops.where(chosen, offset, tensor)
    return ops.where(chosen, ops.where(factor == 0, offset, tensor * factor + offset), tensor)


@dataclass(frozen=True, eq=False)
class Held:
    """Tensors from one forward pass of the whole model, from which later passes start.

    Attributes:
        values: From path to tensor, samples first.
        masks: From path to Keras's mask, where there is one.
        outputs: What the model gave, in its own structure; without a final softmax or sigmoid if that was asked for.
        endings: For each flat output `"softmax"` or `"sigmoid"` if it ends with that, otherwise `""`.
        samples: How many samples the batch has.
    """

    values: dict[str, Any]
    masks: dict[str, Any]
    outputs: Any
    endings: list[str]
    samples: int


class Downstream:
    """The calls of a model's graphs that depend on some activations.

    Attributes:
        graph: The model's graph.
        paths: The paths of the edited activations.
        needed: The paths of the activations that a pass starts from, the edited ones among them.
        affected: The paths of all activations that can change, in order of execution.
    """

    def __init__(self, graph: ModelGraph, paths: Sequence[str]) -> None:
        """Finds the calls. Nothing runs.

        Args:
            graph: The model's graph, without edits.
            paths: Paths that are among `graph.places`.

        Raises:
            LookupError: The graphs do not tell all that such a pass needs.
        """
        self.graph = graph
        self.paths = tuple(paths)
        self._function = function_of(graph.root)
        places = graph.places
        self._edited = {(places[path].outer, id(places[path].tensor)): path for path in paths}
        self._names: dict[tuple[Any, int], str] = {}
        self._steps: dict[tuple[Any, int], Step] = {}
        for path, place in places.items():
            self._names.setdefault((place.outer, id(place.tensor)), path)
            step = place.outer
            while step is not None and (step.outer, id(step.node)) not in self._steps:
                self._steps[step.outer, id(step.node)] = step
                step = step.outer
        self._around = {step for path in paths for step in _chain(places[path].outer)}
        self._calls: dict[Step | None, list[tuple[Any, Step | None]]] = {}
        self._affected: list[str] = []
        needed: dict[str, None] = {}
        moved = self._trace(None, self._function, set(), needed)
        for tensor in self._function.outputs:
            if id(tensor) not in moved:
                needed[self._named(None, tensor)] = None
        self.needed = tuple(needed)
        order = {path: place for place, path in enumerate(graph.nodes)}
        self.affected = tuple(sorted(self._affected, key=order.__getitem__))

    def _named(self, step: Step | None, tensor: Any) -> str:
        path = self._names.get((step, id(tensor)))
        if path is None or self.graph.nodes[path].origin == "opaque":
            message = "A tensor on the way has no path."
            raise LookupError(message)
        return path

    def _trace(self, step: Step | None, function: Any, moved: set[int], needed: dict[str, None]) -> set[int]:
        """Finds the calls of one graph that have to run; returns the `id` of each of its tensors that can change."""
        calls = self._calls[step] = []
        made: set[int] = set(moved)
        moved = moved | {tensor for level, tensor in self._edited if level is step}
        for node in graph_nodes(function):
            if node.is_input:
                continue
            inner, child = function_of(node.operation), self._steps.get((step, id(node)))
            is_open = inner is not None and child is not None and _is_plain(node, inner)
            is_around = child in self._around
            if not is_around and not any(id(tensor) in moved for tensor in node.input_tensors):
                continue
            if is_around and not is_open:
                message = "A nested model on the way is called with more than its inputs."
                raise LookupError(message)
            if is_open:
                given = keras.tree.flatten(node.arguments.args[0])
                inside = {id(own) for own, each in zip(inner.inputs, given, strict=True) if id(each) in moved}
                changed = self._trace(child, inner, inside, needed)
                outputs = [out for out, own in zip(node.outputs, inner.outputs, strict=True) if id(own) in changed]
            else:
                outputs = list(node.outputs)
            needed |= {self._named(step, each): None for each in node.input_tensors if id(each) not in moved}
            calls.append((node, child if is_open else None))
            moved |= {id(tensor) for tensor in outputs}
            made |= {id(tensor) for tensor in outputs}
        edited = {id(tensor): tensor for tensor in _tensors(function) if (step, id(tensor)) in self._edited}
        needed |= {self._edited[step, key]: None for key in edited if key not in made}
        keys = [(step, id(tensor)) for tensor in _tensors(function) if id(tensor) in moved]
        self._affected.extend(self._names[key] for key in keys if key in self._names)
        return moved

    @cached_property
    def layers(self) -> list[keras.Layer]:
        """The layers that run in a pass, the nested ones with all that is in them."""
        found = [node.operation for calls in self._calls.values() for node, _ in calls]
        return list({id(each): each for each in found if isinstance(each, keras.Layer)}.values())

    def run(
        self,
        held: Held,
        edits: Mapping[str, ChannelEdit],
        rows: Array | None = None,
        *,
        everything: bool = False,
        logits: bool = False,
    ) -> tuple[list[Any], dict[str, Any]]:
        """Runs the calls behind the edited activations.

        Args:
            held: What they start from.
            edits: For each of `paths` how its channels are changed.
            rows: Which sample each row of the pass is, shape `(rows,)`; `None` for all samples, each once.
            everything: Whether the activations on the way are wanted, too.
            logits: Whether a final softmax or sigmoid is taken off the outputs.

        Returns:
            The model's outputs in a flat list, and from path to tensor all of `affected`, or nothing.
        """
        nodes = self.graph.nodes
        values, masks = {path: held.values[path] for path in self.needed}, dict(held.masks)
        masks = {path: mask for path, mask in masks.items() if path in values}
        dtypes = {path: backend.dtype_of(values[path]) if path in values else nodes[path].dtype for path in self.paths}
        changes = {path: edits[path].tensors(dtype) for path, dtype in dtypes.items()}
        plan = self._plans.setdefault((everything, logits), _Plan(self, everything=everything, logits=logits))
        run = compiled(self._function, (self.paths, everything, logits), self.layers, plan)
        index = None if rows is None else keras.ops.convert_to_tensor(rows, dtype="int32")
        with unchanged(self.graph.model, self.layers), Failing(self.graph.model.name):
            return run(values, masks, changes, *([] if index is None else [index]))  # type: ignore[no-any-return]

    @cached_property
    def _plans(self) -> dict[tuple[bool, bool], _Plan]:
        return {}

    def computed(
        self, given: dict[str, Any], masks: dict[str, Any], edits: Any, rows: Any = None, *, logits: bool = False
    ) -> Any:
        """The outputs and all activations that can change, from tensors alone; see `run`."""
        start: dict[tuple[Any, int], Any] = {}
        for path, value in given.items():
            place, tensor, mask = self.graph.places[path], value, masks.get(path)
            if rows is not None and place.tensor.shape and place.tensor.shape[0] is None:
                tensor = keras.ops.take(tensor, rows, axis=0)
                mask = None if mask is None else keras.ops.take(mask, rows, axis=0)
            if mask is not None:
                set_mask(tensor, mask)
            key = (place.outer, id(place.tensor))
            start[key] = self._edited_at(key, tensor, edits)
        later: dict[str, Any] = {}
        endings: dict[tuple[Step | None, int], Ending] = {}
        self._run_level(None, start, edits, endings)
        for path in self.affected:
            place = self.graph.places[path]
            later[path] = start[place.outer, id(place.tensor)]
        keys: list[tuple[Step | None, int]] = [(None, id(tensor)) for tensor in self._function.outputs]
        if not logits:
            return [start[key] for key in keys], later
        return [endings[key].before() if key in endings else start[key] for key in keys], later

    def _edited_at(self, key: tuple[Any, int], tensor: Any, edits: Any) -> Any:
        path = self._edited.get(key)
        if path is None:
            return tensor
        result, mask = _applied(tensor, edits[path]), mask_of(tensor)
        if mask is not None:
            set_mask(result, mask)
        return result

    def _run_level(
        self, step: Step | None, values: dict[tuple[Any, int], Any], edits: Any, endings: dict[Any, Ending]
    ) -> None:
        """Runs the calls of one graph; the values of its tensors are added to `values`."""
        for node, child in self._calls[step]:
            here = {id(each): values[step, id(each)] for each in node.input_tensors}
            args, kwargs = node.arguments.fill_in(here)
            if child is None:
                tensors = keras.tree.flatten(with_training(node.operation, training=False)(*args, **kwargs))
                if name := ending_of(node.operation):
                    endings |= {(step, id(out)): Ending(name, node.operation, args, kwargs) for out in node.outputs}
            else:
                inner = function_of(node.operation)
                for own, each in zip(inner.inputs, standardized_inputs(inner, args[0]), strict=True):
                    key: tuple[Step | None, int] = (child, id(own))
                    values[key] = values[key] if key in values else self._edited_at(key, each, edits)
                self._run_level(child, values, edits, endings)
                for out, own in zip(node.outputs, inner.outputs, strict=True):
                    if (child, id(own)) in endings:
                        endings[step, id(out)] = endings[child, id(own)]
                tensors = [values.get((child, id(own))) for own in inner.outputs]
            for out, tensor in zip(node.outputs, tensors, strict=True):
                key = (step, id(out))
                if key not in values or key in self._edited:
                    values[key] = tensor if tensor is None else self._edited_at(key, tensor, edits)


class _Plan:
    """The function that is compiled."""

    def __init__(self, downstream: Downstream, *, everything: bool, logits: bool) -> None:
        self._downstream = downstream
        self._everything = everything
        self._logits = logits

    def __call__(self, *given: Any) -> Any:
        outputs, later = self._downstream.computed(*given, logits=self._logits)
        return outputs, later if self._everything else {}


class _MaskTap(DifferentiableTap):
    """A tap that records masks, too, at once: a later layer may take a mask off, as `MultiHeadAttention` does.

    Attributes:
        masks: From path to the mask of the value there, where it has one.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.masks: dict[str, Any] = {}

    def _record(self, path: str, leaf: Any) -> None:
        super()._record(path, leaf)
        if path in self.values and (mask := mask_of(leaf)) is not None:
            self.masks[path] = mask


def held(
    graph: ModelGraph,
    batch: Batch,
    paths: Sequence[str],
    edits: Mapping[str, Any] | None = None,
    *,
    logits: bool = False,
) -> Held:
    """Some activations of a whole batch as tensors, from one pass through the model.

    Args:
        graph: The model's graph.
        batch: The inputs; all samples go through the model at once.
        paths: The paths of the activations.
        edits: From path to a layer that edits the activation there, before it goes on.
        logits: Whether a final softmax or sigmoid is taken off the outputs.

    Raises:
        NotCapturableError: The model gave no tensor there for this batch.
        CaptureError: The forward pass failed.
    """
    wanted = tuple(dict.fromkeys(paths))
    tap = _MaskTap(graph.root, wanted=wanted, edits=edits, allow_unreached=graph.allow_unreached)
    args, kwargs = graph.arguments(as_tensors(batch.fed, graph.inputs))
    with unchanged(graph.root, name=graph.model.name), Failing(graph.model.name, lambda: tap.failed):
        outputs = tap.run(*args, **kwargs, training=False)
        tap.check_edits()
        flat = keras.tree.flatten(outputs)
        endings = [tap.endings.get(id(leaf)) for leaf in flat]
        if logits:
            flat = [leaf if ending is None else ending.before() for leaf, ending in zip(flat, endings, strict=True)]
            outputs = keras.tree.pack_sequence_as(outputs, flat)
    tap.check_values(paths)
    names = ["" if ending is None else ending.name for ending in endings]
    return Held({path: tap.values[path] for path in paths}, tap.masks, outputs, names, batch.size)


def observed(
    graph: ModelGraph, batch: Batch, edits: Mapping[str, Any] | None = None, *, wanted: Collection[str] | None = None
) -> tuple[dict[str, Array], Any]:
    """Activations of a whole batch by path, and the model's outputs, from one pass with edits.

    Args:
        graph: The model's graph.
        batch: The inputs; all samples go through the model at once.
        edits: From path to a layer or callable that edits the activation there, before it goes on.
        wanted: Which activations are returned; by default all.

    Raises:
        NotCapturableError: An edit was not made.
        CaptureError: The forward pass failed.
    """
    every = {node.path for node in graph.tree if node.origin != "opaque"}
    tap = Tap(
        graph.root,
        wanted=every if wanted is None else every & set(wanted),
        edits={**graph.edits, **(edits or {})},
        allow_unreached=graph.allow_unreached,
    )
    args, kwargs = graph.arguments(as_tensors(batch.fed, graph.inputs))
    with unchanged(graph.root, name=graph.model.name), Failing(graph.model.name, lambda: tap.failed):
        outputs = tap.run(*args, **kwargs, training=False)
        tap.check_edits()
    return {path: as_array(tensor) for path, tensor in tap.values.items()}, outputs


def downstream(graph: ModelGraph, paths: Sequence[str]) -> Downstream | None:
    """What lies behind some activations; `None` where the graph does not tell, so that the whole model has to run."""
    if function_of(graph.root) is None or graph.edits or graph.stateful:
        return None
    if any(path not in graph.places or path in graph.asides for path in paths):
        return None
    try:
        return Downstream(graph, paths)
    except LookupError:
        return None


def _chain(step: Step | None) -> Iterator[Step]:
    while step is not None:
        yield step
        step = step.outer


def _tensors(function: Any) -> list[Any]:
    return [tensor for node in graph_nodes(function) for tensor in node.outputs]


def _is_plain(node: Any, inner: Any) -> bool:
    """Whether a nested model is called with its inputs alone, one after the other."""
    args, kwargs = node.arguments.args, node.arguments.kwargs
    if len(args) != 1 or any(each is not None for key, each in kwargs.items() if key != "training"):
        return False
    given = keras.tree.flatten(args[0])
    is_in_order = not isinstance(args[0], dict) and len(given) == len(inner.inputs)
    return is_in_order and all(isinstance(each, keras.KerasTensor) for each in given) and not kwargs.get("training")
