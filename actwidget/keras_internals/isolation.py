"""What a pass keeps to itself: whatever layers write, count or draw while it runs, no other call ever sees.

Other threads may train the same model at the same time. To write and to put back later would undo what they wrote in
between, so what a pass writes goes where only its own thread reads it.
"""

from __future__ import annotations

import copy
import functools
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from types import ModuleType, SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.common.global_state import get_global_attribute, set_global_attribute
from keras.src.backend.common.stateless_scope import get_stateless_scope
from keras.src.layers.layer import CallContext
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
from tensorflow.python.eager.context import Context
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from actwidget.keras_internals.attributes import forget_losses
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import Functional, is_framework_function, is_from_actwidget, is_keras_class
from actwidget.keras_internals.compiled_functions import run_as_python
from actwidget.keras_internals.patches import Patch, Patches

_OUTERMOST_CALL = "current_call_ctx"  # where Keras keeps the outermost layer call of this thread


@contextmanager
def isolated(layers: Sequence[keras.Layer], *, symbolic: bool = False) -> Iterator[None]:
    """Runs a block whose writes and draws no other call sees, neither later nor in another thread.

    What layers make while they are built stays.

    Args:
        layers: All layers that run in the block.
        symbolic: Whether they run on symbols alone; then Keras itself keeps their writes apart.
    """
    isolation = _Isolation(None if symbolic else _Overlay())
    token = _CURRENT.set(isolation)
    kept = {name: get_global_attribute(name) for name in (GLOBAL_SEED_GENERATOR, _OUTERMOST_CALL)}
    # The outermost layer call clears the losses of its layers, which another thread may be about to add up.
    set_global_attribute(_OUTERMOST_CALL, CallContext(entry_layer=None))
    try:
        with ExitStack() as stack:
            if isolation.overlay is not None:
                stack.enter_context(isolation.overlay)
            if _runs_foreign_code(layers):
                stack.enter_context(_PATCHES.open())
                stack.enter_context(run_as_python())
            yield
    finally:
        _CURRENT.reset(token)
        for name, value in kept.items():
            set_global_attribute(name, value)
        for written in isolation.written.values():
            written.put_back()
        if isolation.overlay is not None and isolation.overlay.losses:
            forget_losses(layers, isolation.overlay.losses)


def _runs_foreign_code(layers: Iterable[keras.Layer]) -> bool:
    """Whether more runs than Keras's own classes, or a layer is to be built.

    Such code can draw random numbers from Python, NumPy or TensorFlow, write variables of TensorFlow's, make layers and
    have functions compiled. All that has to be patched.
    """
    known: dict[type, bool] = {}
    for layer in layers:
        if not layer.built:
            return True
        for each in (layer, *(layer.operations if isinstance(layer, Functional) else ())):
            kind = type(each)
            if kind not in known:
                own = is_keras_class(kind) or is_from_actwidget(kind)
                known[kind] = own and not issubclass(kind, (keras.layers.Lambda, keras.layers.TFSMLayer))
            if not known[kind] or not all(map(_is_framework_value, map(vars(each).get, _CALLABLES))):
                return True
    return False


_CALLABLES = ("activation", "recurrent_activation", "activity_regularizer", "_standardize", "_split")
"""The attributes in which Keras's own layers hold what a person can give as a function."""


def _is_framework_value(value: Any) -> bool:
    """Whether a value runs no code of the user's when a layer calls it."""
    return not callable(value) or is_framework_function(value)


class _Isolation:
    """What one pass writes and draws.

    Attributes:
        overlay: What it assigned to Keras's variables; `None` where it runs on symbols.
        written: The variables of TensorFlow's own that it wrote, by their `id`.
    """

    def __init__(self, overlay: _Overlay | None) -> None:
        self.overlay = overlay
        self.written: dict[int, _Written] = {}
        self._generators: dict[int, Any] = {}

    @property
    def is_writing(self) -> bool:
        """Whether what is written now is to be kept apart: what a layer writes while it is built is not."""
        return self.overlay is not None and get_stateless_scope() is self.overlay

    def generator(self, shared: Any) -> Any:
        """A copy of a generator of random numbers that the process shares, made when the pass first draws from it."""
        if id(shared) not in self._generators:
            self._generators[id(shared)] = copy.deepcopy(shared)
        return self._generators[id(shared)]

    def seeds(self, shared: random.Random) -> random.Random:
        """A generator of other seeds than those that come next: from a seed TensorFlow draws on where it was left."""
        if id(shared) not in self._generators:
            self._generators[id(shared)] = random.Random(copy.deepcopy(shared).random())  # noqa: S311 - no secret
        seeds: random.Random = self._generators[id(shared)]
        return seeds

    def of(self, variable: Any) -> _Written:
        """The note on a variable of TensorFlow's that is about to be written."""
        return self.written.setdefault(id(variable), _Written(variable))


_CURRENT: ContextVar[_Isolation | None] = ContextVar("actwidget_isolation", default=None)


class _Overlay(keras.StatelessScope):  # type: ignore[misc]  # Keras has no type hints
    """Holds what a pass assigns to Keras's variables: seeds, moving statistics, states, counters, metrics.

    Inside the scope, and in its thread alone, Keras reads and writes these values in place of those of the variables.
    """

    def __init__(self) -> None:
        super().__init__(collect_losses=True, initialize_variables=False)
        self.variables: dict[int, Any] = {}  # keeps variables alive: their values are found by their ids
        outer = _CURRENT.get()
        if outer is not None and outer.overlay is not None:
            self.state_mapping.update(outer.overlay.state_mapping)
            self.variables.update(outer.overlay.variables)

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Takes what is assigned to a variable."""
        self.variables[id(update[0])] = update[0]
        super().add_update(update)

    def get_current_value(self, variable: Any) -> Any:
        """What was assigned last in this pass, else what the variable holds."""
        value = self.state_mapping.get(id(variable))
        # What was assigned while TensorFlow made a graph has no value outside of that graph.
        if value is None or backend.is_of_another_graph(value):
            return variable._value
        return value

    @contextmanager
    def left(self) -> Iterator[None]:
        """Leaves the scope for a block."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()


class _Written:
    """A variable of TensorFlow's that a pass has written: it has one value for all threads.

    Attributes:
        expected: What it holds now, if no other thread has written it.
        added: What the pass added up, or `None` where it did more than add.
    """

    def __init__(self, variable: Any) -> None:
        self._variable = variable
        self._before = self.expected = np.array(backend.read(variable))
        self.added: Any = np.zeros_like(self._before) if self._before.dtype.kind in "fiu" else None

    def add(self, value: Any) -> None:
        """Notes that a value is added."""
        self.expected = self.expected + np.asarray(value, dtype=self.expected.dtype)
        if self.added is not None:
            self.added = self.added + np.asarray(value, dtype=self.added.dtype)

    def put_back(self) -> None:
        """Takes back what the pass wrote, and nothing that another thread has written since."""
        exact = self.added is not None and self.added.dtype.kind in "iu"  # then no write in between can be lost
        if not exact and _equal(np.asarray(backend.read(self._variable)), self.expected):
            backend.write(self._variable, self._before)
        elif self.added is not None:
            backend.subtract(self._variable, self.added)


def _equal(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    return np.array_equal(one, other) or (one.dtype != object and one.tobytes() == other.tobytes())  # NaN too


# What is patched while a pass runs the user's code. Each replacement passes on what is called outside of such a pass.


def _patches() -> list[Patch]:
    writes = [name for name in dir(ResourceVariable) if name.startswith(("assign", "scatter_", "batch_scatter_"))]
    moves = [name for name in dir(tf.random.Generator) if name in _MOVES]
    return [
        (keras.Layer, "_maybe_build", _built_outside),
        (_defining_class(keras.Variable, "__init__"), "__init__", _outside),
        (Context, "_internal_operation_seed", _on_copied_seeds),
        *((_defining_class(ResourceVariable, name), name, functools.partial(_noted_write, name)) for name in writes),
        *((tf.random.Generator, name, _noted_move) for name in moves),
        *_drawing(random, random.random, {}),
        *_drawing(np.random, np.random.rand, {"seed": "seed", "ranf": "random_sample", "sample": "random_sample"}),
    ]


_MOVES = {
    *("normal", "truncated_normal", "uniform", "uniform_full_int", "binomial", "make_seeds", "split", "skip"),
    *("reset", "reset_from_seed", "reset_from_key_counter"),
}


def _defining_class(cls: type, name: str) -> type:
    """The class that defines an attribute."""
    return next(base for base in cls.__mro__ if name in vars(base))


def _drawing(module: ModuleType, example: Any, others: dict[str, str]) -> list[Patch]:
    """The functions of a module that draw from the one generator that it shares with the whole process."""
    shared = example.__self__
    methods = {name: name for name, value in vars(module).items() if getattr(value, "__self__", None) is shared}
    return [(module, name, functools.partial(_on_copy, shared, method)) for name, method in (methods | others).items()]


def _on_copy(shared: Any, method: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def draw(*args: Any, **kwargs: Any) -> Any:
        isolation = _CURRENT.get()
        function = original if isolation is None else getattr(isolation.generator(shared), method)
        return function(*args, **kwargs)

    return draw


def _on_copied_seeds(original: Callable[..., Any]) -> Callable[..., Any]:
    """For the seeds of TensorFlow's random operations that were given none."""

    @functools.wraps(original)
    def seed(self: Any) -> Any:
        isolation, generator = _CURRENT.get(), getattr(self, "_rng", None)
        own = self if isolation is None or generator is None else SimpleNamespace(_rng=isolation.seeds(generator))
        return original(own)

    return seed


_BUILDING = threading.RLock()  # two threads that build one layer would give it its weights twice


def _built_outside(original: Callable[..., Any]) -> Callable[..., Any]:
    build = _outside(original)

    @functools.wraps(original)
    def built(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.built or _CURRENT.get() is None:
            return original(self, *args, **kwargs)
        with _BUILDING:
            return build(self, *args, **kwargs)

    return built


def _outside(original: Callable[..., Any]) -> Callable[..., Any]:
    """For what makes variables, which Keras does not allow in the scope of an overlay."""

    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        isolation = _CURRENT.get()
        if isolation is None or isolation.overlay is None or not isolation.is_writing:
            return original(*args, **kwargs)
        with isolation.overlay.left():
            return original(*args, **kwargs)

    return make


def _noted_write(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    signs = {"assign_add": 1, "assign_sub": -1}

    @functools.wraps(original)
    def write(self: Any, *args: Any, **kwargs: Any) -> Any:
        isolation = _CURRENT.get()
        if isolation is None or not isolation.is_writing or not tf.executing_eagerly():
            return original(self, *args, **kwargs)
        written = isolation.of(self)
        result = original(self, *args, **kwargs)
        if name in signs:
            written.add(signs[name] * np.asarray(args[0] if args else kwargs["delta"]))
        else:
            written.expected, written.added = np.array(backend.read(self)), None
        return result

    return write


def _noted_move(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def move(self: Any, *args: Any, **kwargs: Any) -> Any:
        isolation = _CURRENT.get()
        if isolation is None or not tf.executing_eagerly():
            return original(self, *args, **kwargs)
        written = isolation.of(self.state)
        result = original(self, *args, **kwargs)
        written.expected, written.added = np.array(backend.read(self.state)), None
        return result

    return move


_PATCHES = Patches(_patches)
