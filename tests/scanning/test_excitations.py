"""The samples that excite a channel most, by a sort of all values, however the batches come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actwidget.scanning.counting.tally import Settings, Tally

RANDOM = np.random.default_rng(7)
MAPS = np.maximum(RANDOM.normal(size=(600, 6, 10, 7)), 0)
CASES: dict[str, Any] = {
    "maps": MAPS,
    "many that are equal": MAPS.round(1),
    "a prime number of positions": MAPS.reshape(600, 60, 7)[:, :53],
    "ever larger": MAPS + np.arange(600).reshape(600, 1, 1, 1),
    "some that are not finite": np.where(RANDOM.random(MAPS.shape) < 0.02, RANDOM.choice([np.nan, np.inf]), MAPS),
    "units": RANDOM.normal(size=(600, 7)).round(1),
}
TOP = 5


def counted(values: Any, parts: list[slice], most_bytes: int) -> Tally:
    tally = Tally(values.shape[1:], None, Settings(top=TOP, keep=50, seed=0))
    tally.most_bytes = most_bytes
    for part in parts:
        samples = np.arange(len(values))[part]
        tally.add(samples, samples % 3, values[part], np.random.default_rng(part.start))
    tally.flush()
    return tally


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("most_bytes", [0, 100_000])
@pytest.mark.parametrize("case", CASES)
def test_the_largest_are_kept_with_their_first_position(case: str, most_bytes: int, kind: Any) -> None:
    values = CASES[case].astype(kind)
    batches = [slice(first, first + 32) for first in range(0, 600, 32)]
    halves = [counted(values, part, most_bytes) for part in (batches[9:], batches[:9])]
    halves[0].merge(halves[1])
    for tally in (counted(values, batches, most_bytes), halves[0]):
        top = tally.top
        for channel in range(7):
            own = np.where(np.isfinite(values), values, -np.inf)[..., channel].reshape(600, -1)
            best = np.lexsort((np.arange(600), -own.max(axis=1)))[:TOP]
            assert top.samples[:, channel].tolist() == best.tolist()
            assert top.values[:, channel].tolist() == own[best].max(axis=1).tolist()
            assert top.labels[:, channel].tolist() == (best % 3).tolist()
            places = (
                np.ravel_multi_index(tuple(top.places[:, channel].T), values.shape[1:-1]) if own.shape[1] > 1 else 0
            )
            assert np.all(places == own[best].argmax(axis=1))
