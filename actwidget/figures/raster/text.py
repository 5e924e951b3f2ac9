"""Text in a picture: fonts, and Plotly's markup as coloured pieces of lines."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageFont

if TYPE_CHECKING:
    from PIL import ImageDraw

INK = "#1f2328"
LINE = 1.3
"""The height of a line, as a multiple of its font's size."""
_FONTS = ("DejaVuSans.ttf", "Arial.ttf", "arial.ttf", "LiberationSans-Regular.ttf")
# The font inside Pillow has few characters besides those of ASCII.
_PLAIN = str.maketrans({"×": "x", "—": "-", "→": "->", "≤": "<=", "≥": ">=", "✓": "*", "⚠": "!", "■": "#"})
_BREAK = re.compile(r"<br ?/?>")
_TAG = re.compile(r"(</?[a-z][^<>]*>)")
_COLOR = re.compile(r"color: ?([^;'\"]+)")

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def _font_file() -> str | None:
    """A font with many characters: one of the system, or that inside matplotlib; `None` where there is neither."""
    spec = find_spec("matplotlib")
    folders = [Path(folder) / "mpl-data/fonts/ttf" for folder in (spec and spec.submodule_search_locations) or ()]
    for name in [*_FONTS, *(str(folder / _FONTS[0]) for folder in folders)]:
        try:
            return str(ImageFont.truetype(name, 12).path)
        except OSError:
            continue
    return None


@cache
def font_of(size: float) -> Font:
    """A font of a size in pixels."""
    file = _font_file()
    return ImageFont.load_default(size) if file is None else ImageFont.truetype(file, size)


def _printable(text: str) -> str:
    """A line without characters that no font has; in Pillow's own font in the nearest letters that it has."""
    flat = "".join(char if char.isprintable() else " " for char in html.unescape(text)).replace("\u00a0", " ")
    if _font_file() is not None:
        return flat
    return unicodedata.normalize("NFKD", flat.translate(_PLAIN)).encode("ascii", "replace").decode()


def text_width(text: str, size: float) -> float:
    """How wide a text with Plotly's markup is, in pixels: that of its longest line."""
    return max(font_of(size).getlength(_printable(_TAG.sub("", line))) for line in _BREAK.split(text))


def fitted(text: str, size: float, width: float) -> str:
    """A line with no markup, cut to a width in pixels."""
    flat = " ".join(_printable(text[:400]).split())
    if font_of(size).getlength(flat) <= width:
        return flat
    while flat and font_of(size).getlength(flat + "…") > width:
        flat = flat[:-1]
    return flat + "…"


def wrapped_to(text: str, size: float, width: float) -> str:
    """A text whose lines are broken between words where they are wider than `width` pixels."""
    lines: list[str] = []
    for line in _BREAK.split(text):
        lines.append("")
        for word in line.split(" "):
            longer = f"{lines[-1]} {word}" if lines[-1] else word
            if lines[-1] and text_width(longer, size) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return "<br>".join(lines)


def draw_text(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: float,
    color: str = INK,
    *,
    align: tuple[float, float] = (0, 0),
) -> None:
    """Draws lines of text with Plotly's markup: its line breaks, and spans with a colour.

    Args:
        draw: The picture.
        place: A point of the text's box, `(x, y)`.
        text: The text.
        size: That of the font, in pixels.
        color: That of text outside of spans.
        align: Which point of the box is at `place`: 0 for its left or upper end, 1 for its right or lower end.
    """
    lines = _BREAK.split(text)
    font, down = font_of(size), LINE * size
    y = place[1] - align[1] * down * len(lines)
    for line in lines:
        x = place[0] - align[0] * text_width(line, size)
        colors = [color]
        for piece in _TAG.split(line):
            if not _TAG.fullmatch(piece):
                words = _printable(piece)
                draw.text((x, y + down / 2), words, fill=colors[-1], font=font, anchor="lm")
                x += font.getlength(words)
            elif not piece.startswith("</"):
                found = _COLOR.search(piece)
                colors.append(found[1].strip() if found else colors[-1])
            elif len(colors) > 1:
                colors.pop()
        y += down
