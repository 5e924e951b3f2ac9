"""The Channels view in its panel: pages, the size of the tiles, and what the inspector says."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import OptionError

RNG = np.random.default_rng(2)
CHANNELS = 700


@pytest.fixture(scope="module")
def model():
    x = keras.Input((12, 10, 3), name="photo")
    y = layers.Conv2D(CHANNELS, 3, activation="relu", name="many")(x)
    y = layers.Conv2D(4, 3, name="few")(y)
    y = layers.ReLU(max_value=0.5, name="capped")(y)
    return keras.Model(x, layers.Dense(6)(layers.GlobalAveragePooling2D(name="vector")(y)))


@pytest.fixture(autouse=True)
def no_page_so_far(monkeypatch):
    monkeypatch.setattr(aw.PlotView, "_latest_room", None)


@pytest.fixture
def explorer(model):
    opened = aw.LayerExplorer(model, RNG.random((2, 12, 10, 3)), layer="many")
    yield opened
    opened.close()


def told(explorer, width, height=480):
    """The page tells the room of its figure."""
    explorer._screen.plot._room = [width, height]


def tiles(explorer):
    """The channels on the page in sight, row by row, and how many rows and columns of tiles there are."""
    over = next(trace for trace in explorer.figure.data if trace.type == "heatmap" and np.ndim(trace.customdata) == 3)
    cells = np.where(np.isfinite(np.asarray(over.z)), np.asarray(over.customdata)[..., 0], -1).astype(int)
    return cells[cells >= 0].tolist(), cells.shape


def facts(explorer):
    return {term: text for term, text, _ in explorer._screen.inspection.content["facts"]}


def controls(explorer):
    return [control.name for control in explorer._explorer.show().controls]


def test_channels_that_do_not_fit_come_strongest_first_in_pages(explorer):
    root_mean_square = np.sqrt((np.asarray(explorer.activation[0], np.float64) ** 2).mean(axis=(0, 1)))
    shown, (rows, columns) = tiles(explorer)
    assert len(shown) == rows * columns < CHANNELS
    # Equal strengths may be told apart by how their statistics are rounded.
    np.testing.assert_allclose(root_mean_square[shown], np.sort(root_mean_square)[::-1][: len(shown)], rtol=1e-3)
    assert f"1 to {len(shown)} of 700 channels, strongest first" in explorer.figure.layout.title.text
    every = set(shown)
    for page in range(1, -(-CHANNELS // len(shown))):
        explorer.options = {"page": page}
        every |= set(tiles(explorer)[0])
    assert every == set(range(CHANNELS))


def test_in_the_order_of_numbers_pages_are_by_number(explorer):
    explorer.sort = "number"
    shown, _ = tiles(explorer)
    assert shown == list(range(len(shown)))


@pytest.mark.parametrize("width", [300, 420, 600, 800, 1100])
@pytest.mark.parametrize(("size", "least"), [("S", 24), ("M", 28), ("L", 96)])
def test_no_tile_is_smaller_than_its_size_asks(explorer, width, size, least):
    told(explorer, width, 600 if width < 560 else 480)
    explorer.options = {"size": size}
    shown, (rows, columns) = tiles(explorer)
    room = (width - 16) * (1 if width < 560 else 0.66)
    longer = room / columns  # the maps are 10 high and 8 wide
    assert longer * 10 / 8 >= least
    assert len(shown) in {rows * columns, CHANNELS}


def test_channels_that_fit_are_all_on_one_page_by_number_with_no_page_to_choose(explorer):
    explorer.layer = "few"
    assert tiles(explorer)[0] == [0, 1, 2, 3]
    assert ("page" in controls(explorer), "size" in controls(explorer)) == (False, True)
    explorer.layer = "many"
    assert "page" in controls(explorer)


def test_the_page_in_sight_is_that_of_the_selected_channel_until_another_is_turned_to(explorer):
    per_page = len(tiles(explorer)[0])
    weakest = int(explorer._grid.order[-1])
    explorer.channel = weakest
    assert weakest in tiles(explorer)[0]
    explorer._pressed("PageUp")
    last = -(-CHANNELS // per_page) - 1
    assert explorer.options["page"] == last - 1
    assert weakest not in tiles(explorer)[0]
    explorer.channel = int(explorer._grid.order[0])
    assert "page" not in explorer.options
    assert explorer.channel in tiles(explorer)[0]


def test_a_size_that_does_not_exist_is_an_error(explorer):
    with pytest.raises(OptionError, match="'M', 'L'"):
        explorer.options = {"size": "XL"}


def test_more_room_is_filled_with_more_columns_and_a_redraw_comes_only_then(explorer):
    drawn = []
    explorer._screen.plot.observe(lambda change: drawn.append(change["new"]), "_spec")
    told(explorer, 800)
    before = tiles(explorer)
    drawn.clear()
    told(explorer, 816)
    assert drawn == [] or tiles(explorer) != before
    told(explorer, 1200)
    assert tiles(explorer)[1][1] > before[1][1]
    assert "room" not in explorer.state()


def test_a_further_explorer_is_drawn_at_once_for_the_room_that_a_page_told_last(explorer, model):
    told(explorer, 1200)
    further = aw.LayerExplorer(model, explorer.inputs, layer="many")
    sent = []
    further._screen.plot.observe(lambda change: sent.append(change["new"]), "_images")
    assert tiles(further) == tiles(explorer)
    told(further, 1200)
    assert sent == []
    told(explorer, 800)
    assert tiles(further) != tiles(explorer)
    further.close()


def test_the_inspector_says_the_rank_of_the_mean_and_the_shares_of_channel_and_layer(explorer):
    explorer.layer, explorer.channel = "capped", 1
    value = explorer.activation[0]
    means = value.mean(axis=(0, 1))
    rank = int((means > means[1]).sum()) + 1
    said = facts(explorer)
    assert explorer._screen.inspection.content["title"] == "Channel 1"
    assert said["mean"].endswith(f", rank {rank} of 4")
    assert float(said["mean"].split(",")[0]) == pytest.approx(means[1], abs=0.01)
    for term, share in (("zero", value == 0), ("at the ceiling", value == 0.5)):
        own, layer = said[term].removesuffix(")").split(" (layer: ")
        expected = [100 * share[..., 1].mean(), 100 * share.mean()]
        np.testing.assert_allclose([float(text.split()[0]) for text in (own, layer)], expected, atol=0.5)
    assert said["depends on"] == "5 × 5 input pixels"


def test_the_inspector_says_the_value_of_a_unit_of_a_vector(explorer):
    explorer.layer, explorer.channel = "vector", 2
    value = explorer.activation[0]
    rank = int((value > value[2]).sum()) + 1
    assert list(facts(explorer)) == ["value"]
    assert facts(explorer)["value"].endswith(f", rank {rank} of 4")


def test_the_button_shows_the_channel_on_the_input(explorer):
    explorer.channel = 7
    labels = [label for label, _ in explorer._screen.inspection.content["actions"]]
    explorer._screen.inspection._answer(None, {"action": labels.index("Show on the input")}, [])
    assert (explorer.show, explorer.channel) == ("overlay", 7)


def test_a_layer_without_a_picture_has_no_such_button():
    model = keras.Sequential([keras.Input((9, 4)), layers.Conv1D(5, 3, name="conv")])
    explorer = aw.LayerExplorer(model, RNG.random((1, 9, 4)), channel=2)
    labels = [label for label, _ in explorer._screen.inspection.content["actions"]]
    assert "Show on the input" not in labels
    explorer.close()
