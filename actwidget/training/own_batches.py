"""Takes a look at the batch that Keras's `fit` gives each step of training."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import keras

from actwidget.keras_internals.classes import is_keras_method


def is_keras_fit(model: Any) -> bool:
    """Whether a model trains as Keras does it: each call of its `train_function` is one step of Keras's own."""
    are_own = all(is_keras_method(type(model), name) for name in ("fit", "train_step", "make_train_function"))
    strategy = getattr(model, "distribute_strategy", None)
    replicas = getattr(strategy, "num_replicas_in_sync", 1)
    is_one = getattr(model, "steps_per_execution", 1) == 1 and replicas == 1
    return are_own and is_one and callable(getattr(model, "train_function", None))


class StepCount:
    """How many steps of an epoch have ended, by the number that Keras gives `on_train_batch_end`.

    Where a call runs several steps, it is that of the last of them; in Keras 3.8 it was that of the first.
    """

    def __init__(self, model: Any, steps: int | None) -> None:
        """Counts for one training.

        Args:
            model: The model.
            steps: How many steps an epoch has; None if that is not known.
        """
        self._each = getattr(model, "steps_per_execution", 1)
        self._steps = steps
        self._is_of_first = False

    def ended(self, batch: int) -> int:
        """The count; the first call of the training shows which number Keras gives."""
        self._is_of_first |= batch == 0 and self._each > 1 and self._steps != 1
        if not self._is_of_first:
            return batch + 1
        ended = batch + self._each
        return ended if self._steps is None else min(ended, self._steps)


class OwnBatches:
    """The batch of the step of training that is running, or ran last.

    It stands in for the model's `train_function`, which Keras looks up for each step, takes the next batch from the
    iterator, and hands it on as an iterator over this batch alone, which Keras allows.

    Attributes:
        data: The batch as Keras made it; None before the first step.
    """

    def __init__(self, model: Any) -> None:
        """Puts itself in the place of `train_function`."""
        self.data: Any = None
        self._model = weakref.ref(model)
        original = model.train_function
        while isinstance(original, _Handing):  # that of a training that was interrupted
            original = original.original
        model.train_function = _Handing(original, weakref.ref(self))

    def close(self) -> None:
        """Puts the original back."""
        self.data = None
        _remove(self._model())


class _Handing:
    """A `train_function` that shows each batch to an `OwnBatches`, as long as that exists."""

    def __init__(self, original: Callable[..., Any], owner: weakref.ref[OwnBatches]) -> None:
        self.original = original
        self.owner = owner

    def __call__(self, *args: Any) -> Any:
        owner = self.owner()
        if owner is None:
            return self.original(*args)
        *state, iterator = args
        owner.data = next(iterator)  # its StopIteration ends the epoch, as that of the original would
        return self.original(*state, iter([owner.data]))


def _remove(model: Any) -> None:
    if model is not None and isinstance(model.train_function, _Handing):
        model.train_function = model.train_function.original


def unpacked(data: Any) -> tuple[Any, Any, Any]:
    """The inputs, labels and weights in a batch."""
    x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
    return x, *(None if _is_nothing(each) else each for each in (y, weights))


def _is_nothing(value: Any) -> bool:
    """Whether a value stands for None in a data set of TensorFlow."""
    return type(value).__name__.lstrip("_").startswith("Optional")
