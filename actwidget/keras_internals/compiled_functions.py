"""Functions that TensorFlow would compile, run as the Python that they are.

Once TensorFlow has traced such a function, the layers called in it are not called again: nobody could see them. And
what a pass keeps to itself would be built into the user's function. `tf.config.run_functions_eagerly` would change the
whole process, training in other threads included; this changes the calls of one thread.
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
        # TensorFlow's own need to be compiled: those of vectorized_map, those of a SavedModel.
        if not _AS_PYTHON.get() or is_framework_function(function):
            return original(self, *args, **kwargs)
        if not tf.executing_eagerly():
            with suppress(Exception):  # what can't be converted has no `if` or loop over tensors that needs it
                function = tf.autograph.to_graph(function)
        return function(*args, **kwargs)

    return call


_PATCHES = Patches(_patches)
