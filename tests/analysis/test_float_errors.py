"""Results do not depend on how the caller has numpy treat floating-point errors."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.analysis.float_errors import ignore_float_errors


@ignore_float_errors
def quotient(values, *, by):
    """Divides."""
    return values / by


def test_a_division_by_zero_neither_raises_nor_warns():
    with np.errstate(all="raise"):
        assert np.isnan(quotient(np.array([0.0]), by=0)).all()
        with pytest.raises(FloatingPointError):
            np.array([0.0]) / 0  # what the caller chose holds again


def test_the_function_keeps_its_name_and_docstring():
    assert (quotient.__name__, quotient.__doc__) == ("quotient", "Divides.")
