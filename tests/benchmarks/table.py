"""What was measured, beside what it should be, as plain text."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Row:
    """One measure.

    Attributes:
        what: In words.
        value: In `unit`.
        unit: ms, s, kB, MB.
        goal: The most that it should be, in `unit`; `None` where there is no goal.
        base: What it is compared with, in `unit`; `None` where it stands alone.
        base_name: What that is, in words.
        spread: All single measures, in `unit`.
    """

    what: str
    value: float
    unit: str
    goal: float | None = None
    base: float | None = None
    base_name: str = ""
    spread: Sequence[float] = ()

    @classmethod
    def of(cls, what: str, values: Sequence[float], unit: str, **rest: object) -> Row:
        """The median of several measures."""
        return cls(what, median(values), unit, spread=sorted(values), **rest)  # type: ignore[arg-type]

    @property
    def missed(self) -> bool:
        """Whether the goal is not met."""
        return self.goal is not None and self.value > self.goal


def show(title: str, rows: Sequence[Row]) -> None:
    """Prints a table: each measure, its goal and its share of it, its ratio to what it is compared with, its spread."""
    cells = [("", "median", "goal", "of goal", "ratio", "least to greatest")]
    for row in rows:
        goal = "" if row.goal is None else _amount(row.goal, row.unit)
        share = (f"{row.value / row.goal:.2f}" if row.goal else "") + (" !" if row.missed else "")
        ratio = f"{row.value / row.base:.2f} of {row.base_name}" if row.base else ""
        spread = f"{row.spread[0]:,.0f} to {row.spread[-1]:,.0f} ({len(row.spread)})" if len(row.spread) > 1 else ""
        cells.append((row.what, _amount(row.value, row.unit), goal, share, ratio, spread))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    print(f"\n{title}")
    for line in cells:
        first, *rest = zip(line, widths, strict=True)
        columns = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
        print("  ".join(columns).rstrip(), flush=True)


def _amount(value: float, unit: str) -> str:
    return f"{value:,.2f} {unit}" if unit in {"s", "MB"} else f"{value:,.0f} {unit}"
