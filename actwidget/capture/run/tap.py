"""A tap on a running model: each call below it is seen, and what it gives is recorded."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras

from actwidget.capture.run.editor import Edit, Editor
from actwidget.capture.run.graph_calls import graph_call, output_of
from actwidget.capture.run.probes.probe import Observation, Probe, ProbedCall
from actwidget.capture.run.probes.registry import probe_of
from actwidget.capture.run.probes.replay import Before
from actwidget.capture.run.reasons import ELSEWHERE, NO_TENSOR_NOW, NOT_CALLED_NOW, OTHER_THREAD, refusal
from actwidget.capture.structure.call_names import CallNames, layer_at
from actwidget.capture.structure.calls import Call, Intermediates, Output
from actwidget.errors import error_text
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.calls import current_observer, observed, unobserved
from actwidget.keras_internals.graph import function_of, packed_inputs, standardized_inputs
from actwidget.keras_internals.symbolic import call_on_symbols, has_symbols, in_symbolic_scope, tried_out
from actwidget.keras_internals.tensors import producer


@dataclass
class Frame:
    """The inside of a call that is running.

    Attributes:
        call: The call.
        prefix: What the paths of the calls inside begin with.
        outer: The inside of the call that makes this one; `None` for the model's own.
        is_open: Whether it is looked into.
        probe: How its layer is asked for what it computes on the way, where it is to be asked.
        before: What the call changes of a layer that is to be asked.
    """

    call: Call
    prefix: str
    outer: Frame | None = None
    is_open: bool = True
    probe: Probe | None = None
    before: Before | None = None

    @cached_property
    def names(self) -> CallNames:
        """The names of the calls inside, made up when there is the first one."""
        return CallNames(self.call.operation, is_made=self.call.is_made)


class _AllSeen(BaseException):
    """Ends the pass of a tap that wants nothing more; no layer's own `except Exception` stops it."""

    def __init__(self, tap: Tap) -> None:
        super().__init__()
        self.tap = tap


class Tap:
    """Runs a model and sees each call below it, in this thread.

    The values are those that flow on: where an edit replaces one, the new one.

    Attributes:
        root: The model.
        seen: The call of the model itself, with all calls inside it, once it has run.
        values: The recorded tensors by path.
        editor: What replaces values on their way.
        outputs: What the model itself gave.
        output_path: The path of the layer that gave the first of it, `""` where none did.
        failed: The path of the innermost call that raised, or of the edit that did, or `None`.
        refused: For paths that can't be had in this pass, with all below them, the reason.
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
            edits: What to put each path's value through before it goes on.
            allow_unreached: The paths of edits that a pass may leave out, as the model need not call their layers.
            structure: Whether to look at everything, so that `seen` is complete.
            stop: Whether to end an eager pass as soon as all that is wanted is there, and each edit that must be
                reached has been; `run` then gives `None`.
        """
        self.root = root
        self.seen = Call(root, "", 0)
        self.values: dict[str, Any] = {}
        self.editor = Editor(root, edits or {}, allow_unreached)
        self.outputs: list[Output] = []
        self.output_path = ""
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
        """Calls the model; gives what it gives."""
        self.seen = Call(self.root, "", 0)
        self.values, self.refused = {}, {}
        self._missing = set(self._wanted or ())
        self.failed = None
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
        self.output_path = next((path for path, leaf in self._leaves.items() if tensors and leaf() is tensors[0]), "")
        self._leaves.clear()
        return result

    @property
    def calls(self) -> dict[str, Call]:
        """All calls that were seen, by path."""
        return dict(_calls_below(self.seen, ""))

    def check_edits(self) -> None:
        """Raises an error unless each edit has been made in the latest pass; one on symbols need not make any.

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
        """Why the value at a path can't be had in this pass, `""` where no layer refused it."""
        reasons = (reason for refused, reason in self.refused.items() if f"{path}/".startswith(f"{refused}/"))
        return next(reasons, "")

    def observe(self, call: Callable[..., Any], operation: Any, args: Any, kwargs: Any) -> Any:
        """Carries out one call of a layer or operation, noted by each open tap whose model it is a part of.

        A tap outside sees what goes in and comes out when those inside have changed it.
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
        """Opens the inside of a call, unless it is none of this pass or within what is not looked into."""
        # A layer that Keras builds by a trial run in a scratch graph makes calls that are none of this pass.
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
            if not frame.call.reason and self._is_to_be_asked(probe, frame.prefix):
                frame.probe, frame.before = probe, Before.of(probe, operation, args, kwargs)
        self.frames.append(frame)
        return frame

    def take_inputs(self, frame: Frame, operation: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Notes the inputs of a functional model, which are no calls when it runs; gives what it is called with."""
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
        # In the model's own structure: in a dict that was given the order may be another, and there may be more in it.
        packed = packed_inputs(function, passed)
        return ((packed, *args[1:]), kwargs) if args else (args, {**kwargs, "inputs": packed})

    def note_failure(self, frame: Frame, error: Exception) -> None:
        """Notes that a call raised."""
        if frame.outer is not None:
            self.failed = self.failed or frame.outer.prefix + frame.call.name
            if frame.call.reason != ELSEWHERE:
                frame.call.reason = f"raised {error_text(error)}"

    def probe(self, frame: Frame, call: ProbedCall) -> None:
        """Asks a layer for what it computes on the way, beside the pass, in which nothing changes."""
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
        """Notes what came of a call, and gives what goes on."""
        if frame.outer is None or frame.call.reason:
            return outputs
        return self._passed_on(frame.call, frame.outer.names, frame.outer.prefix, outputs)

    def _passed_on(self, call: Call, names: CallNames, prefix: str, outputs: Any) -> Any:
        """Notes what a call gave, and gives what goes on."""
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
        """What the edit at a path makes of a value."""
        try:
            return self.editor.replaced(path, leaf)
        except Exception as error:
            self.failed = self.failed or path
            call.reason = f"was edited, and the edit raised {error_text(error)}"
            raise

    def _is_to_be_asked(self, probe: Probe, prefix: str) -> bool:
        """Whether a layer is to be asked for what it computes on the way."""
        return self._structure or any(map(probe.covers, _below(self._missing, prefix)))

    def _record(self, path: str, leaf: Any) -> None:
        if self._wanted is not None and path not in self._wanted:
            return
        self.values[path] = leaf
        self._missing.discard(path)
        if not self._stop or self._missing or not self.editor.is_done:
            return
        # A tap outside may want what is still to come.
        if self._graph is None and len(self.taps) == 1:
            raise _AllSeen(self)


def run_symbolically(operation: Any, args: Any, kwargs: Any) -> Tap:
    """The tap that has seen a layer's calls on symbolic inputs; nothing is computed.

    Args:
        operation: The layer.
        args: What it is called with, `keras.KerasTensor`s for tensors.
        kwargs: The same by name.
    """
    tap = Tap(operation, structure=True)
    with tried_out(operation):
        call_on_symbols(tap.run, args, kwargs)
    return tap


def run_apart(layer: Any, args: Any, kwargs: Any, wanted: Collection[str] | None) -> Observation:
    """What is seen of a layer inside another when it is run by itself, unseen by all taps that are open.

    Args:
        layer: The layer.
        args: What it is called with; symbols for a trial.
        kwargs: The same by name.
        wanted: The paths below it whose values are recorded, `None` for all.
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
    """Makes a call once more, with the edits of what is inside it, unseen by all taps that are open."""
    inside: dict[str, list[Edit]] = {}
    for tap, frame in entered:
        for path, edit in tap.editor.below(frame.prefix).items():
            inside.setdefault(path, []).append(edit)
    edits = {path: functools.partial(_in_turn, each) for path, each in inside.items()}
    with unobserved():
        return Tap(operation, edits=edits).run(*args, **{**kwargs, **more})


def _in_turn(edits: list[Edit], value: Any) -> Any:
    for edit in edits:
        value = edit(value)
    return value


def _calls_below(call: Call, prefix: str) -> Iterator[tuple[str, Call]]:
    for inner in call.calls:
        yield prefix + inner.name, inner
        yield from _calls_below(inner, f"{prefix}{inner.name}/")


def _below(paths: Iterable[str], prefix: str) -> Iterator[str]:
    """What of some paths stands below another, without it."""
    return (path.removeprefix(prefix) for path in paths if path.startswith(prefix))


def _expected(probe: Probe, call: ProbedCall) -> Intermediates:
    """What a layer computes on the way, of which no value is wanted."""
    try:
        return probe.expected(call)
    except Exception:  # noqa: BLE001 - what can't be tried out on symbols is run
        return probe.computed(call, ())
