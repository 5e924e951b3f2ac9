"""Statistics of parts are those of the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis import Statistics, statistics
from actwidget.analysis.running.statistics import RunningStatistics
from tests.analysis.strategies import layers

BATCHES = layers(hnp.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=7))


def same(found: Statistics, wanted: Statistics) -> None:
    one, other = found.to_dict(), wanted.to_dict()
    pairs = [(one, other), (one.pop("per_channel"), other.pop("per_channel"))]
    for each, expected in pairs:
        assert each.keys() == expected.keys()
        for name, value in each.items():
            was = np.array(expected[name], np.float64)  # what is not finite is None there, NaN here
            np.testing.assert_allclose(np.array(value, np.float64), was, rtol=1e-9, atol=1e-9, err_msg=name)


@settings(deadline=None)
@given(BATCHES, st.integers(0, 7), st.sampled_from([None, (0.0, 6.0), (0.0, 1.0), (-1.0, 1.0)]))
def test_the_numbers_of_parts_are_those_of_the_whole(
    batch: npt.NDArray[Any], cut: int, bounds: tuple[float, float] | None
) -> None:
    wanted = statistics(batch, bounds=bounds)
    running, other = RunningStatistics(bounds=bounds), RunningStatistics(bounds=bounds)
    running.update(batch[:cut])
    other.update(batch[cut:])
    running.merge(other)
    same(running.result(), wanted)
    one_by_one = RunningStatistics(bounds=bounds)
    for sample in batch:
        one_by_one.update(sample[np.newaxis])
    same(one_by_one.result(), wanted)


def test_in_parts_the_variance_of_values_far_from_zero_is_kept() -> None:
    x = 1e8 + np.random.default_rng(0).normal(size=(1000, 3))
    running = RunningStatistics()
    for part in np.array_split(x, 37):
        running.update(part)
    np.testing.assert_allclose(running.result().per_channel.standard_deviation, x.std(0), rtol=1e-7)
    assert running.result().samples == 1000


def test_a_channel_that_is_not_finite_in_one_part_has_the_numbers_of_the_others() -> None:
    running = RunningStatistics()
    running.update(np.array([[np.nan, 1.0], [np.inf, 2.0]]))
    running.update(np.array([[5.0, 3.0]]))
    found = running.result()
    assert found.per_channel.minimum.tolist() == [5.0, 1.0]
    assert found.per_channel.maximum.tolist() == [5.0, 3.0]
    assert (found.nan, found.infinite, found.mean) == (1, 1, pytest.approx(11 / 4))


def test_of_nothing_there_are_no_numbers() -> None:
    with pytest.raises(ValueError, match="update"):
        RunningStatistics().result()
