from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actwidget.analysis import histogram, statistics
from tests.analysis.strategies import layers

LAYERS = layers(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=12))


def within_rounding_of_numpy(counts: npt.NDArray[np.int64], binned: npt.NDArray[Any], edges: npt.NDArray[Any]) -> bool:
    """Values surely left of an edge are counted left of it, and none is that is surely to the right."""
    reach = 1e-4 * (edges[-1] - edges[0]) / (len(edges) - 1)
    below = np.concatenate([[0], np.cumsum(counts)])[1:-1]
    surely = [(binned < edge - reach).sum() for edge in edges[1:-1]]
    perhaps = [(binned <= edge + reach).sum() for edge in edges[1:-1]]
    return bool(((surely <= below) & (below <= perhaps)).all()) and int(counts.sum()) == len(binned)


@settings(deadline=None)
@given(LAYERS, st.integers(1, 70), st.sampled_from([None, 6.0, 1.0]))
def test_counts_agree_with_numpy(values: npt.NDArray[Any], bins: int, upper: float | None) -> None:
    counted = histogram(values, bins=bins, upper=upper)
    wide = values.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    at_upper = int((finite == upper).sum())
    apart = at_upper > 0.05 * finite.size
    binned = finite[(finite != 0) & ~(apart & (finite == upper))]
    assert counted.zeros == (finite == 0).sum()
    assert counted.at_upper == (at_upper if apart else 0)
    assert counted.total == finite.size == counted.counts.sum() + counted.zeros + counted.at_upper
    assert counted.edges.shape == (bins + 1,)
    assert counted.counts.shape == (bins,)
    assert (np.diff(counted.edges) > 0).all()
    assert within_rounding_of_numpy(counted.counts, binned, counted.edges)


@settings(deadline=None)
@given(LAYERS.filter(lambda values: values.ndim == 3 and values.shape[-1] > 0), st.data())
def test_a_channel_is_counted_in_the_same_bins(values: npt.NDArray[Any], data: st.DataObject) -> None:
    channel = values[..., data.draw(st.integers(0, values.shape[-1] - 1))]
    counted = histogram(values, channel_values=channel, bins=16, upper=6.0)
    wide = channel.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    apart = counted.at_upper > 0
    binned = finite[(finite != 0) & ~(apart & (finite == 6))]
    assert counted.channel_counts is not None
    assert within_rounding_of_numpy(counted.channel_counts, binned, counted.edges)
    assert (counted.channel_counts <= counted.counts).all()
    assert counted.channel_zeros == (finite == 0).sum()
    assert counted.channel_at_upper == ((finite == 6).sum() if apart else 0)
    assert counted.channel_total == finite.size


@pytest.mark.parametrize("shape", [(1, 60, 60, 32), (200_001,)])
@pytest.mark.parametrize("offset", [0.0, 100.0, -100.0])
def test_big_layers_agree_with_numpy(shape: tuple[int, ...], offset: float) -> None:
    values = (np.random.default_rng(0).standard_normal(shape) + offset).astype(np.float32)
    values.ravel()[::3] = 0
    counted = histogram(values)
    binned = values[values != 0].astype(np.float64)
    assert (counted.edges[0], counted.edges[-1]) == (binned.min(), binned.max())
    assert within_rounding_of_numpy(counted.counts, binned, counted.edges)
    assert np.abs(counted.counts - np.histogram(binned, counted.edges)[0]).sum() <= 20


def test_a_spike_at_the_bound_is_counted_apart_and_a_few_values_are_not() -> None:
    values = np.linspace(0.5, 5.5, 100)
    many = histogram(np.concatenate([values, np.full(10, 6.0)]), upper=6.0)
    assert (many.at_upper, many.counts.sum()) == (10, 100)
    few = histogram(np.concatenate([values, np.full(3, 6.0)]), upper=6.0)
    assert (few.at_upper, few.counts.sum()) == (0, 103)


def test_a_spike_of_the_chosen_channel_is_counted_apart_though_the_layer_has_none() -> None:
    values = np.random.default_rng(0).uniform(0.5, 5.5, (1000, 50))
    values[:400, 7] = 6.0
    assert histogram(values, upper=6.0).at_upper == 0
    assert histogram(values, channel_values=values[:, 3], upper=6.0).at_upper == 0
    counted = histogram(values, channel_values=values[:, 7], upper=6.0)
    assert (counted.at_upper, counted.channel_at_upper) == (400, 400)
    assert counted.channel_counts is not None
    assert (counted.counts.sum(), counted.channel_counts.sum()) == (values.size - 400, 600)
    assert counted.channel_counts.max() < 0.05 * 1000


def test_shares_of_all_values_can_be_told_where_some_are_broken() -> None:
    values = np.array([[0.0, np.nan, 1.0, np.inf], [0.0, 2.0, np.nan, 3.0]]).T
    counted = histogram(values, channel_values=values[:, 0])
    assert (counted.size, counted.total, counted.channel_size, counted.channel_total) == (8, 5, 4, 2)
    assert counted.zeros / counted.size == statistics(values).zeros
    assert counted.channel_zeros / counted.channel_size == statistics(values).per_channel.zeros[0]


@pytest.mark.parametrize("value", [3.0, -2.5, 1e-30, 1.7e308, -1.7e308, 1e20])
def test_one_value_has_a_range_around_it(value: float) -> None:
    counted = histogram(np.full(9, value), bins=5)
    assert counted.counts.sum() == 9
    assert counted.edges[0] < value < counted.edges[-1]
    assert np.isfinite(counted.edges).all()


@pytest.mark.parametrize(
    "values",
    [[-1.7e308, 0.0, 1.0, 1.7e308], [5e-324, 1e-323, 2e-323], [1e-310, 1.0], [1.0, 1 + 2**-52], [-3e38, 3e38]],
)
@pytest.mark.filterwarnings("error")
def test_extreme_ranges_are_counted(values: list[float]) -> None:
    counted = histogram(np.array(values), bins=4)
    assert counted.counts.sum() + counted.zeros == len(values)
    assert counted.counts[0] >= 1
    assert counted.counts[-1] >= 1
    assert np.isfinite(counted.edges).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[-3e38, 3e38], [1e-44, 3e-44], [-3.4e38, np.nan, np.inf, 3.4e38]])
def test_the_whole_range_of_float32_is_counted(values: list[float]) -> None:
    counted = histogram(np.array(values, np.float32), bins=4)
    assert counted.counts.tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize("values", [[], [np.nan, np.inf], [0.0, 0.0]])
def test_with_nothing_to_bin_the_bins_are_empty(values: list[float]) -> None:
    counted = histogram(np.array(values), channel_values=np.array(values), bins=3)
    assert counted.edges.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert counted.counts.tolist() == [0, 0, 0]
    assert counted.zeros == counted.total == counted.channel_zeros


def test_without_a_channel_there_are_no_channel_counts() -> None:
    counted = histogram(np.ones(3))
    assert (counted.channel_counts, counted.channel_zeros, counted.channel_total) == (None, 0, 0)


def test_values_of_a_channel_outside_the_layer_are_left_out() -> None:
    counted = histogram(np.array([1.0, 2.0]), channel_values=np.array([-9.0, 0.0, 1.5, 9.0]), bins=1)
    assert counted.channel_counts is not None
    assert (counted.channel_counts.tolist(), counted.channel_zeros, counted.channel_total) == ([1], 1, 4)


def test_bfloat16_is_counted() -> None:
    values = np.array([0, 1, 2, 6, 6], dtype=ml_dtypes.bfloat16)
    counted = histogram(values, upper=6.0, bins=5)
    assert (counted.zeros, counted.at_upper, counted.counts.tolist()) == (1, 2, [1, 1, 0, 0, 0])
