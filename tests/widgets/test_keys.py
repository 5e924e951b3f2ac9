"""Arrow keys, Home, End and Escape: every key, in every view, for every kind of layer."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.explorer.navigation import PAGES
from actwidget.explorer.registry import views
from actwidget.keras_internals.versions import UNUSED_INPUTS_REFUSED
from actwidget.widgets import html
from actwidget.widgets.components.plot import KEYS
from tests.rounding import assert_close

RNG = np.random.default_rng(5)
WITHOUT_SCAN = [name for name, view in views().items() if not view.needs_scan]


class Spare(layers.Layer):
    """Holds a layer that it does not call."""

    def __init__(self, **options):
        super().__init__(**options)
        self.unused = layers.Dense(3, name="unused")

    def call(self, inputs):
        return inputs


def every_kind():
    """A model that has a layer of each kind under its name, and a batch for it."""
    image = keras.Input((8, 8, 3), name="image")
    ids = keras.Input((6,), dtype="int32", name="ids")
    text = keras.Input((), dtype="string", name="text")
    film = keras.Input((3, 6, 6, 2), name="film")
    named = {
        "maps": layers.Conv2D(5, 3, name="maps")(image),
        "volume": layers.Conv3D(4, 2, name="volume")(film),
        "masked": layers.Embedding(9, 7, mask_zero=True, name="masked")(ids),
    }
    named["sequence"] = layers.GRU(4, return_sequences=True, name="sequence")(named["masked"])
    named["vector"] = layers.GlobalMaxPooling2D(name="vector")(named["maps"])
    named["wide"] = layers.Dense(300, name="wide")(named["vector"])
    named["one unit"] = layers.Dense(1, activation="sigmoid", name="one unit")(named["vector"])
    named["number"] = layers.Identity(name="number")(ops.sum(named["vector"], axis=-1))
    named["heads"] = layers.MultiHeadAttention(2, 3, name="heads")(named["sequence"], named["sequence"])
    named["flags"] = layers.Identity(name="flags", dtype="bool")(named["sequence"] > 0)
    named["flag maps"] = layers.Identity(name="flag maps", dtype="bool")(named["maps"] > 0)
    named["flag volume"] = layers.Identity(name="flag volume", dtype="bool")(named["volume"] > 0)
    named["labels"] = layers.Identity(name="labels", dtype="int32")(ops.argmax(named["maps"], axis=-1))
    named["looked up"] = layers.StringLookup(vocabulary=["cat", "dog"], name="looked up")(text)
    named["empty"] = layers.Identity(name="empty")(named["sequence"][:, :0])
    named["whole"] = layers.Identity(name="whole")(ops.sum(named["sequence"]))
    named["spare"] = Spare(name="spare")(named["vector"])
    inputs, outputs = [image, ids, text, film], named
    if not UNUSED_INPUTS_REFUSED.applies:
        extra = keras.Input((2,), name="left_out", optional=True)
        inputs, outputs = [*inputs, extra], {**named, "extra": extra}
    model = keras.Model(inputs, outputs)
    batch = [
        RNG.normal(size=(3, 8, 8, 3)),
        RNG.integers(0, 4, (3, 6)),
        np.array(["cat", "dog", "cat"]),
        RNG.normal(size=(3, 3, 6, 6, 2)),
    ]
    return model, batch if UNUSED_INPUTS_REFUSED.applies else [*batch, None]


@pytest.fixture(scope="module")
def everything():
    return every_kind()


@pytest.fixture(scope="module")
def kept(everything):
    opened = aw.LayerExplorer(*everything)
    yield opened
    opened.close()


@pytest.fixture(params=["kept", "over the budget"])
def explorer(everything, kept, request):
    if request.param == "kept":
        return kept
    return aw.LayerExplorer(*everything, max_bytes=100)


def press(explorer, key):
    explorer._pressed(key)  # by way of a message from the page an exception would end in the log


KINDS = ["image", "text", "film", "maps", "volume", "masked", "sequence", "vector", "wide", "one unit", "number"]
KINDS += ["heads", "heads/scores", "flags", "flag maps", "flag volume", "labels", "looked up", "empty", "whole"]
WITHOUT = ["spare/unused"] if UNUSED_INPUTS_REFUSED.applies else ["left_out", "spare/unused"]
"""What has no value: an optional input that was left out, a layer that is not called."""


@pytest.mark.parametrize("show", WITHOUT_SCAN)
@pytest.mark.parametrize("path", [*KINDS, *WITHOUT])
def test_a_key_moves_what_is_selected_to_what_there_is_or_does_nothing(kept, path, show):
    explorer = kept
    explorer.show, explorer.layer, explorer.sample = show, path, 1
    failed = path in WITHOUT and show in {"comparison", "overlay", "table"}
    for start in {None, 0 if failed else explorer._explorer.data.channel_count - 1}:
        for key in KEYS:
            explorer.channel = start
            before = explorer.state()
            press(explorer, key)
            after = explorer.state()
            if explorer._grid is None:
                assert after == before
                assert not explorer._screen.plot.arrows
            elif explorer._grid.of == "sample":
                assert {**after, "sample": 1} == {**before, "sample": 1}
            else:
                assert {**after, "channel": None} == {**before, "channel": None}
                stays = key in PAGES or key == "Enter"
                assert (after["channel"] is None) == (key == "Escape" or (stays and start is None))
    explorer.channel = None
    assert failed or explorer._screen.alert.value == html.live("alert", "")


def drawn_order(explorer):
    """The channels as the figure has them, row by row, and how many stand in a row."""
    figure = explorer.figure
    over = next((each for each in figure.data if each.type == "heatmap" and np.ndim(each.customdata) == 3), None)
    if over is None:
        rows = max((each.customdata for each in figure.data if each.customdata is not None), key=len)
        return [row[0] for row in rows], 1
    cells = np.where(np.isfinite(np.asarray(over.z)), np.asarray(over.customdata)[..., 0], -1)
    return [int(cell) for cell in cells.ravel() if cell >= 0], cells.shape[1]


GRIDS = [(path, "activation") for path in ("maps", "volume", "sequence", "vector", "wide", "heads/scores")]
GRIDS += [("maps", "comparison"), ("wide", "comparison")]


@pytest.mark.parametrize(("path", "show"), GRIDS)
@pytest.mark.parametrize("sort", ["index", "mean"])
def test_keys_go_through_the_channels_as_they_are_drawn(explorer, path, show, sort):
    explorer.show, explorer.layer, explorer.channel, explorer.sort = show, path, None, sort
    order, columns = drawn_order(explorer)
    press(explorer, "Home")
    seen = [explorer.channel]
    for _ in order[:20]:
        press(explorer, "ArrowRight")
        seen.append(explorer.channel)
    assert seen[: len(order)] == order[:21]
    assert seen[-1] == order[min(20, len(order) - 1)]
    press(explorer, "End")
    assert explorer.channel == order[-1]
    press(explorer, "Home")
    press(explorer, "ArrowDown")
    assert explorer.channel == order[columns if columns < len(order) else 0]
    press(explorer, "ArrowUp")
    assert explorer.channel == order[0]
    press(explorer, "ArrowUp")
    press(explorer, "ArrowLeft")
    assert explorer.channel == order[0]
    press(explorer, "Escape")
    assert explorer.channel is None
    explorer.sort = "index"


def test_over_the_input_keys_go_through_the_channels_in_the_chosen_order(explorer):
    explorer.layer, explorer.show, explorer.sort, explorer.channel = "maps", "overlay", "maximum", None
    expected = np.argsort(-explorer.activation[explorer.sample].max(axis=(0, 1)), kind="stable").tolist()
    seen = []
    for _ in expected:
        press(explorer, "ArrowRight")
        seen.append(explorer.channel)
    assert seen == expected
    shown, expected_map = explorer.figure.data[1].z, explorer.activation[explorer.sample, ..., explorer.channel]
    # A sample that is computed alone may be rounded otherwise than in its batch.
    assert_close(np.asarray(shown), expected_map)
    explorer.sort, explorer.show, explorer.channel = "index", "activation", None


def test_one_number_a_sample_is_moved_through_sample_by_sample(explorer):
    explorer.show, explorer.layer, explorer.sample = "activation", "number", 0
    for key, sample in (("ArrowRight", 1), ("End", 2), ("ArrowRight", 2), ("ArrowLeft", 1), ("Escape", 1), ("Home", 0)):
        press(explorer, key)
        assert explorer.sample == sample
    assert "sample 0" in explorer._screen.plot.alt


def test_the_column_of_flags_that_is_selected_is_outlined(explorer):
    explorer.show, explorer.layer, explorer.channel = "activation", "flags", 1
    press(explorer, "ArrowRight")
    _, mark = explorer.figure.layout.shapes
    assert (mark.x0, mark.x1, mark.y0, mark.y1) == (1.5, 2.5, -0.5, 5.5)
    press(explorer, "Escape")
    assert not explorer.figure.layout.shapes


def test_in_the_weights_keys_go_through_the_channels_that_are_marked(explorer):
    explorer.show, explorer.layer, explorer.channel = "weights", "maps", None
    for key, channel in (("Home", 0), ("ArrowRight", 1), ("End", 4), ("ArrowRight", 4), ("Escape", None)):
        press(explorer, key)
        assert explorer.channel == channel
    explorer.layer = "vector"
    press(explorer, "ArrowRight")
    assert explorer.channel is None
    explorer.show = "activation"


def test_where_the_last_drawing_failed_a_key_does_nothing(everything, monkeypatch):
    explorer = aw.LayerExplorer(*everything, layer="maps", channel=1)

    def no_memory(*_args, **_options):
        raise MemoryError

    monkeypatch.setattr("actwidget.explorer.views.channels.Channels.draw", no_memory)
    explorer.layer = "sequence"
    for key in KEYS:
        press(explorer, key)
    assert explorer.channel is None
    assert "MemoryError" in explorer._screen.alert.value
    explorer.close()


def test_without_inputs_a_key_does_nothing(everything):
    explorer = aw.LayerExplorer(everything[0])
    for show in WITHOUT_SCAN:
        if show != "overlay":
            explorer.show, explorer.layer = show, "vector"
            for key in KEYS:
                press(explorer, key)
            assert explorer.channel is None
    explorer.close()
