"""Of data that gives many batches the first one is taken, and it is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.errors import InvalidInputsError
from tests.rounding import assert_close

X = np.random.default_rng(0).random((10, 4), np.float32)
Y = np.arange(10)


class Batches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, place: int) -> Any:
        return X[place * 5 : place * 5 + 5], Y[place * 5 : place * 5 + 5]


class Endless:
    """Batches of which there is no end, as an iterable that is no iterator."""

    def __iter__(self) -> Any:
        while True:
            yield X[:5], Y[:5]


def dataset(*, batched: bool) -> Any:
    import tensorflow as tf

    every = tf.data.Dataset.from_tensor_slices((X, Y))
    return every.batch(5) if batched else every.take(5)


KINDS: dict[str, Callable[[], Any]] = {
    "PyDataset": Batches,
    "dataset": lambda: dataset(batched=True),
    "dataset of single samples": lambda: dataset(batched=False),
    "generator": lambda: (X[first : first + 5] for first in (0, 5)),
    "tuples with labels": lambda: iter([(X[:5], Y[:5]), (X[5:], Y[5:])]),
    "endless": Endless,
    "shards that are called": lambda: [lambda: X[:5], lambda: X[5:]],
}


class Plain(keras.Model):
    """A model without a graph, which is run to find its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = keras.layers.Dense(3, name="hidden")

    def call(self, inputs: Any) -> Any:
        return self.hidden(inputs)


def functional() -> keras.Model:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])


# Of a model without a graph it is not known what a single sample is.
TAKEN = [(build, kind) for kind in KINDS for build in (functional, Plain) if "single" not in kind or build != Plain]


@pytest.mark.parametrize(("build", "kind"), TAKEN)
def test_activations_are_those_of_the_first_batch_and_say_so(build: Callable[[], keras.Model], kind: str) -> None:
    model = build()
    found = aw.activations(model, KINDS[kind](), "hidden")
    assert_close(found["hidden"], np.asarray(model(X[:5])))
    assert found.note.startswith("This is the first batch of the ")
    assert found.note in repr(found)


def test_of_one_batch_nothing_is_said() -> None:
    found = aw.activations(functional(), X)
    assert found.note == ""
    assert "first batch" not in repr(found)


@pytest.mark.parametrize("kind", ["PyDataset", "generator"])
def test_the_explorer_takes_the_first_batch_and_says_so(kind: str) -> None:
    view = aw.LayerExplorer(functional(), KINDS[kind](), layer="hidden", compare=functional())
    np.testing.assert_array_equal(view.inputs, X[:5])
    assert "first batch of the" in view._screen.status.value
    view.set_inputs(X)
    assert "first batch" not in view._screen.status.value
    view.inputs = KINDS[kind]()
    np.testing.assert_array_equal(view.inputs, X[:5])
    assert "first batch of the" in view._screen.status.value
    view.close()


@pytest.mark.parametrize("build", [functional, Plain])
def test_data_that_can_not_be_read_is_refused(build: Callable[[], keras.Model]) -> None:
    def broken() -> Any:
        message = "no such file"
        raise OSError(message)
        yield X

    for take in (aw.activations, aw.LayerExplorer):
        with pytest.raises(InvalidInputsError, match=r"first batch of the generator .*OSError: no such file"):
            take(build(), broken())
        with pytest.raises(InvalidInputsError, match="is empty: expected at least one batch"):
            take(build(), iter([]))
