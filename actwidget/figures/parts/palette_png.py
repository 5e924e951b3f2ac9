"""Levels to a palette PNG that a page can show."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from actwidget.analysis.float_errors import ignore_float_errors
from actwidget.analysis.pixels.levels import GAP_LEVEL
from actwidget.figures.parts.palette import NAN_COLOR, palette

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PNG = "data:image/png;base64,"


def palette_png(levels: NDArray[np.uint8], scale: str) -> str:
    """A PNG of colour levels as a data URI; the gap between tiles is transparent.

    Args:
        levels: Palette indices, shape `(height, width)`.
        scale: The name of a Plotly colour scale.
    """
    height, width = levels.shape
    # Levels go from low to high, so a pixel is told by its difference to the one before it, where Pillow writes palette
    # indices as they are: of feature maps a tenth to a quarter fewer bytes, in two thirds of the time.
    rows = np.empty((height, 1 + width), np.uint8)
    rows[:, 0] = 1  # the filter "Sub"
    rows[:, 1] = levels[:, 0]
    np.subtract(levels[:, 1:], levels[:, :-1], out=rows[:, 2:])
    packer = zlib.compressobj(level=1, strategy=zlib.Z_RLE)  # what repeats in differences are runs
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),  # 8 bits, indices of a palette
        b"PLTE": palette(scale),
        b"tRNS": b"\xff" * GAP_LEVEL + b"\0",
        b"IDAT": packer.compress(rows.data) + packer.flush(),
        b"IEND": b"",
    }
    png = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks.items())
    return _PNG + base64.b64encode(png).decode("ascii")


def _chunk(name: bytes, content: bytes) -> bytes:
    """One part of a PNG: https://www.w3.org/TR/png-3/#5Chunk-layout."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))


@ignore_float_errors
def thumbnail_png(pixels: NDArray[Any], size: int = 68) -> str | None:
    """A small PNG of an input that is a picture, as a data URI, or `None` where it is none.

    Args:
        pixels: One sample, shape `(height, width, 1 or 3)`, in any range: it is stretched to its minimum and maximum
            unless these lie within 0 to 255 or 0 to 1. What is not finite has the colour of such values.
        size: The longer side of the result, in pixels.

    Returns:
        A data URI; `None` where the sample is no picture by `is_picture`.
    """
    image = _input_image(pixels)
    if image is None:
        return None
    image.thumbnail((size, size))
    if max(image.size) < size:
        factor = size // max(image.size)
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    return _uri(image)


@ignore_float_errors
def input_picture(pixels: NDArray[Any], limit: int = 640) -> tuple[str, tuple[int, int]] | None:
    """An input that is a picture as a PNG, pixel for pixel, or `None` where it is none.

    Args:
        pixels: As for `thumbnail_png`.
        limit: Its longer side is made no longer than this.

    Returns:
        The PNG as a data URI, and its height and width.
    """
    image = _input_image(pixels)
    if image is None:
        return None
    image.thumbnail((limit, limit))
    return _uri(image), (image.height, image.width)


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


def _input_image(pixels: NDArray[Any]) -> Image.Image | None:
    if not is_picture(pixels.shape, pixels.dtype):
        return None
    values = pixels.astype(np.float32)
    finite = np.isfinite(values)
    low, high = (float(values[finite].min()), float(values[finite].max())) if finite.any() else (0.0, 1.0)
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and 2 < high <= 255:  # a little above 1 it is no dark picture of bytes
        low, high = 0.0, 255.0
    scaled = (np.where(finite, values, low) - low) / ((high - low) or 1.0) * 255
    image = np.repeat(scaled.astype(np.uint8), 3 // pixels.shape[-1], axis=-1)
    image[~finite.all(axis=-1)] = NAN_COLOR
    return Image.fromarray(image)


def _uri(image: Image.Image) -> str:
    stream = io.BytesIO()
    image.save(stream, "png", compress_level=1)
    return _PNG + base64.b64encode(stream.getvalue()).decode("ascii")
