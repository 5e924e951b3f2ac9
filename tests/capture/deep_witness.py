"""A second pair of eyes: every call in a model at every depth, with the path that the documentation's rules give it.

Written from the text of the rules alone. Calls are tied to the call around them while the model runs; names are given
afterwards, level by level, when all that was called is known. Nothing of actwidget is used here.
"""

from __future__ import annotations

import contextlib
import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras.src.backend.common.masking import get_keras_mask, set_keras_mask
from keras.src.models.functional import Functional

from tests.capture.loop_witness import by_hand, known

if TYPE_CHECKING:
    from collections.abc import Iterator

# What calls its inner layers once a time step, or not by `__call__`: what is inside is worked out step by step.
LOOPS = (keras.layers.RNN, keras.layers.TimeDistributed)


@dataclass(eq=False)
class Seen:
    """One call of one layer or operation."""

    operation: keras.Operation | None
    tensors: list[Any] = field(default_factory=list)
    below: list[Seen] = field(default_factory=list)
    came_in: list[tuple[str, Any]] = field(default_factory=list)  # input layers' names and values
    scores: Any = None
    steps: dict[str, np.ndarray] = field(default_factory=dict)  # by path below it what is computed at each step


class Recorder:
    """The calls while a model runs, each below the one that it was made in."""

    def __init__(self) -> None:
        self.root = Seen(None)
        self.open = [self.root]
        self.aside = False  # while an extra call for attention scores or single steps runs

    def observe(self, original: Any) -> Any:
        def __call__(operation: keras.Operation, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
            if self.aside or self.open[-1].operation is operation:
                return original(operation, *args, **kwargs)
            seen = Seen(operation)
            self.open[-1].below.append(seen)
            self.open.append(seen)
            seeds = _seeds(operation) if _gives_scores(operation) else []
            before = [numbers(seed) for seed in seeds]
            # The layer's own call takes the masks off its inputs.
            given = keras.tree.flatten((args, kwargs))
            masks = [(leaf, get_keras_mask(leaf)) for leaf in given if keras.ops.is_tensor(leaf)]
            states = [numbers(state) for state in _states(operation)] or None
            try:
                outputs = original(operation, *args, **kwargs)
            finally:
                self.open.pop()
            seen.tensors = [kept(leaf) for leaf in keras.tree.flatten(outputs) if keras.ops.is_tensor(leaf)]
            if _gives_scores(operation):
                taken = [(leaf, get_keras_mask(leaf)) for leaf, _ in masks]
                _mask(masks)
                seen.scores = self.scores(original, operation, args, kwargs, list(zip(seeds, before, strict=True)))
                _mask(taken)
            if isinstance(operation, LOOPS):
                seen.steps = self.steps(operation, args, kwargs, states, seen.tensors[0])
            return outputs

        return __call__

    def steps(self, layer: Any, args: Any, kwargs: Any, states: Any, output: Any) -> dict[str, np.ndarray]:
        """What a loop computes inside at each step, where what it gives follows from that outside of training."""
        given = dict(zip(inspect.signature(layer.call).parameters, args, strict=False)) | kwargs
        inputs = next(iter(given.values()))
        mask = given.get("mask")
        if mask is None and given.get("initial_state") is None:
            mask = get_keras_mask(inputs)
        self.aside = True
        try:
            if isinstance(layer, keras.layers.RNN):
                initial = states if given.get("initial_state") is None else given["initial_state"]
                found = by_hand(layer, inputs, mask, initial) if known(layer.cell) else {}
                gives = found and (found[layer.cell.name] if layer.return_sequences else found[layer.cell.name][:, -1])
            else:
                found = _each_step(layer.layer, inputs, mask)
                gives = found[layer.layer.name]
        finally:
            self.aside = False
        wanted = as_array(output)
        follows = mask is not None or (len(found) and np.allclose(gives, wanted, rtol=1e-2, atol=1e-2))
        return found if follows else {}

    def scores(self, original: Any, layer: Any, args: Any, kwargs: Any, seeds: list[tuple[Any, Any]]) -> Any:
        """The layer called once more from the same seeds, asked for its scores; the seeds are put back after."""
        after = [numbers(seed) for seed, _ in seeds]
        for seed, value in seeds:
            seed.assign(value)
        self.aside = True
        try:
            return original(layer, *args, **{**kwargs, "return_attention_scores": True})[1]
        finally:
            self.aside = False
            for (seed, _), value in zip(seeds, after, strict=True):
                seed.assign(value)

    def observe_inputs(self, original: Any) -> Any:
        """Where a functional graph takes its inputs, cast and ranked as its input layers want them."""

        def _standardize_inputs(graph: Any, inputs: Any) -> Any:
            flat = original(graph, inputs)
            if _graph_of(self.open[-1].operation) is graph and not self.aside:
                names = [symbol._keras_history.operation.name for symbol in graph.inputs]
                self.open[-1].came_in = list(zip(names, flat, strict=True))
            return flat

        return _standardize_inputs


@contextlib.contextmanager
def recording() -> Iterator[Recorder]:
    """Records all calls while it is open."""
    recorder = Recorder()
    places = [
        (keras.Layer, "__call__", recorder.observe),
        (keras.Operation, "__call__", recorder.observe),
        (Functional, "_standardize_inputs", recorder.observe_inputs),
    ]
    originals = [vars(cls)[name] for cls, name, _ in places]
    for (cls, name, observe), original in zip(places, originals, strict=True):
        setattr(cls, name, observe(original))
    try:
        yield recorder
    finally:
        for (cls, name, _), original in zip(places, originals, strict=True):
            setattr(cls, name, original)


def deep_witness(model: keras.Model, inputs: Any, training: bool = False) -> dict[str, np.ndarray]:  # noqa: FBT001, FBT002
    """What every call put out, by path, in the order in which the calls started.

    A model that has never been called is called once before, to be built. Variables are left as they were.
    """
    tensors = keras.tree.map_structure(lambda leaf: None if leaf is None else keras.ops.convert_to_tensor(leaf), inputs)
    if not model.built:
        with without_gradients():
            model(tensors)
    before = [(variable, numbers(variable)) for variable in _variables(model)]
    try:
        with recording() as recorder, without_gradients():
            model(tensors, training=training)
    finally:
        for variable, value in before:
            variable.assign(value)
    (top,) = recorder.root.below
    found: dict[str, np.ndarray] = {}
    _name(top, "", found)
    return found


def without_gradients() -> contextlib.AbstractContextManager[Any]:
    """On PyTorch, whose tensors otherwise refuse to become arrays."""
    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.no_grad()


class Level:
    """The names at one level: what is called directly in one call."""

    def __init__(self, seen: Seen) -> None:
        graph = _graph_of(seen.operation)
        if graph is None:
            self.called = [call for call in seen.below if isinstance(call.operation, keras.Layer)]
            members = [*getattr(seen.operation, "_layers", []), *(call.operation for call in self.called)]
        else:
            members = list(graph.operations)
            self.called = [call for call in seen.below if any(call.operation is member for member in members)]
        members = list({id(member): member for member in members}.values())
        self.literal = {member.name for member in members}
        self.taken: set[str] = set()
        self.names: dict[int, str] = {}
        self.calls: dict[int, int] = {}
        for member in members:
            repeated = member.name in self.taken
            self.names[id(member)] = self.free(member.name, "~", 2) if repeated else member.name
            self.taken.add(self.names[id(member)])

    def free(self, name: str, mark: str, number: int) -> str:
        """The next suffix that no literal name has, and nothing else."""
        while f"{name}{mark}{number}" in self.literal | self.taken:
            number += 1
        self.taken.add(f"{name}{mark}{number}")
        return f"{name}{mark}{number}"

    def call_name(self, call: Seen) -> str:
        name, number = self.names[id(call.operation)], self.calls.get(id(call.operation), 0)
        self.calls[id(call.operation)] = number + 1
        return self.free(name, "@", number) if number else name


def _name(seen: Seen, prefix: str, found: dict[str, np.ndarray]) -> None:
    """Gives paths to what was called directly in `seen`, and on downwards."""
    if isinstance(seen.operation, LOOPS):
        found.update({prefix + path: value for path, value in seen.steps.items()})
        return
    level = Level(seen)
    found.update({prefix + name: as_array(value) for name, value in seen.came_in if value is not None})
    for call in level.called:
        name = level.call_name(call)
        paths = [level.free(name, ":", number) if number else name for number in range(len(call.tensors))]
        values = {prefix + path: as_array(tensor) for path, tensor in zip(paths, call.tensors, strict=True)}
        found.update(dict([*values.items()][:1]))
        _name(call, f"{prefix}{name}/", found)
        found.update(values)
    if seen.scores is not None:
        found[f"{prefix}scores"] = as_array(seen.scores)


def _each_step(layer: Any, inputs: Any, mask: Any) -> dict[str, np.ndarray]:
    """By path what a layer and all inside it give of each step by itself, put together with the steps second."""
    steps = []
    for t in range(inputs.shape[1]):
        options = {} if mask is None or not layer._call_has_mask_arg else {"mask": mask[:, t]}
        with recording() as recorder:
            layer(inputs[:, t], **options)
        (top,) = recorder.root.below
        values = {layer.name: as_array(top.tensors[0])}
        _name(top, f"{layer.name}/", values)
        steps.append(values)
    return {path: np.stack([values[path] for values in steps], axis=1) for path in steps[0]}


def _mask(pairs: list[tuple[Any, Any]]) -> None:
    for leaf, mask in pairs:
        set_keras_mask(leaf, mask)


def _graph_of(operation: Any) -> Any:
    """The graph that a functional or sequential model runs; None for all else, also where `call` is overridden."""
    if not isinstance(operation, keras.Model):
        return None
    owner = next(cls for cls in type(operation).__mro__ if "call" in vars(cls))
    if not owner.__module__.startswith("keras."):
        return None
    return operation._functional if isinstance(operation, keras.Sequential) else operation


def _gives_scores(operation: Any) -> bool:
    return (
        isinstance(operation, keras.Layer) and "return_attention_scores" in inspect.signature(operation.call).parameters
    )


def _variables(model: keras.Model) -> list[Any]:
    """All variables; a stateful recurrent layer's states are not among `model.variables`."""
    return [*model.variables, *(state for layer in model._flatten_layers() for state in _states(layer))]


def _states(layer: Any) -> list[Any]:
    kept = getattr(layer, "states", None) or []
    return [state for state in keras.tree.flatten(kept) if isinstance(state, keras.Variable)]


def _seeds(layer: Any) -> list[Any]:
    return [variable for variable in layer.variables if "seed" in variable.name]


def kept(tensor: Any) -> Any:
    """The tensor, on PyTorch a copy: a later operation may write to it."""
    return tensor.clone() if keras.backend.backend() == "torch" else tensor


def numbers(variable: Any) -> np.ndarray:
    """A copy of what a variable holds: on PyTorch the variable is written in place."""
    # In Keras 3.8 a layer of a SavedModel has TensorFlow's own variables.
    return np.array(keras.ops.convert_to_numpy(variable.value if isinstance(variable, keras.Variable) else variable))


def as_array(tensor: Any) -> np.ndarray:
    """Dense where it was sparse or ragged, float32 where it was bfloat16, objects where it was text."""
    if hasattr(tensor, "to_tensor"):  # TensorFlow's ragged tensors
        tensor = tensor.to_tensor()
    if keras.backend.standardize_dtype(tensor.dtype) == "bfloat16":
        tensor = keras.ops.cast(tensor, "float32")
    return np.array(keras.ops.convert_to_numpy(tensor))
