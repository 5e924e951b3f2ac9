"""Which operations work value by value, and along which axes some of them mix values all the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from actwidget.capture.semantics.table.activation_functions import works_along_the_last_axis, works_value_by_value
from actwidget.capture.semantics.table.lookup import semantics_of


def is_pointwise(operation: Any) -> bool:
    """Whether an operation of Keras's works value by value, beside the axes that `mixed_axes` gives."""
    return semantics_of(operation).reach == "same position"


def mixed_axes(operation: Any, rank: int) -> set[int]:
    """The axes along which an operation mixes the values of a sample, beside what its kernel or pool reaches.

    A layer's activation can be any function: one that is not known mixes all.

    Args:
        operation: Of Keras's.
        rank: How many axes the operation's output has, that of the samples among them.
    """
    own = {axis % rank for axis in _own_axes(operation, rank)}
    return (own | _mixed_by_activation(getattr(operation, "activation", None), rank)) - {0}


def _own_axes(operation: Any, rank: int) -> Iterable[int]:
    mixes = semantics_of(operation).mixes
    if mixes is None:
        return []
    if mixes == "last axis":
        return [-1]
    axes: Any = operation.axis
    return range(rank) if axes is None else [axes] if isinstance(axes, int) else axes


def _mixed_by_activation(activation: Any, rank: int) -> set[int]:
    if activation is None or works_value_by_value(activation):
        return set()
    if works_along_the_last_axis(activation):
        return {rank - 1}
    return mixed_axes(activation, rank) if is_pointwise(activation) else set(range(rank))
