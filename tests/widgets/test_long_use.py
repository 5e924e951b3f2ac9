"""After hundreds of selections nothing has piled up."""

from __future__ import annotations

import gc
import weakref

import ipywidgets
import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import LayerNotFoundError
from actwidget.explorer.views.channels import DRAWING, PICTURE
from tests.capture import zoo
from tests.widgets.small import open_widgets


def deep(count=30):
    x = y = keras.Input((8, 8, 3), name="image")
    for number in range(count):
        y = layers.Conv2D(8, 3, padding="same", activation="relu", name=f"conv_{number}")(y)
    return keras.Model(x, layers.GlobalAveragePooling2D(name="pool")(y), name="deep")


def test_hundreds_of_selections_keep_to_the_budget():
    explorer = aw.LayerExplorer(deep(), zoo.noise(4, 8, 8, 3), max_bytes=60_000)
    paths = [node.path for node in explorer.tree]
    random = np.random.default_rng(0)
    for number in range(300):
        explorer.layer = paths[random.integers(len(paths))]
        explorer.sample = number % 4
        assert explorer._explorer.session.bytes_kept <= 60_000
    kept = explorer._explorer.session.kept
    assert kept.nbytes == sum(entry.nbytes for entry in kept._entries.values())
    held = {key.path for key in kept.keys("whole")}
    assert {key.path for kind in (PICTURE, DRAWING) for key in kept.keys(kind)} <= held


def test_explorers_made_in_a_loop_do_not_add_up():
    model, x = deep(3), zoo.noise(2, 8, 8, 3)
    aw.LayerExplorer(model, x).close()
    gc.collect()
    before = len(open_widgets)
    gone = []
    for _ in range(5):
        explorer = aw.LayerExplorer(model, x)
        gone.append(weakref.ref(explorer))
        explorer.close()
        del explorer
    gc.collect()
    assert len(open_widgets) == before
    assert [each() for each in gone] == [None] * 5


def test_two_explorers_on_one_model_and_a_linked_pair():
    model, x = deep(3), zoo.noise(2, 8, 8, 3)
    one, two = aw.LayerExplorer(model, x), aw.LayerExplorer(model, x)
    one.layer = "conv_2"
    assert two.layer == "conv_0"
    ipywidgets.link((one, "layer"), (two, "layer"))
    one.layer = "pool"
    assert two.layer == "pool"
    two.layer = 1
    assert (one.layer, two.layer) == ("conv_0", "conv_0")
    with pytest.raises(LayerNotFoundError, match="nothing"):
        one.layer = "nothing"
    assert two.layer == "conv_0"
    ipywidgets.HBox([one, two]).close()


def test_closing_frees_the_model_the_arrays_and_every_widget():
    model, x = deep(3), zoo.noise(2, 8, 8, 3)
    before = set(open_widgets)
    explorer = aw.LayerExplorer(model, x, compare=deep(3))
    for show in ("activation", "weights", "overview", "comparison"):
        explorer.show = show
    widgets = [open_widgets[key] for key in set(open_widgets) - before]
    comms = [widget.comm for widget in widgets]
    assert len(widgets) > 30
    kept = {
        "model": model,
        "layer": model.layers[1],
        "other model": explorer._explorer.other.graph.model,
        "sub-model": explorer.submodel,
        "explorer": explorer,
        "activation": explorer.activation,
        "batch": explorer.inputs,
        "plot": explorer._screen.plot,
        "tree": explorer._screen.tree,
    }
    watched = {name: weakref.ref(each) for name, each in kept.items()}
    explorer.close()
    assert [widget for widget in widgets if widget.comm is not None] == []
    assert [comm for comm in comms if not comm._closed] == []
    assert set(open_widgets) == before
    del model, x, explorer, kept, widgets, comms
    gc.collect()
    assert [name for name, each in watched.items() if each() is not None] == []
