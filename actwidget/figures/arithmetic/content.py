"""What the figure of one value's arithmetic shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.parts.palette import ColorRange

RowKind = Literal["term", "rest", "bias", "sum", "step", "input"]
"""One term or some together, those that are not listed, the bias, the sum, what is done after it; a tensor of a layer
whose arithmetic is not known."""
Target = tuple[str, str]
"""The `customdata` of what is clicked: the path of a layer, and what is chosen there."""


@dataclass(frozen=True)
class Row:
    """A line of the sum.

    Attributes:
        kind: What it is.
        label: Its name: the place of a term's value, or what is done.
        detail: The product written out, `"0.52 × 0.60"`; for others `""`.
        value: What it gives; `None` for a tensor.
        target: Where a click on it leads; `None` for nowhere.
        hover: What is said of it on hover, as lines.
        is_marked: Whether it is the term that is chosen.
        is_result: Whether its value is that of the layer.
    """

    kind: RowKind
    label: str
    detail: str = ""
    value: float | None = None
    target: Target | None = None
    hover: tuple[str, ...] = ()
    is_marked: bool = False
    is_result: bool = False


@dataclass(frozen=True, eq=False)
class Window:
    """What a layer takes the products of, as maps of one size; places without a term are NaN.

    Attributes:
        inputs: The values of the layer's input, shape `(rows, columns)`.
        weights: What they are multiplied with.
        products: The products.
        targets: Where a click on each cell leads, row by row; empty where there are too many cells.
        name: What of the input it is, such as `"channel 17"`; `""` for all of it.
    """

    inputs: NDArray[Any]
    weights: NDArray[Any]
    products: NDArray[Any]
    targets: tuple[tuple[Target | None, ...], ...] = ()
    name: str = ""


@dataclass(frozen=True, eq=False)
class Plane:
    """The values of the layer to choose one from.

    Attributes:
        values: Shape `(rows, columns)`; NaN where a block of units has no more of them.
        cell: The row and the column of the value that is computed.
        color: The range of the colours.
        caption: What it is.
        words: What its rows and its columns are called.
        is_block: Whether it is a vector, broken into rows.
    """

    values: NDArray[Any]
    cell: tuple[int, int]
    color: ColorRange
    caption: str
    words: tuple[str, str] = ("row", "column")
    is_block: bool = False


@dataclass(frozen=True, eq=False)
class ArithmeticContent:
    """What the figure shows.

    Attributes:
        title: The layer's path.
        place: Which value it is, in words.
        value: The value as captured.
        result: The value as computed from the terms; `None` where the arithmetic is not known.
        rows: The lines of the sum, from top to bottom.
        caption: What stands above the lines.
        window: Maps of the terms, for layers that take a window of their input.
        plane: The layer's values; `None` for a single number.
        sample: The number of the sample; `None` where there is only one.
        reason: Why the arithmetic is not known.
    """

    title: str
    place: str
    value: float
    result: float | None
    rows: tuple[Row, ...]
    caption: str = ""
    window: Window | None = None
    plane: Plane | None = None
    sample: int | None = None
    reason: str = ""
