"""One model and one batch, explored layer by layer: a cache, and forward passes that keep to its byte budget."""

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
"""Kinds of cache entries: an activation, an activation of one sample, statistics over all samples, pictures of a
layer's weights, and the model's predictions."""
STAYING = (WHOLE, TALLY, WEIGHTS)
"""The kinds of entries that are not dropped for the layer on screen, since they would be computed again at once."""


class Session:
    """Computes and caches the activations of a model for one batch, within a byte budget.

    An activation that takes more than the budget is not kept as a whole: only the samples on screen are, and statistics
    over all samples are computed part by part.

    Attributes:
        graph: The model's graph.
        batch: The inputs; `None` if none were given.
        batch_size: How many samples go through the model at a time.
        kept: The cache of activations and everything computed from them.
        seconds: How long forward passes have taken since this was last set to 0.
    """

    def __init__(
        self,
        model: keras.Model,
        inputs: Any = None,
        *,
        budget: int = 256_000_000,
        batch_size: int = 32,
        known: ModelGraph | None = None,
        note: str = "",
    ) -> None:
        """Reads the model's graph and checks the inputs. A model without a functional graph runs once for this.

        Args:
            model: A Keras model.
            inputs: One batch, or `None`.
            budget: The byte budget of the cache.
            batch_size: How many samples go through the model at a time.
            known: The graph as it was read with other inputs; it is read again only if it may depend on these.
            note: What was taken of the inputs, in words.

        Raises:
            UnsupportedModelError: `model` can't be explored.
            InvalidInputsError: `inputs` do not fit.
            OptionError: `budget` is not a number from 0, or `batch_size` is not a whole number from 1.
        """
        at_least(0, budget, "max_bytes")
        at_least(1, batch_size, "batch_size")
        self.graph: ModelGraph
        self.graph, batch = read(model, inputs, most=batch_size, parts=True, known=known)
        self.batch: Batch | None = None if batch is None else batch.noted(note).kept()
        if self.batch is not None and self.graph.called is not None:
            # The model has run on some samples only, and others may call other layers. If all activations fit into the
            # budget, it runs again on all samples to find these.
            nodes = [node for node in self.graph.tree if node.origin != "opaque"]
            sizes, _ = with_measured(self.graph, self.batch, sizes_of(self.graph, self.batch, nodes))
            if sum(sizes.values()) <= budget:
                self.graph, _ = read(model, inputs, parts=True)
        self.batch_size, self.kept = batch_size, Kept(budget)
        self.seconds = 0.0
        self._sizes: dict[str, int] = {}
        self._measured: set[str] = set()
        self._alike: dict[str, bool] = {}
        self._watch = WeightWatch()
        self._is_certain = False
        self.look("", [0])

    def on(self, inputs: Any, note: str = "") -> Session:
        """A session of the same model on other inputs; this one stays as it is.

        Raises:
            InvalidInputsError: `inputs` do not fit.
        """
        budget, size = int(self.budget), self.batch_size
        return Session(self.graph.model, inputs, budget=budget, batch_size=size, known=self.graph, note=note)

    @property
    def budget(self) -> float:
        """How many bytes the cache may hold."""
        return self.kept.budget

    @property
    def bytes_kept(self) -> int:
        """How many bytes the cache holds now."""
        return self.kept.nbytes

    def look(self, path: str, samples: Sequence[int]) -> None:
        """Sets which layer is on screen, and which samples of it; the cache keeps what these need."""
        self.sight = (path, tuple(samples))
        self.kept.in_view = frozenset(
            [*(Key(path, ROW, sample) for sample in samples), *(Key(path, kind) for kind in STAYING), Key("", ANSWERS)]
        ).__contains__

    def value(self, path: str) -> Array | None:
        """The activation of the node at `path` for the whole batch, shape `(samples, ...)`; `None` without inputs.

        If it is larger than the budget, it is computed but not kept.

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
        captured = self._computed_from_cache(path) or self._computed(self.batch, path)
        if path in self._measured:  # the size was that of one sample, and the others may be larger
            self._sizes[path] = captured.nbytes
        if self.fits(path) or self.has_no_batch_axis(path):
            self.kept.put(key, captured, captured.nbytes)
        return captured

    def fits(self, path: str) -> bool:
        """Whether the activation of the node at `path` may be kept as a whole.

        With one sample it always may, since there is no smaller part to show. So may one number per sample, which takes
        less memory than the inputs do.
        """
        node = self.graph.nodes[path]
        is_one_number_each = len(node.output_shape or (0, 0)) < 2
        if self.batch is None or self.batch.size == 1 or is_one_number_each or node.origin == "opaque":
            return True
        return self.size(path) <= self.budget

    def size(self, path: str) -> int:
        """The bytes of the activation of the node at `path` for the whole batch."""
        if path not in self._sizes:
            self._find_sizes([self.graph.nodes[path]])
        return self._sizes[path]

    def _find_sizes(self, nodes: Sequence[LayerNode]) -> None:
        """Finds out the sizes of some nodes; of all nodes if that takes a call of the whole model on symbols anyway."""
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
        """The activation of the node at `path` for one sample; `None` without inputs.

        If the activation is larger than the budget, only this sample and the other samples on screen are computed.

        Raises:
            MemoryBudgetError: The activation is larger than the budget, and can't be computed part by part.
            CaptureError: The forward pass failed.
        """
        batch = self.batch
        if batch is None:
            return None
        if self.fits(path) or self.has_no_batch_axis(path):
            captured = self.captured(path)
            return None if captured is None else captured.row(sample, batch.size)
        if not self.in_parts(path):
            raise self.too_large(path)
        if (kept := self.kept.get(Key(path, ROW, sample))) is not None:
            return cast("Row", kept)
        seen, shown = self.sight
        others = [each for each in shown if seen == path and Key(path, ROW, each) not in self.kept]
        wanted = list(dict.fromkeys([sample, *others]))
        captured = self._computed(alone(batch, wanted), path)
        rows = [captured.row(place, len(wanted)) for place in range(len(wanted))]
        for each, row in zip(wanted, rows, strict=True):
            self._keep_row(path, each, row)
        return replace(rows[0], samples=batch.size)

    def take(self, path: str, tensor: Any) -> None:
        """Keeps an activation that another pass of the whole batch has captured, unless there is one already.

        Args:
            path: The node, on which one depends whose activation was asked for: its weights are watched.
            tensor: The layer's output.
        """
        key = Key(path, WHOLE)
        if key not in self.kept and (self.fits(path) or self.has_no_batch_axis(path)):
            captured = Captured.of(tensor)
            captured.value.flags.writeable = False
            self.kept.put(key, captured, captured.nbytes)

    def _keep_row(self, path: str, sample: int, row: Row) -> None:
        size = 0 if self.batch is None else self.batch.size
        own = Row(row.value.copy(), None if row.mask is None else row.mask.copy(), size)
        self.kept.put(Key(path, ROW, sample), own, own.value.nbytes)

    def has_no_batch_axis(self, path: str) -> bool:
        """Whether the activation has no batch axis, so that it is the same for all samples."""
        shape, inputs = self.graph.nodes[path].output_shape, keras.tree.flatten(self.graph.inputs)
        declared = {tensor.shape[0] for tensor in inputs if tensor is not None}
        return shape is not None and (not shape or (shape[0] is not None and shape[0] not in declared))

    def in_parts(self, path: str) -> bool:
        """Whether samples can be computed one by one; if the graph does not tell, the model runs to find out."""
        if self.alike(path) is None:
            self.stream([path], lambda *_: None)
        return self._alike[path]

    def alike(self, path: str) -> bool | None:
        """Whether a node treats each sample by itself, from the graph or from a pass; `None` if not known yet."""
        if path not in self._alike:
            known = are_samples_independent(self.graph, [self.graph.nodes[path]])
            if known is None:
                return None
            self._alike[path] = known
        return self._alike[path]

    def too_large(self, path: str) -> MemoryBudgetError:
        """The error for an activation that is larger than the budget and can't be computed part by part."""
        samples = 0 if self.batch is None else self.batch.size
        message = (
            f"{shown(path)} takes {self.size(path):,} bytes for {samples:,} samples, more than "
            f"max_bytes={self.budget:,.0f}, and what it gives for one sample depends on the others. Give fewer "
            "samples, x[:32] say, or a larger max_bytes."
        )
        return MemoryBudgetError(message)

    def stream(self, paths: Sequence[str], take: Callable[[str, int, Captured], None]) -> None:
        """Runs the whole batch up to some nodes, in parts small enough that the nodes' values fit into the budget.

        Args:
            paths: The nodes. Afterwards `alike` tells which of them can be computed part by part.
            take: Is called with a path, the index of the first sample of a part, and the node's activation for it.

        Raises:
            CaptureError: The forward pass failed.
        """
        batch = self.batch
        if batch is None:
            return
        bytes_per_sample = sum(self.size(path) for path in paths) // batch.size
        rows = int(max(1, min(self.batch_size, self.budget // max(1, bytes_per_sample))))
        self._check_and_watch([self.graph.model])
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
        """Yields the activations of nodes that fit into the budget, computing no more than the budget at a time.

        Cached activations are used; those that have to be computed are not added to the cache.

        Raises:
            CaptureError: The forward pass failed.
        """
        if self.batch is None:
            return
        self._check_and_watch([self.graph.model])
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

    def _computed(self, batch: Batch, path: str) -> Captured:
        self._check_and_watch(layers_behind(self.graph, path))
        captured = self._run(batch, [self.graph.nodes[path]])[path]
        captured.value.flags.writeable = False  # it may be kept in the cache
        return captured

    def _run(self, batch: Batch, nodes: Sequence[LayerNode], *, refuse: bool = True) -> dict[str, Captured]:
        start = time.perf_counter()
        results = capture(self.graph, batch, nodes, batch_size=self.batch_size, refuse=refuse)
        self.seconds += time.perf_counter() - start
        return results

    def _check_and_watch(self, layers: Iterable[keras.Layer]) -> None:
        self.graph.check()
        self.watch(layers)

    def _computed_from_cache(self, path: str) -> Captured | None:
        """The activation, computed from cached activations of earlier layers; `None` if these do not suffice."""
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
        self._check_and_watch(layers_behind(self.graph, path))
        start = time.perf_counter()
        captured = Captured.of(run_from(held, self.graph, path, nodes))
        captured.value.flags.writeable = False
        self.seconds += time.perf_counter() - start
        return captured

    def watch(self, layers: Iterable[keras.Layer]) -> None:
        """Watches the weights of layers for `refresh`. Layers that a captured value depends on are watched anyway."""
        self._watch.add(layers)

    def refresh(self) -> bool:
        """Drops all activations unless the weights of all watched layers are known to be unchanged.

        Returns:
            Whether the activations were dropped.
        """
        self._is_certain = self._watch.unwritten()
        if self._is_certain:
            return False
        self.forget()
        return True

    def holds(self, path: str) -> bool:
        """Whether the cache has the activation at `path`, at least for the samples on screen."""
        seen, samples = self.sight
        rows = [Key(path, ROW, sample) in self.kept for sample in samples if seen == path]
        return Key(path, WHOLE) in self.kept or (bool(rows) and all(rows))

    def forget(self) -> None:
        """Drops everything that depends on the weights."""
        self.kept.drop(lambda _key: True)
        self._alike.clear()
        self._watch.clear()

    def clear(self) -> None:
        """Drops everything. The weights do not count as unchanged until the next `refresh`."""
        self.forget()
        self._is_certain = False

    def parts_in_words(self) -> str:
        """In how many parts the layer on screen was computed, and how much of it is kept, in words."""
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
