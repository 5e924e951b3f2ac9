"""One level of a model: which calls inside a layer are nodes of the tree, and the names that these nodes have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import keras

from actwidget.capture.structure.paths import Namer, sendable
from actwidget.keras_internals.classes import to_snake_case
from actwidget.keras_internals.graph import function_of, graph_nodes
from actwidget.keras_internals.layers import call_signature, child_layers, flat_layers

_LOOPS = (keras.layers.RNN, keras.layers.TimeDistributed)
_ATTENTION = (
    keras.layers.MultiHeadAttention,
    keras.layers.GroupQueryAttention,
    keras.layers.Attention,
    keras.layers.AdditiveAttention,
)
SCORES = "scores"


class Edited:
    """Marks a layer that puts edits behind layers of its model: it holds them, but they are no part of what it shows.

    Attributes:
        edits: For each path the layer that its value goes through.
    """

    edits: Mapping[str, keras.Layer]


def sublayers(operation: Any) -> list[keras.Layer]:
    """The layers that a layer holds itself, in the order of declaration, lists and dicts of them opened."""
    if not isinstance(operation, keras.Layer):
        return []
    edits = {id(layer) for layer in operation.edits.values()} if isinstance(operation, Edited) else set()
    layers = child_layers(operation)
    return [layer for layer in layers if id(layer) not in edits]


def counted_layers(model: keras.Model) -> tuple[keras.Layer, ...]:
    """The layers of a model as a person counts them: the layers that `model.summary(expand_nested=True)` lists.

    These are `model.layers`, and those of the models nested in it. Each counts once, however often it is called. What
    is inside any other layer, such as the cell of an LSTM, does not count, and neither do operations such as `add` that
    are no layers.
    """
    found: dict[int, keras.Layer] = {}
    for layer in model.layers:
        inside = counted_layers(layer) if isinstance(layer, keras.Model) else ()
        found |= {id(each): each for each in (layer, *inside)}
    return tuple(found.values())


def is_loop(operation: Any) -> bool:
    """Whether a layer runs what it holds once a time step."""
    return isinstance(operation, _LOOPS)


def in_loop(operation: Any) -> str:
    """Why a call inside a layer that is a loop can't be had, in words that follow "it"."""
    return f"runs once a time step, inside the loop of {operation.name!r}"


def is_stateful(model: keras.Model) -> bool:
    """Whether a layer keeps a state from one call to the next, and so takes its own number of samples."""
    return any(getattr(layer, "stateful", False) for layer in flat_layers(model))


def has_scores(operation: Any) -> bool:
    """Whether a layer can be asked for its attention scores."""
    return isinstance(operation, _ATTENTION) and "return_attention_scores" in call_signature(operation).parameters


def is_composite(operation: Any) -> bool:
    """Whether there may be something to see inside a layer."""
    return bool(sublayers(operation)) or has_scores(operation)


class CallNames:
    """Names the calls that one call of a layer makes directly.

    In a functional graph these are its layers and operations, elsewhere the layers: operations that a layer makes up
    while it runs are new ones on each pass. So are layers that it makes in its call, which Keras numbers on and on:
    what is not declared is named without that number, in the order of the calls, and has the same path on each pass.

    Attributes:
        is_graph: Whether it is that of a functional graph.
        known: By their names here the layers, and of a graph the operations, that are declared.
    """

    def __init__(self, operation: Any, *, is_made: bool = False) -> None:
        """Reserves the names of what is known to be there.

        Args:
            operation: The layer whose call it is.
            is_made: Whether that layer is not declared itself, or stands in one that is not.
        """
        function = function_of(operation)
        self.is_graph = function is not None
        self._is_made = is_made
        if function is not None:
            known = list(dict.fromkeys(node.operation for node in graph_nodes(function)))
        else:
            known = sublayers(operation)
        self._declared = {id(each) for each in known}
        self._namer = Namer(self._name(each) for each in known)
        if has_scores(operation):
            self._namer.sibling(SCORES)  # they are no call, so a layer of this name is the second
        self.known: dict[str, Any] = {self._namer.sibling(self._name(each)): each for each in known}
        self._names = {id(each): name for name, each in self.known.items()}
        self._calls: dict[int, int] = {}

    def holds(self, operation: Any) -> bool:
        """Whether a call of this operation at this level is a node."""
        return id(operation) in self._names if self.is_graph else isinstance(operation, keras.Layer)

    def makes(self, operation: Any) -> bool:
        """Whether a layer that is called here is not declared, or stands in one that is not."""
        return self._is_made or id(operation) not in self._declared

    def call(self, operation: Any) -> tuple[str, int]:
        """The name of the next call of an operation, `name~k@n`, and its index n."""
        index = self._calls.get(id(operation), 0)
        self._calls[id(operation)] = index + 1
        if id(operation) not in self._names:
            self._names[id(operation)] = self._namer.sibling(self._name(operation))
        return self._namer.call(self._names[id(operation)], index), index

    def output(self, called: str, index: int) -> str:
        """The name of output tensor `index` of a call."""
        return self._namer.output(called, index)

    def named(self, part: str) -> str | None:
        """The name in `known` of the layer whose call, or output of a call, a part of a path is."""
        calls = (name for name in self.known if part.startswith(name) and _SUFFIX.fullmatch(part.removeprefix(name)))
        return max(calls, key=len, default=None)

    def _name(self, operation: Any) -> str:
        name = sendable(operation.name)
        plain = to_snake_case(type(operation).__name__)
        return plain if self.makes(operation) and re.fullmatch(rf"{plain}_\d+", name) else name


_SUFFIX = re.compile(r"(@\d+)?(:\d+)?")


def layer_at(root: Any, path: str) -> Any:
    """The declared layer, or operation of a graph, that a path leads to; `None` where it leads to none."""
    operation = root
    for part in path.split("/"):
        level = CallNames(operation)
        name = level.named(part)
        if name is None:
            return None
        operation = level.known[name]
    return operation
