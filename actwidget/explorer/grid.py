"""Where arrow keys lead among what is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

ARROWS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowDown": (0, 1)}
"""Beside the figure's own, what a key does: steps along the grid, rows of it."""
ENDS = {"Home": 0, "End": -1}


@dataclass(frozen=True, eq=False)
class Grid:
    """What can be selected in a figure, in the order in which it is drawn.

    Attributes:
        order: The numbers of the channels, or samples, shape `(count,)`.
        columns: How many of them stand in a row.
        of: The explorer's trait that they are values of: `"channel"` or `"sample"`.
    """

    order: npt.NDArray[Any]
    columns: int = 1
    of: str = "channel"

    def moved(self, selected: int | None, key: str) -> int | None:
        """What a key selects.

        Args:
            selected: What is selected, `None` for nothing.
            key: The name of the key, as a page tells it.

        Returns:
            The number to select; `selected` where the key leads nowhere, and for any other key.

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
        there = places[0] + along + down * self.columns
        return int(self.order[there]) if 0 <= there < len(self.order) else selected
