"""An input that is a picture, as a PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.nonfinite import finite_range
from actwidget.figures.parts.palette import NAN_COLOR
from actwidget.figures.parts.palette_png import png_uri

if TYPE_CHECKING:
    from numpy.typing import NDArray


@ignore_float_errors
def small_picture(pixels: NDArray[Any], size: int = 72) -> bytes | None:
    """A small picture of an input as the bytes of a file: a JPEG, or a PNG where it has no more pixels than shown.

    Args:
        pixels: One sample, shape `(height, width, 1 or 3)`, in any range: it is stretched to its minimum and maximum
            unless these lie within 0 to 255, 0 to 16 or 0 to 1. NaN and infinity have a colour of their own.
        size: The longer side of the result, in pixels, at most.

    Returns:
        The bytes; `None` where the sample is no picture by `is_picture`.
    """
    image = _input_image(pixels)
    if image is None:
        return None
    stream = io.BytesIO()
    if max(image.size) > size:
        image.thumbnail((size, size))
        image.save(stream, "jpeg", quality=85)
        return stream.getvalue()
    factor = size // max(image.size)
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    (image.convert("L") if pixels.shape[-1] == 1 and np.isfinite(pixels).all() else image).save(stream, "png")
    return stream.getvalue()


@ignore_float_errors
def input_picture(pixels: NDArray[Any], limit: int = 640) -> tuple[str, tuple[int, int]] | None:
    """An input that is a picture as a PNG, pixel for pixel; `None` where it is no picture.

    Args:
        pixels: As for `small_picture`.
        limit: A longer picture is scaled down to this length of its longer side.

    Returns:
        The PNG as a data URI, and its height and width.
    """
    image = _input_image(pixels)
    if image is None:
        return None
    image.thumbnail((limit, limit))
    return image_uri(image), (image.height, image.width)


@ignore_float_errors
def picture_pixels(pixels: NDArray[Any]) -> NDArray[np.uint8] | None:
    """An input that is a picture as bytes of red, green and blue; `None` where it is no picture.

    Args:
        pixels: As for `small_picture`.

    Returns:
        Shape `(height, width, 3)`.
    """
    image = _input_image(pixels)
    return None if image is None else np.asarray(image)


def is_picture(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether a sample of an input can be drawn as it is.

    Args:
        shape: The sample's shape.
        dtype: Its dtype.

    Returns:
        Whether it is numbers of shape `(height, width, 1 or 3)`, neither side below 4.

    >>> is_picture((28, 28, 1), np.dtype("float32")), is_picture((3, 28, 28), np.dtype("float32"))
    (True, False)
    """
    return len(shape) == 3 and shape[-1] in {1, 3} and min(shape[:2]) >= 4 and dtype.kind in "biuf"


def is_of_sixteen(values: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Whether pictures go from 0 to 16, as scikit-learn's digits do.

    Args:
        values: The pictures.
        dtype: That of the input.
    """
    return dtype != np.uint8 and 2 < values.max() <= 16 and bool(np.all(values == np.rint(values)))


def _input_image(pixels: NDArray[Any]) -> Image.Image | None:
    if not is_picture(pixels.shape, pixels.dtype):
        return None
    values = pixels.astype(np.float32)
    low, high = finite_range(values) or (0.0, 1.0)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and is_of_sixteen(values, pixels.dtype):
        low, high = 0.0, 16.0
    elif low >= 0 and 2 < high <= 255:  # values just above 1 are no dark picture of bytes
        low, high = 0.0, 255.0
    finite = np.isfinite(values)
    scaled = (np.where(finite, values, low) - low) / ((high - low) or 1.0) * 255
    image = np.repeat(scaled.astype(np.uint8), 3 // pixels.shape[-1], axis=-1)
    image[~finite.all(axis=-1)] = NAN_COLOR
    return Image.fromarray(image)


def image_uri(image: Image.Image) -> str:
    """A picture as a PNG in a data URI."""
    stream = io.BytesIO()
    image.save(stream, "png", compress_level=1)
    return png_uri(stream.getvalue())
