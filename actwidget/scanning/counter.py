"""Counts the batches of a data set, one after the other."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import is_numeric
from actwidget.capture.access.batches import RawBatch, Source, Unreadable
from actwidget.capture.access.weight_watch import WeightWatch
from actwidget.capture.run.fitted_inputs import fitted
from actwidget.capture.run.inputs import Batch, prepare
from actwidget.capture.trace import read
from actwidget.errors import (
    ActwidgetError,
    CaptureError,
    InvalidInputsError,
    LayerNotFoundError,
    MemoryBudgetError,
    NotCapturableError,
    OptionError,
    ScanError,
    error_text,
    shown,
)
from actwidget.keras_internals.graph import function_of
from actwidget.scanning.class_labels import class_labels
from actwidget.scanning.counting.tally import Tally
from actwidget.scanning.identity import differences, of_values
from actwidget.scanning.interrupts import Interrupts
from actwidget.scanning.model_pass import ModelPass
from actwidget.scanning.scanned_layers import Options, check_labels, scanned_nodes, within_budget
from actwidget.scanning.state import SHARD, State
from actwidget.scanning.storage import write

Array = npt.NDArray[Any]
_WAITING_BYTES = 32_000_000
"""So many bytes of activations wait to be counted together, unless one batch takes more."""
_AHEAD_BYTES = 16_000_000
"""So many bytes of activations at most may have gone through the model and not be counted."""
CHECKED_EVERY = 1.0
"""So many seconds lie between two looks whether the weights are still the same."""


@dataclass
class Counter:
    """Counts a model's layers on data that is given shard by shard.

    Attributes:
        model: The model.
        options: What is asked for.
        state: What is counted so far.
        after_batch: Is called after each batch with the number of its samples.
        file: Where everything that was counted is written whenever the weights have been found unchanged.
    """

    model: keras.Model
    options: Options
    state: State
    after_batch: Callable[[int], None] = lambda _size: None
    file: Any = None
    interrupts: Interrupts = field(default_factory=Interrupts)
    _pass: ModelPass | None = None
    _quick: tuple[tuple[int, ...], Any] | None = None
    _watch: WeightWatch = field(default_factory=WeightWatch)
    _looked: float = 0.0
    _usual: int = 1
    _latest: Any = None
    _has_labels: bool = False
    _pending: deque[tuple[int, Future[None]]] = field(default_factory=deque)
    _given: int = 0
    _is_whole: bool = True

    def count(self, source: Source, shard: int, labels: Any = None) -> None:
        """Counts what is left of one shard.

        Args:
            source: Its data.
            shard: Its number.
            labels: The labels of its samples; `None` if there are none, or if they come with the batches.

        Raises:
            KeyboardInterrupt: Between two batches, or when one is counted.
            ScanError: A batch could not be read, or the weights have changed.
            ActwidgetError: A batch does not fit the model, or its forward pass failed.
        """
        state = self.state
        state.shard, self._given = shard, state.done
        if labels is not None:
            labels = class_labels(labels, source.length)
        with ThreadPoolExecutor(1, "actwidget-scan") as thread:
            for raw in source.read(state.done) if source.by_sample else self._after_counted(source):
                with self.interrupts.held():
                    self._take(raw, labels, thread)
            with self.interrupts.held():
                self.settle()
        if labels is not None and len(labels) != state.done:
            message = f"Expected a label for each of {state.done:,} samples, got {len(labels):,}."
            raise self.failure(ScanError(message))
        with self.interrupts.held():
            state.lengths[shard] = state.done
            state.done = state.batches = 0
            self.look()

    def _after_counted(self, source: Source) -> Iterator[RawBatch | Unreadable]:
        """The batches of a stream after those that were counted, which have to be the same as then.

        Raises:
            ScanError: They are not.
        """
        place, counted = -1, self.state.batches
        for place, raw in enumerate(source.read(0)):
            if place == 0 and isinstance(raw, RawBatch):
                self.identify(f"first batch of shard {self.state.shard}", of_values(raw.inputs))
            if place < counted:
                if place == counted - 1 and isinstance(raw, RawBatch):
                    self.identify("last batch counted", of_values(raw.inputs))
                continue
            yield raw
        if place + 1 < counted:
            differ = f"{counted} batches were counted there, and here are {place + 1}"
            raise ScanError(foreign(self.file, [differ]))

    def check_first(self, opened: Callable[[], Source]) -> None:
        """Makes sure that a stream begins as that of the file does; other data is known by its ends.

        Raises:
            ScanError: It does not.
        """
        name = "first batch of shard 0"
        first = next(opened().read(0), None) if name in self.state.identity else None
        if isinstance(first, RawBatch):
            self.identify(name, of_values(first.inputs))

    def identify(self, name: str, value: Any) -> None:
        """Makes sure that what is scanned is what the file is of, or notes it.

        Raises:
            ScanError: It is something else.
        """
        if differ := differences(self.state.identity, {name: value}):
            raise ScanError(foreign(self.file, differ))
        if value is not None:
            self.state.identity[name] = value

    def settle(self, left: int = 0) -> None:
        """Waits until what has gone through the model is counted.

        Batches are counted in a thread of their own while the next ones go through the model. Whatever reads or changes
        the state has to wait for it.

        Args:
            left: How many bytes of activations need not be counted yet.

        Raises:
            Exception: A batch could not be counted.
        """
        while sum(size for size, _ in self._pending) > left:
            self._pending.popleft()[1].result()

    def save(self) -> None:
        """Writes what is counted to the file, if there is one, unless a batch is counted in part.

        Raises:
            ScanError: It can't be written; the error holds what was counted.
        """
        self.settle()
        if not self._is_whole or self.file is None or self._pass is None or not self._watch.unwritten():
            return
        if self._latest is not None:
            self.state.identity["last batch counted"] = of_values(self._latest)
        self._write()

    def merge(self, other: State) -> None:
        """Adds what was counted elsewhere of other shards.

        Raises:
            ScanError: The file can't be written; the error holds what was counted.
        """
        self.state.merge(other)
        self.after_batch(other.seen)
        if self.file is not None:
            self._write()

    def _write(self) -> None:
        try:
            write(self.state, self.file)
        except ScanError as error:
            raise self.failure(error) from error.__cause__

    def look(self) -> None:
        """Makes sure that the weights are still those with which the scan began.

        Raises:
            ScanError: They are not.
            MemoryBudgetError: There are so many labels that their means do not fit into the budget.
        """
        self._looked = time.monotonic()
        if self._pass is not None and not self._watch.unwritten():
            message = (
                f"The weights or settings of model {self.model.name!r} changed while it was scanned, so that what was "
                "counted is of no one model. Scan again while nothing trains it."
            )
            raise self.failure(ScanError(message))
        if self._has_labels:
            check_labels(self.state.tallies, self.options)
        self.save()

    def failure(self, error: ActwidgetError) -> ActwidgetError:
        """An error that holds what was counted, if it can."""
        from actwidget.scanning.result import Scan

        self.settle()
        if isinstance(error, ScanError) and self.state.count:
            error.scan = Scan(self.state)
        return error

    def _take(self, raw: RawBatch | Unreadable, labels: Any, thread: ThreadPoolExecutor) -> None:
        """Counts a batch, in `thread` while the next one may go through the model, or skips it."""
        if isinstance(raw, Unreadable):
            self._skip(raw.size or self._usual, raw.error)
            return
        try:
            batch = self._fitted(raw.inputs)
            seen = self._seen(batch, raw.inputs, self._rows(raw.size))
            self._check_shapes(seen)
        except (NotCapturableError, LayerNotFoundError, OptionError, MemoryBudgetError, ScanError):
            raise
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            self._skip(_size_of(raw) or self._usual, error)
        else:
            own = self._labels(raw, labels, batch.size)
            self._has_labels |= own is not None
            self._usual, self._latest = batch.size, raw.inputs if raw.size is None else None
            self._given += batch.size
            work = thread.submit(self._add, seen, own, batch.size)
            self._pending.append((sum(each.nbytes for each in seen.values()) + 1, work))
            self.settle(_AHEAD_BYTES)
            self.after_batch(batch.size)
        if time.monotonic() - self._looked > CHECKED_EVERY:
            self.look()

    def _rows(self, size: int | None) -> int | None:
        """To how many samples the end of an array is filled up: a power of two, so that few sizes are compiled."""
        return None if size is None else min(self.options.batch_size, 1 << (size - 1).bit_length())

    def _skip(self, size: int, error: Exception) -> None:
        """Leaves a batch out, if that is asked for.

        Raises:
            Exception: It is not; the error names the batch.
        """
        self.settle()
        state = self.state
        start = (state.shard << SHARD) + state.done
        if not self.options.skip:
            first = state.number(start)
            message = (
                f"Batch {state.batches} of the data, from sample {first:,} on, could not be counted: "
                f"{error if isinstance(error, ActwidgetError) else error_text(error)} "
                "on_error='skip' leaves such batches out."
            )
            kind = type(error) if isinstance(error, (InvalidInputsError, CaptureError)) else ScanError
            raise self.failure(kind(message)) from error
        self._latest = None
        state.identity.pop("last batch counted", None)
        self._given += size
        state.skips.append((start, size, error_text(error)))
        state.went_through(size)
        self.after_batch(size)

    def _add(self, seen: dict[str, Array], labels: Any, size: int) -> None:
        if not self._is_whole:
            return
        state, self._is_whole = self.state, False
        start = (state.shard << SHARD) + state.done
        samples = np.arange(start, start + size, dtype=np.int64)
        # What is drawn from a batch depends on its place in the data alone.
        generator = np.random.default_rng((self.options.settings.seed % 2**63, start))
        for path, values in seen.items():
            state.tallies[path].add(samples, labels, values, generator)
        state.went_through(size)
        state.count += size
        self._is_whole = True

    def _fitted(self, inputs: Any) -> Batch:
        """The inputs as the model takes them; those of the same shape and dtype as before are known to fit."""
        is_plain = self._quick is not None and isinstance(inputs, np.ndarray) and len(inputs)
        if is_plain and (inputs.shape[1:], inputs.dtype) == self._quick:
            return Batch(inputs, len(inputs), "", inputs)
        if self._pass is None:
            return read(self.model, inputs, most=self.options.batch_size)[1] or prepare(inputs, None, self.model.name)
        graph = self._pass.graph
        if function_of(graph.root) is not None:
            return fitted(graph.root, inputs, edited=bool(graph.edits))
        return prepare(inputs, graph.inputs, self.model.name, graph.spread)

    def _seen(self, batch: Batch, inputs: Any, rows: int | None) -> dict[str, Array]:
        """What the layers give for a batch; the first one that comes prepares what runs the model."""
        if self._pass is not None:
            return self._pass.run(batch, rows)
        graph, _ = read(self.model, inputs)
        self._watch.add([self.model])
        nodes = scanned_nodes(graph, batch, self.options.layers)
        if not nodes:
            given = shown(self.options.layers)
            message = f"Expected at least one layer of model {self.model.name!r} to scan, got {given}."
            raise LayerNotFoundError(message)
        made = ModelPass(graph, nodes)
        seen = made.run(batch, rows)
        if wrong := [node for node in nodes if not is_numeric(seen[node.path].dtype)]:
            if self.options.layers is not None:
                message = f"{shown(wrong[0].path)} of model {self.model.name!r} gives no numbers that can be counted."
                raise NotCapturableError(message)
            made = ModelPass(graph, [node for node in nodes if node not in wrong])
            seen = made.run(batch, rows)
        self._looked = time.monotonic()
        # Whole numbers may be ids, which are checked each time.
        if graph.inputs is not None and batch.fed is inputs and inputs.dtype.kind == "f":
            self._quick = inputs.shape[1:], inputs.dtype
        self._prepare_tallies({path: tuple(each.shape[1:]) for path, each in seen.items()}, made)
        self._pass = made
        return seen

    def _prepare_tallies(self, shapes: dict[str, tuple[int, ...]], made: ModelPass) -> None:
        """Makes the counts of each layer, or gives those that were stored their names.

        Raises:
            MemoryBudgetError: They do not fit into the budget.
            ScanError: Other layers were stored.
        """
        state = self.state
        if not state.tallies:
            settings = within_budget(shapes, self.options)
            state.tallies = {path: Tally(shape, made.bounds[path], settings) for path, shape in shapes.items()}
        elif list(state.tallies) != list(shapes):
            if len(shapes) != len(state.tallies):
                raise ScanError(foreign(self.file, ["other layers"]))
            # The same layers, which Keras has numbered anew.
            state.tallies = dict(zip(shapes, state.tallies.values(), strict=True))
        for tally in state.tallies.values():
            tally.most_bytes = _WAITING_BYTES // len(state.tallies)

    def _check_shapes(self, seen: dict[str, Array]) -> None:
        for path, values in seen.items():
            known = self.state.tallies[path].shape
            if values.shape[-1] != known[-1] or values.ndim != len(known) + 1:
                message = (
                    f"{shown(path)} of model {self.model.name!r} gave samples of shape {known} before and "
                    f"{values.shape[1:]} now: the batches change their structure."
                )
                raise InvalidInputsError(message)

    def _labels(self, raw: RawBatch, labels: Any, size: int) -> Any:
        if labels is not None:
            own = labels[self._given : self._given + size]
            return class_labels(own, size)
        if raw.labels is None:
            return None
        try:
            return class_labels(raw.labels, size)
        except OptionError:  # what a network is to predict need not be a class
            return None


def foreign(file: Any, differ: list[str]) -> str:
    """The words for a file of another model or other data."""
    return (
        f"{str(file)!r} holds a scan of something else: {', '.join(differ)}. Give another file, or delete this one to "
        "begin again."
    )


def _size_of(raw: RawBatch | Unreadable) -> int | None:
    """How many samples a batch seems to have that does not fit the model."""
    if isinstance(raw, Unreadable):
        return None
    leaves = [leaf for leaf in keras.tree.flatten(raw.inputs) if getattr(leaf, "shape", ())]
    return int(leaves[0].shape[0]) if leaves and leaves[0].shape[0] is not None else None
