"""What Keras notes on a tensor: which call made it, and which steps of a sequence count."""

from __future__ import annotations

from typing import Any


def has_producer(tensor: Any) -> bool:
    """Whether a tensor is a symbolic one that a call in a graph made."""
    return hasattr(tensor, "_keras_history")


def producer(tensor: Any) -> Any:
    """The layer or operation whose call made a symbolic tensor."""
    return tensor._keras_history.operation


def tensor_index(tensor: Any) -> int:
    """Which output of its call a symbolic tensor is, from 0."""
    return int(tensor._keras_history.tensor_index)


def node_of(tensor: Any) -> Any:
    """The call that made a symbolic tensor, as a node of Keras's graph."""
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


def mask_of(tensor: Any) -> Any:
    """The mask of a tensor, shape `(samples, steps)`, true where a step counts; `None` where there is none."""
    return getattr(tensor, "_keras_mask", None)


def has_mask_attribute(tensor: Any) -> bool:
    """Whether a tensor can carry a mask and has been given one, be it `None`."""
    return hasattr(tensor, "_keras_mask")


def set_mask(tensor: Any, mask: Any) -> None:
    """Gives a tensor a mask, or with `None` takes it away."""
    tensor._keras_mask = mask
