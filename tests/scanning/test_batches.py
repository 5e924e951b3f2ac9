"""Data of every kind gives the same numbers as one array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.errors import InvalidInputsError, OptionError, ScanError
from tests.scanning.witness import agrees, network, pictures

MODEL = network()
X = pictures(75)
LABELS = np.random.default_rng(5).integers(0, 4, 75)


class Sequence(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, place: int) -> Any:
        return X[place * 10 : place * 10 + 10], LABELS[place * 10 : place * 10 + 10]


class Loader:
    """What a `DataLoader` of PyTorch has of what is used; it gives lists."""

    dataset, batch_size = range(75), 20

    def __iter__(self) -> Iterator[Any]:
        return ([X[first : first + 20], LABELS[first : first + 20]] for first in range(0, 75, 20))


class Tensor:
    """A tensor of PyTorch with a gradient, which refuses to become an array until it is detached."""

    def __init__(self, values: Any) -> None:
        self.values = values
        self.shape = values.shape

    def detach(self) -> Any:
        return self.values


def dataset(*, batched: bool) -> Any:
    import tensorflow as tf

    every = tf.data.Dataset.from_tensor_slices((X, LABELS))
    return every.batch(16) if batched else every


def mapped(folder: Path) -> Any:
    file = np.memmap(folder / "x", np.float32, "w+", shape=X.shape)
    file[:] = X
    return np.memmap(folder / "x", np.float32, "r", shape=X.shape)


KINDS: dict[str, Callable[[Path], Any]] = {
    "memmap": mapped,
    "dataset": lambda _: dataset(batched=True),
    "unbatched dataset": lambda _: dataset(batched=False),
    "PyDataset": lambda _: Sequence(),
    "DataLoader": lambda _: Loader(),
    "generator": lambda _: (X[first : first + 7] for first in range(0, 75, 7)),
    "tuples of one": lambda _: iter([(X[:50],), (X[50:],)]),
    "weights": lambda _: iter([(X[:50], LABELS[:50], np.ones(50)), (X[50:], LABELS[50:], np.ones(25))]),
    "single samples": lambda _: (sample for sample in X),
    "tensors": lambda _: iter([keras.ops.convert_to_tensor(X[:50]), keras.ops.convert_to_tensor(X[50:])]),
    "tensors with gradients": lambda _: iter([Tensor(X[:50]), Tensor(X[50:])]),
    "shards": lambda _: [X[:31], X[31:32], X[32:]],
    "shards that are called": lambda _: [lambda: X[:31], lambda: X[31:]],
    "shards of both kinds": lambda _: [X[:31], lambda: X[31:]],
    "shards of batches": lambda _: [lambda: iter([X[:20], X[20:31]]), X[31:]],
}
WITH_LABELS = ("dataset", "unbatched dataset", "PyDataset", "DataLoader", "weights")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_data_is_counted_as_one_array(kind: str, tmp_path: Path) -> None:
    found = aw.scan(MODEL, KINDS[kind](tmp_path), ["maps", "gates"], progress=False)
    agrees(found, MODEL, X, LABELS if kind in WITH_LABELS else None)


@pytest.mark.parametrize("labels", [LABELS, [LABELS[:31], LABELS[31:]]])
def test_labels_of_shards_are_one_array_or_a_list(labels: Any) -> None:
    agrees(aw.scan(MODEL, [X[:31], X[31:]], "gates", labels=labels, progress=False), MODEL, X, LABELS)


def test_a_list_is_the_inputs_of_a_model_with_several() -> None:
    one, other = keras.Input((3,)), keras.Input((2,))
    model = keras.Model([one, other], keras.layers.Concatenate(name="both")([one, other]))
    x = [np.random.default_rng(0).random((50, size), np.float32) for size in (3, 2)]
    found = aw.scan(model, x, "both", progress=False)
    np.testing.assert_allclose(found.statistics["both"].per_channel.mean, np.concatenate(x, 1).mean(0), rtol=1e-6)
    assert aw.scan(model, iter([(x,)]), "both", progress=False).count == 50


def test_labels_that_are_no_classes_are_passed_over_in_batches() -> None:
    found = aw.scan(MODEL, iter([(X, np.linspace(0, 1, 75))]), "gates", progress=False)
    assert len(found.by_label("gates").labels) == 0
    assert found.top("gates", 0)[0].label is None


def test_a_batch_that_raises_is_named_and_left_out_if_asked() -> None:
    class Broken(Sequence):
        def __getitem__(self, place: int) -> Any:
            if place == 3:
                message = "no such file"
                raise OSError(message)
            return super().__getitem__(place)

    with pytest.raises(ScanError, match=r"sample 30 .*no such file.*on_error='skip'") as raised:
        aw.scan(MODEL, Broken(), "gates", progress=False)
    assert raised.value.scan.count == 30
    found = aw.scan(MODEL, Broken(), "gates", on_error="skip", top=75, progress=False)
    assert [(each.start, each.stop) for each in found.skipped] == [(30, 40)]
    assert "no such file" in found.skipped[0].reason
    assert found.count == 65
    assert {each.sample for each in found.top("gates", 0)} == {*range(30), *range(40, 75)}


def test_batches_of_changing_structure_are_named_and_left_out_if_asked() -> None:
    def batches() -> list[Any]:
        return [X[:10], X[10:20, :4], X[20:30]]

    with pytest.raises(InvalidInputsError, match="from sample 10 on"):
        aw.scan(MODEL, iter(batches()), "gates", progress=False)
    found = aw.scan(MODEL, iter(batches()), "gates", on_error="skip", progress=False)
    assert found.count == 20
    assert [(each.start, each.stop) for each in found.skipped] == [(10, 20)]


@pytest.mark.parametrize("empty", [[], X[:0], [X[:0]], [lambda: X[:0]]])
def test_no_data_is_an_error(empty: Any) -> None:
    with pytest.raises(InvalidInputsError):
        aw.scan(MODEL, empty if isinstance(empty, list) and empty else iter(empty), progress=False)


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(OptionError, match="75 samples, got 74"):
        aw.scan(MODEL, X, labels=LABELS[:-1], progress=False)
    with pytest.raises(OptionError, match="2 shards, got 1"):
        aw.scan(MODEL, [X, X], labels=[LABELS], progress=False)
    with pytest.raises((OptionError, ScanError), match="label for each"):
        aw.scan(MODEL, iter([X]), labels=LABELS[:-1], progress=False)
