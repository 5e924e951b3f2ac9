"""What a key or a click in the figure selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from actwidget.explorer.layer_data import LayerData

ARROWS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowDown": (0, 1)}
"""How far each arrow key moves the selection: steps along a row, and rows."""
ENDS = {"Home": 0, "End": -1}
PAGES = {"PageUp": -1, "PageDown": 1}


@dataclass(frozen=True, eq=False)
class Grid:
    """The items of a figure that can be selected, in the order in which they are drawn.

    Attributes:
        order: The indices of the channels or samples, shape `(count,)`.
        columns: How many of them are in a row.
        of: The trait of the explorer that they set: `"channel"` or `"sample"`.
        per_page: How many of them are on a page; `None` where all are on one.
        page: Which page is in sight.
        option: The option that turns the page.
        takes: The sample of the scan behind each item, by its index, which the key Enter takes as an input; empty where
            there are none. Then `of` is an option.
    """

    order: npt.NDArray[Any]
    columns: int = 1
    of: str = "channel"
    per_page: int | None = None
    page: int = 0
    option: str = "page"
    takes: Sequence[int] | Mapping[int, int] = ()

    def turned(self, key: str) -> int | None:
        """The page that a key turns to; `None` for another key, or where there is no such page.

        >>> grid = Grid(np.arange(25), columns=5, per_page=10)
        >>> grid.turned("PageDown"), grid.turned("PageUp"), grid.turned("End")
        (1, None, None)
        """
        if self.per_page is None or key not in PAGES:
            return None
        page = self.page + PAGES[key]
        return page if 0 <= page < -(-len(self.order) // self.per_page) else None

    def moved(self, selected: int | None, key: str) -> int | None:
        """The item that a key selects.

        Args:
            selected: The index that is selected now; `None` for none.
            key: The name of the key, as in JavaScript's `KeyboardEvent.key`.

        Returns:
            The index to select. It stays `selected` at the edge of the grid and for keys that do not move.

        >>> grid = Grid(np.array([4, 2, 0, 1, 3]), columns=2)
        >>> [grid.moved(2, key) for key in ("ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp", "Home", "End")]
        [4, 0, 1, 2, 4, 3]
        """
        if key == "Escape" and self.of == "channel":
            return None
        if not len(self.order) or key not in ARROWS | ENDS:
            return selected
        places = [] if selected is None else np.flatnonzero(self.order == selected).tolist()
        if key in ENDS or not places:
            return int(self.order[ENDS.get(key, 0)])
        along, down = ARROWS[key]
        target = places[0] + along + down * self.columns
        return int(self.order[target]) if 0 <= target < len(self.order) else selected


def scanned_sample(customdata: list[Any]) -> int | None:
    """The number of the sample of a scan that was clicked; `None` if something else was.

    >>> scanned_sample(["scanned", 17, "more"]), scanned_sample(["sample", 2])
    (17, None)
    """
    match customdata:
        case ["scanned", int() as number, *_]:
            return number
    return None


def selected_by_click(
    customdata: list[Any],
    data: LayerData,
    layer_clicked: Callable[[str, str], Mapping[str, Any]],
    cell_clicked: Callable[[int, int], Mapping[str, Any] | None] = lambda _row, _column: None,
) -> Mapping[str, Any]:
    """What a click in a figure changes of the selection.

    Args:
        customdata: What the figure says of the place that was clicked: the number of a channel; `"sample"` and its
            number; `"cell"`, a row and a column of the close-up; or the path of a layer, and then perhaps which part of
            it.
        data: The layer on screen.
        layer_clicked: What a click on a layer changes in the view on screen, from its path and the part of it.
        cell_clicked: What a click on a cell changes in the view on screen, from its row and column; `None` for what it
            changes in all other views.

    Returns:
        For each field of the selection its new value; empty where the click selects nothing.
    """
    match customdata:
        case ["sample", int() as sample, *_]:
            # The batch may have become smaller while the click was on its way.
            return {"sample": sample} if 0 <= sample < data.batch_size else {}
        case [str() as path, *rest] if path in data.sources.session.graph.nodes:
            part = rest[0] if rest and isinstance(rest[0], str) else ""
            return layer_clicked(path, part)
        case ["cell" | -1, row, column]:
            own = cell_clicked(row, column) if isinstance(row, int) and isinstance(column, int) else None
            return _pointed_at(row, column, data) if own is None else own
        case [int() | float() as channel, *_] if 0 <= channel < data.channel_count:
            return {"channel": int(channel)}
    return {}


def _pointed_at(row: Any, column: Any, data: LayerData) -> dict[str, Any]:
    """Pins the crosshair to a cell of the close-up, or of the map over the input: the view stays."""
    place = tuple(int(index) if isinstance(index, (int, float)) else -1 for index in (row, column))
    is_there = all(0 <= index < length for index, length in zip(place, data.map_size, strict=True))
    return {"position": place} if is_there else {}
