"""Numbers come out alike whatever `np.seterr` and `warnings.simplefilter` the caller has set."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def ignore_float_errors(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Lets a function meet infinity, NaN and numbers too small for their dtype without an error or a warning.

    `np.errstate` itself can decorate, but before NumPy 2 one such decorator is not safe in several threads.
    """

    @functools.wraps(function)
    def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return wrapper
