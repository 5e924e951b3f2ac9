"""How a layer is asked for what it computes on the way and does not give: one `Probe` for each kind of layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import ops

from actwidget.capture.structure.calls import Call, Intermediates, Output
from actwidget.capture.structure.shapes import fits
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.layers import call_signature
from actwidget.keras_internals.symbolic import in_symbolic_scope
from actwidget.keras_internals.tensors import mask_of


@dataclass(frozen=True)
class Observation:
    """What was seen of a layer that a probe has run.

    Attributes:
        call: The layer's call, with all calls inside it.
        outputs: The shapes and dtypes of what it gave.
        result: What it gave; `None` of a trial on symbols.
        tensors: What was wanted of the inside, by path below the layer.
        refused: Why what stands below a path can't be had, for the paths where that is so.
    """

    call: Call
    outputs: list[Output]
    result: Any = None
    tensors: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


Observe = Callable[[Any, Any, Any, Collection[str] | None], Observation]
"""Runs a layer on `args` and `kwargs` and sees the calls inside; records some paths below it, or all for `None`."""


@dataclass(frozen=True)
class ProbedCall:
    """A call of a layer that is asked for what it computes on the way.

    Attributes:
        layer: The layer.
        args: What it was called with.
        kwargs: The same by name.
        observe: Runs a layer that stands inside it and sees the calls there.
        repeat: Makes the layer's own call once more, with further arguments by name.
        outputs: What the call gave.
    """

    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    observe: Observe
    repeat: Callable[..., Any] | None = None
    outputs: Any = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What the layer's `call` was given by its names, the mask among it, in the order of its signature."""
        signature = call_signature(self.layer)
        kwargs = {name: value for name, value in self.kwargs.items() if name in signature.parameters}
        found = dict(signature.bind(*self.args, **kwargs).arguments)
        masks = [mask_of(value) for value in found.values() if _holds_tensors(value)]
        if found.get("mask") is None and len(masks) == 1:  # of several tensors Keras passes none of the masks on
            found["mask"] = masks[0]
        return found


class Probe(ABC):
    """Knows what the layers of a kind compute on the way, and how to ask one for it.

    Attributes:
        is_loop: Whether such a layer runs what it holds once a time step, so that its own pass shows no calls.
        steps: How many axes of time steps what is inside has between that of the samples and its own.
    """

    is_loop = False
    steps = 0

    def covers(self, _path: str) -> bool:
        """Whether a path below the layer is what this probe is asked for, not a call that the layer makes itself."""
        return True

    def changed_by_a_call(self, _layer: Any) -> list[Any]:
        """The variables that a call of the layer changes: while it is asked they have to be as they were before."""
        return []

    @abstractmethod
    def declared(self, layer: Any) -> Intermediates:
        """What is known of a layer alone, without a call."""

    @abstractmethod
    def expected(self, call: ProbedCall) -> Intermediates:
        """What a call gives on the way, without the values; it may have been made on symbols."""

    @abstractmethod
    def computed(self, call: ProbedCall, wanted: Collection[str] | None) -> Intermediates:
        """What a call gives on the way, with the values at some paths below the layer, or at all for `None`."""

    @abstractmethod
    def no_edit(self, layer: str) -> str:
        """Why nothing can be put behind what the layer at a path computes on the way, and what to do instead."""


def agrees(found: Sequence[Any], given: Sequence[Any]) -> Any:
    """Whether tensors are those that a layer gave, as near as rounding in another order of computation allows.

    Returns:
        A boolean tensor, or `False` where their number, shapes or dtypes differ.
    """
    if len(found) != len(given):
        return False
    each = [_agree(first, second) for first, second in zip(found, given, strict=True)]
    return False if any(agreed is False for agreed in each) else ops.all(ops.stack(each))


def holds(agreed: Any, reason: str) -> bool:
    """Whether a check holds. In a graph only its run can tell: there a check that fails raises `reason`."""
    if agreed is False or in_symbolic_scope():
        return agreed is not False
    if backend.graph_in_progress() is None:
        return bool(agreed)
    backend.require(agreed, reason)
    return True


def _holds_tensors(value: Any) -> bool:
    leaves = keras.tree.flatten(value)
    return any(keras.ops.is_tensor(leaf) or isinstance(leaf, keras.KerasTensor) for leaf in leaves)


def _agree(found: Any, given: Any) -> Any:
    plain = backend.is_dense(found) and backend.is_dense(given)  # neither ragged nor sparse
    dtype, shape, expected = backend.dtype_of(found), backend.shape_of(found), backend.shape_of(given)
    if not plain or dtype != backend.dtype_of(given) or shape is None or expected is None or not fits(shape, expected):
        return False
    same = ops.equal(found, given)
    if dtype in _TOLERANCES:
        wide = "float64" if dtype == "float64" else "float32"
        first, second = ops.cast(found, wide), ops.cast(given, wide)
        scale = ops.max(ops.where(ops.isfinite(second), ops.abs(second), ops.zeros_like(second)), initial=0)
        near = ops.abs(first - second) <= _TOLERANCES[dtype] * scale
        same = ops.logical_or(same, ops.logical_or(near, ops.logical_and(ops.isnan(first), ops.isnan(second))))
    return ops.all(same)


# Of the largest value: near the square root of the precision, far above rounding and below what other numbers give.
_TOLERANCES = {"float64": 1e-8, "float32": 3e-4, "float16": 0.03, "bfloat16": 0.1}
