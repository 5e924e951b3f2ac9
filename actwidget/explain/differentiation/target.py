"""What of an answer is explained: a class, one class for each sample, a callable on the outputs, or the top class."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from actwidget.errors import NotCapturableError, OptionError, shown
from actwidget.keras_internals.backend import backend

Array = np.ndarray[Any, Any]
Kind = Literal["top", "class", "callable"]
EXAMPLE = "target=lambda outputs: keras.ops.sum(outputs[..., 3], axis=(1, 2))"
EXAMPLE_OF_SEVERAL = "target=lambda outputs: outputs[0][:, 3]"


@dataclass(frozen=True, eq=False)
class Target:
    """A target as the user has given it, checked as far as no pass is needed for it.

    Attributes:
        kind: The top class of each sample, given classes, or a callable.
        classes: The class of each sample, shape `(samples,)`; `None` without classes.
        function: The callable.
    """

    kind: Kind
    classes: Array | None = None
    function: Callable[[Any], Any] | None = None


def target_of(value: Any, samples: int) -> Target:
    """A target from what the user has given.

    Args:
        value: A class, a class for each sample, a callable, or `None`.
        samples: How many samples there are.

    Raises:
        OptionError: It is none of these.
    """
    if value is None:
        return Target("top")
    if callable(value):
        return Target("callable", function=value)
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        value = [value] * samples
    try:
        classes = np.asarray(value)
    except Exception:  # noqa: BLE001 - it can be anything
        classes = np.empty(0)
    if classes.dtype.kind not in "iu" or classes.shape != (samples,):
        message = (
            f"Expected target as the number of a class, {samples} of them (one a sample), a callable on the outputs, "
            f"or None for the top class; got {shown(value)}. For example target=3, or {EXAMPLE_OF_SEVERAL}."
        )
        raise OptionError(message)
    if classes.min() < 0:
        message = f"Expected target as the number of a class, from 0; got {int(classes.min())}."
        raise OptionError(message)
    return Target("class", classes.astype(np.int32))


@dataclass
class Answer:
    """What was found out about a model's answer when a pass was traced.

    Attributes:
        classes: How many classes there are; `None` for a callable.
        is_binary: Whether it is one unit with a sigmoid, so that there are the classes 0 and 1.
        pre_activation: What was taken off the outputs: `"softmax"`, `"sigmoid"`, or `""`.
    """

    classes: int | None = None
    is_binary: bool = False
    pre_activation: str = ""

    def check(self, target: Target, model_name: str) -> None:
        """Raises an error unless the model has the classes of a target.

        Raises:
            OptionError: It has not.
        """
        if self.classes is None or target.classes is None:
            return
        largest = int(target.classes.max())
        if largest >= self.classes:
            what = "one unit with a sigmoid, whose classes are 0 and 1" if self.is_binary else f"{self.classes} classes"
            message = (
                f"Expected target from 0 to {self.classes - 1}, as model {model_name!r} has {what}; got {largest}."
            )
            raise OptionError(message)


def scores_of(
    outputs: Any,
    endings: list[str],
    kind: Kind,
    function: Callable[[Any], Any] | None,
    classes: Any,
    *,
    logits: bool,
    model_name: str,
) -> tuple[Any, Any, Answer]:
    """The target's value for each sample, as a pass computes it.

    Args:
        outputs: The model's outputs, of which a final softmax or sigmoid may have been taken off.
        endings: For each flat output the name of that function, `""` where it ends with none.
        kind: The kind of target.
        function: The callable, for that kind.
        classes: A tensor of the class of each sample, for that kind.
        logits: Whether it was taken off.
        model_name: The model's name, for messages.

    Returns:
        The scores, shape `(samples,)`; the class of each sample, or `None`; and what was found out.

    Raises:
        OptionError: The outputs need a callable, or the callable does not give one number a sample.
        NotCapturableError: The output has no gradient, since it holds no floats.
    """
    if kind == "callable":
        return _called(function, outputs), None, Answer()
    leaves = keras.tree.flatten(outputs)
    shape = backend.shape_of(leaves[0]) if len(leaves) == 1 and keras.ops.is_tensor(leaves[0]) else None
    if shape is None or len(shape) > 2 or not shape:
        what = f"{len(leaves)} outputs" if len(leaves) != 1 else f"an output of shape {shape}"
        example = EXAMPLE_OF_SEVERAL if len(leaves) != 1 else EXAMPLE
        if isinstance(outputs, dict):
            example = EXAMPLE_OF_SEVERAL.replace("[0]", f"[{next(iter(outputs))!r}]")
        message = (
            f"Model {model_name!r} gives {what}, of which no class can be picked. Give a callable that makes one "
            f"number a sample of it: {example}."
        )
        raise OptionError(message)
    if not backend.dtype_of(leaves[0]).startswith(("float", "bfloat")):
        message = (
            f"The output of model {model_name!r} is of dtype {backend.dtype_of(leaves[0])}, through which there are no "
            "gradients. Use the part of the model before that."
        )
        raise NotCapturableError(message)
    values = in_float32(leaves[0])
    values = values[:, None] if len(shape) == 1 else values
    count = int(values.shape[1])
    if count == 1:
        is_binary = endings[0] == "sigmoid"
        unit = values[:, 0]
        if kind == "top":
            classes = keras.ops.cast(keras.ops.zeros_like(unit), "int32") + int(is_binary)
        elif is_binary:
            unit = keras.ops.where(keras.ops.equal(classes, 0), -unit if logits else 1 - unit, unit)
        return unit, classes, Answer(2 if is_binary else 1, is_binary)
    if kind == "top":
        classes = keras.ops.cast(keras.ops.argmax(values, axis=-1), "int32")
    known = keras.ops.minimum(classes, count - 1)
    return keras.ops.take_along_axis(values, known[:, None], axis=1)[:, 0], classes, Answer(count)


def in_float32(tensor: Any) -> Any:
    """A tensor of half precision as float32; any other as it is."""
    half = backend.dtype_of(tensor) in {"float16", "bfloat16"}
    return keras.ops.cast(tensor, "float32") if half else tensor


def _called(function: Callable[[Any], Any] | None, outputs: Any) -> Any:
    value = None if function is None else function(outputs)
    shape = backend.shape_of(value) if keras.ops.is_tensor(value) else None
    if shape is not None and len(shape) == 2 and shape[1] == 1:
        return in_float32(value)[:, 0]
    if shape is None or len(shape) != 1:
        got = f"a tensor of shape {shape}" if shape is not None else shown(value)
        message = (
            f"Expected a target that makes one number a sample of the outputs, a tensor of shape (samples,); got "
            f"{got}. Compute with keras.ops, so that there are gradients, and keep the first axis: {EXAMPLE}."
        )
        raise OptionError(message)
    return in_float32(value)
