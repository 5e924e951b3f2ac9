"""What every call in a model really puts out, at every depth, with its path by the rules in the documentation.

An eager pass is logged from outside, start and end of each call; the paths are worked out afterwards from the log.
Nothing of actwidget is used here, so that it can be checked against this.
"""

from __future__ import annotations

import contextlib
import inspect
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPS = (keras.layers.RNN, keras.layers.TimeDistributed)
ATTENTION = (
    keras.layers.MultiHeadAttention,
    keras.layers.GroupQueryAttention,
    keras.layers.Attention,
    keras.layers.AdditiveAttention,
)


@dataclass
class Event:
    """One call: of what, with what, what came out, and the calls inside."""

    of: Any
    args: Any = ()
    kwargs: Any = field(default_factory=dict)
    result: Any = None
    inner: list[Event] = field(default_factory=list)


@contextlib.contextmanager
def logging(root: Event) -> Iterator[None]:
    """Logs all calls below `root` while it is open."""
    stack = [root]

    def wrapped(original: Any) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if stack[-1].of is self:  # Layer.__call__ goes on to Operation.__call__
                return original(self, *args, **kwargs)
            event = Event(self, args, kwargs)
            stack[-1].inner.append(event)
            stack.append(event)
            try:
                event.result = original(self, *args, **kwargs)
            finally:
                stack.pop()
            return event.result

        return call

    originals = {cls: cls.__call__ for cls in (keras.Layer, keras.Operation)}
    for cls, original in originals.items():
        cls.__call__ = wrapped(original)
    try:
        yield
    finally:
        for cls, original in originals.items():
            cls.__call__ = original


def observed(model: keras.Model, inputs: Any, *, training: bool = False) -> dict[str, np.ndarray]:
    """For each path what an eager pass put out there, in the order of the tree."""
    tensors = keras.tree.map_structure(lambda leaf: None if leaf is None else keras.ops.convert_to_tensor(leaf), inputs)
    if not model.built:
        model(tensors)
    log = Event(None)
    with logging(log):
        model(tensors, training=training)
    (event,) = log.inner
    found: dict[str, np.ndarray] = {}
    _collect(event, "", found)
    return found


def _graph(layer: Any) -> Any:
    """The functional model that runs when `layer` does; where `call` is overridden that is none."""
    if isinstance(layer, keras.Sequential):
        return layer._functional
    defined = next((cls.__name__ for cls in type(layer).__mro__ if "call" in vars(cls)), "")
    return layer if defined in {"Functional", "ListModel"} else None


def _collect(event: Event, prefix: str, found: dict[str, np.ndarray]) -> None:
    layer = event.of
    if isinstance(layer, LOOPS):
        return
    graph = _graph(layer)
    used: Counter[str] = Counter()
    names: dict[int, str] = {}

    def declare(each: Any) -> None:
        used[each.name] += 1
        names[id(each)] = each.name if used[each.name] == 1 else f"{each.name}~{used[each.name]}"

    for each in graph.operations if graph is not None else _children(layer):
        declare(each)
    if graph is not None:
        _collect_inputs(event, graph, prefix, found)
    calls: Counter[int] = Counter()
    for inner in event.inner:
        if id(inner.of) not in names and (graph is not None or not isinstance(inner.of, keras.Layer)):
            continue
        if id(inner.of) not in names:
            declare(inner.of)
        number = calls[id(inner.of)]
        calls[id(inner.of)] += 1
        name = prefix + names[id(inner.of)] + (f"@{number}" if number else "")
        tensors = [leaf for leaf in keras.tree.flatten(inner.result) if tf.is_tensor(leaf)]
        for index, tensor in enumerate(tensors):
            found[f"{name}:{index}" if index else name] = array_of(tensor)
            if index == 0:
                _collect(inner, f"{name}/", found)
    _collect_scores(event, prefix, found)


def _collect_inputs(event: Event, graph: Any, prefix: str, found: dict[str, np.ndarray]) -> None:
    given = event.args[0] if event.args else event.kwargs["inputs"]
    for symbol, leaf in zip(graph.inputs, keras.tree.flatten(given), strict=True):
        if leaf is not None:
            value = leaf if symbol.dtype == "string" else tf.cast(leaf, symbol.dtype)
            found[f"{prefix}{symbol._keras_history.operation.name}"] = array_of(value)


def _collect_scores(event: Event, prefix: str, found: dict[str, np.ndarray]) -> None:
    layer = event.of
    if not isinstance(layer, ATTENTION) or "return_attention_scores" not in inspect.signature(layer.call).parameters:
        return
    seeds = [seed.state for part in layer._flatten_layers() for seed in part._seed_generators]
    before = [np.array(seed) for seed in seeds]
    _, scores = layer(*event.args, **{**event.kwargs, "return_attention_scores": True})
    for seed, value in zip(seeds, before, strict=True):
        seed.assign(value)
    found[f"{prefix}scores"] = array_of(scores)


def _children(layer: Any) -> Iterator[keras.Layer]:
    """The layers that a layer holds, once each, in the order of declaration."""
    seen = set()
    for child in getattr(layer, "_layers", ()):
        if id(child) not in seen:
            seen.add(id(child))
            yield child


def array_of(tensor: Any) -> np.ndarray:
    """A tensor's values: filled up where it is sparse or ragged, as float32 where it is bfloat16."""
    if isinstance(tensor, tf.SparseTensor):
        tensor = tf.sparse.to_dense(tensor)
    elif isinstance(tensor, tf.RaggedTensor):
        tensor = tensor.to_tensor()
    elif tensor.dtype == tf.bfloat16:
        tensor = tf.cast(tensor, tf.float32)
    return tensor.numpy()
