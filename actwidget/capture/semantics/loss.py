"""What a compiled model is trained for: classes or numbers, by its loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Aim = Literal["classes", "numbers"]

_CLASSES = ("crossentropy", "hinge", "focal", "dice", "tversky", "kldivergence")
_NUMBERS = ("mean", "mse", "mae", "mape", "msle", "huber", "logcosh", "absolute", "squared")


def aim_of(model: Any, name: str, index: int = 0, count: int = 1) -> Aim | None:
    """What the loss of one output compares; `None` if that is not known, as of a model that is not compiled.

    Args:
        model: A Keras model.
        name: The name of the layer that gives the output, by which a dict of losses may hold its own.
        index: Which of the model's outputs it is, from 0, as `keras.tree.flatten` orders them.
        count: How many outputs the model has.

    >>> import keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    >>> aim_of(model, "dense")
    'classes'
    """
    loss = getattr(model, "loss", None)
    if isinstance(loss, Mapping):
        # The keys are either the layers' names or those of a dict of outputs, which are sorted like the outputs.
        is_complete = name not in loss and len(loss) == count and all(isinstance(key, str) for key in loss)
        loss = loss[sorted(loss)[index]] if is_complete else loss.get(name)
    elif isinstance(loss, (list, tuple)):
        loss = loss[index] if index < len(loss) else None
    words = loss if isinstance(loss, str) else f"{_name(loss)} {type(loss).__name__}"
    words = words.lower().replace("_", "").replace(" ", "")
    if any(each in words for each in _CLASSES):
        return "classes"
    return "numbers" if any(each in words for each in _NUMBERS) else None


def _name(loss: Any) -> str:
    """The name of a loss object or function; users can give it any."""
    name = getattr(loss, "name", None) or getattr(loss, "__name__", None)
    return name if isinstance(name, str) else ""
