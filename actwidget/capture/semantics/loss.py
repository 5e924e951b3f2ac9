"""What a compiled model is trained for: classes or numbers, by its loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Aim = Literal["classes", "numbers"]

_CLASSES = ("crossentropy", "hinge", "focal", "dice", "tversky")
_NUMBERS = ("mean", "mse", "mae", "mape", "msle", "huber", "logcosh", "absolute", "squared")


def aim_of(model: Any, name: str, index: int) -> Aim | None:
    """What the loss of one output compares; `None` if that is not known, as of a model that is not compiled.

    Args:
        model: A Keras model.
        name: The name of the output, by which a dict of losses may hold its own.
        index: Which of the model's outputs it is, from 0.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    >>> aim_of(model, "dense", 0)
    'classes'
    """
    loss = getattr(model, "loss", None)
    if isinstance(loss, Mapping):
        loss = loss.get(name)
    elif isinstance(loss, (list, tuple)):
        loss = loss[index] if index < len(loss) else None
    if not isinstance(loss, str):
        loss = getattr(loss, "name", None) or getattr(loss, "__name__", None)
    words = loss.lower().replace("_", "").replace(" ", "") if isinstance(loss, str) else ""
    if any(each in words for each in _CLASSES):
        return "classes"
    return "numbers" if any(each in words for each in _NUMBERS) else None
