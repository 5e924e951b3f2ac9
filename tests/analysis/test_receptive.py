"""The receptive field against what really changes an output."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from actwidget.analysis.receptive import Window, receptive_field

STEP = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.sampled_from(["valid", "same", "causal"]))


def tapped(sources, window, positions):
    """For each position of an output the set of input indices that its taps reach."""
    reached = []
    for position in range(positions):
        start = position * window.stride - window.before
        taps = [start + tap * window.dilation for tap in range(window.size)]
        reached.append(set().union(*(sources[tap] for tap in taps if 0 <= tap < len(sources))))
    return reached


@given(st.integers(1, 24), st.lists(STEP, max_size=4))
def test_it_spans_exactly_what_the_taps_reach(length, steps):
    sources, windows = [{index} for index in range(length)], []
    for size, stride, dilation, padding in steps:
        now = len(sources)
        reach = (size - 1) * dilation + 1
        window, positions = {
            "valid": (Window(now, size, stride, dilation), (now - reach) // stride + 1),
            "same": (Window.same(now, size, stride, dilation), -(-now // stride)),
            "causal": (Window.causal(now, size, stride, dilation), -(-now // stride)),
        }[padding]
        assume(positions > 0)
        sources = tapped(sources, window, positions)
        windows.append(window)
    without_gaps = all(dilation == 1 and stride <= size for size, stride, dilation, _ in steps)
    for position, reached in enumerate(sources):
        start, stop = receptive_field(windows, position)
        assert reached <= set(range(start, stop))
        if without_gaps and reached:
            assert (start, stop) == (min(reached), max(reached) + 1)


def test_three_convolutions_of_three_see_seven():
    windows = [Window.same(64, 3)] * 3
    assert receptive_field(windows, 32) == (29, 36)
    assert receptive_field(windows, 0) == (0, 4)
    assert receptive_field(windows, 63) == (60, 64)


def test_a_position_that_sees_padding_alone_sees_nothing():
    assert receptive_field([Window(4, 1, before=2)], 0) == (0, 0)


def test_vgg16s_fifth_pool_sees_212_pixels():
    windows, length = [], 6400
    for count in (2, 2, 3, 3, 3):
        windows += [Window.same(length, 3)] * count + [Window(length, 2, 2)]
        length //= 2
    start, stop = receptive_field(windows, 100)
    assert stop - start == 212
