"""Calls of layers and operations, handed to an observer while a model runs.

Keras has no hooks on calls, so `__call__` of `keras.Layer` and `keras.Operation` is patched while there is an observer.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import keras

from actwidget.keras_internals.compiled_functions import run_as_python
from actwidget.keras_internals.patches import Patch, Patches
from actwidget.keras_internals.symbolic import has_symbols


class Observer(Protocol):
    """Is handed each call that its thread makes."""

    def observe(self, call: Callable[..., Any], operation: keras.Operation, args: Any, kwargs: Any) -> Any:
        """Carries out one call, `call(operation, *args, **kwargs)`, and gives what goes on in the model."""


_OBSERVER: ContextVar[Any] = ContextVar("actwidget_observer", default=None)


def current_observer() -> Any:
    """The observer of this thread's calls, or `None`."""
    return _OBSERVER.get()


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Hands an observer the calls that this thread makes in the block, those in compiled functions among them."""
    token = _OBSERVER.set(observer)
    try:
        with _PATCHES.open(), run_as_python():
            yield
    finally:
        _OBSERVER.reset(token)


@contextmanager
def unobserved() -> Iterator[None]:
    """Makes the calls in the block past all observers."""
    token = _OBSERVER.set(None)
    try:
        yield
    finally:
        _OBSERVER.reset(token)


class CallsInOtherThreads:
    """Collects which layers other threads call while a block runs: no observer of this thread is handed these calls."""

    def __init__(self, root: keras.Layer) -> None:
        """Collects nothing yet.

        Args:
            root: The model that runs. What another thread calls because it runs the same model is left out.
        """
        self.root = root
        self.thread = threading.get_ident()
        self._called: set[int] = set()

    def __contains__(self, layer: Any) -> bool:
        """Whether another thread has called a layer."""
        return id(layer) in self._called

    def add(self, layer: Any) -> None:
        """Notes a call that was made in some thread."""
        if self.thread != threading.get_ident():
            self._called.add(id(layer))

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Collects during a block, from the beginning, the calls of all threads but this one."""
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
    return [(keras.Layer, "__call__", _of_layer), (keras.Operation, "__call__", _of_operation)]


def _of_layer(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        observer = _OBSERVER.get()
        if observer is not None:
            return _handed_over(observer, original, self, args, kwargs)
        if not _COLLECTING or _IN_OWN_RUN.get():
            return original(self, *args, **kwargs)
        collecting = tuple(_COLLECTING)
        if any(each.root is self for each in collecting):
            # Somebody else runs the same model: what it calls there has nothing to do with the pass that is observed.
            token = _IN_OWN_RUN.set(True)
            try:
                return original(self, *args, **kwargs)
            finally:
                _IN_OWN_RUN.reset(token)
        for each in collecting:
            each.add(self)
        return original(self, *args, **kwargs)

    return call


def _of_operation(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        observer = _OBSERVER.get()
        if observer is None or isinstance(self, keras.Layer):  # a layer's call comes through here as well
            return original(self, *args, **kwargs)
        return _handed_over(observer, original, self, args, kwargs)

    return call


def _handed_over(observer: Observer, original: Callable[..., Any], operation: Any, args: Any, kwargs: Any) -> Any:
    if has_symbols(args, kwargs):
        # Keras makes a graph by such a call, as of a Sequential that is called for the first time: it is no part of
        # the pass that is observed.
        with unobserved():
            return original(operation, *args, **kwargs)
    return observer.observe(original, operation, args, kwargs)


_PATCHES = Patches(_patches)
