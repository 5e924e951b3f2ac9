"""Windows along one axis, against the indices that each of their taps reaches."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from actwidget.capture.semantics.receptive_window import Window

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
def test_windows_span_exactly_what_their_taps_reach(length, steps):
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
        span = (position, position + 1)
        for window in reversed(windows):
            span = window.seen(span)
        assert reached <= set(range(*span))
        if without_gaps and reached:
            assert span == (min(reached), max(reached) + 1)


def test_a_window_of_padding_alone_sees_nothing():
    assert Window(4, 1, before=2).seen((0, 2)) == (0, 0)
    assert Window(4, 1, before=2).seen((0, 0)) == (0, 0)
