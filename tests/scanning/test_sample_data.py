"""A scan gives the samples of its data by their numbers, whatever kind of data it was."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.errors import SampleError, ScanError
from tests.scanning.witness import network, pictures

MODEL = network()
X = pictures(23)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no type hints
    """Batches of different sizes, of which one can be unreadable."""

    def __init__(self, broken: int | None = None) -> None:
        super().__init__()
        self.ends, self.broken = [0, 4, 8, 15, 23], broken

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, batch: int) -> Any:
        if batch == self.broken:
            message = "a damaged file"
            raise OSError(message)
        return X[self.ends[batch] : self.ends[batch + 1]], np.zeros(self.ends[batch + 1] - self.ends[batch])


def memory_map(folder: Any) -> Any:
    found = np.memmap(folder / "x", X.dtype, "w+", shape=X.shape)
    found[:] = X
    return found


KINDS = {
    "array": lambda _folder: X,
    "memmap": memory_map,
    "shards": lambda _folder: [X[:9], X[9:10], X[10:]],
    "callables": lambda _folder: [lambda: X[:9], lambda: X[9:]],
    "dataset": lambda _folder: Batches(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_is_the_one_that_has_the_number(kind: str, tmp_path: Any) -> None:
    data = KINDS[kind](tmp_path)
    scan = aw.scan(MODEL, data, MODEL.layers[0].name, progress=False)
    assert scan.data is data
    assert scan.missing_samples is None
    scan.save(tmp_path / "scan")
    for each in (scan, aw.load_scan(tmp_path / "scan").with_data(data)):
        for number in (0, 3, 4, 8, 9, 10, 14, 15, 22):
            np.testing.assert_array_equal(each.sample(number), X[number : number + 1])
        with pytest.raises(SampleError, match="from 0 to 22"):
            each.sample(23)


def test_what_was_skipped_keeps_its_numbers() -> None:
    scan = aw.scan(MODEL, Batches(broken=1), MODEL.layers[0].name, on_error="skip", progress=False)
    np.testing.assert_array_equal(scan.sample(8), X[8:9])
    with pytest.raises(ScanError, match="a damaged file"):
        scan.sample(5)


def test_a_stream_says_why_and_takes_an_array_in_its_place() -> None:
    scan = aw.scan(MODEL, (X[start : start + 5] for start in range(0, 23, 5)), MODEL.layers[0].name, progress=False)
    assert "generator can't be read by its number" in str(scan.missing_samples)
    with pytest.raises(ScanError, match="with_data"):
        scan.sample(0)
    np.testing.assert_array_equal(scan.with_data([X[:20], X[20:]]).sample(21), X[21:22])
    for wrong in (X[:22], [X[:20], X[20:], X[:1]]):
        with pytest.raises(ScanError, match="23 samples"):
            scan.with_data(wrong)


def test_a_scan_knows_its_model_by_layers_and_weights_not_by_what_each_call_moves() -> None:
    def made() -> keras.Model:
        keras.utils.set_random_seed(0)
        return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dropout(0.5)])

    x = np.ones((6, 4), "float32")
    model = made()
    scan = aw.scan(model, x, progress=False)
    model(x, training=True)  # moves the seed of the dropout
    assert scan.differences(model) == scan.differences(made()) == []
    assert scan.differences(MODEL) == ["another model", "other weights"]
    model.layers[0].set_weights([np.zeros((4, 3)), np.zeros(3)])
    assert scan.differences(model) == ["other weights"]
