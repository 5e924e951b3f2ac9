"""What looks wrong in a layer, in words."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.analysis.diagnostics import warnings
from actwidget.analysis.statistics import statistics


def test_a_healthy_layer_has_no_warnings():
    assert warnings(statistics(np.random.default_rng(0).normal(size=(4, 5, 6)))) == ()


@pytest.mark.parametrize(
    ("values", "bounds", "text"),
    [
        ([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]], None, "2 of 3 heads dead"),
        ([[3.0, 1.0], [3.0, 2.0]], None, "1 of 2 heads constant"),
        ([[np.nan, 1.0], [3.0, 2.0]], None, "1 NaN"),
        ([[np.inf, 1.0], [3.0, -np.inf]], None, "2 infinite"),
        ([[6.0, 6.0], [6.0, 1.0]], (0.0, 6.0), "75% of the values saturated"),
    ],
)
def test_what_is_wrong_is_said_in_words(values, bounds, text):
    assert text in warnings(statistics(np.array(values), bounds=bounds), "head")


def test_of_one_value_a_channel_nothing_is_called_dead():
    numbers = statistics(np.array([[0.0, 0.0, 0.0, 2.0]]))
    assert numbers.dead == 3
    assert warnings(numbers, "unit") == ()
    assert warnings(statistics(np.zeros((2, 4))), "unit") == ("4 of 4 units dead",)


def test_of_one_sample_it_is_said_that_it_is_one():
    maps = np.ones((1, 3, 3, 2)) * [0.0, 5.0]
    assert warnings(statistics(maps)) == (
        "1 of 2 channels dead in one sample",
        "1 of 2 channels constant in one sample",
    )
