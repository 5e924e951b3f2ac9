"""Results do not depend on what the caller has set with `np.seterr` and `warnings.simplefilter`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def ignore_float_errors(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Lets a function compute with NaN, infinity and very small numbers without floating-point errors or warnings.

    `np.errstate` can be used as a decorator itself, but before NumPy 2 that is not safe in several threads.
    """

    @functools.wraps(function)
    def wrapper(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return wrapper
