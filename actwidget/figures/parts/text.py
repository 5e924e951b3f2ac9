"""Text in figures: escaped, shortened and wrapped; numbers, ranges and shares in words."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from math import isnan
from os.path import commonprefix
from typing import TYPE_CHECKING

from actwidget.errors import short

if TYPE_CHECKING:
    from collections.abc import Sequence

NARROW_LIMIT = 52
"""How many characters of a title fit into a line of a narrow page."""
# A tag begins with a letter: "<0.1 %" is none.
_TAG = re.compile(r"</?[a-z][^<>]*>")
_WORDS = re.compile(rf"(?:{_TAG.pattern}|[^ ])+")


def escape(text: str, limit: int = 80) -> str:
    """Text that Plotly shows literally: its markup escaped, line breaks as spaces, long names cut in the middle."""
    return html.escape(short(text, limit), quote=False).replace("%{", "&#37;{")  # Plotly fills in %{...} in titles too


def distinct_names(texts: Sequence[str], limit: int) -> list[str]:
    """Names escaped for Plotly, long ones shortened so that as many as possible still differ.

    There are four ways to shorten them: in the middle, at the front, at the end, or by their common prefix. The first
    way that keeps the most names distinct is taken.

    >>> distinct_names(["block_1_depthwise_relu", "block_2_depthwise_relu", "in"], 12)
    ['block_1_dep…', 'block_2_dep…', 'in']
    """
    prefix = len(commonprefix([text for text in texts if len(text) > limit]))  # noqa: RUF071 - of names, not of paths
    ways = (
        lambda text: text,  # `escape` cuts in the middle
        lambda text: f"…{text[1 - limit :]}",
        lambda text: f"{text[: limit - 1]}…",
        lambda text: f"…{text[prefix:]}" if len(text) - prefix < limit else f"…{text[prefix : prefix + limit - 2]}…",
    )
    named = [[escape(way(text) if len(text) > limit else text, limit) for text in texts] for way in ways]
    return max(named, key=lambda names: len(set(names)))


def wrapped(title: str, limit: int = NARROW_LIMIT) -> list[str]:
    """A title whose parts are separated by dots, in lines no longer than `limit` where its words allow it.

    Only a part that is too long for one line continues in the next. The standard library's `textwrap` would count
    Plotly's tags as text, and break within them.

    >>> wrapped("conv · 8 channels · sample 2", 20)
    ['conv · 8 channels', 'sample 2']
    >>> wrapped("<b>conv</b> · 8", 20)
    ['<b>conv</b> · 8']
    >>> wrapped("conv · a part of many words", 12)
    ['conv', 'a part of', 'many words']
    >>> wrapped('<b style="x">below <0.1</b> of all', 9)
    ['<b style="x">below', '<0.1</b> of', 'all']
    """
    lines: list[str] = []
    for part in title.split(" · "):
        separator = " · "
        # Lines are broken between two words, but not within a tag.
        for word in [part] if visible_length(part) <= limit else _WORDS.findall(part):
            longer = f"{lines[-1]}{separator}{word}" if lines else word
            fits = bool(lines) and visible_length(longer) <= limit and (separator == " " or word == part)
            lines = [*lines[:-1], longer] if fits else [*lines, word]
            separator = " "
    return lines


def visible_length(text: str) -> int:
    """How many characters of a text with Plotly's markup are visible."""
    return len(html.unescape(_TAG.sub("", text)))


def colored(text: str, color: str) -> str:
    """Text in a colour, by Plotly's markup.

    >>> colored("unit 3", "#e8710a")
    '<span style="color:#e8710a">unit 3</span>'
    """
    return f'<span style="color:{color}">{text}</span>'


def reduction_text(whole: int = 1, /, *, kept: str = "strongest", **axes: int) -> str:
    """Says that a picture is shown at a fraction of its size; empty if each value has a pixel of its own.

    Args:
        whole: How many values in both directions became one pixel.
        kept: Which of these values the pixel shows.
        **axes: The same for each axis, by the name of what is counted along it.

    >>> reduction_text(2), reduction_text(3, kept="rarest"), reduction_text(1)
    ('shown at half size (strongest of each 2 × 2)', 'shown at 1/3 size (rarest of each 3 × 3)', '')
    >>> reduction_text(units=3, steps=2), reduction_text(units=1, steps=2), reduction_text(units=1, steps=1)
    ('shown smaller (strongest of each 3 units × 2 steps)', 'shown smaller (strongest of each 2 steps)', '')
    """
    if whole > 1:
        size = "half" if whole == 2 else f"1/{whole}"
        return f"shown at {size} size ({kept} of each {whole} × {whole})"
    cell = " × ".join(f"{factor} {name}" for name, factor in axes.items() if factor > 1)
    return f"shown smaller ({kept} of each {cell})" if cell else ""


def percent(share: float) -> str:
    """A share from 0 to 1 in percent; a share too small to be rounded to 0.1 % is not called zero.

    >>> percent(0.214), percent(0.0002), percent(0.0)
    ('21 %', '<0.1 %', '0 %')
    """
    value = share * 100
    if 0 < value < 0.1:
        return "<0.1 %"
    return f"{value:.1f} %" if 0 < value < 10 and round(value, 1) != round(value) else f"{value:.0f} %"


def probability(share: float) -> str:
    """A probability from 0 to 1 in percent, as people say it.

    >>> [probability(share) for share in (0.9403, 0.0171, 0.000797, 0.00001, 0.0, 0.99997, 1.0)]
    ['94 %', '1.7 %', '0.08 %', '< 0.01 %', '0 %', '> 99.9 %', '100 %']
    """
    value = share * 100
    if isnan(value) or value in {0, 100}:
        return "NaN" if isnan(value) else f"{value:.0f} %"
    if value < 0.01:
        return "< 0.01 %"
    if 99.95 <= value < 100:
        return "> 99.9 %"
    digits = 2 if value < 0.095 else 1 if value < 9.95 or value >= 99.5 else 0
    return f"{value:.{digits}f} %"


def between(low: float, high: float) -> str:
    """A range of values in words.

    >>> between(-1.0, 2.5), between(float("nan"), float("nan"))
    ('-1.00 to 2.50', 'no finite value')
    """
    return "no finite value" if isnan(low) or isnan(high) else f"{number(low)} to {number(high)}"


def plain(value: float) -> str:
    """A value in three digits, as people write it.

    >>> plain(0.0), plain(0.25), plain(-1.5), plain(123456.0), plain(0.00001234)
    ('0', '0.25', '-1.5', '123,000', '1.23e-05')
    """
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.6g}" if value == 0 or 1e-4 <= abs(value) < 1e6 else f"{rounded:.3g}"


def number(value: float) -> str:
    """A value in a few digits.

    >>> number(1.96666), number(0.07142), number(123456.0), number(0.00001234)
    ('1.97', '0.0714', '1.23e+05', '1.23e-05')
    """
    return f"{value:.2f}" if value == 0 or 0.1 <= abs(value) < 10_000 else f"{value:.3g}"


def large(value: float) -> str:
    """A count with a letter for thousands, millions and more, in three digits.

    >>> large(864), large(1_234_567), large(3.86e9), large(0)
    ('864', '1.23 M', '3.86 G', '0')
    """
    for power, letter in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= power:
            return f"{value / power:.3g}{letter}" if value < 999.5 * power else f"{value / power:.0f}{letter}"
    return f"{value:.0f}"


def milliseconds(seconds: float) -> str:
    """A time in milliseconds.

    >>> milliseconds(0.0123), milliseconds(0.000034), milliseconds(2.5)
    ('12.3 ms', '0.034 ms', '2500 ms')
    """
    value = seconds * 1000
    return f"{value:.3g} ms" if value < 1000 else f"{value:.0f} ms"


@lru_cache(1024)
def shape_text(shape: tuple[int | None, ...] | None, times: str = "×") -> str:
    """A shape without the batch axis, with `?` for an axis of unknown length.

    Args:
        shape: The shape, the batch axis first; `None` if it is not known.
        times: The separator between two axes.

    Example:
        >>> shape_text((None, 112, 112, 96)), shape_text((None, None, 8)), shape_text((None,)), shape_text(None)
        ('112×112×96', '?×8', 'scalar', '')
    """
    if not shape:
        return ""
    return times.join("?" if axis is None else str(axis) for axis in shape[1:]) or "scalar"
