"""Runs the user's `tf.function`s as plain Python.

Once TensorFlow has traced a function, the layers in it are not called again, so they could not be observed. And the
tensors that a pass keeps to itself would become part of the user's traced function. Unlike this module,
`tf.config.run_functions_eagerly` changes the whole process, including training in other threads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from actwidget.keras_internals.classes import is_framework_function
from actwidget.keras_internals.patches import Patch, Patches

_AS_PYTHON: ContextVar[bool] = ContextVar("actwidget_as_python", default=False)


@contextmanager
def run_as_python() -> Iterator[None]:
    """Runs every `tf.function` of the user's that this thread calls in the block as plain Python."""
    token = _AS_PYTHON.set(True)
    try:
        with _PATCHES.open():
            yield
    finally:
        _AS_PYTHON.reset(token)


def _patches() -> list[Patch]:
    return [(type(tf.function(_patches)), "__call__", _uncompiled)]


def _uncompiled(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        function = self.python_function
        # TensorFlow's own functions, such as those of vectorized_map or a SavedModel, work only when compiled.
        if not _AS_PYTHON.get() or is_framework_function(function):
            return original(self, *args, **kwargs)
        if not tf.executing_eagerly():
            # Inside another graph, an `if` or a loop over tensors needs AutoGraph. A function that AutoGraph can't
            # convert has none and runs as it is.
            with suppress(Exception):
                function = tf.autograph.to_graph(function)
        return function(*args, **kwargs)

    return call


_PATCHES = Patches(_patches)
