"""Values that are NaN or infinite: left out, and counted in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from actwidget.analysis.dtypes import as_floats


def finite_values(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[float, float] | None]:
    """Leave NaN and infinities out.

    Args:
        values: Numbers of any shape and any numeric dtype.

    Returns:
        The finite values as floats in one line, `(count,)`, in the order of the memory; where all are finite, a view if
        that is possible. Then their minimum and maximum, or None where no value is finite.

    >>> finite_values(np.array([[1.0, np.nan], [-2.0, np.inf]]))
    (array([ 1., -2.]), (-2.0, 1.0))
    >>> finite_values(np.array([np.nan]))[1] is None
    True
    """
    line: npt.NDArray[Any] = as_floats(np.asarray(values).ravel(order="K"))
    if not line.size:
        return line, None
    low, high = float(line.min()), float(line.max())
    # The minimum and the maximum together are finite only where every value is.
    if not (np.isfinite(low) and np.isfinite(high)):
        line = line[np.isfinite(line)]
        if not line.size:
            return line, None
        low, high = float(line.min()), float(line.max())
    return line, (low, high)


def finite_range(values: npt.NDArray[Any]) -> tuple[float, float] | None:
    """The minimum and the maximum of the finite values; None where no value is finite.

    >>> finite_range(np.array([1.0, np.nan, 3.0]))
    (1.0, 3.0)
    """
    return finite_values(values)[1]


def nonfinite_counts(nan: int, infinite: int) -> list[str]:
    """Say how many values are NaN and how many are infinite, leaving out what does not occur.

    >>> nonfinite_counts(1, 2500), nonfinite_counts(0, 0)
    (['1 NaN', '2,500 infinite'], [])
    """
    return [f"{count:,} {name}" for count, name in ((nan, "NaN"), (infinite, "infinite")) if count]
