"""Where the parts of the overview stand, on wide and on narrow pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actwidget.figures.parts.layout import HEIGHT, LINE, title_pad
from actwidget.figures.parts.text import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

TICKS = 18
"""The height of the numbers of the axes, in pixels."""
BOTTOM = 8
"""The space below the last row, in pixels."""
TITLE_LIMIT = 88
"""How many characters of the title fit into a line."""


@dataclass(frozen=True)
class Form:
    """Where the parts of a row stand, on a wide and on a narrow page.

    Attributes:
        row: The height of a row in pixels.
        quantiles: The domain of the quantiles, as for the next three.
        zeros: That of zeros and dead channels; like the quantiles it can be left out of a narrow figure.
        warnings: That of the warnings.
        more: That of the further columns together.
        heading: That of the quantiles, in lines that fit.
        name_shift: How far above the middle of a row its name stands, as a share of the row.
        warning_shift: The same for the warning.
        bar_shift: The same for the bars.
        least: The least height of the figure in pixels.
    """

    row: int
    quantiles: tuple[float, float] | None
    zeros: tuple[float, float] | None
    warnings: tuple[float, float]
    more: tuple[float, float] = (0, 0)
    heading: str = "values, each layer<br>scaled to its largest"
    name_shift: float = 0
    warning_shift: float = 0
    bar_shift: float = 0
    least: int = HEIGHT


_THREE_LINES = "values, each<br>layer scaled<br>to its largest"
_TWO_LINES: dict[str, Any] = {"name_shift": 0.22, "warning_shift": 0.22, "bar_shift": -0.22}
PLAIN = (
    Form(20, (0.29, 0.54), (0.57, 0.68), (0.71, 1)),
    Form(36, (0.01, 0.68), (0.76, 0.96), (0.46, 1), **_TWO_LINES),
)
COSTED = (
    Form(36, (0.29, 0.46), (0.49, 0.57), (0, 0.28), (0.6, 1), _THREE_LINES, 0.22, -0.22, 0.22),
    Form(36, None, None, (0.46, 1), (0.01, 1), _THREE_LINES, **_TWO_LINES),
)
PICTURE_ROW = 44
"""The height of a row with a picture, in pixels."""
PICTURED = (
    Form(PICTURE_ROW, (0.29, 0.56), (0.6, 0.72), (0, 0.28), (0.76, 1), _THREE_LINES, 0.18, -0.18, 0.18),
    Form(PICTURE_ROW, (0.01, 0.46), None, (0, 0.5), (0.52, 1), _THREE_LINES, 0.32, 0.02, -0.32),
)


def places(form: Form, count: int, title: list[str], selected: int | None, layout: Mapping[str, Any]) -> dict[str, Any]:
    """What depends on the width of the page: the attributes of the layout by their paths."""
    further = [name for name in layout if name.startswith("xaxis") and name[5:] in {"5", "6", "7", "8"}]
    lines = form.heading.count("<br>") + 1
    top = 12 + LINE * len(title) + 13 * lines + TICKS
    height = max(form.least, top + count * form.row + BOTTOM)
    shown = (height - top - BOTTOM) / form.row  # how many rows there is room for, at least as many as there are
    shifts = {"yaxis": form.name_shift, "yaxis2": 0, "yaxis3": form.warning_shift, "yaxis4": form.bar_shift}
    start, width = form.more[0], (form.more[1] - form.more[0]) / max(1, len(further))
    found = {
        "title.text": "<br>".join(escape(line, 200) for line in title),
        "title.pad.t": title_pad(title),
        "height": height,
        "margin.t": top,
        **_domain("xaxis", form.quantiles, 0),
        **_domain("xaxis2", form.zeros, 1),
        "xaxis3.domain": list(form.warnings),
        **{f"{name}.domain": [start + i * width, start + (i + 0.84) * width] for i, name in enumerate(further)},
        **{f"{name}.range": [shown - 0.5 + shift, -0.5 + shift] for name, shift in shifts.items()},
        "meta.sticky": top,
    }
    if selected is not None:
        found["meta.reveal"] = top + round((selected + 0.5) * form.row)
    if layout["images"]:
        found |= {"images[0].x": start, "annotations[2].x": start}
    return found


def _domain(axis: str, domain: tuple[float, float] | None, heading: int) -> dict[str, Any]:
    """Where a column stands; or that it is not shown: its heading is hidden, and its axis begins behind its values."""
    if domain is not None:
        return {f"{axis}.domain": list(domain)}
    return {f"{axis}.range": [2, 3], f"{axis}.visible": False, f"annotations[{heading}].visible": False}
