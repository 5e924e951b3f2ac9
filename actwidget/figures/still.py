"""A view as a PNG, for where no widget can run: on a printed page, in a notebook without a kernel."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 560
TEXT = 14
LINE = 20
PAD = 12
INK, PAPER = (31, 35, 40), (255, 255, 255)


def still_png(lines: Sequence[str], images: Sequence[str], *, width: int = WIDTH) -> bytes:
    """A PNG of some lines of text with pictures below them.

    Args:
        lines: The text; each line is cut to the width.
        images: Pictures as data URIs of PNGs, one below the other; each is enlarged by a whole factor, so that
            its pixels stay crisp, or reduced to the width.
        width: Of the result, in pixels.

    Returns:
        The bytes of a PNG, as high as it needs to be.
    """
    font = ImageFont.load_default(TEXT)
    pictures = [_fitted(uri, width - 2 * PAD) for uri in images]
    height = 2 * PAD + LINE * len(lines) + sum(picture.height + PAD for picture in pictures)
    page = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(page)
    y = PAD
    for line in lines:
        draw.text((PAD, y), _printable(line, font, width - 2 * PAD), fill=INK, font=font)
        y += LINE
    for picture in pictures:
        page.paste(picture, (PAD, y + PAD // 2), picture)
        y += picture.height + PAD
    stream = io.BytesIO()
    # 255 colours, as many as the palettes have: half the bytes, without a visible difference.
    page.quantize(255, dither=Image.Dither.NONE).save(stream, "png", optimize=True)
    return stream.getvalue()


def _fitted(uri: str, width: int) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGBA")
    if image.width > width:
        return image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.BOX)
    factor = max(1, min(width // image.width, WIDTH // max(image.height, 1)))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def _printable(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """A line without unprintable characters, cut to a width."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in text[:300]).split())
    if font.getlength(flat) <= width:
        return flat
    while flat and font.getlength(flat + "…") > width:
        flat = flat[:-1]
    return flat + "…"
