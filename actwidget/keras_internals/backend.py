"""The questions that each of Keras's backends answers in its own way, and TensorFlow's answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend import rnn

Array = np.ndarray[Any, Any]


class Backend(Protocol):
    """What actwidget has to know of a backend beyond `keras.ops`.

    Attributes:
        out_of_memory: The exceptions for too little memory.
        tensor_types: The classes of tensors, symbolic ones of Keras aside.
        variable_types: The classes of the backend's own variables.
    """

    out_of_memory: tuple[type[BaseException], ...]
    tensor_types: tuple[type, ...]
    variable_types: tuple[type, ...]

    def graph_in_progress(self) -> Any:
        """The graph into which calls are traced at this moment; `None` where they are computed at once."""

    def is_of_another_graph(self, tensor: Any) -> bool:
        """Whether a tensor has no value here, since it stands for one in a graph that is not in progress."""

    def is_dense(self, tensor: Any) -> bool:
        """Whether a value is an ordinary tensor, neither ragged nor sparse."""

    def is_ragged(self, value: Any) -> bool:
        """Whether a value is a tensor whose rows differ in length."""

    def is_sparse(self, value: Any) -> bool:
        """Whether a value is a tensor that holds the entries alone that are not zero."""

    def shape_of(self, tensor: Any) -> tuple[int | None, ...] | None:
        """A tensor's shape, `None` for an open axis; `None` where the number of axes is open."""

    def dtype_of(self, tensor: Any) -> str:
        """The name of a tensor's dtype, such as `"float32"`."""

    def to_array(self, tensor: Any) -> Array:
        """A tensor's values, to be read only; bfloat16 as float32, sparse and ragged ones filled up with zeros."""

    def rows(self, tensor: Any, start: int, stop: int) -> Any:
        """The samples of a tensor from `start` up to `stop`."""

    def joined(self, tensors: Sequence[Any]) -> Any:
        """Tensors put together along the axis of the samples."""

    def read(self, variable: Any) -> Any:
        """The value of a variable of the backend as it is now. Nothing is copied before the variable is written."""

    def write(self, variable: Any, value: Any) -> None:
        """Gives a variable of the backend a value, past what may be patched or noted."""

    def subtract(self, variable: Any, value: Any) -> None:
        """Subtracts from a variable of the backend, as one step that no other thread can interrupt."""

    def address_of(self, tensor: Any) -> int | None:
        """Where a tensor lies in the processor's memory; `None` where it is on another device, or not known."""

    def have_same_bits(self, one: Any, other: Any) -> bool:
        """Whether two tensors are equal in all bits, NaN and the sign of zero included."""

    def on_values(self, function: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        """In a graph, what a Python function makes of the values when the graph runs; a tensor like the first one."""

    def over_steps(self, step: Callable[..., Any], inputs: Any, states: list[Any]) -> Any:
        """What a function gives at each step for its inputs and states, shape `(samples, steps, ...)`."""

    def require(self, condition: Any, message: str) -> None:
        """In a graph, has it raise a message when it runs and a condition does not hold."""


class TensorFlow:
    """TensorFlow's answers."""

    out_of_memory: tuple[type[BaseException], ...] = (MemoryError, tf.errors.ResourceExhaustedError)
    tensor_types: tuple[type, ...] = (tf.Tensor, tf.RaggedTensor, tf.SparseTensor)
    variable_types: tuple[type, ...] = (tf.Variable,)

    def graph_in_progress(self) -> Any:
        """The `tf.Graph` that a `tf.function` or a scratch call is making."""
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
        """The tensor's own memory where numpy can read it."""
        if getattr(tensor, "dtype", None) == tf.bfloat16:
            tensor = keras.ops.cast(tensor, "float32")
        try:
            # No copy: for a large model's activations that would take a tenth of the time of its forward pass.
            return np.asarray(memoryview(tensor))
        except (TypeError, ValueError):
            # `numpy()`, not `np.array`, by which TensorFlow's tensors make NumPy warn.
            return np.asarray(keras.ops.convert_to_tensor(tensor, sparse=False, ragged=False).numpy())

    def rows(self, tensor: Any, start: int, stop: int) -> Any:
        """A slice; of a sparse tensor Python's own does not do."""
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
        """Assigns by TensorFlow's operation, not by the variable's method, which isolation patches."""
        tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)

    def subtract(self, variable: Any, value: Any) -> None:
        """Subtracts by TensorFlow's operation."""
        tf.raw_ops.AssignSubVariableOp(resource=variable.handle, value=value)

    def address_of(self, tensor: Any) -> int | None:
        """The address of the buffer, which TensorFlow does not write while it is referenced."""
        if not tensor.device.endswith("CPU:0"):  # from another device the buffer is a copy
            return None
        try:
            address: int = np.asarray(memoryview(tensor)).ctypes.data
        except (TypeError, ValueError, BufferError):  # of bfloat16 and the like, which numpy does not know
            return None
        return address

    def have_same_bits(self, one: Any, other: Any) -> bool:
        """Compares large tensors on the device where they lie: only the answer is copied to the processor's memory."""
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        if one.dtype in _WITHOUT_BITCAST or one.shape.num_elements() * one.dtype.size <= _SMALL:
            return bool(one.numpy().tobytes() == other.numpy().tobytes())
        # As bytes: of 32-bit integers TensorFlow copies all to the processor before it compares them.
        first, second = (tf.raw_ops.Bitcast(input=each, type=tf.uint8) for each in (one, other))
        return bool(tf.raw_ops.All(input=tf.raw_ops.Equal(x=first, y=second), axis=range(first.ndim)))

    def on_values(self, function: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        """A `tf.py_function`."""
        result = tf.py_function(function, tensors, tensors[0].dtype)
        result.set_shape(tensors[0].shape)
        return result

    def over_steps(self, step: Callable[..., Any], inputs: Any, states: list[Any]) -> Any:
        """A plain loop where calls are computed at once, which is faster there than TensorFlow's own loop."""
        return rnn(step, inputs, states, unroll=tf.executing_eagerly())[1]

    def require(self, condition: Any, message: str) -> None:
        """An assertion in the graph."""
        tf.debugging.Assert(condition, [message])


_WITHOUT_BITCAST = {tf.bool, tf.string, *(tf.as_dtype(name) for name in ("float8_e4m3fn", "float8_e5m2"))}
_SMALL = 500_000
"""A device copies this many bytes faster than it is asked to compare them."""

backend: Backend = TensorFlow()
"""The backend on which Keras runs."""
