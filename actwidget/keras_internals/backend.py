"""What differs between the backends of Keras, as an interface, and its implementation for TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend import rnn

Array = np.ndarray[Any, Any]


class Backend(Protocol):
    """What actwidget needs from a backend beyond `keras.ops`.

    Attributes:
        out_of_memory: The exceptions raised when memory runs out.
        tensor_types: The classes of tensors, without `keras.KerasTensor`.
        variable_types: The classes of the backend's own variables.
    """

    out_of_memory: tuple[type[BaseException], ...]
    tensor_types: tuple[type, ...]
    variable_types: tuple[type, ...]

    def graph_in_progress(self) -> Any:
        """The graph into which calls are being traced; `None` while they are computed eagerly."""

    def is_of_another_graph(self, tensor: Any) -> bool:
        """Whether a tensor belongs to a graph other than the one in progress, so that it can't be used here."""

    def is_dense(self, tensor: Any) -> bool:
        """Whether a value is an ordinary tensor, neither ragged nor sparse."""

    def is_ragged(self, value: Any) -> bool:
        """Whether a value is a tensor whose rows differ in length."""

    def is_sparse(self, value: Any) -> bool:
        """Whether a value is a tensor that stores only its nonzero entries."""

    def shape_of(self, tensor: Any) -> tuple[int | None, ...] | None:
        """A tensor's shape, with `None` for an unknown axis; `None` if even the number of axes is unknown."""

    def dtype_of(self, tensor: Any) -> str:
        """The name of a tensor's dtype, such as `"float32"`."""

    def to_array(self, tensor: Any) -> Array:
        """A tensor's values, read-only; bfloat16 as float32, sparse and ragged tensors padded with zeros."""

    def rows(self, tensor: Any, start: int, stop: int) -> Any:
        """The samples of a tensor from `start` up to `stop`."""

    def joined(self, tensors: Sequence[Any]) -> Any:
        """Tensors concatenated along the batch axis."""

    def read(self, variable: Any) -> Any:
        """The current value of a variable of the backend. It is copied only when the variable is next written."""

    def write(self, variable: Any, value: Any) -> None:
        """Assigns to a variable of the backend, bypassing any patched method."""

    def subtract(self, variable: Any, value: Any) -> None:
        """Subtracts from a variable of the backend, atomically."""

    def address_of(self, tensor: Any) -> int | None:
        """The address of a tensor in main memory; `None` if it is on another device or the address is not known."""

    def have_same_bits(self, one: Any, other: Any) -> bool:
        """Whether two tensors are equal in all bits, NaN and the sign of zero included."""

    def on_values(self, function: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        """Adds a Python function to a graph, to be called with values when the graph runs.

        The result is a tensor of the shape and dtype of the first argument.
        """

    def over_steps(self, step: Callable[..., Any], inputs: Any, states: list[Any]) -> Any:
        """The outputs of a step function for all steps of a sequence, shape `(samples, steps, ...)`."""

    def require(self, condition: Any, message: str) -> None:
        """Adds an assertion to a graph: it raises with this message if the condition is false when the graph runs."""


class TensorFlow:
    """The implementation for TensorFlow."""

    out_of_memory: tuple[type[BaseException], ...] = (MemoryError, tf.errors.ResourceExhaustedError)
    tensor_types: tuple[type, ...] = (tf.Tensor, tf.RaggedTensor, tf.SparseTensor)
    variable_types: tuple[type, ...] = (tf.Variable,)

    def graph_in_progress(self) -> Any:
        """The `tf.Graph` that a `tf.function` or a trial on symbols is tracing into."""
        return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()

    def is_of_another_graph(self, tensor: Any) -> bool:
        """Whether it is a tensor of a `tf.Graph` that is not the default one."""
        return tf.is_symbolic_tensor(tensor) and tensor.graph is not tf.compat.v1.get_default_graph()

    def is_dense(self, tensor: Any) -> bool:
        """Whether it is a `tf.Tensor`."""
        return isinstance(tensor, tf.Tensor)

    def is_ragged(self, value: Any) -> bool:
        """Whether it is a `tf.RaggedTensor`."""
        return isinstance(value, tf.RaggedTensor)

    def is_sparse(self, value: Any) -> bool:
        """Whether it is a `tf.SparseTensor`."""
        return isinstance(value, tf.SparseTensor)

    def shape_of(self, tensor: Any) -> tuple[int | None, ...] | None:
        """The `tf.TensorShape` as a tuple."""
        return None if tensor.shape.rank is None else tuple(tensor.shape.as_list())

    def dtype_of(self, tensor: Any) -> str:
        """The name of the `tf.DType`."""
        return str(getattr(tensor.dtype, "name", tensor.dtype))

    def to_array(self, tensor: Any) -> Array:
        """The tensor's own memory if NumPy can read it, otherwise a copy."""
        if getattr(tensor, "dtype", None) == tf.bfloat16:
            tensor = keras.ops.cast(tensor, "float32")
        try:
            # A memoryview copies nothing; for a large model, copying takes a tenth of the time of the forward pass.
            return np.asarray(memoryview(tensor))
        except (TypeError, ValueError):
            # `np.array` would make NumPy warn about TensorFlow's tensors; `numpy()` does not.
            dense = tensor.to_tensor() if isinstance(tensor, tf.RaggedTensor) else tensor
            return np.asarray(keras.ops.convert_to_tensor(dense, sparse=False).numpy())

    def rows(self, tensor: Any, start: int, stop: int) -> Any:
        """A slice. Sparse tensors don't support Python's slicing, but TensorFlow has a function for them."""
        if not isinstance(tensor, tf.SparseTensor):
            return tensor[start:stop]
        shape = tensor.dense_shape.numpy()
        return tf.sparse.slice(tensor, [start, *[0] * (len(shape) - 1)], [stop - start, *shape[1:]])

    def joined(self, tensors: Sequence[Any]) -> Any:
        """The concatenation."""
        return tf.sparse.concat(0, tensors) if isinstance(tensors[0], tf.SparseTensor) else tf.concat(tensors, 0)

    def read(self, variable: Any) -> Any:
        """The tensor that a `tf.Variable` holds."""
        return tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype)

    def write(self, variable: Any, value: Any) -> None:
        """Runs TensorFlow's operation directly, since `isolation` patches the variable's own methods."""
        tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)

    def subtract(self, variable: Any, value: Any) -> None:
        """Runs TensorFlow's operation directly, for the same reason."""
        tf.raw_ops.AssignSubVariableOp(resource=variable.handle, value=value)

    def address_of(self, tensor: Any) -> int | None:
        """The address of the buffer. TensorFlow does not write to a buffer while it is referenced."""
        if not tensor.device.endswith("CPU:0"):  # the memoryview would be a copy in main memory
            return None
        try:
            address: int = np.asarray(memoryview(tensor)).ctypes.data
        except (TypeError, ValueError, BufferError):  # a dtype that NumPy does not have, such as bfloat16
            return None
        return address

    def have_same_bits(self, one: Any, other: Any) -> bool:
        """Compares large tensors on their own device, so that only the result is copied to main memory."""
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        if one.dtype in _WITHOUT_BITCAST or one.shape.num_elements() * one.dtype.size <= _SMALL:
            return bool(one.numpy().tobytes() == other.numpy().tobytes())
        # Compared as bytes: 32-bit integers on a GPU would be copied to main memory before they are compared.
        first, second = (tf.raw_ops.Bitcast(input=tensor, type=tf.uint8) for tensor in (one, other))
        return bool(tf.raw_ops.All(input=tf.raw_ops.Equal(x=first, y=second), axis=range(first.ndim)))

    def on_values(self, function: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        """A `tf.py_function`."""
        result = tf.py_function(function, tensors, tensors[0].dtype)
        result.set_shape(tensors[0].shape)
        return result

    def over_steps(self, step: Callable[..., Any], inputs: Any, states: list[Any]) -> Any:
        """Unrolls the loop in eager mode, where a Python loop is faster than `tf.while_loop`."""
        return rnn(step, inputs, states, unroll=tf.executing_eagerly())[1]

    def require(self, condition: Any, message: str) -> None:
        """An assertion in the graph."""
        tf.debugging.Assert(condition, [message])


_WITHOUT_BITCAST = {tf.bool, tf.string, *(tf.as_dtype(name) for name in ("float8_e4m3fn", "float8_e5m2"))}
_SMALL = 500_000
"""Up to this many bytes, copying both tensors to main memory is faster than comparing them on the device."""

backend: Backend = TensorFlow()
"""The backend on which Keras runs."""
