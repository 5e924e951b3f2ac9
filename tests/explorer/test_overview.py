"""The whole network: which layers have a row, and what is said of those that have none."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import OptionError


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


def network():
    def dead(_shape, dtype=None):
        return keras.ops.convert_to_tensor([-9.0, -9.0, 9.0, 9.0], dtype)

    stack = [
        keras.Input((8, 8, 2), name="image"),
        layers.Conv2D(4, 3, activation="relu", bias_initializer=dead, name="conv"),
        layers.Conv2D(4, 3, name="next"),
        layers.GlobalAveragePooling2D(name="mean"),
    ]
    return keras.Sequential(stack, name="net"), np.random.default_rng(0).normal(size=(3, 8, 8, 2)).astype("float32")


def test_the_title_says_how_many_layers_have_warnings_and_only_these_can_be_shown():
    explorer = aw.LayerExplorer(*network(), show="overview", layer="next")
    assert explorer.figure.layout.title.text == "net · 4 layers · 1 layer has warnings"
    assert list(explorer.figure.layout.yaxis.ticktext) == ["image", "conv", "<b>next</b>", "mean"]
    explorer.options = {"overview_rows": "warnings"}
    assert list(explorer.figure.layout.yaxis.ticktext) == ["conv"]
    assert "2 of 4 channels dead" in explorer.figure.data[5].text[0]
    assert not explorer.figure.layout.shapes  # the selected layer has no row
    assert explorer.state()["options"] == {"overview_rows": "warnings"}
    with pytest.raises(OptionError, match="overview_rows"):
        explorer.options = {"overview_rows": "some"}


def test_without_warnings_it_says_so_and_the_switch_stays():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="dense")], name="net")
    explorer = aw.LayerExplorer(model, np.eye(3, dtype="float32"), show="overview")
    explorer.options = {"overview_rows": "warnings"}
    assert "No layer has warnings" in explorer._screen.plot.alt
    assert "overview_rows" in [control.name for control in explorer._explorer.show().controls]


def test_another_layer_of_the_tree_moves_the_mark_and_what_is_scrolled_to():
    explorer = aw.LayerExplorer(*network(), show="overview", layer="conv")
    before = explorer.figure.layout
    explorer.layer = "mean"
    after = explorer.figure.layout
    assert after.meta["reveal"] - before.meta["reveal"] == 2 * 20
    assert (before.shapes[0].y0, after.shapes[0].y0) == (0.5, 2.5)
