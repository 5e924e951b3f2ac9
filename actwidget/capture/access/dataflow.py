"""Which tensors go from which call to which: read from graphs, and observed in one run where there is no graph."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import keras

from actwidget.capture.run.conversion import as_tensors
from actwidget.capture.run.failures import Failing
from actwidget.capture.run.reasons import NOT_CALLED
from actwidget.capture.run.restore import unchanged
from actwidget.capture.run.tap import Frame, Tap
from actwidget.capture.structure.call_names import is_loop, is_stateful
from actwidget.errors import CaptureError, NotCapturableError, OptionError
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.tensors import mask_of, set_mask

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph

KnownFrom = Literal["graph", "run", "order"]
GIVEN = "/"
"""The end of a source that is no call: what the layer at that path was given."""


@dataclass(frozen=True)
class Flow:
    """The calls inside one layer, or of the model itself, and the tensors between them.

    Attributes:
        calls: The paths of the calls, in order of execution.
        edges: Pairs of paths, each once: the call that gave a tensor and the one that was given it. In those from a
            run, a source that ends with `/` stands for what the layer itself was given (`n/` for the
            model's input `n`), and the layer's own path as the target for what it gives.
        order: Pairs of calls, where only the order is known: the second one runs after the first.
        known_from: `"graph"`, a `"run"`, or only the `"order"` of execution.
    """

    calls: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    order: tuple[tuple[str, str], ...]
    known_from: KnownFrom


def dataflow(graph: ModelGraph, batch: Batch | None) -> dict[str, Flow]:
    """The flow inside the model and inside each of its layers that consists of others.

    Edges that no graph holds are observed: the model runs once on the first sample of the batch, and each operation of
    the backend passes on from which calls its inputs come.

    Args:
        graph: The model's graph.
        batch: The inputs; without them nothing runs.

    Returns:
        From the path of a layer to its flow; `""` stands for the model itself.
    """
    calls = _calls(graph)
    operations = {path: graph.operations[path] if path else graph.root for path in calls}
    has_graph = {path for path, operation in operations.items() if function_of(operation) is not None}
    seen: Mapping[str, Mapping[tuple[str, str], None]] = {}
    reached: frozenset[str] = frozenset()
    if batch is not None and any(path not in has_graph and not is_loop(operations[path]) for path in calls):
        tap = _observed(graph, batch)
        seen, reached = tap.edges, frozenset(tap.calls)
    static: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for source, target in graph.edges:
        static[target.rpartition("/")[0]].append((source, target))
    call_of = {value: call for inside in calls.values() for call, values in inside.items() for value in values}
    flows = {}
    for path, inside in calls.items():
        known: Iterable[tuple[str, str]] = static[path] if path in has_graph else seen.get(path, ())
        pairs = [(call_of.get(source, source), call_of.get(target, target)) for source, target in known]
        edges = tuple(dict.fromkeys(pair for pair in pairs if pair[1] in inside or pair[1] == path))
        known_from: KnownFrom = "graph" if path in has_graph else "run" if edges else "order"
        # A call without a source takes what no other call gives, such as the numbers of positions.
        unknown = () if known_from == "graph" else [call for call in inside if call not in reached]
        order = tuple((before, call) for before, call in pairwise(inside) if call in unknown)
        flows[path] = Flow(tuple(inside), edges, order, known_from)
    return flows


def _calls(graph: ModelGraph) -> dict[str, dict[str, list[str]]]:
    """For the model and each layer with others inside: the calls, and the paths of the values of each."""
    found: dict[str, dict[str, list[str]]] = {}
    for outer in (graph.tree, *graph.tree):
        inside: dict[str, list[str]] = {}
        for node in outer.children:
            if node.path not in graph.asides and node.reason != NOT_CALLED:
                inside.setdefault(graph.call_of(node.path)[0], []).append(node.path)
        if inside or not outer.path:
            found[outer.path] = inside
    return found


def _observed(graph: ModelGraph, batch: Batch) -> _FlowTap:
    """A tap that has seen the model run on the first sample, up to where it failed if it did."""
    root = graph.root
    size = batch.size if is_stateful(root) else 1
    tap = _FlowTap(root)
    args, kwargs = graph.arguments(as_tensors(batch.rows(0, size), graph.inputs))
    with (
        suppress(CaptureError, OptionError, NotCapturableError),
        backend.operations_seen(tap.origins.see),
        unchanged(root, trial=True),
        Failing(root.name, lambda: tap.failed),
    ):
        tap.run(*args, **kwargs, training=False)
    return tap


class _Origins:
    """From which calls each tensor comes: it is the output of one, or was computed from the outputs of several."""

    def __init__(self) -> None:
        self._paths: dict[int, tuple[weakref.ref[Any], frozenset[str]]] = {}

    def of(self, values: Iterable[Any]) -> frozenset[str]:
        """The paths from which some values come; what is no tensor comes from nowhere."""
        found = (self._paths.get(id(value)) for value in values)
        return frozenset[str]().union(*(each[1] for each in found if each is not None))

    def put(self, tensor: Any, paths: frozenset[str]) -> None:
        """Sets where a tensor comes from."""
        key = id(tensor)
        with suppress(TypeError):  # what can't be referred to weakly can't be followed
            self._paths[key] = weakref.ref(tensor, lambda _: self._paths.pop(key, None)), paths

    def see(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Follows an operation of the backend."""
        if paths := self.of(inputs):
            for tensor in outputs:
                self.put(tensor, paths)


class _FlowTap(Tap):
    """A tap that records for each call from which other calls its inputs come.

    Attributes:
        origins: Where each tensor comes from.
        edges: For each layer the pairs of a source and a call inside it, in order, as the keys of a dict.
    """

    def __init__(self, root: keras.Model) -> None:
        super().__init__(root)
        self.origins = _Origins()
        self.edges: defaultdict[str, dict[tuple[str, str], None]] = defaultdict(dict)
        self._given: dict[int, set[int]] = {}  # for each call in progress the tensors that it was given

    def take_inputs(self, frame: Frame, operation: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        given = [leaf for leaf in keras.tree.flatten((args, kwargs)) if keras.ops.is_tensor(leaf)]
        self._given[id(frame)] = set(map(id, given))
        if frame.outer is None:
            for number, leaf in enumerate(given):
                self.origins.put(leaf, frozenset([f"{number}{GIVEN}"]))
        else:
            self._record_edges(frame.outer.prefix, given, frame.outer.prefix + frame.call.name)
        if function_of(operation) is not None:
            # Its input layers give the very tensors. As other ones these are not taken for those outside.
            args, kwargs = keras.tree.map_structure(_distinct, (args, kwargs))
        return super().take_inputs(frame, operation, args, kwargs)

    def leave(self, frame: Frame, outputs: Any) -> Any:
        given = self._given.pop(id(frame), set())
        leaves = keras.tree.flatten(outputs)
        self._record_edges(frame.prefix, leaves, frame.prefix.removesuffix("/"))
        # A layer may give what it was given, such as dropout in inference. As another tensor it is the layer's.
        changed = [id(leaf) in given for leaf in leaves]
        if any(changed) and frame.outer is not None:
            leaves = [_distinct(leaf) if same else leaf for leaf, same in zip(leaves, changed, strict=True)]
            outputs = keras.tree.pack_sequence_as(outputs, leaves)
        return super().leave(frame, outputs)

    def _record_edges(self, level: str, given: Iterable[Any], target: str) -> None:
        """Records from which calls inside a layer, whose paths begin with `level`, some tensors come."""
        pairs = self.edges[level.removesuffix("/")]
        for path in sorted(self.origins.of(given)):
            is_inside = not path.endswith(GIVEN) and path.startswith(level)
            source = level + path.removeprefix(level).partition("/")[0] if is_inside else level or path
            pairs[source, target] = None

    def _record(self, path: str, leaf: Any) -> None:
        super()._record(path, leaf)
        self.origins.put(leaf, frozenset([path]))


def _distinct(tensor: Any) -> Any:
    """Another tensor of the same values and mask; what is no dense tensor stays as it is."""
    if not keras.ops.is_tensor(tensor) or not backend.is_dense(tensor):
        return tensor
    copy, mask = backend.distinct(tensor), mask_of(tensor)
    if mask is not None:
        set_mask(copy, mask)
    return copy
