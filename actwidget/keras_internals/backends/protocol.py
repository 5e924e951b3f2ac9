"""What differs between the backends of Keras: the interface that a backend implements."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, Protocol

import keras
import numpy as np

from actwidget.keras_internals.patches import Patch

Array = np.ndarray[Any, Any]


class Backend(Protocol):
    """What actwidget needs from a backend beyond `keras.ops`.

    Attributes:
        tensor_types: The classes of tensors, without `keras.KerasTensor`.
        variable_types: The classes of the backend's own variables.
        activation_modules: The modules with the backend's own activation functions.
        holds_text: Whether there are tensors of text.
        writes_in_place: Whether code can change the values of a tensor that exists already.
    """

    tensor_types: tuple[type, ...]
    variable_types: tuple[type, ...]
    activation_modules: tuple[ModuleType, ...]
    holds_text: bool
    writes_in_place: bool

    def ran_out_of_memory(self, error: BaseException) -> bool:
        """Whether an exception says that there was not enough memory, in main memory or on a device."""

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

    def unregistered_variables(self, layer: keras.Layer) -> list[Any]:
        """The backend's own variables that a layer holds, which Keras does not track."""

    def snapshot(self, tensor: Any) -> Any:
        """A tensor with the same values, which code that runs later can't change. Gradients flow through it."""

    def wait_for(self, tensors: Sequence[Any]) -> None:
        """Returns once some tensors are computed: on a GPU, and in JAX, calls return before that."""

    def distinct(self, tensor: Any) -> Any:
        """Another tensor of the same values, so that the two can be told apart by their identity."""

    def address_of(self, tensor: Any) -> int | None:
        """A number that tells the value of a variable apart from its later values; `None` if there is none.

        It is unique while the tensor exists.
        """

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

    def compiled(
        self, function: Callable[..., Any], variables: Sequence[Any] = (), *, keeps_nan: bool = False
    ) -> Callable[..., Any]:
        """A function of tensors, compiled for each combination of shapes and dtypes if the backend compiles.

        It reads the current weights in each call, but every other value of Python's only when it is compiled.

        Args:
            function: Is given tensors, or structures of them, and returns such structures.
            variables: All of Keras's variables that it reads.
            keeps_nan: Whether NaN comes out wherever it does eagerly. Some of TensorFlow's fused operations, a
                convolution with a ReLU say, make 0 of it. Gradients can't be taken through such a function.
        """

    def with_gradients(
        self, function: Callable[..., tuple[Any, Any]], tensors: Sequence[Any]
    ) -> tuple[tuple[Any, Any], list[Any]]:
        """The result of a function of some tensors, and the gradients of what it returns first.

        Args:
            function: Is given the tensors one by one, and returns a scalar, and anything else that is wanted of it.
            tensors: Floats, of any shape.

        Returns:
            What the function returns, and for each tensor the gradient of the scalar. Where the scalar does not depend
            on a tensor its gradient is `None`, or zeros under JAX, which does not tell.
        """

    def without_gradients(self) -> AbstractContextManager[Any]:
        """A context in which no gradients are recorded, if the backend records them by default."""

    def run_as_python(self) -> AbstractContextManager[None]:
        """A context in which the compiled functions that this thread calls run as plain Python, if that is possible."""

    def operations_seen(self, callback: Callable[[Sequence[Any], Sequence[Any]], None]) -> AbstractContextManager[None]:
        """A context in which each of the backend's own operations that this thread runs is reported, if possible.

        Args:
            callback: Is given what went into an operation, and the tensors that came out.
        """

    def isolation_patches(self, current: Callable[[], IsolatedPass | None]) -> list[Patch]:
        """The patches that keep a pass's writes and random draws apart from those of all other calls.

        Args:
            current: Gives the isolated pass of this thread; `None` if it is in none.
        """

    def kept_apart(self, layers: Sequence[keras.Layer]) -> AbstractContextManager[None]:
        """A context after which what no patch can keep apart is as it was before.

        Args:
            layers: All layers that run.
        """


class IsolatedPass(Protocol):
    """A pass whose writes and random draws no other call sees.

    Attributes:
        written: What it has written outside of Keras's variables, by the `id` of the variable.
    """

    written: dict[int, Any]

    @property
    def is_writing(self) -> bool:
        """Whether writes are to be isolated now."""

    def seeds(self, shared: random.Random) -> random.Random:
        """A generator of operation seeds for the pass, other than the seeds that `shared` will give next."""
