"""Where a value is computed: one call of a layer or operation, what it was given, and which value is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array, as_array
from actwidget.explain.computation.arithmetic_result import Given, Index, Products, Source, Step, Terms
from actwidget.keras_internals.layers import call_signature


class UnknownArithmeticError(Exception):
    """The arithmetic of a value is not known; the message is a sentence that says why."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor that a call was given, and where its values come from.

    Attributes:
        tensor: The tensor of the backend, or an array.
        path: The path whose activation it is, or of which it is a part; `None` where no path has it.
        reason: Why there is no path.
        locate: From indices in this tensor, shape `(values, axes)`, to those in the activation at `path`; `None` where
            both are the same.
        mask: Its mask, shape `(samples, steps)`, or `None`.
    """

    tensor: Any
    path: str | None
    reason: str = ""
    locate: Callable[[Array], Array] | None = None
    mask: Any = None

    @cached_property
    def array(self) -> Array:
        """The values."""
        return self.tensor if isinstance(self.tensor, np.ndarray) else as_array(self.tensor)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return tuple(self.array.shape)

    def products(
        self,
        indices: Any,
        weights: Any = 1.0,
        weight_from: Callable[[int], tuple[Source, ...]] | None = None,
    ) -> Products:
        """Terms that take some of the values.

        Args:
            indices: The indices, shape `(terms, axes)`.
            weights: What each value is multiplied with, shape `(terms,)`, or one number for all.
            weight_from: For the number of a term the captured values that its weight is made of.
        """
        places = np.asarray(indices, int).reshape(-1, self.array.ndim)
        inputs = self.array[tuple(places.T)].astype("float64") if self.array.ndim else np.float64(self.array).reshape(1)
        if not self.array.ndim:
            places = places.reshape(1, 0)
        found = np.broadcast_to(np.asarray(weights, "float64"), inputs.shape)
        return Products(self.path, self.reason, self.located(places), inputs, found, weight_from)

    def source(self, index: Sequence[int]) -> Source:
        """One of the values."""
        place = tuple(map(int, self.located(np.asarray([index], int))[0]))
        return Source(self.path, place, float(self.array[tuple(index)]), self.reason)

    def located(self, indices: Array) -> Array:
        """The indices in the activation that indices in this tensor belong to."""
        return indices if self.locate is None else self.locate(indices)

    def part(self, array: Array, locate: Callable[[Array], Array], mask: Any = None) -> Tensor:
        """A part of it, or its values in another shape: `locate` gives for indices in `array` those in this one."""
        return Tensor(array, self.path, self.reason, lambda indices: self.located(locate(indices)), mask)

    @property
    def given(self) -> Given:
        """What a person is told of it."""
        return Given(self.path, self.shape, self.reason)


@dataclass(frozen=True, eq=False)
class Site:
    """One value of one call.

    Attributes:
        operation: The layer or operation.
        path: The path of the call.
        args: What the call was given, with a `Tensor` for each tensor.
        kwargs: The same by name.
        index: The index of the value in the output, the sample first.
        output: The output that the value is in, as the call gave it.
        number: Which output of the call it is.
        at: The captured tensor at a path.
        paths: All paths of the model.
    """

    operation: Any
    path: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    index: Index
    output: Array
    number: int = 0
    at: Callable[[str], Tensor] = field(default=lambda _path: _nothing())
    paths: Collection[str] = ()

    @cached_property
    def inputs(self) -> list[Tensor]:
        """All tensors that the call was given."""
        return [leaf for leaf in keras.tree.flatten((self.args, dict(self.kwargs))) if isinstance(leaf, Tensor)]

    @property
    def input(self) -> Tensor:
        """The one tensor that the call is about, the first.

        Raises:
            UnknownArithmeticError: There is none.
        """
        if not self.inputs:
            message = f"{self.path!r} was given no tensor."
            raise UnknownArithmeticError(message)
        return self.inputs[0]

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """What the call was given, by the names of the arguments of `call`."""
        is_layer = isinstance(self.operation, keras.Layer)
        signature = call_signature(self.operation) if is_layer else inspect.signature(self.operation.call)
        kwargs = {name: value for name, value in self.kwargs.items() if name in signature.parameters}
        return dict(signature.bind_partial(*self.args, **kwargs).arguments)

    @cached_property
    def mask(self) -> Array | None:
        """The mask of the steps, true for those that count, as Keras passes it to a layer; `None` without a mask."""
        given = self.arguments.get("mask")
        if given is None:
            # Where tensors stand in several arguments, Keras passes none of their masks on.
            holding = [value for value in self.arguments.values() if _holds_tensor(value)]
            given = self.input.mask if len(holding) == 1 else None
        if isinstance(given, Tensor):
            return given.array
        return None if given is None else as_array(given)

    def run(self, instead: Mapping[int, Any]) -> list[Any]:
        """The tensors that the operation gives for other tensors in place of those that it was given.

        Args:
            instead: By the `id` of a `Tensor` the tensor that is put in its place.
        """
        signature = inspect.signature(self.operation.call)
        named = {name: value for name, value in self.kwargs.items() if name in signature.parameters}
        args, kwargs = keras.tree.map_structure(
            lambda leaf: instead.get(id(leaf), leaf.tensor) if isinstance(leaf, Tensor) else leaf,
            (tuple(self.args), named),
        )
        outputs = self.operation.call(*args, **kwargs)
        return [leaf for leaf in keras.tree.flatten(outputs) if keras.ops.is_tensor(leaf)]

    @property
    def value(self) -> float:
        """The value that the call gave, before any edit of it."""
        return float(self.output[self.index])

    @property
    def dtype(self) -> str:
        """The dtype in which it computes."""
        if isinstance(self.operation, keras.Layer):
            return str(self.operation.compute_dtype)
        return str(self.output.dtype.name)

    def elsewhere(self, **changes: Any) -> Site:
        """The same with another operation, input or index."""
        return replace(self, **changes)


def _nothing() -> Tensor:
    message = "Nothing else is captured here."
    raise UnknownArithmeticError(message)


@dataclass(frozen=True)
class Sum:
    """What a rule says of a value: its terms, and what follows.

    Attributes:
        groups: The terms, by the tensors that they take their values of.
        bias: What is added to them, if anything.
        steps: What is done after the sum.
    """

    groups: Sequence[Products]
    bias: float | None = None
    steps: tuple[Step, ...] = ()

    @cached_property
    def terms(self) -> Terms:
        """All terms."""
        return Terms(self.groups)

    @cached_property
    def total(self) -> float:
        """The sum of the products and the bias."""
        return float(self.terms.products.sum()) + (self.bias or 0.0)

    @property
    def result(self) -> float:
        """The value after the last step."""
        return self.steps[-1].value if self.steps else self.total

    def then(self, *steps: Step) -> Sum:
        """The same with further steps."""
        return replace(self, steps=(*self.steps, *steps))


def _holds_tensor(value: Any) -> bool:
    return any(isinstance(leaf, Tensor) for leaf in keras.tree.flatten(value))


Rule = Callable[[Site], Sum]
"""From the site of a value to how it is computed; raises `UnknownArithmeticError` where that is not known."""


def weight_values(weight: Any, dtype: str) -> Array:
    """A weight, or a part of it, as the layer computes with it: in its compute dtype, read as float64."""
    return as_array(keras.ops.cast(keras.ops.convert_to_tensor(weight), dtype)).astype("float64")
