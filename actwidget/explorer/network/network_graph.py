"""`NetworkGraph`: the layers of a model and the tensors between them, arranged for a drawing once it is asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import keras

from actwidget.capture.access.dataflow import GIVEN, dataflow
from actwidget.capture.structure.paths import outers
from actwidget.figures.network.graph_layout import Arrangement, Level, arrange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from actwidget.capture.access.dataflow import Flow
    from actwidget.capture.access.session import Session

RESULT = "/="
"""The end of the key of what an open box gives; that of what it is given ends with `GIVEN`."""
FEW, MANY = 16, 60
"""Boxes with at most `FEW` layers are open at first, as long as at most `MANY` layers are drawn."""


class NetworkGraph:
    """The graph of a session's model. It is read, and each way to draw it is arranged, when it is first asked for."""

    def __init__(self, session: Session) -> None:
        """Reads nothing yet."""
        self._session = session
        self._arranged: dict[frozenset[str], Arrangement] = {}

    def clear(self) -> None:
        """Forgets everything: with other weights a run may call other layers."""
        for name in ("flows", "is_observed", "open_at_first", "_calls"):
            self.__dict__.pop(name, None)
        self._arranged.clear()

    @cached_property
    def flows(self) -> Mapping[str, Flow]:
        """From the path of each layer that others are inside of to these; `""` stands for the model itself."""
        return dataflow(self._session.graph, self._session.batch)

    @cached_property
    def is_observed(self) -> bool:
        """Whether any of it was seen in a run."""
        return any(flow.known_from == "run" for flow in self.flows.values())

    @cached_property
    def open_at_first(self) -> frozenset[str]:
        """The layers that are opened without being asked to: small ones that are a model's or user's own."""
        found: set[str] = set()
        drawn = len(self.flows[""].calls) if "" in self.flows else 0
        for path, flow in self.flows.items():
            operation = self._session.graph.operations.get(path)
            is_own = isinstance(operation, keras.Model) or type(operation).__module__.partition(".")[0] != "keras"
            is_in_sight = all(outer in found for outer in outers(path))
            if path and is_own and is_in_sight and len(flow.calls) <= FEW and drawn + len(flow.calls) <= MANY:
                found.add(path)
                drawn += len(flow.calls)
        return frozenset(found)

    def inside(self, path: str) -> int:
        """How many layers a drawing of what is inside a layer would show; 0 if there is nothing to see."""
        return len(self.flows[path].calls) if path in self.flows else 0

    def in_sight(self, path: str, opened: frozenset[str]) -> str:
        """The path of the box in which a layer is: its own, or that of the first closed box around it."""
        call = self._calls.get(path, path)
        return next((outer for outer in outers(call) if outer not in opened), call)

    @cached_property
    def _calls(self) -> Mapping[str, str]:
        """For each path that has no box of its own the call that gives it; `""` if it was not called."""
        graph = self._session.graph
        drawn = {call for flow in self.flows.values() for call in flow.calls}
        # What a layer computes on the way, such as a gate, is in the box of the layer, or of the cell's layer.
        within = {path: [graph.call_of(path)[0], *reversed(outers(path))] for path in graph.asides}
        return {
            path: next((call for call in within.get(path, [graph.call_of(path)[0]]) if call in drawn), "")
            for path in graph.nodes
            if path not in drawn
        }

    def arranged(self, opened: frozenset[str]) -> Arrangement:
        """Where everything is, if some layers are open."""
        if opened not in self._arranged:
            self._arranged[opened] = arrange(self._level("", opened))
        return self._arranged[opened]

    def in_order(self, opened: frozenset[str]) -> Iterator[tuple[str, str]]:
        """The lines that stand only for the order of execution."""
        for path in ("", *opened):
            if path in self.flows:
                yield from self.flows[path].order

    def _level(self, path: str, opened: frozenset[str]) -> Level:
        flow = self.flows[path]
        result = path + RESULT
        edges = [(source, result if target == path else target) for source, target in flow.edges]
        ends = {end for edge in edges for end in edge if end == result or end.endswith(GIVEN)}
        items = (*sorted(ends - {result}), *flow.calls, *(ends & {result}))
        number = {item: index for index, item in enumerate(items)}
        lines = tuple(dict.fromkeys((number[source], number[target]) for source, target in (*edges, *flow.order)))
        inner = {call: self._level(call, opened) for call in flow.calls if call in opened}
        return Level(items, lines, inner, frozenset(ends))
