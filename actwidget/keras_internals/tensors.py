"""The attributes that Keras sets on a tensor: the call that produced it, and its mask."""

from __future__ import annotations

from typing import Any

from keras.src.backend.common.masking import get_keras_mask, set_keras_mask

from actwidget.keras_internals.versions import NO_RAGGED_INPUTS


def has_producer(tensor: Any) -> bool:
    """Whether a tensor is symbolic and was produced by a call in a graph."""
    return hasattr(tensor, "_keras_history")


def producer(tensor: Any) -> Any:
    """The layer or operation whose call produced a symbolic tensor."""
    return tensor._keras_history.operation


def tensor_index(tensor: Any) -> int:
    """The index of a symbolic tensor among the outputs of its call."""
    return int(tensor._keras_history.tensor_index)


def node_of(tensor: Any) -> Any:
    """The node of Keras's graph whose call produced a symbolic tensor."""
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


def is_declared_ragged(tensor: Any) -> bool:
    """Whether a symbolic tensor stands for ragged ones."""
    return not NO_RAGGED_INPUTS.applies and bool(tensor.ragged)


def mask_of(tensor: Any) -> Any:
    """The mask of a tensor, shape `(samples, steps)`, true for steps that are not padding; `None` without a mask."""
    return get_keras_mask(tensor)


def set_mask(tensor: Any, mask: Any) -> None:
    """Sets the mask of a tensor; `None` removes it."""
    set_keras_mask(tensor, mask)
