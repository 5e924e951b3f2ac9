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


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A `tf.function` that is compiled wherever it is called, while the functions of the user's in it run as Python."""
    return tf.function(_Traced(function), autograph=False)  # type: ignore[no-any-return]


def compiled_without_fusion(function: Callable[..., Any]) -> Callable[..., Any]:
    """Like `compiled`, but no operations are fused: a convolution fused with a ReLU makes 0 of NaN.

    What is to be optimized is an option of a single call, which leaves all other functions of the process as they are.
    """
    traced: Any = compiled(function)
    options = tf.compat.v1.ConfigProto()
    rewriting = options.graph_options.rewrite_options
    rewriting.remapping = rewriting.OFF
    config = options.SerializeToString()
    known: dict[Any, Any] = {}

    def traced_for(tensors: tuple[Any, ...]) -> Any:
        """The function for tensors such as these, which TensorFlow itself takes long to find again."""
        if not all(isinstance(each, tf.Tensor) for each in tensors):
            return traced.get_concrete_function(*tensors)
        key = tuple((tuple(each.shape), each.dtype) for each in tensors)
        if key not in known:
            known[key] = traced.get_concrete_function(*tensors)
        return known[key]

    def call(*tensors: Any) -> Any:
        concrete = traced_for(tensors)
        given = tf.nest.flatten(tensors, expand_composites=True)
        results = tf.raw_ops.StatefulPartitionedCall(
            args=[*given, *concrete.captured_inputs],
            Tout=[each.dtype for each in concrete.outputs],
            f=concrete,
            config_proto=config,
        )
        left = iter(results)
        expected = tf.nest.flatten(concrete.structured_outputs, expand_composites=True)
        found = [None if each is None else next(left) for each in expected]
        return tf.nest.pack_sequence_as(concrete.structured_outputs, found, expand_composites=True)

    return call


class _Traced:
    """A function to compile, as an object: TensorFlow counts the tracings of all functions with the same code together.

    With too many it would warn that one function is traced again and again.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.__name__ = "compiled"

    def __call__(self, *tensors: Any) -> Any:
        return self._function(*tensors)


def _patches() -> list[Patch]:
    return [(type(tf.function(_patches)), "__call__", _uncompiled)]


def _uncompiled(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        function = self.python_function
        # TensorFlow's own functions, such as those of vectorized_map or a SavedModel, work only when compiled.
        if not _AS_PYTHON.get() or is_framework_function(function) or function.__module__ == __name__:
            return original(self, *args, **kwargs)
        if not tf.executing_eagerly():
            # Inside another graph, an `if` or a loop over tensors needs AutoGraph. A function that AutoGraph can't
            # convert has none and runs as it is.
            with suppress(Exception):
                function = tf.autograph.to_graph(function)
        return function(*args, **kwargs)

    return call


_PATCHES = Patches(_patches)
