"""Keeps a pass apart from other calls in TensorFlow: what it writes to variables, and the random numbers it draws."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.context import Context
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from actwidget.keras_internals.backends.protocol import IsolatedPass
from actwidget.keras_internals.patches import Patch, defining_class

Current = Callable[[], IsolatedPass | None]


def read(variable: Any) -> Any:
    """The tensor that a `tf.Variable` holds."""
    return tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)


def write(variable: Any, value: Any) -> None:
    """Runs TensorFlow's operation directly, since the variable's own methods are patched."""
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)


def patches(current: Current) -> list[Patch]:
    """The patches that are applied while a pass runs user code.

    Each replacement calls the original if its thread is in no such pass.

    Args:
        current: Gives the pass of this thread; `None` if it is in none.
    """
    writes = [name for name in dir(ResourceVariable) if name.startswith(("assign", "scatter_", "batch_scatter_"))]
    advances = [name for name in dir(tf.random.Generator) if name in _ADVANCE_GENERATOR]
    write_patches = {name: functools.partial(_recorded_write, current, name) for name in writes}
    return [
        (Context, "_internal_operation_seed", functools.partial(_seed_from_copy, current)),
        *((defining_class(ResourceVariable, name), name, patch) for name, patch in write_patches.items()),
        *((tf.random.Generator, name, functools.partial(_recorded_advance, current)) for name in advances),
    ]


_ADVANCE_GENERATOR = {
    *("normal", "truncated_normal", "uniform", "uniform_full_int", "binomial", "make_seeds", "split", "skip"),
    *("reset", "reset_from_seed", "reset_from_key_counter"),
}


class _WrittenVariable:
    """The record of a TensorFlow variable that a pass has written. All threads share the variable's one value.

    Attributes:
        expected: The value that it has now unless another thread has written it, too.
        added: The sum of what the pass has added to it; `None` if the pass has also assigned values.
    """

    def __init__(self, variable: Any) -> None:
        self._variable = variable
        self._before = self.expected = np.array(read(variable))
        self.added: Any = np.zeros_like(self._before) if self._before.dtype.kind in "fiu" else None

    def add(self, value: Any) -> None:
        """Records that a value was added to the variable."""
        self.expected = self.expected + np.asarray(value, dtype=self.expected.dtype)
        if self.added is not None:
            self.added = self.added + np.asarray(value, dtype=self.added.dtype)

    def assign(self, value: Any) -> None:
        """Records that a value was assigned to the variable."""
        self.expected, self.added = np.array(value), None

    def restore(self) -> None:
        """Undoes the writes of the pass, but nothing that another thread has written since."""
        # Subtracting integers is exact, and atomic, so no write of another thread can be lost. Floats would be rounded.
        is_exact = self.added is not None and self.added.dtype.kind in "iu"
        if not is_exact and _equal(np.asarray(read(self._variable)), self.expected):
            write(self._variable, self._before)
        elif self.added is not None:
            tf.raw_ops.AssignSubVariableOp(resource=self._variable.handle, value=self.added)


def _equal(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    # Compared as bytes, NaN equals NaN.
    return np.array_equal(one, other) or (one.dtype != object and one.tobytes() == other.tobytes())


def _record(isolation: IsolatedPass, variable: Any) -> _WrittenVariable:
    """The record of a variable in a pass, started now if this is the first write."""
    record: _WrittenVariable = isolation.written.setdefault(id(variable), _WrittenVariable(variable))
    return record


def _seed_from_copy(current: Current, original: Callable[..., Any]) -> Callable[..., Any]:
    """Replaces the function that chooses seeds for TensorFlow's random operations without an explicit seed."""

    @functools.wraps(original)
    def seed(self: Any) -> Any:
        isolation, generator = current(), getattr(self, "_rng", None)
        # The original reads only `self._rng`.
        holder = self if isolation is None or generator is None else SimpleNamespace(_rng=isolation.seeds(generator))
        return original(holder)

    return seed


def _recorded_write(current: Current, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    signs = {"assign_add": 1, "assign_sub": -1}

    @functools.wraps(original)
    def write(self: Any, *args: Any, **kwargs: Any) -> Any:
        isolation = current()
        if isolation is None or not isolation.is_writing or not tf.executing_eagerly():
            return original(self, *args, **kwargs)
        written = _record(isolation, self)
        result = original(self, *args, **kwargs)
        if name in signs:
            written.add(signs[name] * np.asarray(args[0] if args else kwargs["delta"]))
        else:
            written.assign(read(self))
        return result

    return write


def _recorded_advance(current: Current, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def advance(self: Any, *args: Any, **kwargs: Any) -> Any:
        isolation = current()
        if isolation is None or not tf.executing_eagerly():
            return original(self, *args, **kwargs)
        written = _record(isolation, self.state)
        result = original(self, *args, **kwargs)
        written.assign(read(self.state))
        return result

    return advance
