"""A view as a PNG, for where no widget can run: on a printed page, in a notebook without a kernel."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, ImageDraw

from actwidget.figures.raster import draw_figure, draw_text, fitted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH = 720
MAX_BYTES = 60_000
"""The size of a PNG at most; the notebook file contains it in base64, a third longer."""
TALLEST = 960
"""A figure that is higher is cut here, in pixels: so it fits on a printed page."""
SIZE, LINE, PAD = 13, 20, 12
INK, MUTED, PAPER = "#1f2328", "#57606a", "white"
# How large the pixels of pictures are, and how many colours there are: the first that make a small file are taken.
_QUALITIES = ((1, 255), (1, 96), (2, 128), (3, 96), (6, 64), (12, 32), (24, 16))


class Pngs(NamedTuple):
    """A view as PNGs.

    Attributes:
        page: For a page that has the numbers as text.
        print: The same with the numbers in it.
    """

    page: bytes
    print: bytes


def still_pngs(
    figure: Mapping[str, Any], above: Sequence[str], below: Sequence[str] = (), *, max_bytes: int = MAX_BYTES
) -> Pngs | None:
    """A figure between lines of text as PNGs, drawn with no browser.

    Args:
        figure: A dict of `data` and `layout`, with its pictures in it as data URIs.
        above: Lines above the figure, the first of them its caption; each is cut to the width.
        below: Lines below it, in the one for print alone.
        max_bytes: What each takes at most. Pictures in the figure are made coarser until it does.

    Returns:
        The PNGs; `None` where no coarseness makes them small enough.
    """
    drawn: dict[int, Image.Image] = {}
    for coarse, colors in _QUALITIES:
        if coarse not in drawn:
            drawn[coarse] = _cut(draw_figure(figure, WIDTH, coarse=coarse), figure)
        printed = _encoded(_page(drawn[coarse], above, below), colors)
        if len(printed) <= max_bytes:
            return Pngs(_encoded(_page(drawn[coarse], above, ()), colors), printed)
    return None


def _encoded(page: Image.Image, colors: int) -> bytes:
    stream = io.BytesIO()
    page.quantize(colors, dither=Image.Dither.NONE).save(stream, "png")
    return stream.getvalue()


def _page(picture: Image.Image, above: Sequence[str], below: Sequence[str]) -> Image.Image:
    top = PAD + LINE * len(above)
    page = Image.new("RGB", (WIDTH, top + picture.height + LINE * len(below) + PAD), PAPER)
    page.paste(picture, (0, top))
    draw = ImageDraw.Draw(page)
    lines = [*zip(above, [SIZE + 1] + [SIZE - 1] * len(above), [INK] + [MUTED] * len(above), strict=False)]
    for place, (line, size, color) in enumerate(lines):
        draw_text(draw, (PAD, PAD // 2 + LINE * place), fitted(line, size, WIDTH - 2 * PAD), size, color)
    for place, line in enumerate(below):
        y = top + picture.height + LINE * place
        draw_text(draw, (PAD, y), fitted(line, SIZE - 1, WIDTH - 2 * PAD), SIZE - 1, MUTED)
    return page


def _cut(picture: Image.Image, figure: Mapping[str, Any]) -> Image.Image:
    """The part of a tall figure that is in sight: what stays there while it scrolls, and what it scrolled to."""
    if picture.height <= TALLEST:
        return picture
    meta = figure["layout"].get("meta") or {}
    sticky, reveal = int(meta.get("sticky") or 0), int(meta.get("reveal") or 0)
    room = TALLEST - sticky - LINE
    start = min(max(sticky, reveal - room // 2), picture.height - room)
    page = Image.new("RGB", (picture.width, TALLEST), PAPER)
    page.paste(picture.crop((0, 0, picture.width, sticky)), (0, 0))
    page.paste(picture.crop((0, start, picture.width, start + room)), (0, sticky))
    words = f"A part of the figure: {room / (picture.height - sticky):.0%} of its height."
    draw_text(ImageDraw.Draw(page), (PAD, TALLEST - LINE), words, SIZE - 1, MUTED)
    return page
