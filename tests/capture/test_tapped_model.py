"""A model with a tap on it is called, saved, loaded and exported as any Keras model is."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.capture.run.tapped_model import Tapped
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


def test_a_tapped_submodel_in_double_precision_gives_what_activations_gives():
    class Single(keras.Model):
        def __init__(self):
            super().__init__(name="single", dtype="float64")
            self.dense = layers.Dense(3, dtype="float64", name="dense")

        def call(self, inputs):
            return self.dense(inputs)

    model, x = Single(), np.random.default_rng(0).normal(size=(4, 3))
    model(x)
    np.testing.assert_allclose(aw.submodel(model, "dense")(x), aw.activations(model, x, "dense")["dense"], rtol=1e-12)


def test_a_mask_that_is_given_goes_to_the_model_inside():
    x = keras.Input((5, 4))
    model = keras.Model(x, layers.GlobalAveragePooling1D(name="pool")(layers.Identity(name="same")(x)))
    value, mask = zoo.noise(2, 5, 4), np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 0]], bool)
    edited = aw.edit(model, {"same": aw.Scale(range(4), 2.0)})
    expected = np.stack([2 * row[keep].mean(axis=0) for row, keep in zip(value, mask, strict=True)])
    assert_close(edited(value, mask=mask), expected)


@pytest.fixture
def subclassed():
    """A subclassed model that has been called, and a batch for it."""
    model, x = Saved(name="saved"), zoo.noise(3, 3)
    model(x)
    return model, x


@keras.saving.register_keras_serializable("test_tapped_model")
class Saved(keras.Model):
    """Two layers."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = layers.Dense(4, name="first"), layers.Dense(3, name="second")

    def call(self, inputs):
        return self.second(self.first(inputs))


def functional():
    """The same as a functional model."""
    x = keras.Input((3,))
    return keras.Model(x, layers.Dense(3, name="second")(layers.Dense(4, name="first")(x)))


@keras.saving.register_keras_serializable("test_tapped_model")
def flip_if_negative(values):
    """Decides on the value, as only Python can."""
    return -values if float(values[0, 0]) < 0 else values


TAPPED = {
    "edited": lambda model: aw.edit(model, {"first": aw.Ablate(0)}),
    "edited twice": lambda model: aw.edit(aw.edit(model, {"first": aw.Ablate(0)}), {"first": aw.Scale(1, 2.0)}),
    "edited by a layer with weights": lambda model: aw.edit(model, {"first": layers.Dense(4)}),
    "edited by several layers": lambda model: aw.edit(
        model, {"first": keras.Sequential([layers.Dense(6), layers.Dense(4)])}
    ),
    "edited by a callable": lambda model: aw.edit(model, {"first": flip_if_negative}),
    "a submodel": lambda model: aw.submodel(model, "first"),
    "a submodel of an edited one": lambda model: aw.submodel(aw.edit(model, {"first": aw.Ablate(0)}), "second"),
}


@pytest.mark.filterwarnings("error:.*(not yet been built|unbuilt state|cannot be built)")
@pytest.mark.parametrize("make", TAPPED.values(), ids=TAPPED)
def test_a_tapped_model_is_built_when_its_model_is_and_is_saved_before_its_first_call(make, subclassed, tmp_path):
    model, x = subclassed
    made = make(model)
    assert made.built
    made.save(tmp_path / "made.keras")
    made.save_weights(tmp_path / "made.weights.h5")
    again = keras.saving.load_model(tmp_path / "made.keras")
    assert again.built
    assert_close(again(x), made(x))
    for weight in again.weights:
        weight.assign(weight * 0)
    again.load_weights(tmp_path / "made.weights.h5")
    assert_close(again(x), made(x))


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("kind", ["subclassed", "functional"])
def test_a_tapped_model_is_exported_before_its_first_call(kind, loaded, subclassed, tmp_path):
    model, x = subclassed if kind == "subclassed" else (functional(), zoo.noise(3, 3))
    edited = aw.edit(model, {"first": aw.Ablate(0)})
    if loaded:
        edited.save(tmp_path / "edited.keras")
        edited = keras.saving.load_model(tmp_path / "edited.keras")
    edited.export(tmp_path / "exported", verbose=False)
    served = tf.saved_model.load(tmp_path / "exported")
    assert_close(served.serve(tf.constant(x)), edited(x))


@pytest.mark.parametrize("paths", ["first", ["second", "first"], {"a": "first", "b": "second"}], ids=str)
def test_the_outputs_have_the_structure_of_the_paths_before_and_after_saving(paths, subclassed, tmp_path):
    model, x = subclassed
    first = model.first(x)
    values = {"first": first, "second": model.second(first)}
    tapped = Tapped(model, paths)
    tapped(x)
    tapped.save(tmp_path / "tapped.keras")
    for each in (tapped, keras.saving.load_model(tmp_path / "tapped.keras")):
        found = each(x)
        keras.tree.assert_same_structure(paths, found)
        for path, value in zip(keras.tree.flatten(paths), keras.tree.flatten(found), strict=True):
            assert_close(value, values[path])


def test_what_an_inner_layer_masks_is_masked_behind_the_tap_too():
    class Words(keras.Model):
        def __init__(self):
            super().__init__(name="words")
            self.embed, self.last = layers.Embedding(9, 4, mask_zero=True, name="embed"), layers.Dense(2, name="last")

        def call(self, ids):
            return self.last(self.embed(ids))

    model, ids = Words(), np.array([[3, 4, 0, 0], [1, 2, 3, 0]])
    model(ids)
    pooled = keras.Sequential([Tapped(model, "embed"), layers.GlobalAveragePooling1D()])
    table = as_array(model.embed.embeddings)
    assert_close(pooled(ids), [table[row[row > 0]].mean(axis=0) for row in ids])


@pytest.mark.parametrize("said", [{}, {"training": True}, {"training": False}], ids=str)
def test_whether_the_model_inside_trains_is_what_is_said_or_its_own_default(said):
    heard = []

    class Trains(keras.Model):
        def __init__(self):
            super().__init__(name="trains")
            self.dense = layers.Dense(2, name="dense")

        def call(self, inputs, training=True):  # noqa: FBT002 - as people write it
            heard.append(training)
            return self.dense(inputs)

    model, x = Trains(), zoo.noise(2, 3)
    tapped = Tapped(model, edits={"dense": layers.Identity()})
    for each in (model, tapped):
        each(x)
        heard.clear()
        each(x, **said)
        assert heard == [said.get("training", True)]
