"""A tap on a running model: observes each call inside it and records the outputs."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras

from actwidget.capture.run.editor import Edit, Editor, in_turn
from actwidget.capture.run.graph_calls import graph_call, output_of
from actwidget.capture.run.probes.probe import Observation, Probe, ProbedCall
from actwidget.capture.run.probes.registry import probe_of
from actwidget.capture.run.probes.replay import Before
from actwidget.capture.run.reasons import ELSEWHERE, NO_TENSOR_NOW, NOT_CALLED_NOW, OTHER_THREAD, refusal
from actwidget.capture.structure.call_names import CallNames, layer_at
from actwidget.capture.structure.calls import Call, Intermediates, Output, open_where_different
from actwidget.errors import error_text
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.calls import current_observer, observed, unobserved
from actwidget.keras_internals.graph import function_of, packed_inputs, standardized_inputs
from actwidget.keras_internals.symbolic import call_on_symbols, has_symbols, in_symbolic_scope, tried_out
from actwidget.keras_internals.tensors import producer


@dataclass
class Frame:
    """A call that is running, like a frame on a call stack.

    Attributes:
        call: The call.
        prefix: The beginning of the paths of all calls inside it.
        outer: The frame of the call that makes this one; `None` for the call of the model itself.
        is_open: Whether the calls inside it are observed.
        probe: Computes the layer's intermediate values, if they are wanted.
        before: The state of the layer before the call, if it is to be probed.
    """

    call: Call
    prefix: str
    outer: Frame | None = None
    is_open: bool = True
    probe: Probe | None = None
    before: Before | None = None

    @cached_property
    def names(self) -> CallNames:
        """Names the calls inside; created for the first one of them."""
        return CallNames(self.call.operation, is_made=self.call.is_made)


class _AllSeen(BaseException):
    """Ends a pass when all wanted values are recorded. It is a `BaseException`, which no layer catches."""

    def __init__(self, tap: Tap) -> None:
        super().__init__()
        self.tap = tap


class Tap:
    """Runs a model and observes each call inside it that is made in the same thread.

    The recorded values are those that the model goes on with: if an edit replaces a value, the new one.

    Attributes:
        root: The model.
        seen: The call of the model itself, with all calls inside it, once it has run.
        values: The recorded tensors by path.
        editor: Applies the edits.
        outputs: The shapes and dtypes of the model's outputs.
        output_paths: For each output the path of the layer that returned it; `""` if no layer did.
        failed: The path of the innermost call or edit that raised; `None` if none did.
        refused: From each path that can't be captured in this pass, like all paths below it, to the reason.
        frames: The calls that are running now, the innermost last.
        taps: All taps that are open in this thread, this one first, then those around it.
    """

    def __init__(
        self,
        root: keras.Model,
        *,
        wanted: Collection[str] | None = (),
        edits: Mapping[str, Edit] | None = None,
        allow_unreached: Collection[str] = (),
        structure: bool = False,
        stop: bool = False,
    ) -> None:
        """Prepares a pass.

        Args:
            root: The model to run.
            wanted: The paths to record, `None` for all.
            edits: From path to the layer or callable that edits its value.
            allow_unreached: The paths of edits that may remain unmade, since the model does not always call the layers.
            structure: Whether to record the structure of all calls, so that `seen` is complete.
            stop: Whether to end an eager pass as soon as all wanted values are recorded and all required edits are
                made; `run` then returns `None`.
        """
        self.root = root
        self.seen = Call(root, "", 0)
        self.values: dict[str, Any] = {}
        self.editor = Editor(root, edits or {}, allow_unreached)
        self.outputs: list[Output] = []
        self.output_paths: tuple[str, ...] = ()
        self.failed: str | None = None
        self.refused: dict[str, str] = {}
        self.frames: list[Frame] = []
        self.taps: list[Tap] = [self]
        self._wanted = wanted
        self._missing = set(wanted or ())
        self._structure = structure or wanted is None
        self._stop = stop and bool(self._missing)
        self._edits = self.editor.edits
        self._leaves: dict[str, weakref.ref[Any]] = {}
        self._graph: Any = None
        self._symbolic = False

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the model and returns its output."""
        self.seen = Call(self.root, "", 0)
        self.values, self.refused, self.failed = {}, {}, None
        self._missing = set(self._wanted or ())
        outer = current_observer()
        self.taps = [self] if outer is None else [self, *outer.taps]
        self._graph, self._symbolic = backend.graph_in_progress(), in_symbolic_scope()
        try:
            with observed(self), self.editor.pass_begins():
                result = self.root(*args, **kwargs)
        except _AllSeen as end:
            if end.tap is not self:
                raise
            return None
        finally:
            self.frames.clear()
            self.taps = [self]
        tensors = [leaf for leaf in keras.tree.flatten(result) if keras.ops.is_tensor(leaf)]
        self.outputs = [Output.of(leaf) for leaf in tensors]
        paths = {id(leaf()): path for path, leaf in reversed(self._leaves.items())}  # of equal ones the first path
        self.output_paths = tuple(paths.get(id(tensor), "") for tensor in tensors)
        self._leaves.clear()
        return result

    @property
    def calls(self) -> dict[str, Call]:
        """All observed calls by path."""
        return dict(_calls_below(self.seen, ""))

    def check_edits(self) -> None:
        """Raises an error unless the latest pass has made each edit; a pass on symbols need not make any.

        Raises:
            NotCapturableError: An edit that must be reached was not, or its layer ran where none can be made.
        """
        if not self._symbolic:
            self.editor.check(self.why_missing)

    def check_values(self, paths: Iterable[str]) -> None:
        """Raises an error unless the latest pass gave a value at each of some paths.

        Raises:
            NotCapturableError: One is missing; the message says why, as far as that is known.
        """
        for path in paths:
            if path not in self.values:
                raise refusal(self.root.name, path, self.why_refused(path) or self.why_missing(path))

    def why_missing(self, path: str) -> str:
        """Why the latest pass has no value at a path, as far as that is known."""
        calls = self.calls
        parts = path.split("/")
        within = [self.seen, *(calls.get("/".join(parts[:depth])) for depth in range(1, len(parts) + 1))]
        if any(call is not None and call.reason == ELSEWHERE for call in within):
            return ELSEWHERE
        if layer_at(self.root, path) in self.editor.other_threads:
            return OTHER_THREAD
        return NOT_CALLED_NOW if within[-1] is None else NO_TENSOR_NOW

    def why_refused(self, path: str) -> str:
        """Why a layer's probe could not give the value at a path in this pass; `""` if it did not refuse."""
        reasons = (reason for refused, reason in self.refused.items() if f"{path}/".startswith(f"{refused}/"))
        return next(reasons, "")

    def observe(self, call: Callable[..., Any], operation: Any, args: Any, kwargs: Any) -> Any:
        """Makes one call of a layer or operation and records it in each open tap whose model contains it.

        Inner taps come first, so an outer tap sees the inputs and outputs as inner taps have edited them.
        """
        entered: list[tuple[Tap, Frame]] = []
        try:
            for tap in self.taps:
                if (frame := tap.enter(operation, args, kwargs)) is not None:
                    entered.append((tap, frame))
                    args, kwargs = tap.take_inputs(frame, operation, args, kwargs)
            outputs = call(operation, *args, **kwargs)
        except Exception as error:
            for tap, frame in entered:
                tap.note_failure(frame, error)
            raise
        finally:
            for tap, _ in entered:
                tap.frames.pop()
        for tap, frame in entered:
            if frame.before is not None:
                repeat = functools.partial(_repeated, entered, operation, args, kwargs)
                tap.probe(frame, ProbedCall(operation, args, kwargs, run_apart, repeat, outputs))
            outputs = tap.leave(frame, outputs)
        return outputs

    def enter(self, operation: Any, args: Any, kwargs: Any) -> Frame | None:
        """Opens a frame for a call; returns `None` if the call is not part of this pass or not to be observed."""
        # Keras builds some layers by calling them in a scratch graph. Those calls are not part of this pass.
        if in_symbolic_scope() != self._symbolic:
            return None
        if not self.frames:
            if operation is not self.root:
                return None
            frame = Frame(self.seen, "")
        else:
            outer = self.frames[-1]
            if not outer.is_open or not outer.names.holds(operation):
                return None
            name, index = outer.names.call(operation)
            call = Call(operation, name, index, is_made=outer.names.makes(operation))
            outer.call.calls.append(call)
            frame = Frame(call, f"{outer.prefix}{name}/", outer)
            if backend.graph_in_progress() is not self._graph:
                call.reason = ELSEWHERE
                frame.is_open = False
        if (probe := probe_of(operation)) is not None:
            frame.is_open &= not probe.is_loop
            if not frame.call.reason and self._is_to_be_probed(probe, frame.prefix):
                frame.probe, frame.before = probe, Before.of(probe, operation, args, kwargs)
        self.frames.append(frame)
        return frame

    def take_inputs(self, frame: Frame, operation: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Records the inputs of a functional model, for which no layer is called, and returns the edited arguments."""
        if not frame.is_open or (function := function_of(operation)) is None:
            return args, kwargs
        names = frame.names
        given = args[0] if args else kwargs.get("inputs")
        flat = standardized_inputs(function, given)
        passed = []
        for tensor, leaf in zip(function.inputs, flat, strict=True):
            layer = producer(tensor)
            name, index = names.call(layer)
            call = Call(layer, name, index)
            frame.call.calls.append(call)
            passed.append(leaf if leaf is None else self._passed_on(call, names, frame.prefix, leaf))
        if all(new is old for new, old in zip(passed, flat, strict=True)):
            return args, kwargs
        # Packed into the model's own structure: a dict from the caller may have another order, or additional entries.
        packed = packed_inputs(function, passed)
        return ((packed, *args[1:]), kwargs) if args else (args, {**kwargs, "inputs": packed})

    def note_failure(self, frame: Frame, error: Exception) -> None:
        """Records that a call raised."""
        if frame.outer is not None:
            self.failed = self.failed or frame.outer.prefix + frame.call.name
            if frame.call.reason != ELSEWHERE:
                frame.call.reason = f"raised {error_text(error)}"

    def probe(self, frame: Frame, call: ProbedCall) -> None:
        """Computes the wanted intermediate values of a layer after its call, without any effect on the pass."""
        probe, before, prefix = frame.probe, frame.before, frame.prefix
        if probe is None or before is None:
            return
        wanted = None if self._wanted is None else [*_below(self._wanted, prefix)]
        with before.restored():
            found = probe.computed(call, wanted) if wanted is None or wanted else _expected(probe, call)
        frame.call.intermediates = found
        self.refused |= {prefix + path: reason for path, reason in found.refused.items()}
        for path, tensor in found.tensors.items():
            self._record(prefix + path, tensor)

    def leave(self, frame: Frame, outputs: Any) -> Any:
        """Records the outputs of a call, and returns the outputs that the model goes on with."""
        if frame.outer is None or frame.call.reason:
            return outputs
        return self._passed_on(frame.call, frame.outer.names, frame.outer.prefix, outputs)

    def _passed_on(self, call: Call, names: CallNames, prefix: str, outputs: Any) -> Any:
        """Edits and records the outputs of a call, and returns the outputs that the model goes on with."""
        leaves = keras.tree.flatten(outputs)
        places = [place for place, leaf in enumerate(leaves) if keras.ops.is_tensor(leaf)]
        changed = False
        for number, place in enumerate(places):
            leaf = leaves[place]
            name = names.output(call.name, number)
            if prefix + name in self._edits:
                leaves[place] = leaf = self._edited(prefix + name, leaf, call)
                changed = True
            if self._structure:
                call.outputs[name] = Output.of(leaf)
                self._leaves[prefix + name] = weakref.ref(leaf)
            self._record(prefix + name, leaf)
        return keras.tree.pack_sequence_as(outputs, leaves) if changed else outputs

    def _edited(self, path: str, leaf: Any, call: Call) -> Any:
        """The result of the edit at a path for a value."""
        try:
            return self.editor.replaced(path, leaf)
        except Exception as error:
            self.failed = self.failed or path
            call.reason = f"was edited, and the edit raised {error_text(error)}"
            raise

    def _is_to_be_probed(self, probe: Probe, prefix: str) -> bool:
        """Whether intermediate values of a layer are wanted."""
        return self._structure or any(map(probe.covers, _below(self._missing, prefix)))

    def _record(self, path: str, leaf: Any) -> None:
        if self._wanted is not None and path not in self._wanted:
            return
        self.values[path] = backend.snapshot(leaf)
        self._missing.discard(path)
        if not self._stop or self._missing or not self.editor.is_done:
            return
        # The pass goes on if there is an outer tap, which may want the outputs of later layers.
        if self._graph is None and len(self.taps) == 1:
            raise _AllSeen(self)


def run_symbolically(operation: Any, args: Any, kwargs: Any) -> Tap:
    """Calls a layer on symbolic inputs, without computing anything, and returns the tap that has observed it.

    Args:
        operation: The layer.
        args: Its positional arguments, with `keras.KerasTensor`s for tensors.
        kwargs: Its keyword arguments.
    """
    tap = Tap(operation, structure=True)
    passes: list[tuple[Call, list[Output]]] = []

    def run(*values: Any, **options: Any) -> Any:
        result = tap.run(*values, **options)
        passes.append((tap.seen, tap.outputs))
        return result

    with tried_out(operation):
        call_on_symbols(run, args, kwargs)
    tap.seen, tap.outputs = open_where_different(passes)
    return tap


def run_apart(layer: Any, args: Any, kwargs: Any, wanted: Collection[str] | None) -> Observation:
    """Runs an inner layer by itself under a tap of its own, hidden from all open taps.

    Args:
        layer: The layer.
        args: Its positional arguments, which may be symbolic.
        kwargs: Its keyword arguments.
        wanted: The paths below it whose values are recorded; `None` for all.
    """
    with unobserved():
        if not has_symbols(args, kwargs):
            tap = Tap(layer, wanted=wanted, structure=not wanted)
            result = tap.run(*args, **kwargs)
            return Observation(tap.seen, tap.outputs, result, tap.values, tap.refused)
        function = function_of(layer)
        given = [tuple(leaf.shape)[1:] for leaf in keras.tree.flatten(args)]
        if function is not None and given == [tuple(tensor.shape)[1:] for tensor in function.inputs]:
            call = graph_call(layer, run_symbolically, run_apart)
            return Observation(call, [output_of(function, tensor) for tensor in function.outputs])
        tap = run_symbolically(layer, args, kwargs)
        return Observation(tap.seen, tap.outputs)


def _repeated(entered: list[tuple[Tap, Frame]], operation: Any, args: Any, kwargs: Any, **more: Any) -> Any:
    """Repeats a call with all edits inside it, hidden from all open taps."""
    inside: dict[str, list[Edit]] = {}
    for tap, frame in entered:
        for path, edit in tap.editor.below(frame.prefix).items():
            inside.setdefault(path, []).append(edit)
    edits = {path: functools.partial(in_turn, each) for path, each in inside.items()}
    with unobserved():
        return Tap(operation, edits=edits).run(*args, **{**kwargs, **more})


def _calls_below(call: Call, prefix: str) -> Iterator[tuple[str, Call]]:
    for inner in call.calls:
        yield prefix + inner.name, inner
        yield from _calls_below(inner, f"{prefix}{inner.name}/")


def _below(paths: Iterable[str], prefix: str) -> Iterator[str]:
    """Those of the paths that begin with a prefix, without the prefix."""
    return (path.removeprefix(prefix) for path in paths if path.startswith(prefix))


def _expected(probe: Probe, call: ProbedCall) -> Intermediates:
    """The structure of a layer's intermediate values, when none of the values themselves is wanted."""
    try:
        return probe.expected(call)
    except Exception:  # noqa: BLE001 - a layer that can't be called on symbols is run on values instead
        return probe.computed(call, ())
