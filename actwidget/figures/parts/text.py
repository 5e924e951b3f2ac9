"""Text that goes into a figure."""

from __future__ import annotations

import re
from itertools import takewhile
from math import isnan
from typing import TYPE_CHECKING

from actwidget.errors import short

if TYPE_CHECKING:
    from collections.abc import Sequence

NARROW_LIMIT = 52
"""How many characters of a title fit into a line of a narrow page."""
# "<0.1 %" is no tag.
_TAG = r"</?[a-z][^<>]*>"
_WORDS = re.compile(rf"(?:{_TAG}|[^ ])+")


def escape(text: str, limit: int = 80) -> str:
    """Text as Plotly shows it literally: pseudo-HTML undone, line breaks as spaces, long names cut in the middle."""
    flat = short(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return flat.replace("%{", "&#37;{")  # Plotly fills in %{...} in titles too


def told_apart(texts: Sequence[str], limit: int) -> list[str]:
    """Names as Plotly shows them, long ones cut so that as many as possible still differ.

    They are cut in the middle, in front, at the back, or what they begin with alike is left out: whatever comes first
    of those that tell most of them apart.

    >>> told_apart(["block_1_depthwise_relu", "block_2_depthwise_relu", "in"], 12)
    ['block_1_dep…', 'block_2_dep…', 'in']
    """
    long = [text for text in texts if len(text) > limit] or [""]
    # Whatever the first and the last of all in order begin with alike, all begin with.
    pairs = zip(min(long), max(long), strict=False)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    ways = (
        lambda text: text,  # `escape` cuts in the middle
        lambda text: f"…{text[1 - limit :]}",
        lambda text: f"{text[: limit - 1]}…",
        lambda text: f"…{text[alike:]}" if len(text) - alike < limit else f"…{text[alike : alike + limit - 2]}…",
    )
    named = [[escape(way(text) if len(text) > limit else text, limit) for text in texts] for way in ways]
    return max(named, key=lambda names: len(set(names)))


def stacked(title: str, limit: int = NARROW_LIMIT) -> list[str]:
    """A title whose parts are separated by dots, as lines no longer than `limit` where its words allow it.

    Only a part that is too long for a line by itself goes on in the next.

    >>> stacked("conv · 8 channels · sample 2", 20)
    ['conv · 8 channels', 'sample 2']
    >>> stacked("<b>conv</b> · 8", 20)
    ['<b>conv</b> · 8']
    >>> stacked("conv · a part of many words", 12)
    ['conv', 'a part of', 'many words']
    >>> stacked('<b style="x">below <0.1</b> of all', 9)
    ['<b style="x">below', '<0.1</b> of', 'all']
    """
    lines: list[str] = []
    for part in title.split(" · "):
        joint = " · "
        # Between two words, but not within a tag.
        for word in [part] if seen_length(part) <= limit else _WORDS.findall(part):
            longer = f"{lines[-1]}{joint}{word}" if lines else word
            fits = bool(lines) and seen_length(longer) <= limit and (joint == " " or word == part)
            lines = [*lines[:-1], longer] if fits else [*lines, word]
            joint = " "
    return lines


def seen_length(text: str) -> int:
    """How many characters of a text with Plotly's markup are seen."""
    return len(re.sub(r"&[a-z#0-9]+;", "x", re.sub(_TAG, "", text)))


def percent(share: float) -> str:
    """A share from 0 to 1 in percent; what is small but there is not called zero.

    >>> percent(0.214), percent(0.0002), percent(0.0)
    ('21 %', '<0.1 %', '0 %')
    """
    value = share * 100
    if 0 < value < 0.1:
        return "<0.1 %"
    return f"{value:.1f} %" if 0 < value < 10 and round(value, 1) != round(value) else f"{value:.0f} %"


def between(low: float, high: float) -> str:
    """A range of values in words.

    >>> between(-1.0, 2.5), between(float("nan"), float("nan"))
    ('-1.00 to 2.50', 'no finite value')
    """
    return "no finite value" if isnan(low) or isnan(high) else f"{number(low)} to {number(high)}"


def number(value: float) -> str:
    """A value in a few digits.

    >>> number(1.96666), number(0.07142), number(123456.0), number(0.00001234)
    ('1.97', '0.0714', '1.23e+05', '1.23e-05')
    """
    return f"{value:.2f}" if value == 0 or 0.1 <= abs(value) < 10_000 else f"{value:.3g}"
