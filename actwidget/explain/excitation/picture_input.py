"""The picture that a model takes: its size, its layout, and the values of black and white."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.run.tapped_model import Tapped
from actwidget.capture.semantics.input_range import SHARES, expected_range
from actwidget.errors import NotCapturableError, OptionError, UnsupportedModelError, shown
from actwidget.keras_internals.graph import function_of
from actwidget.keras_internals.tensors import producer
from actwidget.options import listed

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph

Array = np.ndarray[Any, Any]

OPEN_SIZE = 224
"""Pixels a side where neither the model nor the user says."""
_COLOURS = {1, 3}


@dataclass(frozen=True)
class PictureInput:
    """The one input of a model, which is a picture.

    Attributes:
        height: In pixels.
        width: In pixels.
        channels: How many numbers a pixel has.
        dtype: That of the input.
        is_channels_first: Whether the model takes `(samples, channels, height, width)`.
    """

    height: int
    width: int
    channels: int
    dtype: str = "float32"
    is_channels_first: bool = False

    def as_input(self, pictures: Any) -> Any:
        """Pictures, shape `(samples, height, width, channels)`, in the layout of the input; arrays and tensors."""
        if not self.is_channels_first:
            return pictures
        transpose = np.transpose if isinstance(pictures, np.ndarray) else keras.ops.transpose
        return transpose(pictures, (0, 3, 1, 2))


def picture_input(model: keras.Model, size: Any = None) -> PictureInput:
    """The picture that a model takes.

    Args:
        model: The model, which may be a subclassed one that has been called.
        size: The pixels of a side, or the height and the width, if the model takes any; otherwise `None`.

    Raises:
        UnsupportedModelError: The model takes no picture, or more than one input.
        NotCapturableError: It takes whole numbers, through which no gradient goes.
        OptionError: `size` is none, or not the model's.
    """
    root = model.model if isinstance(model, Tapped) else model
    (name, shape, dtype), *others = _inputs(root) or [("", (), "")]
    if others:
        message = (
            f"Expected a model with one input, a picture; {model.name!r} has {1 + len(others)}: "
            f"{', '.join([name, *(each[0] for each in others)])}. Fix the others: "
            "keras.Model(picture, model([picture, numbers])) with the numbers as constants."
        )
        raise UnsupportedModelError(message)
    lengths = tuple(shape or ())[1:]
    is_first = len(lengths) == 3 and lengths[0] in _COLOURS and lengths[2] not in _COLOURS
    if is_first:
        lengths = (lengths[1], lengths[2], lengths[0])
    if len(lengths) != 3 or lengths[2] is None:
        message = (
            f"Expected a model that takes pictures, shape (samples, height, width, channels), got {model.name!r} with "
            f"the input {tuple(shape) if shape else 'not known'}. Ideal inputs are made for pictures alone."
        )
        raise UnsupportedModelError(message)
    if not dtype.startswith(("float", "bfloat")):
        message = (
            f"Model {model.name!r} takes pictures of dtype {dtype}, through which no gradient goes. Give the same "
            f"model with an input of floats: keras.Input({tuple(shape[1:])})."
        )
        raise NotCapturableError(message)
    height, width = _sides(size, (lengths[0], lengths[1]), model.name)
    return PictureInput(height, width, int(lengths[2]), dtype, is_first)


def _inputs(model: keras.Model) -> list[tuple[str, tuple[int | None, ...], str]]:
    """The name, the shape and the dtype of each input; none if nothing is known."""
    if (function := function_of(model)) is not None:
        return [(str(producer(each).name), tuple(each.shape), str(each.dtype)) for each in function.inputs]
    try:
        config = model.get_build_config() or {}
        shapes = config.get("shapes_dict") or {"input": config["input_shape"]}
    except Exception:  # noqa: BLE001 - a model may override `get_build_config`
        return []
    named = keras.tree.flatten_with_path(keras.tree.map_shape_structure(_Shape, shapes))
    return [("/".join(map(str, place)), leaf.lengths, "float32") for place, leaf in named if isinstance(leaf, _Shape)]


@dataclass(frozen=True)
class _Shape:
    lengths: tuple[int | None, ...]


def _sides(size: Any, own: tuple[int | None, int | None], name: str) -> tuple[int, int]:
    given: list[Any] = list(own)
    if size is not None:
        given = [size, size] if isinstance(size, numbers.Integral) else listed(size, _SIZE)
    is_pair = len(given) == 2 and all(
        each is None or (isinstance(each, numbers.Integral) and not isinstance(each, bool) and int(each) >= 4)
        for each in given
    )
    if not is_pair:
        message = f"Expected {_SIZE}, each at least 4; got {shown(size if size is not None else own)}."
        raise OptionError(message)
    sides = [int(OPEN_SIZE if each is None else each) for each in given]
    if any(known not in {None, side} for known, side in zip(own, sides, strict=True)):
        message = f"Model {name!r} takes pictures of {own[0]} by {own[1]} pixels, got size={shown(size)}. Leave it out."
        raise OptionError(message)
    return sides[0], sides[1]


_SIZE = "size as a number of pixels, or as the height and the width"


def value_range(graph: ModelGraph, given: Any) -> tuple[float, float]:
    """The values of black and white.

    Args:
        graph: The model's graph. What a layer at its start tells is what counts.
        given: The user's range, for other models; `None` for 0 to 1.

    Raises:
        OptionError: It is no range.
    """
    low, high = SHARES
    if given is not None:
        ends = listed(given, "range as a pair such as (0, 255), (0, 1) or (-1, 1)")
        is_pair = len(ends) == 2 and all(isinstance(end, numbers.Real) and math.isfinite(end) for end in ends)
        if not is_pair or not ends[0] < ends[1]:
            message = f"Expected range as a pair, the lower end first: (0, 255), (0, 1) or (-1, 1); got {shown(given)}."
            raise OptionError(message)
        low, high = float(ends[0]), float(ends[1])
    return expected_range(graph) or (low, high)
