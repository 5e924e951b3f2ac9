"""The whole network: which layers have a row, and what is said of those that have none."""

from __future__ import annotations

import base64
import io

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import actwidget as aw
from actwidget.analysis.pixels.strip import strip
from actwidget.errors import OptionError
from tests.capture import zoo


@pytest.mark.parametrize("samples", [5, 40])  # in one part, and in two
def test_a_layer_that_gives_no_tensor_for_this_batch_is_left_out_with_a_word(samples):
    model = zoo.optional_input_passed_on()
    batch = np.random.default_rng(0).normal(size=(samples, 3)).astype("float32")
    explorer = aw.LayerExplorer(model, [batch, None], show="overview")
    assert [row.path for row in explorer.summaries] == ["x", "sum", "dense"]
    title = explorer.figure.layout.title.text
    assert title == "net · 5 layers · no warnings · 1 without values for this batch"
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
    assert explorer.figure.layout.title.text == "net · 3 layers · 1 layer has warnings"
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


def test_header_and_overview_count_layers_and_neither_cells_nor_operations():
    model, batch = zoo.lstm_translator()
    explorer = aw.LayerExplorer(model, batch, show="overview")
    assert len(explorer.summaries) > 20
    assert ">6 layers · " in explorer._screen.header.value
    assert " · 6 layers · " in explorer.figure.layout.title.text.replace("<br>", " · ")


def test_warnings_of_gates_and_cells_are_those_of_one_layer():
    network = aw.LayerExplorer(*zoo.lstm_translator())._explorer.inspector.network
    inside = [node.path for node in network.tree if node.path.startswith("encoder")]
    assert network.layers_and_others(inside) == (1, 0)
    operation = next(node.path for node in network.tree if node.class_name == "NotEqual")
    assert network.layers_and_others([*inside, "decoder", operation]) == (2, 1)


def test_another_layer_of_the_tree_moves_the_mark_and_what_is_scrolled_to():
    explorer = aw.LayerExplorer(*network(), show="overview", layer="conv")
    before = explorer.figure.layout
    explorer.layer = "mean"
    after = explorer.figure.layout
    assert after.meta["reveal"] - before.meta["reveal"] == 2 * 20
    assert (before.shapes[0].y0, after.shapes[0].y0) == (0.5, 2.5)


def test_costs_stand_in_columns_of_their_own_and_in_code():
    model, x = network()
    explorer = aw.LayerExplorer(model, x, show="overview")
    assert "xaxis5" not in explorer.figure.to_dict()["layout"]
    explorer.options = {"overview_columns": "cost"}
    figure = explorer.figure
    costs = {cost.path: cost for cost in explorer.costs}
    conv, following = 36 * 9 * 2 * 4, 16 * 9 * 4 * 4
    assert {path: cost.multiply_adds for path, cost in costs.items()} == {
        "image": 0,
        "conv": conv,
        "next": following,
        "mean": 0,
    }
    assert [cost.parameters for cost in costs.values()] == [0, *(layer.count_params() for layer in model.layers)]
    assert costs["conv"].nbytes == 36 * 4 * 4
    assert costs["conv"].seconds > 0
    assert costs["image"].seconds is None
    multiply_adds = np.asarray(figure.data[7].x).reshape(4, 3)[:, 1]
    np.testing.assert_allclose(multiply_adds, np.array([np.nan, conv, following, np.nan]) / (conv + following))
    assert f"multiply-adds 2.59 k ({100 * conv / (conv + following):.0f} %)" in figure.data[-1].hovertext[1][0]
    assert "pooling, not counted" in figure.data[-1].hovertext[3][0]
    assert "one sample: 4.9 k multiply-adds" in figure.layout.title.text.replace("<br>", " ")


def test_pictures_are_those_of_the_selected_sample():
    model, x = network()
    explorer = aw.LayerExplorer(model, x, show="overview", sample=2)
    explorer.options = {"overview_columns": "pictures"}
    found = aw.activations(model, x)
    drawn = pixels(explorer.figure)
    assert drawn.shape == (4 * 44, 124)
    for place, path in enumerate(["image", "conv", "next", "mean"]):
        np.testing.assert_array_equal(drawn[44 * place + 2 : 44 * place + 42], strip(found[path][2]))
    explorer.sample = 0
    assert (pixels(explorer.figure) != drawn).any()
    explorer.options = {"overview_columns": "pictures", "overview_rows": "warnings"}
    np.testing.assert_array_equal(pixels(explorer.figure)[2:42], strip(found["conv"][0]))


def test_pictures_keep_to_the_budget():
    model, x = network()
    pictures = []
    for budget in (1_500, 10_000_000):
        explorer = aw.LayerExplorer(model, x, show="overview", sample=1, max_bytes=budget)
        explorer.options = {"overview_columns": "pictures"}
        pictures.append(pixels(explorer.figure))
        assert explorer._explorer.session.bytes_kept <= budget
    np.testing.assert_array_equal(*pictures)


def pixels(figure):
    picture = Image.open(io.BytesIO(base64.b64decode(figure.layout.images[0].source.partition(",")[2])))
    return np.asarray(picture)
