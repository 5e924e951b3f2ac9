"""Isolates a forward pass: no other call sees the variables it writes, or the random numbers it draws.

Other threads may train the same model at the same time. Writing to the model and restoring it later would undo what
they write in between, so the writes of a pass go to a place that only its own thread reads.
"""

from __future__ import annotations

import copy
import functools
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import keras
import numpy as np
from keras.src.backend.common.global_state import get_global_attribute, set_global_attribute
from keras.src.backend.common.stateless_scope import get_stateless_scope
from keras.src.layers.layer import CallContext

from actwidget.keras_internals.attributes import forget_losses
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import Functional, is_framework_function, is_from_actwidget, is_keras_class
from actwidget.keras_internals.patches import Patch, Patches, defining_class

_OUTERMOST_CALL = "current_call_ctx"  # where Keras keeps the outermost layer call of this thread
_SEED_GENERATOR = "global_seed_generator"  # where it keeps the seeds of this thread's calls that are given none


@contextmanager
def isolated(layers: Sequence[keras.Layer], *, symbolic: bool = False) -> Iterator[None]:
    """Runs a block whose writes and random draws no other call sees, neither later nor in another thread.

    The weights and sublayers that layers create while they are built are kept.

    Args:
        layers: All layers that run in the block.
        symbolic: Whether they run only on symbolic tensors; then Keras itself keeps their writes apart.
    """
    isolation = _Isolation(None if symbolic else _Overlay())
    token = _CURRENT.set(isolation)
    saved = {name: get_global_attribute(name) for name in (_SEED_GENERATOR, _OUTERMOST_CALL)}
    # An outermost layer call clears the losses of its layers, which another thread may be about to add up. With this
    # context set, no call in the block is the outermost one.
    set_global_attribute(_OUTERMOST_CALL, CallContext(entry_layer=None))
    try:
        with ExitStack() as stack:
            if isolation.overlay is not None:
                stack.enter_context(isolation.overlay)
                stack.enter_context(backend.without_gradients())
                stack.enter_context(backend.kept_apart(layers))
            if runs_user_code(layers):
                stack.enter_context(_PATCHES.open())
                stack.enter_context(backend.run_as_python())
            yield
    finally:
        _CURRENT.reset(token)
        for name, value in saved.items():
            set_global_attribute(name, value)
        for written in isolation.written.values():
            written.restore()
        if isolation.overlay is not None and isolation.overlay.losses:
            forget_losses(layers, isolation.overlay.losses)


def runs_user_code(layers: Iterable[keras.Layer]) -> bool:
    """Whether anything but Keras's own classes runs, or a layer is yet to be built.

    User code can draw random numbers from Python, NumPy or TensorFlow, write to variables of TensorFlow, create layers
    and compile functions. All of that has to be patched.
    """
    is_own_class: dict[type, bool] = {}
    for layer in layers:
        if not layer.built:
            return True
        for operation in (layer, *(layer.operations if isinstance(layer, Functional) else ())):
            cls = type(operation)
            if cls not in is_own_class:
                is_own = is_keras_class(cls) or is_from_actwidget(cls)
                is_own_class[cls] = is_own and not issubclass(cls, (keras.layers.Lambda, keras.layers.TFSMLayer))
            if not is_own_class[cls] or not all(map(_is_framework_value, map(vars(operation).get, _CALLABLES))):
                return True
    return False


_CALLABLES = ("activation", "recurrent_activation", "activity_regularizer", "_standardize", "_split")
"""The attributes in which Keras's own layers may hold a function that the user has passed."""


def _is_framework_value(value: Any) -> bool:
    """Whether a value is either not a function or a function of the framework, so that it runs no user code."""
    return not callable(value) or is_framework_function(value)


class _Isolation:
    """The writes and random generators of one pass.

    Attributes:
        overlay: The values that it has assigned to Keras's variables; `None` if it runs on symbolic tensors.
        written: What it has written outside of Keras's variables, by the `id` of the variable.
    """

    def __init__(self, overlay: _Overlay | None) -> None:
        self.overlay = overlay
        self.written: dict[int, Any] = {}
        self._generators: dict[int, Any] = {}

    @property
    def is_writing(self) -> bool:
        """Whether writes are to be isolated now. They are not while a layer is built, which leaves the overlay."""
        return self.overlay is not None and get_stateless_scope() is self.overlay

    def generator(self, shared: Any) -> Any:
        """The pass's copy of a random generator of the process, made when the pass first draws from it."""
        if id(shared) not in self._generators:
            self._generators[id(shared)] = copy.deepcopy(shared)
        return self._generators[id(shared)]

    def seeds(self, shared: random.Random) -> random.Random:
        """A generator of operation seeds for the pass, other than the seeds that `shared` will give next.

        A plain copy would not do: TensorFlow caches one stream per seed, so an operation of the pass with a seed that
        the user's code gets later would advance the user's stream.
        """
        if id(shared) not in self._generators:
            self._generators[id(shared)] = random.Random(copy.deepcopy(shared).random())  # noqa: S311 - no secret
        seeds: random.Random = self._generators[id(shared)]
        return seeds


_CURRENT: ContextVar[_Isolation | None] = ContextVar("actwidget_isolation", default=None)


class _Overlay(keras.StatelessScope):  # type: ignore[misc]  # Keras has no type hints
    """Holds the values that a pass assigns to Keras's variables: seeds, moving statistics, states, counters, metrics.

    Inside the scope, and only in its own thread, Keras reads and writes these values instead of the variables.
    """

    def __init__(self) -> None:
        super().__init__(collect_losses=True, initialize_variables=False)
        # Keeps the variables alive: values are looked up by `id`, which Python would give to a new object.
        self.variables: dict[int, Any] = {}
        outer = _CURRENT.get()
        if outer is not None and outer.overlay is not None:
            self.state_mapping.update(outer.overlay.state_mapping)
            self.variables.update(outer.overlay.variables)

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Records an assignment, a pair of a variable and its new value."""
        self.variables[id(update[0])] = update[0]
        super().add_update(update)

    def get_current_value(self, variable: Any) -> Any:
        """The value that this pass has assigned last; without one, the variable's own value."""
        value = self.state_mapping.get(id(variable))
        # A tensor that was assigned while TensorFlow traced a graph has no value outside of that graph.
        if value is None or backend.is_of_another_graph(value):
            return variable._value
        return value

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Leaves the scope for the duration of a block."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()


# What is patched while a pass runs user code. Each replacement calls the original if its thread is in no such pass.


def _patches() -> list[Patch]:
    return [
        (keras.Layer, "_maybe_build", _build_without_overlay),
        (defining_class(keras.Variable, "__init__"), "__init__", _without_overlay),
        *backend.isolation_patches(_CURRENT.get),
        *_drawing_patches(random, random.random, {}),
        *_drawing_patches(
            np.random, np.random.rand, {"seed": "seed", "ranf": "random_sample", "sample": "random_sample"}
        ),
    ]


def _drawing_patches(module: ModuleType, example: Any, others: dict[str, str]) -> list[Patch]:
    """Patches for the functions of a module that draw from its process-wide generator.

    Args:
        module: The module.
        example: One such function, a bound method of the generator.
        others: Functions that draw from it without being bound methods, with the names of the methods to call.
    """
    shared = example.__self__
    methods = {name: name for name, value in vars(module).items() if getattr(value, "__self__", None) is shared}
    names = methods | others
    return [(module, name, functools.partial(_draw_from_copy, shared, method)) for name, method in names.items()]


def _draw_from_copy(shared: Any, method: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def draw(*args: Any, **kwargs: Any) -> Any:
        isolation = _CURRENT.get()
        function = original if isolation is None else getattr(isolation.generator(shared), method)
        return function(*args, **kwargs)

    return draw


_BUILDING = threading.RLock()  # two threads that build one layer would give it its weights twice


def _build_without_overlay(original: Callable[..., Any]) -> Callable[..., Any]:
    build_without_overlay = _without_overlay(original)

    @functools.wraps(original)
    def build(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.built or _CURRENT.get() is None:
            return original(self, *args, **kwargs)
        with _BUILDING:
            return build_without_overlay(self, *args, **kwargs)

    return build


def _without_overlay(original: Callable[..., Any]) -> Callable[..., Any]:
    """For functions that create variables, which Keras does not allow inside a stateless scope."""

    @functools.wraps(original)
    def create(*args: Any, **kwargs: Any) -> Any:
        isolation = _CURRENT.get()
        if isolation is None or isolation.overlay is None or not isolation.is_writing:
            return original(*args, **kwargs)
        with isolation.overlay.suspended():
            return original(*args, **kwargs)

    return create


_PATCHES = Patches(_patches)
