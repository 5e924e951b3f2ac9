"""A tap on a running model: each layer call below it is seen, what it gives recorded or replaced."""

from __future__ import annotations

import dataclasses
import functools
import threading
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.common.symbolic_scope import in_symbolic_scope

from actwidget.capture.run.apply_edit import change
from actwidget.capture.run.probes.probe import Asked, Probe, Watched
from actwidget.capture.run.probes.registry import probe_of
from actwidget.capture.structure.call_names import Level, is_composite, layer_at
from actwidget.capture.structure.calls import Call, Intermediates, Output
from actwidget.errors import NotCapturableError, told
from actwidget.keras_internals.compiled_functions import inlined
from actwidget.keras_internals.graph import function_of, graph_nodes, packed_inputs, standardized_inputs
from actwidget.keras_internals.isolation import tried_out
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.marks import same_losses, same_marks
from actwidget.keras_internals.patches import Patch, Patches
from actwidget.keras_internals.tensors import has_mask_attribute, mask_of, producer, set_mask

ELSEWHERE = "runs inside a loop, a branch or a function that TensorFlow compiles"
OTHER_THREAD = "was called in another thread"
NOT_CALLED_NOW = "was not called for this batch"
NO_TENSOR_NOW = "gave no tensor for this batch"


@dataclass(frozen=True)
class _Before:
    """What a layer's own call moves: its seeds and states, and the masks of the tensors it is given."""

    variables: list[tuple[Any, Any]]
    masks: list[tuple[Any, Any]]

    @contextmanager
    def again(self) -> Iterator[None]:
        """Has all of it as it was before the call, and afterwards as it is now."""
        after = [variable.value + 0 for variable, _ in self.variables]
        masks = [mask_of(leaf) for leaf, _ in self.masks]
        for variable, value in self.variables:
            variable.assign(value)
        for leaf, mask in self.masks:
            set_mask(leaf, mask)
        try:
            yield
        finally:
            for (variable, _), value in zip(self.variables, after, strict=True):
                variable.assign(value)
            for (leaf, _), mask in zip(self.masks, masks, strict=True):
                set_mask(leaf, mask)


@dataclass
class _Frame:
    """The inside of a call that is running."""

    call: Call
    prefix: str
    outer: _Frame | None = None  # the inside of the call that makes this one; `None` for the model's own
    is_open: bool = True  # whether it is looked into
    probe: Probe | None = None  # how its layer is asked for what it computes on the way, where it is to be asked
    before: _Before | None = None

    @cached_property
    def level(self) -> Level:
        """The names of the calls inside, made up when there is the first one."""
        return Level(self.call.operation, is_made=self.call.is_made)


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
        reached: The paths whose edits have been made.
        outputs: What the model itself gave.
        output_path: The path of the layer that gave the first of it, `""` where none did.
        failed: The path of the innermost call that raised, or of the edit that did, or `None`.
        refused: For paths that can't be had in this pass, with all below them, the reason.
    """

    def __init__(
        self,
        root: keras.Model,
        *,
        wanted: Collection[str] | None = (),
        edits: Mapping[str, Callable[[Any], Any]] | None = None,
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
        self._wanted = wanted
        self._missing = set(wanted or ())
        self._edits = dict(edits or {})
        self._optional = frozenset(allow_unreached)
        self.reached: set[str] = set()
        self._awaited = self._edits.keys() - self._optional
        self._thread = threading.get_ident()
        self._aside: set[int] = set()  # the `id` of each layer that another thread has called during the pass
        self._structure = structure or wanted is None
        self._stop = stop and bool(self._missing)
        self.outputs: list[Output] = []
        self.failed: str | None = None
        self.refused: dict[str, str] = {}
        self._leaves: dict[str, weakref.ref[Any]] = {}
        self.output_path = ""
        self._frames: list[_Frame] = []
        self._taps: list[Tap] = [self]  # all that are open in this thread, the innermost first
        self._graph: Any = None
        self._symbolic = False

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the model; gives what it gives."""
        self.seen = Call(self.root, "", 0)
        self.values, self.refused = {}, {}
        self._missing = set(self._wanted or ())
        self.failed = None
        self.reached.clear()
        self._awaited = self._edits.keys() - self._optional
        self._thread = threading.get_ident()
        self._aside.clear()
        outer = _ACTIVE.get()
        self._taps = [self] if outer is None else [self, *outer._taps]
        self._graph, self._symbolic = _graph(), in_symbolic_scope()
        token = _ACTIVE.set(self)
        try:
            with _CALLS.open(), inlined(), _told_of_other_threads(self):
                result = self.root(*args, **kwargs)
        except _AllSeen as end:
            if end.tap is not self:
                raise
            return None
        finally:
            _ACTIVE.reset(token)
            self._frames.clear()
            self._taps = [self]
        tensors = [leaf for leaf in keras.tree.flatten(result) if keras.ops.is_tensor(leaf)]
        self.outputs = [Output.of(leaf) for leaf in tensors]
        self.output_path = next((path for path, leaf in self._leaves.items() if tensors and leaf() is tensors[0]), "")
        self._leaves.clear()
        return result

    @property
    def calls(self) -> dict[str, Call]:
        """All calls that were seen, by path."""
        return dict(_below(self.seen, ""))

    def check_edits(self) -> None:
        """Raises an error unless each edit has been made in the latest pass; one on symbols need not make any.

        Raises:
            NotCapturableError: An edit that must be reached was not, or its layer ran where none can be made.
        """
        if self._symbolic:
            return
        for path in self._edits.keys() - self.reached:
            reason = self.why_missing(path)
            if path in self._optional and reason not in (ELSEWHERE, OTHER_THREAD):
                continue
            advice = (
                "Edit a layer outside of that."
                if reason == ELSEWHERE
                else "Edit a layer that the model calls in its own thread."
                if reason == OTHER_THREAD
                else "If that depends on the batch, allow it: edit(model, ..., allow_unreached=True)."
            )
            message = (
                f"The edit of {path!r} in model {self.root.name!r} was not made, and the output is that of the model "
                f"without it: {path!r} {reason}. {advice}"
            )
            raise NotCapturableError(message)

    def check_values(self, paths: Iterable[str]) -> None:
        """Raises an error unless the latest pass gave a value at each of some paths.

        Raises:
            NotCapturableError: One is missing; the message says why, as far as that is known.
        """
        for path in paths:
            if path not in self.values:
                raise refusal(self.root.name, path, self.why_refused(path) or self.why_missing(path))

    def why_missing(self, path: str) -> str:
        """Why the latest pass has no value at a path, as far as that is known: what follows "it" in a sentence."""
        calls = self.calls
        parts = path.split("/")
        within = [self.seen, *(calls.get("/".join(parts[:depth])) for depth in range(1, len(parts) + 1))]
        if any(call is not None and call.reason == ELSEWHERE for call in within):
            return ELSEWHERE
        if id(layer_at(self.root, path)) in self._aside:
            return OTHER_THREAD
        return NOT_CALLED_NOW if within[-1] is None else NO_TENSOR_NOW

    def why_refused(self, path: str) -> str:
        """Why the value at a path can't be had in this pass, `""` where a layer was not asked for it in vain."""
        ways = (reason for refused, reason in self.refused.items() if f"{path}/".startswith(f"{refused}/"))
        return next(ways, "")

    def observe(self, original: Callable[..., Any], operation: Any, args: Any, kwargs: Any) -> Any:
        """Carries out one call of a layer or operation, noted by each open tap whose model it is a part of.

        A tap outside sees what goes in and comes out when those inside have changed it.
        """
        if any(isinstance(leaf, keras.KerasTensor) for leaf in keras.tree.flatten((args, kwargs))):
            with _unseen():  # by such a call a Sequential that is called for the first time makes its graph
                return original(operation, *args, **kwargs)
        entered: list[tuple[Tap, _Frame]] = []
        try:
            for tap in self._taps:
                if (frame := tap._enter(operation, args, kwargs)) is not None:
                    entered.append((tap, frame))
                    args, kwargs = tap._take_inputs(frame, operation, args, kwargs)
            outputs = original(operation, *args, **kwargs)
        except Exception as error:
            for tap, frame in entered:
                tap._take_failure(frame, error)
            raise
        finally:
            for tap, _ in entered:
                tap._frames.pop()
        for tap, frame in entered:
            if frame.before is not None:
                again = functools.partial(_again, entered, operation, args, kwargs)
                tap._ask(frame, Asked(operation, args, kwargs, watched, again, outputs))
            outputs = tap._leave(frame, outputs)
        return outputs

    def _enter(self, operation: Any, args: Any, kwargs: Any) -> _Frame | None:
        """Opens the inside of a call, unless it is none of this pass or within what is not looked into."""
        # A layer that Keras builds by a trial run in a scratch graph makes calls that are none of this pass.
        if in_symbolic_scope() != self._symbolic:
            return None
        if not self._frames:
            if operation is not self.root:
                return None
            frame = _Frame(self.seen, "")
        else:
            outer = self._frames[-1]
            if not outer.is_open or not outer.level.holds(operation):
                return None
            name, index = outer.level.call(operation)
            call = Call(operation, name, index, is_made=outer.level.makes(operation))
            outer.call.calls.append(call)
            frame = _Frame(call, f"{outer.prefix}{name}/", outer)
            if _graph() is not self._graph:
                call.reason = ELSEWHERE
                frame.is_open = False
        if (probe := probe_of(operation)) is not None:
            frame.is_open &= not probe.is_loop
            if not frame.call.reason and self._asks(probe, frame.prefix):
                frame.probe, frame.before = probe, _before(probe, operation, args, kwargs)
        self._frames.append(frame)
        return frame

    def _take_failure(self, frame: _Frame, error: Exception) -> None:
        if frame.outer is not None:
            self.failed = self.failed or frame.outer.prefix + frame.call.name
            if frame.call.reason != ELSEWHERE:
                frame.call.reason = f"raised {told(error)}"

    def _leave(self, frame: _Frame, outputs: Any) -> Any:
        """Notes what came of a call, and gives what goes on."""
        if frame.outer is None or frame.call.reason:
            return outputs
        return self._pass_on(frame.call, frame.outer.level, frame.outer.prefix, outputs)

    def _take_inputs(self, frame: _Frame, operation: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Notes the inputs of a functional model, which are no calls when it runs."""
        if not frame.is_open or (function := function_of(operation)) is None:
            return args, kwargs
        level = frame.level
        given = args[0] if args else kwargs.get("inputs")
        flat = standardized_inputs(function, given)
        passed = []
        for tensor, leaf in zip(function.inputs, flat, strict=True):
            layer = producer(tensor)
            name, index = level.call(layer)
            call = Call(layer, name, index)
            frame.call.calls.append(call)
            passed.append(leaf if leaf is None else self._pass_on(call, level, frame.prefix, leaf))
        if all(new is old for new, old in zip(passed, flat, strict=True)):
            return args, kwargs
        # In the model's own structure: in a dict that was given the order may be another, and there may be more in it.
        packed = packed_inputs(function, passed)
        return ((packed, *args[1:]), kwargs) if args else (args, {**kwargs, "inputs": packed})

    def _pass_on(self, call: Call, level: Level, prefix: str, outputs: Any) -> Any:
        """Notes what a call gave, and gives what goes on."""
        leaves = keras.tree.flatten(outputs)
        places = [place for place, leaf in enumerate(leaves) if keras.ops.is_tensor(leaf)]
        changed = False
        for number, place in enumerate(places):
            leaf = leaves[place]
            name = level.output(call.name, number)
            if (edit := self._edits.get(prefix + name)) is not None:
                leaves[place] = leaf = self._edited(edit, leaf, prefix + name, call)
                changed = True
            if self._structure:
                call.outputs[name] = Output.of(leaf)
                self._leaves[prefix + name] = weakref.ref(leaf)
            self._record(prefix + name, leaf)
        return keras.tree.pack_sequence_as(outputs, leaves) if changed else outputs

    def _edited(self, edit: Callable[[Any], Any], leaf: Any, path: str, call: Call) -> Any:
        """What an edit makes of a value."""
        try:
            with _unseen():  # the edit's own layers are not the model's
                edited = change(edit, leaf, path)
        except Exception as error:
            self.failed = self.failed or path
            call.reason = f"was edited, and the edit raised {told(error)}"
            raise
        self.reached.add(path)
        self._awaited.discard(path)
        return edited

    def _asks(self, probe: Probe, prefix: str) -> bool:
        """Whether a layer is to be asked for what it computes on the way."""
        return self._structure or any(map(probe.has, _below_prefix(self._missing, prefix)))

    def _ask(self, frame: _Frame, asked: Asked) -> None:
        """Asks a layer for what it computes on the way, beside the pass: the model's own way is not changed."""
        probe, before, prefix = frame.probe, frame.before, frame.prefix
        if probe is None or before is None:
            return
        wanted = None if self._wanted is None else [*_below_prefix(self._wanted, prefix)]
        inside = flat_layers(asked.layer)
        with before.again(), same_marks(inside, trial=True), same_losses(inside):
            found = probe.taken(asked, wanted) if wanted is None or wanted else _expected(probe, asked)
        frame.call.intermediates = found
        self.refused |= {prefix + path: reason for path, reason in found.refused.items()}
        for path, tensor in found.tensors.items():
            self._record(prefix + path, tensor)

    def _record(self, path: str, leaf: Any) -> None:
        if self._wanted is not None and path not in self._wanted:
            return
        self.values[path] = leaf
        self._missing.discard(path)
        # A tap outside may want what is still to come.
        if self._stop and not (self._missing or self._awaited) and self._graph is None and len(self._taps) == 1:
            raise _AllSeen(self)


def refusal(model_name: str, path: str, reason: str) -> NotCapturableError:
    """The error for a path whose value can't be had."""
    return NotCapturableError(f"{path!r} of model {model_name!r} can't be captured: it {reason}.")


def _below(call: Call, prefix: str) -> Iterator[tuple[str, Call]]:
    for inner in call.calls:
        yield prefix + inner.name, inner
        yield from _below(inner, f"{prefix}{inner.name}/")


def _again(entered: list[tuple[Tap, _Frame]], operation: Any, args: Any, kwargs: Any, **more: Any) -> Any:
    """Makes a call once more, with the edits of what is inside it, and past all taps that are open."""
    inside: dict[str, list[Callable[[Any], Any]]] = {}
    for tap, frame in entered:
        for path, edit in tap._edits.items():
            if path.startswith(frame.prefix):
                inside.setdefault(path.removeprefix(frame.prefix), []).append(edit)
    edits = {path: functools.partial(_in_turn, each) for path, each in inside.items()}
    with _unseen():
        return Tap(operation, edits=edits).run(*args, **{**kwargs, **more})


def _in_turn(edits: list[Callable[[Any], Any]], value: Any) -> Any:
    for edit in edits:
        value = edit(value)
    return value


def _below_prefix(paths: Iterable[str], prefix: str) -> Iterator[str]:
    """What of some paths stands below another, without it."""
    return (path.removeprefix(prefix) for path in paths if path.startswith(prefix))


def _before(probe: Probe, operation: Any, args: Any, kwargs: Any) -> _Before:
    """What a call moves of a layer that is to be asked afterwards."""
    given = [leaf for leaf in keras.tree.flatten((args, kwargs)) if has_mask_attribute(leaf)]
    variables = [(each, each.value + 0) for each in probe.moved(operation)]
    return _Before(variables, [(leaf, mask_of(leaf)) for leaf in given])


def _expected(probe: Probe, asked: Asked) -> Intermediates:
    """What a layer computes on the way, of which no value is wanted."""
    try:
        return probe.expected(asked)
    except Exception:  # noqa: BLE001 - what can't be tried out on symbols is run
        return probe.taken(asked, ())


def _graph() -> Any:
    """The graph that TensorFlow is making, or `None` when it runs eagerly."""
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


class _Trial(keras.Operation):  # type: ignore[misc]  # Keras has no type hints
    """Runs a layer under a tap on symbolic inputs, of which Keras makes a scratch graph."""

    def __init__(self, tap: Tap) -> None:
        super().__init__(name="trial")
        self._tap = tap

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return self._tap.run(*args, **kwargs)


def run_symbolically(operation: Any, args: Any, kwargs: Any) -> Tap:
    """The tap that has seen a layer's calls on symbolic inputs; nothing is computed.

    Args:
        operation: The layer.
        args: What it is called with, `keras.KerasTensor`s for tensors.
        kwargs: The same by name.
    """
    tap = Tap(operation, structure=True)
    with tried_out(operation):
        _Trial(tap).compute_output_spec(*args, **kwargs)
    return tap


def watched(layer: Any, args: Any, kwargs: Any, wanted: Collection[str] | None) -> Watched:
    """What is seen of a layer inside another that is run by itself, past all taps that are open.

    Args:
        layer: The layer.
        args: What it is called with; symbols for a trial.
        kwargs: The same by name.
        wanted: The paths below it whose values are recorded, `None` for all.
    """
    with _unseen():
        if not any(isinstance(leaf, keras.KerasTensor) for leaf in keras.tree.flatten((args, kwargs))):
            tap = Tap(layer, wanted=wanted, structure=not wanted)
            result = tap.run(*args, **kwargs)
            return Watched(tap.seen, tap.outputs, result, tap.values, tap.refused)
        function = function_of(layer)
        given = [tuple(leaf.shape)[1:] for leaf in keras.tree.flatten(args)]
        if function is not None and given == [tuple(tensor.shape)[1:] for tensor in function.inputs]:
            return Watched(_read(layer, "", 0), [_output(function, tensor) for tensor in function.outputs])
        tap = run_symbolically(layer, args, kwargs)
        return Watched(tap.seen, tap.outputs)


def _read(operation: Any, name: str, index: int) -> Call:
    """The call of a layer that has a functional graph, as that graph has it: nothing need run for it."""
    function = function_of(operation)
    level = Level(operation)
    call = Call(operation, name, index)
    for node in graph_nodes(function):
        inner = _inside(node, *level.call(node.operation))
        inner.outputs = {
            level.output(inner.name, number): _output(function, tensor) for number, tensor in enumerate(node.outputs)
        }
        call.calls.append(inner)
    return call


def _inside(node: Any, name: str, index: int) -> Call:
    """A call in a functional graph, with what is known or can be tried out of its inside."""
    operation, args, kwargs = node.operation, node.arguments.args, node.arguments.kwargs
    if node.is_input or not is_composite(operation):
        return Call(operation, name, index)
    if function_of(operation) is not None:
        return _read(operation, name, index)
    probe = probe_of(operation)
    if probe is not None and probe.is_loop:
        expected = probe.expected(Asked(operation, args, kwargs, watched))
        return Call(operation, name, index, intermediates=expected)
    return dataclasses.replace(run_symbolically(operation, args, kwargs).seen, name=name, index=index)


def _output(function: Any, tensor: keras.KerasTensor) -> Output:
    """A tensor of a graph, which takes any number of samples whatever it was built for."""
    shape = tuple(tensor.shape)
    if shape and shape[0] == function.inputs[0].shape[0]:
        shape = (None, *shape[1:])
    return Output(shape, str(tensor.dtype))


# Keras has no hooks on calls, so the classes' __call__ is patched while a tap is open.
_ACTIVE: ContextVar[Tap | None] = ContextVar("actwidget_tap", default=None)


@contextmanager
def _unseen() -> Iterator[None]:
    """Lets layers be called past all taps."""
    token = _ACTIVE.set(None)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


# Taps that want to know which layers other threads call meanwhile: there no edit can be made.
_WANT_OTHER_THREADS: list[Tap] = []
_OWN_CALL: ContextVar[bool] = ContextVar("actwidget_own_call", default=False)


@contextmanager
def _told_of_other_threads(tap: Tap) -> Iterator[None]:
    if not tap._edits:
        yield
        return
    _WANT_OTHER_THREADS.append(tap)
    try:
        yield
    finally:
        _WANT_OTHER_THREADS.remove(tap)


def _tell_other_threads(layer: Any) -> None:
    """Notes a call that no tap of this thread sees."""
    for tap in tuple(_WANT_OTHER_THREADS):
        if tap._thread != threading.get_ident():
            tap._aside.add(id(layer))


def _found() -> list[Patch]:
    return [(keras.Layer, "__call__", _of_layer), (keras.Operation, "__call__", _of_operation)]


def _of_layer(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        tap = _ACTIVE.get()
        if tap is not None:
            return tap.observe(original, self, args, kwargs)
        if not _WANT_OTHER_THREADS or _OWN_CALL.get():
            return original(self, *args, **kwargs)
        if any(each.root is self for each in tuple(_WANT_OTHER_THREADS)):
            # Somebody else runs the same model: what it calls there has nothing to do with the pass that is tapped.
            token = _OWN_CALL.set(True)
            try:
                return original(self, *args, **kwargs)
            finally:
                _OWN_CALL.reset(token)
        _tell_other_threads(self)
        return original(self, *args, **kwargs)

    return call


def _of_operation(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        tap = _ACTIVE.get()
        if tap is None or isinstance(self, keras.Layer):  # a layer's call comes through here as well
            return original(self, *args, **kwargs)
        return tap.observe(original, self, args, kwargs)

    return call


_CALLS = Patches(_found)
