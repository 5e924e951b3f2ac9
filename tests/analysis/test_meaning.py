"""What the numbers of a layer stand for."""

from __future__ import annotations

import numpy as np
import pytest

from actwidget.analysis.meaning import is_one_hot, is_zeros_and_ones, meaning_of

ONE_HOT = np.eye(5, dtype="float32")[np.random.default_rng(0).integers(0, 5, (3, 40))]


@pytest.mark.parametrize(
    ("values", "known", "meaning"),
    [
        (np.zeros((2, 3), bool), "activations", "flags"),
        (np.zeros((2, 3)), "flags", "flags"),
        (np.zeros((2, 3), "int64"), "activations", "names"),
        (np.zeros((2, 8, 8, 3), "uint8"), "activations", "data"),
        (np.arange(2 * 8 * 8 * 3).reshape(2, 8, 8, 3), "activations", "data"),  # too many values to be classes
        (np.zeros((2, 8, 8, 3), "int64"), "activations", "names"),
        (np.zeros((2, 3)), "data", "data"),
        (np.zeros((2, 3)), "activations", "activations"),
    ],
)
def test_dtype_and_values_say_what_numbers_stand_for(values, known, meaning):
    assert meaning_of(values, known) == meaning


def test_one_hot_floats_are_flags_only_where_the_layer_can_give_flags():
    assert meaning_of(ONE_HOT, flags_where="one-hot") == "flags"
    assert meaning_of(ONE_HOT) == "activations"
    assert meaning_of(ONE_HOT * 2, flags_where="one-hot") == "activations"


def test_a_single_other_row_is_found_wherever_it_is():
    assert is_one_hot(ONE_HOT)
    for row in (0, 63, 64, 119):
        other = ONE_HOT.copy()
        other.reshape(-1, 5)[row] = [1, 1, 0, 0, 0]
        assert not is_one_hot(other)


@pytest.mark.parametrize("shape", [(5,), (4, 1), (0, 5)])
def test_without_several_channels_and_rows_nothing_is_one_hot(shape):
    assert not is_one_hot(np.ones(shape))


def test_zeros_and_ones_are_flags_only_where_the_layer_can_give_a_mask():
    mask = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]], "float32")
    assert meaning_of(mask, flags_where="zeros and ones") == "flags"
    assert meaning_of(mask, flags_where="one-hot") == meaning_of(mask) == "activations"
    for others in (mask * 0, mask * 2, mask / 2, mask * np.nan):
        assert meaning_of(others, flags_where="zeros and ones") == "activations"


def test_a_single_other_value_is_found_wherever_it_is():
    mask = np.ones((4, 50))
    assert is_zeros_and_ones(mask)
    for place in (0, 63, 64, 199):
        other = mask.copy()
        other.reshape(-1)[place] = 0.5
        assert not is_zeros_and_ones(other)
