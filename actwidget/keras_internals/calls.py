"""Passes each call of a layer or operation to an observer while a model runs.

Keras has no hooks for calls, so `__call__` of `keras.Layer` and `keras.Operation` is patched while anything observes.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import keras

from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.patches import Patch, Patches
from actwidget.keras_internals.symbolic import has_symbols


class Observer(Protocol):
    """Receives each call that its thread makes, in place of the layer."""

    def observe(self, call: Callable[..., Any], operation: keras.Operation, args: Any, kwargs: Any) -> Any:
        """Makes the call, `call(operation, *args, **kwargs)`, and returns the value that the model goes on with."""


_OBSERVER: ContextVar[Any] = ContextVar("actwidget_observer", default=None)


def current_observer() -> Any:
    """The observer of this thread's calls, or `None`."""
    return _OBSERVER.get()


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Passes the calls that this thread makes in the block to an observer, also those inside a compiled function."""
    token = _OBSERVER.set(observer)
    try:
        with _PATCHES.open(), backend.run_as_python():
            yield
    finally:
        _OBSERVER.reset(token)


@contextmanager
def unobserved() -> Iterator[None]:
    """Hides the calls that this thread makes in the block from all observers."""
    token = _OBSERVER.set(None)
    try:
        yield
    finally:
        _OBSERVER.reset(token)


class CallsInOtherThreads:
    """Collects which layers other threads call while a block runs; this thread's observer does not see these calls."""

    def __init__(self, root: keras.Layer) -> None:
        """Collects nothing yet.

        Args:
            root: The model that runs. If another thread runs the same model on its own, its calls are left out.
        """
        self.root = root
        self.thread = threading.get_ident()
        self._called: set[int] = set()

    def __contains__(self, layer: Any) -> bool:
        """Whether another thread has called a layer."""
        return id(layer) in self._called

    def add(self, layer: Any) -> None:
        """Records a call, unless this thread made it."""
        if self.thread != threading.get_ident():
            self._called.add(id(layer))

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Clears the collection, then collects the calls that other threads make during the block."""
        self.thread = threading.get_ident()
        self._called.clear()
        _COLLECTING.append(self)
        try:
            yield
        finally:
            _COLLECTING.remove(self)


_COLLECTING: list[CallsInOtherThreads] = []
_IN_OWN_RUN: ContextVar[bool] = ContextVar("actwidget_own_run", default=False)


def _patches() -> list[Patch]:
    return [(keras.Layer, "__call__", _observed_layer_call), (keras.Operation, "__call__", _observed_operation_call)]


def _observed_layer_call(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        observer = _OBSERVER.get()
        if observer is not None:
            return _pass_to_observer(observer, original, self, args, kwargs)
        if not _COLLECTING or _IN_OWN_RUN.get():
            return original(self, *args, **kwargs)
        collectors = tuple(_COLLECTING)
        if any(collector.root is self for collector in collectors):
            # This thread runs the same model on its own, so its calls are not part of the pass that is observed.
            token = _IN_OWN_RUN.set(True)
            try:
                return original(self, *args, **kwargs)
            finally:
                _IN_OWN_RUN.reset(token)
        for collector in collectors:
            collector.add(self)
        return original(self, *args, **kwargs)

    return call


def _observed_operation_call(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        observer = _OBSERVER.get()
        # `keras.Layer.__call__` calls this method; the patch above has passed the call on already.
        if observer is None or isinstance(self, keras.Layer):
            return original(self, *args, **kwargs)
        return _pass_to_observer(observer, original, self, args, kwargs)

    return call


def _pass_to_observer(observer: Observer, original: Callable[..., Any], operation: Any, args: Any, kwargs: Any) -> Any:
    if has_symbols(args, kwargs):
        # Keras builds a graph with such a call, for example when a Sequential is called for the first time. It is not
        # part of the pass that is observed.
        with unobserved():
            return original(operation, *args, **kwargs)
    return observer.observe(original, operation, args, kwargs)


_PATCHES = Patches(_patches)
