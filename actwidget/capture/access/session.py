"""One model and one batch, explored layer by layer: forward passes within a byte budget, and a cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import keras

from actwidget.capture.access.budget import sizes_of, with_measured
from actwidget.capture.access.cache import Kept, Key
from actwidget.capture.access.forward_pass import capture, stream
from actwidget.capture.access.weight_watch import WeightWatch
from actwidget.capture.run.batch_parts import Captured, Row, alone
from actwidget.capture.run.conversion import Array
from actwidget.capture.run.inputs import Batch
from actwidget.capture.run.partial_forward import layers_behind, path_from, run_from
from actwidget.capture.semantics.sample_independence import are_samples_independent
from actwidget.capture.trace import read
from actwidget.errors import MemoryBudgetError, shown
from actwidget.options import at_least

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.capture.structure.node import LayerNode


WHOLE, ROW, TALLY, WEIGHTS, ANSWERS = "whole", "row", "tally", "weights", "answers"
"""Kinds of what is kept: an activation, that of one sample, what was counted over all samples, the pictures of a
layer's weights, and what the model answers."""
STAYING = (WHOLE, TALLY, WEIGHTS)
"""What of a layer on screen would be computed again at once."""


class Session:
    """A model and a batch, explored layer by layer, with no more kept than a byte budget allows.

    An activation that would take more than the budget is never held as a whole: what is looked at of it is computed for
    the samples in sight, and what is counted over all samples comes in parts.

    Attributes:
        graph: The model's graph.
        batch: The inputs, or `None` where none were given.
        batch_size: How many samples go through the model at a time.
        kept: Activations and what was made of them.
        seconds: How long forward passes have taken since this was last set to 0.
    """

    def __init__(
        self, model: keras.Model, inputs: Any = None, *, budget: int = 256_000_000, batch_size: int = 32
    ) -> None:
        """Reads the model's graph and checks the inputs; nothing runs.

        Raises:
            UnsupportedModelError: `model` can't be looked into.
            InvalidInputsError: `inputs` do not fit.
            OptionError: `budget` is no number, or below zero; `batch_size` is no whole number from 1.
        """
        at_least(0, budget, "max_bytes")
        at_least(1, batch_size, "batch_size")
        self.graph: ModelGraph
        self.graph, batch = read(model, inputs, most=batch_size, parts=True)
        self.batch: Batch | None = None if batch is None else batch.kept()
        if self.batch is not None and self.graph.called is not None:
            # Other samples may call other layers: all are run where what they give keeps to the budget.
            nodes = [node for node in self.graph.tree if node.origin != "opaque"]
            sizes, _ = with_measured(self.graph, self.batch, sizes_of(self.graph, self.batch, nodes))
            if sum(sizes.values()) <= budget:
                self.graph, _ = read(model, inputs, parts=True)
        self.batch_size = batch_size
        self.kept = Kept(budget)
        self.seconds = 0.0
        self._sizes: dict[str, int] = {}
        self._measured: set[str] = set()
        self._alike: dict[str, bool] = {}
        self._watch = WeightWatch()
        self._is_certain = False
        self.look("", [0])

    @property
    def budget(self) -> float:
        """How many bytes are kept."""
        return self.kept.budget

    @property
    def bytes_kept(self) -> int:
        """The bytes of what is kept."""
        return self.kept.nbytes

    def look(self, path: str, samples: Sequence[int]) -> None:
        """Says which layer is on screen, and which samples of it."""
        self.sight = (path, tuple(samples))
        self.kept.in_view = frozenset(
            [*(Key(path, ROW, sample) for sample in samples), *(Key(path, kind) for kind in STAYING), Key("", ANSWERS)]
        ).__contains__

    def value(self, path: str) -> Array | None:
        """The activation of the node at `path` for the whole batch, shape `(samples, ...)`; `None` without inputs.

        One that is larger than the budget is computed, but not kept.

        Raises:
            CaptureError: The forward pass failed.
        """
        captured = self.captured(path)
        return None if captured is None else captured.value

    def captured(self, path: str) -> Captured | None:
        """The activation of the node at `path` with its mask; `None` without inputs.

        Raises:
            CaptureError: The forward pass failed.
        """
        if self.batch is None:
            return None
        key = Key(path, WHOLE)
        if (kept := self.kept.get(key)) is not None:
            return cast("Captured", kept)
        captured = self._resumed(path) or self._captured(self.batch, path)
        if path in self._measured:  # one sample can be smaller than the others
            self._sizes[path] = captured.nbytes
        if self.fits(path) or self._is_one_piece(path):
            self.kept.put(key, captured, captured.nbytes)
        return captured

    def fits(self, path: str) -> bool:
        """Whether the activation of the node at `path` can be held as a whole.

        That of a single sample has to be, to be looked at; a number for each sample takes less than the inputs do.
        """
        node = self.graph.nodes[path]
        one_each = len(node.output_shape or (0, 0)) < 2
        if self.batch is None or self.batch.size == 1 or one_each or node.origin == "opaque":
            return True
        return self.size(path) <= self.budget

    def size(self, path: str) -> int:
        """The bytes of the activation of the node at `path` for the whole batch."""
        if path not in self._sizes:
            self._find_sizes([self.graph.nodes[path]])
        return self._sizes[path]

    def _find_sizes(self, nodes: Sequence[LayerNode]) -> None:
        """Finds the sizes of some nodes out, and of all others with them where a trial of the whole model tells."""
        if self.batch is None:
            return
        if any(None in (node.output_shape or (None, None))[1:] for node in nodes):
            known = sizes_of(self.graph, self.batch, list(self.graph.nodes.values()))
            self._sizes |= {path: size for path, size in known.items() if size is not None}
        unknown = [node for node in nodes if node.path not in self._sizes]
        sizes, measured = with_measured(self.graph, self.batch, sizes_of(self.graph, self.batch, unknown))
        self._sizes |= sizes
        self._measured |= measured

    def row(self, path: str, sample: int) -> Row | None:
        """What the node at `path` gives for one sample; `None` without inputs.

        Of an activation larger than the budget it is computed by itself, with what else is in sight of it.

        Raises:
            MemoryBudgetError: The activation is larger than the budget, and can only be had as a whole.
            CaptureError: The forward pass failed.
        """
        batch = self.batch
        if batch is None:
            return None
        if self.fits(path) or self._is_one_piece(path):
            captured = self.captured(path)
            return None if captured is None else captured.row(sample, batch.size)
        if not self.in_parts(path):
            raise self.too_large(path)
        if (kept := self.kept.get(Key(path, ROW, sample))) is not None:
            return cast("Row", kept)
        seen, shown = self.sight
        others = [each for each in shown if seen == path and Key(path, ROW, each) not in self.kept]
        wanted = list(dict.fromkeys([sample, *others]))
        captured = self._captured(alone(batch, wanted), path)
        rows = [captured.row(place, len(wanted)) for place in range(len(wanted))]
        for each, row in zip(wanted, rows, strict=True):
            self._keep_row(path, each, row)
        return replace(rows[0], samples=batch.size)

    def _keep_row(self, path: str, sample: int, row: Row) -> None:
        size = 0 if self.batch is None else self.batch.size
        own = Row(row.value.copy(), None if row.mask is None else row.mask.copy(), size)
        self.kept.put(Key(path, ROW, sample), own, own.value.nbytes)

    def _is_one_piece(self, path: str) -> bool:
        """Whether the activation has no axis of samples, so that none of them has less than all of it."""
        shape, inputs = self.graph.nodes[path].output_shape, keras.tree.flatten(self.graph.inputs)
        declared = {tensor.shape[0] for tensor in inputs if tensor is not None}
        return shape is not None and (not shape or (shape[0] is not None and shape[0] not in declared))

    def in_parts(self, path: str) -> bool:
        """Whether the samples can be had one by one; some are run to find that out where Keras does not tell."""
        if self.alike(path) is None:
            self.stream([path], lambda *_: None)
        return self._alike[path]

    def alike(self, path: str) -> bool | None:
        """What `are_samples_independent` says of a node, or what has been found out since."""
        if path not in self._alike:
            known = are_samples_independent(self.graph, [self.graph.nodes[path]])
            if known is None:
                return None
            self._alike[path] = known
        return self._alike[path]

    def too_large(self, path: str) -> MemoryBudgetError:
        """The error for an activation that can only be had as a whole, and is too large for that."""
        samples = 0 if self.batch is None else self.batch.size
        message = (
            f"{shown(path)} takes {self.size(path):,} bytes for {samples:,} samples, more than "
            f"max_bytes={self.budget:,.0f}, and what it gives for one sample depends on the others. Give fewer "
            "samples, x[:32] say, or a larger max_bytes."
        )
        return MemoryBudgetError(message)

    def stream(self, paths: Sequence[str], take: Callable[[str, int, Captured], None]) -> None:
        """Runs the whole batch up to some nodes, in parts that keep to the budget together.

        Args:
            paths: The nodes. Those that can't be had in parts are known afterwards by `alike`.
            take: Is given a path, the first sample of a part, and what the node gave for that part.

        Raises:
            CaptureError: The forward pass failed.
        """
        batch = self.batch
        if batch is None:
            return
        each = sum(self.size(path) for path in paths) // batch.size
        rows = int(max(1, min(self.batch_size, self.budget // max(1, each))))
        self._start([self.graph.model])
        start = time.perf_counter()

        def give(first: int, part: dict[str, Captured]) -> None:
            for path, captured in part.items():
                seen, shown = self.sight
                for sample in shown if seen == path else ():
                    if first <= sample < first + len(captured.value):
                        self._keep_row(path, sample, captured.row(sample - first, len(captured.value)))
                take(path, first, captured)

        mixed = stream(self.graph, batch, [self.graph.nodes[path] for path in paths], give, batch_size=rows)
        self._alike |= {path: path not in mixed for path in paths}
        self.kept.drop(lambda key: key.kind == ROW and key.path in mixed)
        self.seconds += time.perf_counter() - start

    def walk(self, paths: Sequence[str]) -> Iterator[tuple[str, Captured]]:
        """The activations of nodes that fit, one after the other, with no more than the budget at a time.

        Those that are kept are not computed again; the others are not kept.

        Raises:
            CaptureError: The forward pass failed.
        """
        if self.batch is None:
            return
        self._start([self.graph.model])
        held = [(path, self.kept.get(Key(path, WHOLE))) for path in paths]
        yield from ((path, captured) for path, captured in held if captured is not None)
        nodes = [self.graph.nodes[path] for path, captured in held if captured is None]
        self._find_sizes(nodes)
        group: list[LayerNode] = []
        size = 0
        for node in [*nodes, None]:
            own = 0 if node is None else self._sizes[node.path]
            if group and (node is None or size + own > self.budget):
                yield from self._run(self.batch, group, refuse=False).items()
                group, size = [], 0
            if node is not None:
                group.append(node)
                size += own

    def _captured(self, batch: Batch, path: str) -> Captured:
        self._start(layers_behind(self.graph, path))
        captured = self._run(batch, [self.graph.nodes[path]])[path]
        captured.value.flags.writeable = False  # it is shown again and again
        return captured

    def _run(self, batch: Batch, nodes: Sequence[LayerNode], *, refuse: bool = True) -> dict[str, Captured]:
        start = time.perf_counter()
        found = capture(self.graph, batch, nodes, batch_size=self.batch_size, refuse=refuse)
        self.seconds += time.perf_counter() - start
        return found

    def _start(self, layers: Iterable[keras.Layer]) -> None:
        self.graph.check()
        self.watch(layers)

    def _resumed(self, path: str) -> Captured | None:
        """The activation computed from others that are kept; `None` where these are not enough."""
        batch = self.batch
        if batch is None or self.graph.stateful or not self._is_certain or batch.size > self.batch_size:
            return None
        whole = {key.path: self.kept.peek(key) for key in self.kept.keys(WHOLE)}
        held = {
            each: kept.value for each, kept in whole.items() if kept.is_all and kept.value.shape[:1] == (batch.size,)
        }
        nodes = path_from(held, self.graph, path)
        if nodes is None:
            return None
        self._start(layers_behind(self.graph, path))
        start = time.perf_counter()
        captured = Captured.of(run_from(held, self.graph, path, nodes))
        captured.value.flags.writeable = False
        self.seconds += time.perf_counter() - start
        return captured

    def watch(self, layers: Iterable[keras.Layer]) -> None:
        """Watches the weights of layers for `refresh`; those of layers that are captured are watched anyway."""
        self._watch.add(layers)

    def refresh(self) -> bool:
        """Drops all activations unless the weights behind them are known to be unchanged.

        Returns:
            Whether that was so, or other layers that are watched may have been written.
        """
        self._is_certain = self._watch.unwritten()
        if self._is_certain:
            return False
        self.forget()
        return True

    def holds(self, path: str) -> bool:
        """Whether what is in sight of the activation at `path` is kept."""
        seen, samples = self.sight
        rows = [Key(path, ROW, sample) in self.kept for sample in samples if seen == path]
        return Key(path, WHOLE) in self.kept or (bool(rows) and all(rows))

    def forget(self) -> None:
        """Drops everything that depends on the weights."""
        self.kept.drop(lambda _key: True)
        self._alike.clear()
        self._watch.clear()

    def clear(self) -> None:
        """Drops everything, and does not take the weights for unchanged."""
        self.forget()
        self._is_certain = False

    def parts_in_words(self) -> str:
        """In how many parts the layer in sight is computed, and what is held of it, in words."""
        batch, (path, _) = self.batch, self.sight
        if batch is None or path not in self.graph.nodes:
            return ""
        samples = f"{batch.size:,} sample{'s' * (batch.size != 1)}"
        captured = self.kept.peek(Key(path, WHOLE))
        if captured is None:
            if self.fits(path) or not self._alike.get(path):
                return samples
            how = ", measured on one sample" if path in self._measured else ""
            size = self.size(path) / 1e6
            takes = f"{size:,.0f}" if size >= 10 else f"{size:#.2g}"
            return f"one sample at a time: the layer takes {takes} MB for {samples}{how}"
        if batch.size <= self.batch_size:
            return samples
        return f"{samples} in {'one piece' if captured.parts == 1 else f'{captured.parts:,} parts'}"
