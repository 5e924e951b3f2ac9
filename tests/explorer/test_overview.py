"""The whole network: which layers have a row, and what is said of those that have none."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw


class Default(layers.Layer):
    """Takes a second input, or does without."""

    def call(self, inputs, extra=None):
        return inputs if extra is None else inputs + extra

    def compute_output_shape(self, inputs_shape, *_others):
        return inputs_shape


@pytest.mark.parametrize("samples", [5, 40])  # in one part, and in two
def test_a_layer_that_gives_no_tensor_for_this_batch_is_left_out_with_a_word(samples):
    x, extra = keras.Input((3,), name="x"), keras.Input((3,), name="extra", optional=True)
    summed = Default(name="sum")(x, layers.Identity(name="same")(extra))
    model = keras.Model([x, extra], layers.Dense(2, name="dense")(summed), name="net")
    batch = np.random.default_rng(0).normal(size=(samples, 3)).astype("float32")
    explorer = aw.LayerExplorer(model, [batch, None], show="overview")
    assert [row.path for row in explorer.summaries] == ["x", "sum", "dense"]
    title = explorer.figure.layout.title.text
    assert title == "net · 3 layers · no warnings · 1 without values for this batch"
    assert "left out, without values for this batch: same" in explorer._screen.plot.alt
    explorer.layer = "same"  # still an overview
    assert explorer.figure.layout.title.text == title
    given = aw.LayerExplorer(model, [batch, batch], show="overview")
    assert [row.path for row in given.summaries] == ["x", "extra", "same", "sum", "dense"]
