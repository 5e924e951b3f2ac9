"""`NumberTable`: numbers in rows that sort, of which one is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anywidget
import numpy as np
import traitlets

from actwidget.widgets.assets import asset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike


class NumberTable(anywidget.AnyWidget):
    """A table that sorts by a click on a column's name; a click on a row, or Enter, selects it.

    Example:
        >>> table = NumberTable(label="Channels")
        >>> table.fill({"channel": [0, 1], "mean": [0.25, -1.5], "dead?": [False, True]})
        >>> table
        NumberTable(2 rows of channel, mean, dead?)
    """

    _esm = asset("table.js")
    _css = asset("table.css")

    selected = traitlets.Int(None, allow_none=True).tag(sync=True)
    """The number of the selected row, in the order in which rows were given; `None` for none."""
    label = traitlets.Unicode("").tag(sync=True)
    """What the table is called."""
    _columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _values = traitlets.Bytes(b"").tag(sync=True)

    def fill(self, columns: Mapping[str, ArrayLike]) -> None:
        """Shows other numbers.

        Args:
            columns: For each name the values of a column, shape `(rows,)`, shown in single precision. A name that
                ends with `?` stands for a flag, one that ends with `%` for percent.
        """
        arrays = [np.asarray(values, np.float32) for values in columns.values()]
        with self.hold_sync():
            self._columns = list(columns)
            self._values = np.stack(arrays, axis=-1).tobytes() if arrays else b""

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        count = len(self._values) // (4 * len(self._columns)) if self._columns else 0
        return f"NumberTable({count} row{'s' * (count != 1)} of {', '.join(self._columns)})"
