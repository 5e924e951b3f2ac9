"""A picture from a file, or a drawing, as one more sample of a batch, in the values that the model takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.analysis.nonfinite import finite_range
from actwidget.capture.run.conversion import is_uneven
from actwidget.capture.semantics.input_range import SHARES, expected_range
from actwidget.figures.parts.input_image import is_of_sixteen
from actwidget.figures.parts.picture_file import picture_in_file
from actwidget.figures.parts.text import between

if TYPE_CHECKING:
    from actwidget.capture.run.inputs import Batch
    from actwidget.capture.structure.model_graph import ModelGraph
    from actwidget.explorer.layer_values import Array

MOST_DRAWN = 64
"""Pictures of more rows or columns are too fine to be drawn by hand."""
FEWEST = 8
"""A matrix with fewer rows and columns is hardly a picture."""
# What `keras.applications` takes from the channels for VGG and ResNet: blue, green, red.
CAFFE_MEAN = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class PictureInput:
    """What a model wants of a picture.

    Attributes:
        height: Its rows.
        width: Its columns.
        channels: 3 for colour, 1 for grey, 0 for grey without an axis of channels.
        dtype: The dtype of its values.
        black: The value of black in each channel.
        white: The value of white in each channel.
        is_bgr: Whether blue comes first.
        is_dark: Whether the pictures of the batch are light on a dark ground.
    """

    height: int
    width: int
    channels: int
    dtype: np.dtype[Any]
    black: tuple[float, ...]
    white: tuple[float, ...]
    is_bgr: bool = False
    is_dark: bool = True

    @property
    def is_drawable(self) -> bool:
        """Whether it can be drawn by hand: grey, and not too fine."""
        return self.channels < 3 and max(self.height, self.width) <= MOST_DRAWN

    @classmethod
    def of(cls, graph: ModelGraph, batch: Batch | None) -> PictureInput | None:
        """What a model wants; `None` if its input is not one picture of a known size.

        The values of black and white follow from a layer at the model's start that scales them, otherwise from those
        that the batch has.

        Args:
            graph: The model's graph.
            batch: The batch, `None` if there is none.
        """
        found = _shape(graph, batch)
        if found is None:
            return None
        shape, dtype, pictures = found
        expected = expected_range(graph)
        count = shape[2] if len(shape) == 3 else 1
        if expected is not None:
            black, white, is_bgr = (expected[0],) * count, (expected[1],) * count, False
        else:
            black, white, is_bgr = _range_in(pictures, count)
        if len(shape) == 2 and (shape[0] != shape[1] or shape[0] < FEWEST or min(black) < 0):
            return None  # rather the steps of a sequence
        is_dark = pictures is None or _ground(pictures) <= (np.mean(black) + np.mean(white)) / 2
        channels = shape[2] if len(shape) == 3 else 0
        return cls(shape[0], shape[1], channels, dtype, black, white, is_bgr, bool(is_dark))

    def values(self, pixels: Array) -> Array:
        """Pixels from 0 to 255, shape `(height, width, 3 or 1)`, in the values and the layout of the model's input."""
        ordered = pixels[..., ::-1] if self.is_bgr else pixels
        black, white = np.asarray(self.black), np.asarray(self.white)
        values = black + ordered.astype(np.float64) / 255 * (white - black)
        if self.dtype.kind in "iu":
            values = np.rint(values)
        array: Array = (values if self.channels else values[..., 0]).astype(self.dtype)
        return array

    def drawn(self, ink: Array) -> Array:
        """A drawing as a sample.

        Args:
            ink: From 0 (paper) to 255 (ink), shape `(height, width)`.
        """
        return self.values((ink if self.is_dark else 255 - ink)[..., np.newaxis])

    def opened(self, data: bytes, name: str) -> tuple[Array, str]:
        """A picture as a sample, and what was done to make it one, in words.

        It is cropped to the middle in the ratio of sides that the model wants, then resized.

        Args:
            data: A file: JPEG, PNG, or any other picture that Pillow reads.
            name: The file's name.

        Raises:
            InvalidInputsError: It is no picture, or too large.
        """
        pixels, words = picture_in_file(data, name, self.width, self.height, in_color=self.channels == 3)
        return self.values(pixels), f"{words}; {self._range_in_words()}"

    def _range_in_words(self) -> str:
        texts = {between(*ends) for ends in zip(self.black, self.white, strict=True)}
        kind = "values" if len(texts) == 1 else "values of the first channel"
        order = ", blue first" if self.is_bgr else ""
        return f"{kind} from {self.black[0]:.4g} to {self.white[0]:.4g}{order}"


def _shape(graph: ModelGraph, batch: Batch | None) -> tuple[tuple[int, ...], np.dtype[Any], Array | None] | None:
    """The shape of a picture, its dtype and those of the batch, if the model's input is one picture."""
    if batch is not None:
        arrays = [array for array in batch.samples if array is not None]
        if len(arrays) != 1 or batch.lengths or any(map(is_uneven, keras.tree.flatten(batch.fed))):
            return None
        pictures: Array | None = arrays[0]
        shape, dtype = arrays[0].shape[1:], arrays[0].dtype
    else:
        tensors = [] if graph.inputs is None else keras.tree.flatten(graph.inputs)
        if len(tensors) != 1 or None in tensors[0].shape[1:] or tensors[0].dtype == "string":
            return None
        pictures, shape = None, tuple(tensors[0].shape[1:])
        dtype = np.dtype(np.float32 if "float" in tensors[0].dtype else tensors[0].dtype)
    is_grey = len(shape) == 2 or (len(shape) == 3 and shape[2] == 1)
    if not (is_grey or (len(shape) == 3 and shape[2] == 3)) or min(shape[:2]) < 4 or dtype.kind not in "iuf":
        return None
    return shape, dtype, pictures


def _range_in(pictures: Array | None, channels: int) -> tuple[tuple[float, ...], tuple[float, ...], bool]:
    """The values of black and white in a batch, and whether blue comes first."""
    low, high = SHARES if pictures is None else finite_range(pictures) or SHARES

    def same(ends: tuple[float, float]) -> tuple[tuple[float, ...], tuple[float, ...], bool]:
        return (ends[0],) * channels, (ends[1],) * channels, False

    if pictures is None or (low >= 0 and high <= 1 and pictures.dtype.kind == "f"):
        return same(SHARES)
    if low >= 0:
        return same((0.0, _white(pictures, high)))
    if low >= -1 and high <= 1:
        return same((-1.0, 1.0))
    by_channel = pictures.reshape(-1, channels)
    lows, highs = by_channel.min(axis=0).astype(np.float64), by_channel.max(axis=0).astype(np.float64)
    mean = np.asarray(CAFFE_MEAN)
    if channels == 3 and high > 20 and np.all(lows >= -mean - 0.5) and np.all(highs <= 255.5 - mean):
        return tuple((-mean).tolist()), tuple((255 - mean).tolist()), True
    # Standardised: of photos the darkest pixel is about black, and the brightest about white.
    return tuple(lows.tolist()), tuple(highs.tolist()), False


def _white(pictures: Array, high: float) -> float:
    """The value of white where black is 0 and the brightest pixel is `high`."""
    if high > 255 or (pictures.dtype.kind == "f" and high <= 2):
        return float(high)
    return 16.0 if is_of_sixteen(pictures, pictures.dtype) else 255.0


def _ground(pictures: Array) -> float:
    """The value that most pictures have along their edges."""
    edges = [pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]]
    return float(np.median(np.concatenate([np.asarray(edge, np.float64).ravel() for edge in edges])))
