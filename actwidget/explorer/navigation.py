"""What a key or a click in the figure selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actwidget.explorer.layer_data import LayerData

ARROWS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowDown": (0, 1)}
"""How far each arrow key moves the selection: steps along a row, and rows."""
ENDS = {"Home": 0, "End": -1}


@dataclass(frozen=True, eq=False)
class Grid:
    """The items of a figure that can be selected, in the order in which they are drawn.

    Attributes:
        order: The indices of the channels or samples, shape `(count,)`.
        columns: How many of them are in a row.
        of: The trait of the explorer that they set: `"channel"` or `"sample"`.
    """

    order: npt.NDArray[Any]
    columns: int = 1
    of: str = "channel"

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


def selected_by_click(
    customdata: list[Any], data: LayerData, layer_clicked: Callable[[str, str], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """What a click in a figure changes of the selection.

    Args:
        customdata: What the figure says of the place that was clicked: the number of a channel; `"sample"` and its
            number; `"cell"`, a row and a column of the close-up; or the path of a layer, and then perhaps which part of
            it.
        data: The layer on screen.
        layer_clicked: What a click on a layer changes in the view on screen, from its path and the part of it.

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
            return _pointed_at(row, column, data)
        case [int() | float() as channel, *_] if 0 <= channel < data.channel_count:
            return {"channel": int(channel)}
    return {}


def _pointed_at(row: Any, column: Any, data: LayerData) -> dict[str, Any]:
    """Where a cell of the close-up lies over the input, and the pixels that it depends on there."""
    place = tuple(int(index) if isinstance(index, (int, float)) else -1 for index in (row, column))
    is_there = all(0 <= index < length for index, length in zip(place, data.map_size, strict=True))
    return {"show": "overlay", "position": place} if is_there and data.picture is not None else {}
