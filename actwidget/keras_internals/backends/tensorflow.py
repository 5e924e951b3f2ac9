"""Keras's backend for TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend import rnn
from tensorflow.python.framework.op_callbacks import add_op_callback, remove_op_callback

from actwidget.keras_internals.backends import tensorflow_isolation
from actwidget.keras_internals.backends.protocol import IsolatedPass
from actwidget.keras_internals.backends.tensorflow_functions import compiled, compiled_without_fusion, run_as_python
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.patches import Patch

Array = np.ndarray[Any, Any]


class TensorFlow:
    """The implementation for TensorFlow."""

    tensor_types: tuple[type, ...] = (tf.Tensor, tf.RaggedTensor, tf.SparseTensor)
    variable_types: tuple[type, ...] = (tf.Variable,)
    activation_modules: tuple[ModuleType, ...] = (tf.nn,)
    holds_text = True
    writes_in_place = False

    def ran_out_of_memory(self, error: BaseException) -> bool:
        """Python's error and TensorFlow's."""
        return isinstance(error, (MemoryError, tf.errors.ResourceExhaustedError))

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
        return tensorflow_isolation.read(variable)

    def unregistered_variables(self, layer: keras.Layer) -> list[Any]:
        """The `tf.Variable`s among the attributes of a user-defined layer."""
        if is_from_keras(layer):
            return []
        values = [each for value in vars(layer).values() for each in _items(value)]
        return [value for value in values if isinstance(value, tf.Variable)]

    def snapshot(self, tensor: Any) -> Any:
        """The tensor itself, which nothing can change."""
        return tensor

    def wait_for(self, tensors: Sequence[Any]) -> None:
        """On the CPU each eager operation returns its result."""
        if any("GPU" in getattr(tensor, "device", "") for tensor in tensors):
            tf.test.experimental.sync_devices()

    def distinct(self, tensor: Any) -> Any:
        """Its `tf.identity`."""
        return tf.identity(tensor)

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

    def compiled(
        self,
        function: Callable[..., Any],
        variables: Sequence[Any] = (),  # noqa: ARG002 - a graph reads variables by itself
        *,
        keeps_nan: bool = False,
    ) -> Callable[..., Any]:
        """A `tf.function`."""
        return compiled_without_fusion(function) if keeps_nan else compiled(function)

    def with_gradients(
        self, function: Callable[..., tuple[Any, Any]], tensors: Sequence[Any]
    ) -> tuple[tuple[Any, Any], list[Any]]:
        """By a `tf.GradientTape`."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tensors)
            value, more = function(*tensors)
        gradients = tape.gradient(value, tensors)
        return (value, more), [None if each is None else tf.convert_to_tensor(each) for each in gradients]

    def without_gradients(self) -> AbstractContextManager[Any]:
        """Nothing is recorded outside of a `tf.GradientTape`."""
        return nullcontext()

    def run_as_python(self) -> AbstractContextManager[None]:
        """The user's `tf.function`s."""
        return run_as_python()

    @contextmanager
    def operations_seen(self, callback: Callable[[Sequence[Any], Sequence[Any]], None]) -> Iterator[None]:
        """The operations that TensorFlow's own debugger sees, eager ones and those of a graph."""

        def see(_kind: Any, inputs: Any, _attributes: Any, outputs: Any, *_more: Any, **_named: Any) -> None:
            callback(inputs, outputs)

        add_op_callback(see)
        try:
            yield
        finally:
            remove_op_callback(see)

    def isolation_patches(self, current: Callable[[], IsolatedPass | None]) -> list[Patch]:
        """The methods that write to a `tf.Variable`, and those that choose random numbers."""
        return tensorflow_isolation.patches(current)

    @contextmanager
    def kept_apart(self, layers: Sequence[keras.Layer]) -> Iterator[None]:
        """The variables of layers from a SavedModel, whose code is compiled: no patched method notices its writes."""
        saved_models = [layer for layer in layers if isinstance(layer, keras.layers.TFSMLayer)]
        variables = [variable.value for layer in saved_models for variable in layer.non_trainable_variables]
        before = [(variable, self.read(variable)) for variable in variables]
        try:
            yield
        finally:
            for variable, value in before:
                tensorflow_isolation.write(variable, value)


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


_WITHOUT_BITCAST = {tf.bool, tf.string, *(tf.as_dtype(name) for name in ("float8_e4m3fn", "float8_e5m2"))}
_SMALL = 500_000
"""Up to this many bytes, copying both tensors to main memory is faster than comparing them on the device."""
