"""The history of a training, and the pictures in it, within a number of bytes each."""

from __future__ import annotations

import numpy as np

from actwidget.analysis.distribution import distribution
from actwidget.analysis.statistics import statistics
from actwidget.training.pictures import MOST_CELLS, picture_of
from actwidget.training.records import SHARES, LayerRecord, Record
from actwidget.training.thinning import Budget, nbytes_of


def layer():
    values = np.ones((4, 3))
    found = distribution(values, SHARES)
    shown = np.ones((3, 1, 1), np.float32)
    return LayerRecord(**vars(statistics(values)), quantiles=found.quantiles, histogram=found.histogram, picture=shown)


ONE = layer().nbytes
PICTURE = 12


def grown(steps, records, pictures, make=layer):
    history, budget = [], Budget(records, pictures)
    for step in range(steps):
        budget.add(history, Record(step, 0, {"dense": make()}))
    return history


def steps_of(history):
    return [record.step for record in history]


def test_a_history_within_its_bytes_is_whole():
    history = grown(10, 10 * ONE, 10 * PICTURE)
    assert steps_of(history) == list(range(10))
    assert all(record.layers["dense"].picture is not None for record in history)


def test_a_longer_one_is_thinned_evenly_and_keeps_the_first_and_the_latest():
    assert steps_of(grown(7, 6 * ONE, 100 * PICTURE)) == [0, 2, 4, 6]
    assert steps_of(grown(8, 6 * ONE, 100 * PICTURE)) == [0, 2, 4, 6, 7]
    assert steps_of(grown(101, 6 * ONE, 100 * PICTURE)) == [0, 32, 64, 96, 100]
    assert steps_of(grown(9, 0, 0)) == [0, 8]


def test_pictures_are_thinned_evenly_while_the_numbers_stay():
    history = grown(102, 1000 * ONE, 6 * PICTURE)
    assert steps_of(history) == list(range(102))
    pictured = [record.step for record in history if record.layers["dense"].picture is not None]
    assert pictured == [0, 32, 64, 96, 101]


def test_what_records_share_counts_once():
    shared = layer()
    assert nbytes_of([shared, shared]) == ONE
    history = grown(10, ONE, PICTURE, lambda: shared)
    assert steps_of(history) == list(range(10))
    assert all(record.layers["dense"] is shared for record in history)


def test_a_picture_holds_the_channels_of_a_map_a_sequence_and_a_vector():
    values = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(picture_of(values), np.moveaxis(values, -1, 0))
    np.testing.assert_array_equal(picture_of(values[0]), values[0].T[:, np.newaxis])
    np.testing.assert_array_equal(picture_of(values[0, 0]), values[0, 0].reshape(4, 1, 1))


def test_a_large_map_is_reduced_to_its_largest_magnitudes():
    values = np.random.default_rng(0).normal(size=(60, 90, 40))
    shown = picture_of(values)
    assert shown.size <= MOST_CELLS
    factor = 60 // shown.shape[1]
    blocks = values[: 60 // factor * factor, : 90 // factor * factor].reshape(60 // factor, factor, -1, factor, 40)
    largest = np.abs(blocks).max(axis=(1, 3))
    np.testing.assert_allclose(
        np.moveaxis(np.abs(shown), 0, -1)[: len(largest), : largest.shape[1]], largest, rtol=1e-6
    )
    assert picture_of(np.zeros(MOST_CELLS + 1)) is None
