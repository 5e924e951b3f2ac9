"""The whole network: which layers have a row, and what is said of those that have none."""

from __future__ import annotations

import numpy as np
import pytest

import actwidget as aw
from tests.capture import zoo


@pytest.mark.parametrize("samples", [5, 40])  # in one part, and in two
def test_a_layer_that_gives_no_tensor_for_this_batch_is_left_out_with_a_word(samples):
    model = zoo.optional_input_passed_on()
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
