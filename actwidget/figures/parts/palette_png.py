"""Levels of a palette to a PNG, written here because Pillow's encoder is slower and its files are larger."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from actwidget.analysis.pixels.levels import GAP_LEVEL
from actwidget.figures.parts.palette import dark_colorscale, palette

if TYPE_CHECKING:
    from numpy.typing import NDArray


DARK_CHUNK = b"daRk"
"""A private chunk: what replaces the palette on a dark page, with the checksum of the palette's chunk."""


def palette_png(levels: NDArray[np.uint8], scale: str) -> str:
    """A PNG of colour levels as a data URI; the gap between tiles is transparent.

    If the scale has other colours on dark pages, these are right after the palette in a chunk of their own, which only
    `plot/dark.js` reads: so one picture is sent for both.

    Args:
        levels: Palette indices, shape `(height, width)`.
        scale: The name of a Plotly colour scale.
    """
    height, width = levels.shape
    # Levels are ordered from low to high, so neighbouring pixels differ little, and their differences compress well.
    # Pillow compresses palette indices as they are: feature maps take 10 to 25 % more bytes and 1.5 times as long.
    rows = np.empty((height, 1 + width), np.uint8)
    rows[:, 0] = 1  # the filter "Sub"
    rows[:, 1] = levels[:, 0]
    np.subtract(levels[:, 1:], levels[:, :-1], out=rows[:, 2:])
    packer = zlib.compressobj(level=1, strategy=zlib.Z_RLE)  # differences repeat in runs
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),  # 8 bits, indices of a palette
        b"PLTE": palette(scale),
        **_dark_chunk(scale),
        b"tRNS": b"\xff" * GAP_LEVEL + b"\0",
        b"IDAT": packer.compress(rows.data) + packer.flush(),
        b"IEND": b"",
    }
    png = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks.items())
    return png_uri(png)


def rgba_png(pixels: NDArray[np.uint8]) -> str:
    """A PNG of colours as a data URI.

    Args:
        pixels: Red, green, blue and alpha, shape `(height, width, 4)`.
    """
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png", compress_level=1)
    return png_uri(stream.getvalue())


def _dark_chunk(scale: str) -> dict[bytes, bytes]:
    if dark_colorscale(scale) is None:
        return {}
    entries = palette(scale, dark=True)
    return {DARK_CHUNK: entries + struct.pack(">I", zlib.crc32(b"PLTE" + entries))}


def _chunk(name: bytes, content: bytes) -> bytes:
    """One part of a PNG: https://www.w3.org/TR/png-3/#5Chunk-layout."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(name)))


def png_uri(png: bytes) -> str:
    """A PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
