"""`ModelGraph`: what can be selected in a model, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import keras

from actwidget.capture.structure.call_arguments import Spread, arguments
from actwidget.capture.structure.call_names import counted_layers, is_stateful
from actwidget.capture.structure.graph_edges import edges_in
from actwidget.errors import UnsupportedModelError, shown
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.tensors import producer

if TYPE_CHECKING:
    from actwidget.capture.structure.node import LayerNode


@dataclass(frozen=True, eq=False)
class Step:
    """A call of a nested functional model, on the way to something inside it.

    Attributes:
        function: The functional graph in which the call is made.
        node: The call, as that graph has it.
        outer: The call in which `function` runs, `None` for the outermost.
    """

    function: Any
    node: Any
    outer: Step | None


@dataclass(frozen=True, eq=False)
class Place:
    """Where a symbolic tensor stands.

    Attributes:
        function: The functional graph that computes it.
        tensor: The tensor in that graph.
        outer: The call in which `function` runs, `None` where that is the user's model itself.
    """

    function: Any
    tensor: keras.KerasTensor
    outer: Step | None


@dataclass(frozen=True)
class Aside:
    """Where the value of a node comes from that a layer computes on the way and does not give.

    Attributes:
        layer: The path of the layer that is asked for it.
        steps: How many axes of time steps it has between that of the samples and those of its own layer.
        no_edit: Why nothing can be put behind it, and what to do instead.
    """

    layer: str
    steps: int
    no_edit: str


@dataclass(frozen=True, eq=False)
class ModelGraph:
    """A model's tree, and where the values in it come from.

    Attributes:
        model: The user's model.
        root: The model that runs: the user's, or the one inside it of which that is an edited form.
        tree: Its layer tree.
        inputs: The structure of symbolic inputs that the model takes; `None` where it has none.
        places: For each path that a functional graph reaches where it stands.
        paths: For the `id` of each layer of the model the path of its first call.
        operations: For each path the layer or operation that computes it.
        outputs: For each output of the model its path, `""` where it is no layer's.
        edits: What the value at a path is put through before it goes on.
        allow_unreached: The paths of the edits that a forward pass may leave out.
        failed: The path of the call that raised when the model was run to be seen, or `None`.
        called: The paths of all calls, where some samples alone were run to see them; others may call other layers.
        untried: Whether there are layers of which only a run with inputs could tell what they call.
        was_run: Whether the model was run on inputs to be seen; without them less may be known.
        spread: How the model takes a batch.
        asides: For each path whose value a layer computes on the way and does not give, which layer is asked for it.
    """

    model: keras.Model
    root: keras.Model
    tree: LayerNode
    inputs: Any
    places: dict[str, Place]
    paths: dict[int, str]
    operations: dict[str, keras.Operation]
    outputs: tuple[str, ...]
    edits: Mapping[str, keras.Layer] = field(default_factory=dict)
    allow_unreached: frozenset[str] = frozenset()
    failed: str | None = None
    called: frozenset[str] | None = None
    untried: bool = False
    was_run: bool = False
    spread: Spread = ""
    asides: Mapping[str, Aside] = field(default_factory=dict)

    def arguments(self, value: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional and the keyword arguments by which the model is called on a value in a batch's structure."""
        return arguments(value, self.spread)

    @cached_property
    def nodes(self) -> dict[str, LayerNode]:
        """All nodes but the root by path, in order of execution."""
        return {node.path: node for node in self.tree}

    @property
    def output(self) -> str:
        """The path of the model's first output, `""` where that is no layer's."""
        return next(iter(self.outputs), "")

    @cached_property
    def layers(self) -> tuple[keras.Layer, ...]:
        """The model's layers as a person counts them; see `counted_layers`."""
        return counted_layers(self.root)

    @cached_property
    def _layer_ids(self) -> frozenset[int]:
        return frozenset(map(id, self.layers))

    def layer_of(self, path: str) -> keras.Layer | None:
        """The one of `layers` that a path belongs to; `None` for an operation that belongs to none of them."""
        while path:
            if id(operation := self.operations.get(path)) in self._layer_ids:
                return cast("keras.Layer", operation)
            path = path.rpartition("/")[0]
        return None

    def edits_before(self, paths: Iterable[str]) -> dict[str, keras.Layer]:
        """The edits that can change the values at some paths.

        Args:
            paths: At least one path of the tree.

        Returns:
            For a functional model the edits at the last of the paths and before it, in the order of execution. In
            other models any edit may come before any path.
        """
        if function_of(self.root) is None:
            return dict(self.edits)
        order = {child.path: place for place, child in enumerate(self.tree.children)}
        last = max(order[path.partition("/")[0]] for path in paths)
        return {path: layer for path, layer in self.edits.items() if order[path.partition("/")[0]] <= last}

    def check(self) -> None:
        """Refuses a model to which layers have come, or from which they have gone, since its graph was read.

        Raises:
            UnsupportedModelError: That is so.
        """
        for place in self.places.values():
            if function_of(self.root if place.outer is None else place.outer.node.operation) is not place.function:
                message = (
                    f"The layers of model {shown(self.tree.name)} have changed. Make a new LayerExplorer(model, ...)."
                )
                raise UnsupportedModelError(message)

    @cached_property
    def input_names(self) -> list[str]:
        """The inputs' names as the tree has them, as `keras.tree.flatten` puts them in order; none if not known."""
        tensors = [] if self.inputs is None else keras.tree.flatten(self.inputs)
        return [str(producer(tensor).name) for tensor in tensors]

    def call_of(self, path: str) -> tuple[str, int]:
        """The path of the call that gives a value, and which of its outputs the value is.

        A layer's own name may end in `:1`, too: what counts is whether both paths are of one layer.
        """
        call, _, number = path.rpartition(":")
        is_further = number.isdigit() and self.operations.get(call) is self.operations.get(path) is not None
        return (call, int(number)) if is_further else (path, 0)

    def steps(self, path: str) -> int:
        """How many axes of time steps a value has between that of the samples and those of its own layer."""
        aside = self.asides.get(path)
        return 0 if aside is None else aside.steps

    @cached_property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """What flows where in the functional graphs: the paths of a value and of the call that is given it.

        A nested model's graph has edges of its own, between the nodes inside it. A model without a graph has none.
        """
        levels = {"": self.root, **{node.path: self.operations[node.path] for node in self.tree if node.children}}
        return edges_in(levels)

    def sources(self, path: str) -> list[str]:
        """The paths of what a call in a functional graph is given, in order; none for a call that is in no graph."""
        return [source for source, target in self.edges if target == path]

    @cached_property
    def stateful(self) -> bool:
        """Whether a layer keeps a state from one call to the next, and so takes its own number of samples."""
        return is_stateful(self.root)

    @cached_property
    def tensors(self) -> dict[str, keras.KerasTensor]:
        """For each path of the model's own graph, not of a nested one, the symbolic tensor."""
        return {path: place.tensor for path, place in self.places.items() if place.outer is None}
