"""Keras's backend for PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType
from typing import Any

import keras
import numpy as np
import torch
from keras.src.backend import rnn
from torch.overrides import TorchFunctionMode

from actwidget.keras_internals.backends.protocol import IsolatedPass
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.patches import Patch
from actwidget.keras_internals.tensors import mask_of, set_mask

Array = np.ndarray[Any, Any]


class Torch:
    """The implementation for PyTorch, which computes eagerly and may write to tensors that exist already."""

    tensor_types: tuple[type, ...] = (torch.Tensor,)
    variable_types: tuple[type, ...] = (torch.nn.Parameter,)
    activation_modules: tuple[ModuleType, ...] = (torch.nn.functional, torch)
    holds_text = False
    writes_in_place = True

    def ran_out_of_memory(self, error: BaseException) -> bool:
        """Python's error and PyTorch's, which for main memory is a `RuntimeError` with the text of the allocator."""
        return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "DefaultCPUAllocator" in str(error)

    def graph_in_progress(self) -> Any:
        """Always `None`: PyTorch records no graph into which calls are traced."""
        return

    def is_of_another_graph(self, _tensor: Any) -> bool:
        """There are no graphs."""
        return False

    def is_dense(self, tensor: Any) -> bool:
        """Whether it is a strided `torch.Tensor`."""
        return isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided

    def is_ragged(self, value: Any) -> bool:
        """Whether it is a nested tensor."""
        return isinstance(value, torch.Tensor) and value.is_nested

    def is_sparse(self, value: Any) -> bool:
        """Whether it is a tensor of a sparse layout."""
        return isinstance(value, torch.Tensor) and not value.is_nested and value.layout != torch.strided

    def shape_of(self, tensor: Any) -> tuple[int | None, ...] | None:
        """The `torch.Size` as a tuple."""
        return tuple(tensor.shape)

    def dtype_of(self, tensor: Any) -> str:
        """The name of the `torch.dtype`."""
        return str(tensor.dtype).removeprefix("torch.")

    def to_array(self, tensor: Any) -> Array:
        """The tensor's own memory on a CPU, otherwise a copy."""
        tensor = tensor.detach()
        if tensor.is_nested:
            tensor = torch.nested.to_padded_tensor(tensor, 0)
        if tensor.layout != torch.strided:
            tensor = tensor.to_dense()
        if tensor.dtype == torch.bfloat16:
            tensor = tensor.float()
        return np.asarray(tensor.cpu().resolve_conj().resolve_neg().numpy())

    def rows(self, tensor: Any, start: int, stop: int) -> Any:
        """A slice."""
        return tensor[start:stop]

    def joined(self, tensors: Sequence[Any]) -> Any:
        """The concatenation."""
        return torch.cat(list(tensors))

    def read(self, variable: Any) -> Any:
        """A copy, since the memory of a variable is written when it is trained."""
        return variable.detach().clone()

    def unregistered_variables(self, layer: keras.Layer) -> list[Any]:
        """The buffers of a layer and of the modules in it, and the parameters among its attributes."""
        if is_from_keras(layer) and not isinstance(layer, keras.layers.TorchModuleWrapper):
            return []
        parameters = [value for value in vars(layer).values() if isinstance(value, torch.nn.Parameter)]
        return [*layer.buffers(), *parameters]

    def snapshot(self, tensor: Any) -> Any:
        """A copy with the same mask: an operation such as `x += 1` writes to the tensor itself."""
        copy = tensor.clone()
        if (mask := mask_of(tensor)) is not None:
            set_mask(copy, mask)
        return copy

    def wait_for(self, tensors: Sequence[Any]) -> None:
        """On the CPU each operation returns its result."""
        if any(tensor.is_cuda for tensor in tensors if isinstance(tensor, torch.Tensor)):
            torch.cuda.synchronize()

    def distinct(self, tensor: Any) -> Any:
        """A view of the tensor."""
        return tensor.view_as(tensor)

    def address_of(self, _tensor: Any) -> int | None:
        """`None`: the memory of a variable stays the same when it is written."""
        return None

    def have_same_bits(self, one: Any, other: Any) -> bool:
        """Compares the bytes on the tensors' own device."""
        if one.shape != other.shape or one.dtype != other.dtype or one.device != other.device:
            return False
        first, second = (tensor.detach().contiguous().reshape(-1).view(torch.uint8) for tensor in (one, other))
        return bool(torch.equal(first, second))

    def on_values(self, function: Callable[..., Any], tensors: Sequence[Any]) -> Any:
        """Calls the function, as tensors always have values."""
        return function(*tensors)

    def over_steps(self, step: Callable[..., Any], inputs: Any, states: list[Any]) -> Any:
        """Runs a Python loop."""
        return rnn(step, inputs, states)[1]

    def require(self, condition: Any, message: str) -> None:
        """Raises at once, as tensors always have values."""
        if not bool(condition):
            raise ValueError(message)

    def compiled(
        self,
        function: Callable[..., Any],
        variables: Sequence[Any] = (),  # noqa: ARG002 - it runs as it is
        *,
        keeps_nan: bool = False,  # noqa: ARG002 - it always does
    ) -> Callable[..., Any]:
        """The function itself: PyTorch computes eagerly."""
        return function

    def with_gradients(
        self, function: Callable[..., tuple[Any, Any]], tensors: Sequence[Any]
    ) -> tuple[tuple[Any, Any], list[Any]]:
        """By `torch.autograd.grad`."""
        watched = [tensor.detach().requires_grad_() for tensor in tensors]
        with torch.enable_grad():
            value, more = function(*watched)
            if not value.requires_grad:
                return (value, more), [None] * len(watched)
            gradients = torch.autograd.grad(value, watched, allow_unused=True)
        return (value.detach(), keras.tree.map_structure(_detached, more)), list(gradients)

    def without_gradients(self) -> AbstractContextManager[Any]:
        """Otherwise PyTorch keeps all intermediate values for the gradients of the weights."""
        context: AbstractContextManager[Any] = torch.no_grad()
        return context

    def run_as_python(self) -> AbstractContextManager[None]:
        """Nothing: `torch.compile` is left alone."""
        return nullcontext()

    @contextmanager
    def operations_seen(self, callback: Callable[[Sequence[Any], Sequence[Any]], None]) -> Iterator[None]:
        """The functions of `torch`, methods and operators of tensors included."""

        class Seeing(TorchFunctionMode):  # type: ignore[misc]  # PyTorch is not installed where types are checked
            def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
                result = func(*args, **(kwargs or {}))
                given, found = keras.tree.flatten((args, kwargs)), keras.tree.flatten(result)
                callback(*([leaf for leaf in each if isinstance(leaf, torch.Tensor)] for each in (given, found)))
                return result

        with Seeing():
            yield

    def isolation_patches(self, _current: Callable[[], IsolatedPass | None]) -> list[Patch]:
        """None: what user code writes is put back by `kept_apart`."""
        return []

    @contextmanager
    def kept_apart(self, layers: Sequence[keras.Layer]) -> Iterator[None]:
        """The random generators of PyTorch, and the buffers and parameters that Keras does not track."""
        variables = {id(each): each for layer in layers for each in self.unregistered_variables(layer)}
        before = [(each, each.detach().clone()) for each in variables.values()]
        with torch.random.fork_rng():  # some of Keras's own layers draw from it, too
            try:
                yield
            finally:
                with torch.no_grad():
                    for each, value in before:
                        if not self.have_same_bits(each, value):
                            each.copy_(value)


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value
