"""Shapes with open axes: which fit each other, and what a batch axis that was seen says."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from actwidget.capture.structure.shapes import fits, with_open_batch

SHAPES = st.lists(st.integers(0, 3) | st.none(), max_size=4).map(tuple)


def filled(shape, lengths):
    """All shapes without an open axis that a shape with open ones stands for."""
    return set(itertools.product(*(lengths if length is None else [length] for length in shape)))


@given(SHAPES, SHAPES)
def test_two_shapes_fit_where_one_array_can_have_both(one, other):
    can_have_both = bool(filled(one, range(4)) & filled(other, range(4)))
    assert fits(one, other) is fits(other, one) is can_have_both


@given(SHAPES)
def test_a_shape_fits_itself_with_every_axis_filled_and_none_with_an_axis_more(shape):
    for length in (0, 2):
        (without_open,) = filled(shape, [length])
        assert fits(without_open, shape)
        assert not fits((1, *without_open), shape)


def test_the_axis_of_the_samples_is_open_where_it_has_their_number():
    assert with_open_batch((5, 3), 5) == (None, 3)
    assert with_open_batch((5, 5), 5) == (None, 5)


def test_an_axis_that_is_no_axis_of_samples_stays():
    assert with_open_batch((4, 3), 5) == (4, 3)
    assert with_open_batch((), 5) == ()
    assert with_open_batch(None, 5) is None
    assert with_open_batch((None, 3), None) == (None, 3)
    assert with_open_batch((0, 3), None) == (0, 3)
    assert with_open_batch((0, 3), 0) == (None, 3)
