"""What a model without a functional graph calls is known without inputs, as far as it can be tried out on symbols."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import actwidget as aw
from actwidget.errors import LayerNotFoundError
from tests.capture import zoo


def augmented_at_test_time():
    class Mirrored(keras.Model):
        def call(self, inputs, training=None):
            return super().call(inputs, training=training) + super().call(ops.flip(inputs, 2), training=training)

    x = keras.Input((8, 8, 3))
    return Mirrored(x, layers.Conv2D(2, 3, name="again")(x)), zoo.noise(2, 8, 8, 3)


def of_several_inputs():
    class Twice(keras.Model):
        def call(self, inputs, training=None):
            first = super().call(inputs, training=training)
            return super().call({**inputs, "ids": inputs["ids"] + 1}, training=training) - first

    given = {"ids": keras.Input((3,), dtype="int32", name="ids"), "x": keras.Input((4,), name="x")}
    embedded = layers.Embedding(9, 4, name="again")(given["ids"])
    model = Twice(given, layers.Add(name="add")([layers.Flatten()(embedded), layers.Dense(12, name="d")(given["x"])]))
    return model, {"ids": zoo.tokens(2, 3, below=8), "x": zoo.noise(2, 4)}


def on_ids(look_up):
    class Ids(keras.Model):
        def __init__(self):
            super().__init__(name="ids")
            self.again = layers.Dense(4, name="again")
            self.table = self.add_weight(shape=(10, 4), name="table")

        def call(self, ids):
            return self.again(self.again(look_up(self.table, ids)))

    return Ids(), zoo.tokens(2, 3)


MODELS = {
    "a functional model that overrides call": augmented_at_test_time,
    "one of several inputs": of_several_inputs,
    "ids that are gathered": lambda: on_ids(lambda table, ids: tf.gather(table.value, ids)),
    "ids of which bits are taken": lambda: on_ids(lambda table, ids: ops.take(table, ids & 1, axis=0)),
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_second_call_is_had_edited_and_given_as_code(make):
    model, x = make()
    model(x)
    expected = aw.activations(model, x, "again@1")["again@1"]
    np.testing.assert_allclose(aw.submodel(model, "again@1")(x), expected, rtol=1e-5, atol=1e-6)
    changed = aw.edit(model, {"again@1": aw.Scale([0, 1], 2.0)})(x).numpy()
    assert np.abs(changed - model(x).numpy()).max() > 1e-3
    scope = {"model": model, "x": x}
    exec(aw.LayerExplorer(model, x, layer="again@1").code, scope)  # noqa: S102 - the recipe is meant to be run
    np.testing.assert_allclose(scope["activation"], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("refused", [aw.submodel, lambda model, path: aw.edit(model, {path: aw.Ablate(0)})])
def test_of_what_can_only_be_run_the_error_says_so(refused):
    class Often(keras.Model):
        def __init__(self):
            super().__init__(name="often")
            self.dense = layers.Dense(4, name="dense")

        def call(self, inputs):
            for _ in range(int(ops.max(inputs))):
                inputs = self.dense(inputs)
            return inputs

    model, x = Often(), np.full((2, 4), 2.0, "float32")
    assert list(aw.activations(model, x)) == ["dense", "dense@1"]
    with pytest.raises(LayerNotFoundError, match=r"'dense@1' not found .*layer_tree\(model, inputs\) shows"):
        refused(model, "dense@1")
    with pytest.raises(LayerNotFoundError, match=r"print\(actwidget.layer_tree\(model\)\) for all paths"):
        aw.activations(model, x, "dence")
