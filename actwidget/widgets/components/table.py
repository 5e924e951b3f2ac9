"""`NumberTable`: a sortable table of numbers with a selected row."""

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
    """The index of the selected row, in the order in which the rows were given; `None` for none."""
    label = traitlets.Unicode("").tag(sync=True)
    """The accessible name of the table."""
    _columns = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _values = traitlets.Bytes(b"").tag(sync=True)

    def fill(self, columns: Mapping[str, ArrayLike]) -> None:
        """Replaces the contents of the table.

        Args:
            columns: From the name of each column to its values, shape `(rows,)`, shown in single precision. A name
                that ends with `?` stands for a column of flags, one that ends with `%` for percentages.
        """
        with self.hold_sync():
            self._columns, self._values = packed_columns(columns)

    def __repr__(self) -> str:
        """One line that is the same on every run."""
        count = len(self._values) // (4 * len(self._columns)) if self._columns else 0
        return f"NumberTable({count} row{'s' * (count != 1)} of {', '.join(self._columns)})"


def packed_columns(columns: Mapping[str, ArrayLike]) -> tuple[list[str], bytes]:
    """The names of columns, and their values row by row in single precision."""
    arrays = [np.asarray(values, np.float32) for values in columns.values()]
    return list(columns), np.stack(arrays, axis=-1).tobytes() if arrays else b""
