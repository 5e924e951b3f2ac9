from __future__ import annotations

import io

import keras
import numpy as np
from PIL import Image

from actwidget.explorer.explorer import Explorer
from actwidget.explorer.samples.items import SampleItems


def items_of(explorer: Explorer) -> SampleItems:
    return SampleItems(explorer.session, explorer.inspector.annotations)


def model_of(*shape: int | None, **options) -> keras.Model:
    return keras.Sequential([keras.Input(shape, **options), keras.layers.Flatten(), keras.layers.Dense(3)])


def test_pictures_have_thumbnails_and_their_true_class_in_the_tooltip():
    pictures = np.zeros((2, 100, 50, 3), np.float32)
    pictures[1, ..., 0] = 255
    explorer = Explorer(model_of(100, 50, 3), pictures, class_names=["a", "b", "c"], labels=[0, 2])
    items = items_of(explorer)
    assert items.kind == "picture"
    assert items.item(1).tip == "sample 1, c"
    thumbnail = Image.open(io.BytesIO(items.item(1).picture))
    assert thumbnail.size == (36, 72)
    np.testing.assert_allclose(np.asarray(thumbnail).mean(axis=(0, 1)), [254, 0, 0], atol=3)
    assert len(items.item(1).picture) < 3000


def test_small_pictures_without_channels_keep_their_pixels():
    explorer = Explorer(model_of(8, 8), np.random.default_rng(0).random((2, 8, 8)))
    thumbnail = Image.open(io.BytesIO(items_of(explorer).item(0).picture))
    assert thumbnail.size == (72, 72)
    np.testing.assert_allclose(np.asarray(thumbnail)[4::9, 4::9] / 255, explorer.session.batch.value[0], atol=1 / 255)


def test_texts_stand_with_their_first_words():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    explorer = Explorer(model, np.zeros((2, 3)), tokens=[["the", "cat", "sat"], ["a", "b", "c"]])
    assert items_of(explorer).kind == "text"
    assert items_of(explorer).item(0)[:2] == ("sample 0: the cat sat", "the cat sat")


def test_numbers_stand_with_some_of_their_values():
    explorer = Explorer(model_of(9), np.arange(18.0).reshape(2, 9))
    assert items_of(explorer).kind == "number"
    assert items_of(explorer).item(1) == ("sample 1: 9.00, 10.00, 11.00, 12.00, 13.00, 14.00, … (9 values)", "", b"")
