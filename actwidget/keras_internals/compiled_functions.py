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

from actwidget.keras_internals.patches import Patch, Patches

_INLINED: ContextVar[bool] = ContextVar("actwidget_inlined", default=False)


@contextmanager
def inlined() -> Iterator[None]:
    """Runs every `tf.function` of the user's that this thread calls in the block as plain Python."""
    token = _INLINED.set(True)
    try:
        with _PATCHES.open():
            yield
    finally:
        _INLINED.reset(token)


def _found() -> list[Patch]:
    return [(type(tf.function(_found)), "__call__", _inline)]


def _inline(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        # TensorFlow's own need to be compiled: those of vectorized_map, those of a SavedModel.
        home = (getattr(self.python_function, "__module__", None) or "").partition(".")[0]
        if not _INLINED.get() or home in {"tensorflow", "keras"}:
            return original(self, *args, **kwargs)
        function = self.python_function
        if not tf.executing_eagerly():
            with suppress(Exception):  # what can't be converted has no `if` or loop over tensors that needs it
                function = tf.autograph.to_graph(function)
        return function(*args, **kwargs)

    return call


_PATCHES = Patches(_found)
