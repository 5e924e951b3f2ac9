"""What is kept within a budget, and what goes first."""

from __future__ import annotations

from actwidget.capture.access.cache import Kept, Key

A, B, C, D = (Key(name, "whole") for name in "abcd")


def test_what_was_used_longest_ago_goes_first_of_whatever_kind():
    kept = Kept(10)
    kept.put(A, "a", 4)
    kept.put(Key("b", "picture"), "b", 4)
    assert kept.get(A) == "a"
    kept.put(C, "c", 4)
    assert (kept.get(Key("b", "picture")), kept.nbytes) == (None, 8)


def test_what_holds_another_in_memory_goes_with_it_and_keeps_it_when_used():
    kept = Kept(10)
    kept.put(A, "a", 4)
    kept.put(Key("a", "picture"), "p", 2, A)
    kept.put(B, "b", 4)
    assert kept.get(Key("a", "picture")) == "p"
    kept.put(C, "c", 4)
    assert A in kept
    assert B not in kept
    kept.put(D, "d", 9)
    assert (A in kept, Key("a", "picture") in kept, kept.nbytes) == (False, False, 9)
    kept.put(Key("a", "picture"), "p", 1, A)
    assert Key("a", "picture") not in kept


def test_what_is_too_large_flushes_nothing_and_what_is_in_view_stays():
    kept = Kept(10)
    kept.put(A, "a", 9)
    kept.put(B, "b", 11)
    assert (A in kept, B in kept) == (True, False)
    kept.in_view = {B}.__contains__
    kept.put(B, "b", 11)
    assert (A in kept, B in kept, kept.nbytes) == (False, True, 11)
    kept.put(B, "b", 3)
    assert kept.nbytes == 3
