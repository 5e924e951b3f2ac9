"""Keras's backend for JAX."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import jax
import keras
import numpy as np
from jax._src.core import EvalTrace, Primitive, trace_ctx
from jax.errors import JaxRuntimeError
from jax.experimental import sparse
from keras.src.backend import rnn

from actwidget.keras_internals.backends.protocol import IsolatedPass
from actwidget.keras_internals.patches import Patch, Patches

Array = np.ndarray[Any, Any]


_SEEING: ContextVar[Callable[[Sequence[Any], Sequence[Any]], None] | None] = ContextVar(
    "actwidget_seeing", default=None
)


def _seen_bind(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def bind(self: Any, *args: Any, **params: Any) -> Any:
        result = original(self, *args, **params)
        if (callback := _SEEING.get()) is not None:
            callback(args, result if isinstance(result, (list, tuple)) else [result])
        return result

    return bind


_PRIMITIVES = Patches(lambda: [(Primitive, "bind", _seen_bind)])


class Jax:
    """The implementation for JAX.

    JAX's arrays can't be written and its functions have no side effects, so there is little to isolate here.
    """

    tensor_types: tuple[type, ...] = (jax.Array, sparse.JAXSparse)
    variable_types: tuple[type, ...] = ()
    activation_modules: tuple[ModuleType, ...] = (jax.nn, jax.numpy)
    holds_text = False
    writes_in_place = False

    def ran_out_of_memory(self, error: BaseException) -> bool:
        """A `MemoryError`, or an error of the runtime with the status for it."""
        return isinstance(error, MemoryError) or (
            isinstance(error, JaxRuntimeError) and str(error).startswith("RESOURCE_EXHAUSTED")
        )

    def graph_in_progress(self) -> Any:
        """The trace of a transformation such as `jax.jit` or `jax.grad`."""
        trace = trace_ctx.trace
        return None if isinstance(trace, EvalTrace) else trace

    def is_of_another_graph(self, tensor: Any) -> bool:
        """Whether it is a tracer of another trace."""
        return isinstance(tensor, jax.core.Tracer) and tensor._trace is not trace_ctx.trace

    def is_dense(self, tensor: Any) -> bool:
        """Whether it is a `jax.Array`."""
        return isinstance(tensor, jax.Array)

    def is_ragged(self, _value: Any) -> bool:
        """JAX has no ragged arrays."""
        return False

    def is_sparse(self, value: Any) -> bool:
        """Whether it is a `BCOO` or another sparse array of JAX."""
        return isinstance(value, sparse.JAXSparse)

    def shape_of(self, tensor: Any) -> tuple[int | None, ...] | None:
        """The shape. Keras traces a layer with a symbolic size for each axis of unknown length."""
        return tuple(length if isinstance(length, int) else None for length in tensor.shape)

    def dtype_of(self, tensor: Any) -> str:
        """The name of the NumPy dtype."""
        return str(tensor.dtype)

    def to_array(self, tensor: Any) -> Array:
        """The array's own memory on a CPU, otherwise a copy."""
        if isinstance(tensor, sparse.JAXSparse):
            tensor = tensor.todense()
        return np.asarray(tensor.astype("float32") if self.dtype_of(tensor) == "bfloat16" else tensor)

    def rows(self, tensor: Any, start: int, stop: int) -> Any:
        """A slice."""
        return tensor[start:stop]

    def joined(self, tensors: Sequence[Any]) -> Any:
        """The concatenation."""
        if isinstance(tensors[0], sparse.BCOO):
            return sparse.bcoo_concatenate(list(tensors), dimension=0)
        return jax.numpy.concatenate(list(tensors))

    def read(self, variable: Any) -> Any:
        """A variable's value is a JAX array already."""
        return variable

    def unregistered_variables(self, _layer: keras.Layer) -> list[Any]:
        """JAX has no variables."""
        return []

    def snapshot(self, tensor: Any) -> Any:
        """The array itself, which nothing can change."""
        return tensor

    def wait_for(self, tensors: Sequence[Any]) -> None:
        """By JAX's own function."""
        jax.block_until_ready(list(tensors))  # type: ignore[no-untyped-call]

    def distinct(self, tensor: Any) -> Any:
        """A copy of the array."""
        return tensor.copy()

    def address_of(self, tensor: Any) -> int | None:
        """The identity of the array: a variable that is written holds a new one."""
        return None if tensor.is_deleted() else id(tensor)

    def have_same_bits(self, one: Any, other: Any) -> bool:
        """Compares copies in main memory. An array whose memory was handed to a training step counts as changed."""
        if one.shape != other.shape or one.dtype != other.dtype or one.is_deleted() or other.is_deleted():
            return False
        return np.asarray(one).tobytes() == np.asarray(other).tobytes()

    def on_values(self, function: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        """A `jax.pure_callback`, through which JAX can compute no gradients."""
        result: Any = jax.eval_shape(lambda tensor: tensor, tensors[0])

        def on_host(*values: Any) -> Array:
            return np.asarray(function(*map(jax.numpy.asarray, values)))

        call = jax.custom_jvp(lambda *values: jax.pure_callback(on_host, result, *values))
        call.defjvp(_no_gradient)
        return call(*tensors)

    def over_steps(self, step: Callable[..., Any], inputs: Any, states: list[Any]) -> Any:
        """Runs `jax.lax.scan`."""
        return rnn(step, inputs, states)[1]

    def require(self, condition: Any, message: str) -> None:
        """A callback that raises."""

        def check(holds: Any) -> None:
            if not holds:
                raise ValueError(message)

        jax.debug.callback(check, condition)

    def compiled(
        self,
        function: Callable[..., Any],
        variables: Sequence[Any] = (),
        *,
        keeps_nan: bool = False,  # noqa: ARG002 - XLA always keeps it
    ) -> Callable[..., Any]:
        """A function by `jax.jit`. It gets the weights as arguments, or it would keep those of its first call."""
        known = list(variables)

        @jax.jit
        def run(values: Sequence[Any], *tensors: Any) -> Any:
            with keras.StatelessScope(state_mapping=zip(known, values, strict=True)):
                return function(*tensors)

        return lambda *tensors: run([variable.value for variable in known], *tensors)

    def with_gradients(
        self, function: Callable[..., tuple[Any, Any]], tensors: Sequence[Any]
    ) -> tuple[tuple[Any, Any], list[Any]]:
        """By `jax.value_and_grad`."""
        result, gradients = jax.value_and_grad(function, argnums=tuple(range(len(tensors))), has_aux=True)(*tensors)
        return result, list(gradients)

    def without_gradients(self) -> AbstractContextManager[Any]:
        """Nothing is recorded outside of `jax.grad`."""
        return nullcontext()

    def run_as_python(self) -> AbstractContextManager[None]:
        """JAX can't run one function without compiling it, only the whole process, where everything becomes slow."""
        return nullcontext()

    @contextmanager
    def operations_seen(self, callback: Callable[[Sequence[Any], Sequence[Any]], None]) -> Iterator[None]:
        """The primitives, with compilation off, as compiled functions don't say what they run."""
        token = _SEEING.set(callback)
        try:
            with jax.disable_jit(), _PRIMITIVES.open():
                yield
        finally:
            _SEEING.reset(token)

    def isolation_patches(self, _current: Callable[[], IsolatedPass | None]) -> list[Patch]:
        """None: JAX has no variables and no random generator of the process."""
        return []

    def kept_apart(self, _layers: Sequence[keras.Layer]) -> AbstractContextManager[None]:
        """Nothing is left to keep apart."""
        return nullcontext()


def _no_gradient(_values: Any, _tangents: Any) -> Any:
    message = (
        "JAX can compute no gradient through a Python function that needs the values of its argument, as `if`, "
        "`float()` and NumPy do. Write it with keras.ops or jax.numpy, for example keras.ops.where for `if`."
    )
    raise TypeError(message)
