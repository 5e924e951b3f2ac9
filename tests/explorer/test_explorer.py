"""The explorer works without a screen: it selects, checks, knows its layers and draws."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import ChannelError, LayerNotFoundError, OptionError, SampleError
from actwidget.explorer.explorer import Explorer
from actwidget.explorer.registry import views

X = np.random.default_rng(0).random((3, 6, 6, 1), "float32")

HEADLESS = """
import sys, keras, numpy as np
from actwidget import scan
from actwidget.explorer.explorer import Explorer
model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(4, 3, name="conv"), keras.layers.Flatten()])
explorer = Explorer(model, np.ones((2, 6, 6, 1)), scan=scan(model, np.ones((2, 6, 6, 1)), progress=False))
for name in explorer.offered_views():
    explorer.select(show=name)
    explorer.look()
    explorer.fit()
    print(name, explorer.show().drawing.alt[:4])
print("loaded", *sorted({name.partition(".")[0] for name in sys.modules} & {"anywidget", "ipywidgets"}))
"""


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    stack = [
        keras.Input((6, 6, 1), name="image"),
        layers.Conv2D(4, 3, activation="relu", name="conv"),
        layers.Flatten(name="flat"),
        layers.Dense(3, activation="softmax", name="out"),
    ]
    return keras.Sequential(stack, name="small")


@pytest.fixture
def explorer(model):
    opened = Explorer(model, X, class_names=["a", "b", "c"], labels=[0, 1, 2])
    yield opened
    opened.close()


def test_every_view_is_drawn_in_a_process_that_loads_no_widget() -> None:
    command = [sys.executable, "-c", HEADLESS]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.strip().splitlines()
    assert [line.split()[0] for line in lines] == [*views(), "loaded"]
    assert lines[-1] == "loaded"


def test_what_is_not_there_is_refused_and_changes_nothing(explorer):
    explorer.select(layer="conv", channel=2)
    before = explorer.selection
    for error, wrong in (
        (LayerNotFoundError, {"layer": "none"}),
        (ChannelError, {"channel": 4}),
        (SampleError, {"sample": 3}),
        (OptionError, {"show": "none"}),
        (OptionError, {"sort": "none"}),
        (OptionError, {"position": (4, 0)}),
        (SampleError, {"compare": 3}),
    ):
        with pytest.raises(error):
            explorer.select(**wrong)
        assert explorer.selection == before


def test_a_selection_and_what_is_known_of_a_layer_are_frozen(explorer):
    for value, name in ((explorer.selection, "layer"), (explorer.data, "path"), (explorer.data, "sample")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, "other")


def test_another_layer_drops_what_was_chosen_within_the_last_one(explorer):
    explorer.select(layer="flat", channel=50)
    explorer.select(layer="conv")
    assert explorer.fit().channel is None
    explorer.select(channel=3)
    assert explorer.fit().channel == 3


def test_what_is_known_of_a_layer_is_what_the_model_computes(explorer, model):
    explorer.select(layer="conv", sample=1)
    data, expected = explorer.data, aw.activations(model, X, "conv")["conv"]
    np.testing.assert_array_equal(data.value, expected[1])
    assert (data.channel_count, data.channel_label, data.samples, data.map_size) == (4, "channel", 3, (4, 4))
    assert data.statistics.maximum == pytest.approx(expected.max())
    assert data.sample_statistics.mean == pytest.approx(expected[1].mean(), rel=1e-5)
    assert data.statistics.zeros == pytest.approx((expected == 0).mean())
    assert data.missing is None
    np.testing.assert_array_equal(data.picture.pixels, X[1])
    assert not data.is_output
    explorer.select(layer="out")
    assert (explorer.data.is_output, explorer.data.class_names, explorer.data.label) == (True, ["a", "b", "c"], 1)


def test_a_prediction_is_the_class_with_the_highest_probability(explorer, model):
    output = model.predict(X, verbose=0)
    for sample in range(3):
        name, probability, _ = explorer.inspector.predictions.answers(sample).items[0]
        assert name == "abc"[output[sample].argmax()]
        assert probability == pytest.approx(output[sample].max(), rel=1e-5)


def test_written_weights_are_noticed_and_new_values_are_given(model):
    clone = keras.models.clone_model(model)
    opened = Explorer(clone, X)
    opened.select(layer="conv")
    before = opened.data.value.copy()
    assert not opened.refresh()
    kernel = clone.get_layer("conv").kernel
    kernel.assign(kernel * 2)
    assert opened.refresh()
    np.testing.assert_allclose(opened.data.value, aw.activations(clone, X, "conv")["conv"][0], rtol=1e-6)
    assert not np.array_equal(opened.data.value, before)
    opened.close()


def test_drawings_for_a_page_are_of_the_selected_layer_first_then_of_the_network_then_of_other_layers(explorer):
    explorer.select(layer="conv", show="weights", channel=2)
    drawn = list(explorer.drawings(None))
    order = [("network" if shown.is_of_network else shown.node.path, shown.view) for shown in drawn]
    own = [place for place, (path, _view) in enumerate(order) if path == "conv"]
    network = [place for place, (path, _view) in enumerate(order) if path == "network"]
    channels = [
        place for place, (path, view) in enumerate(order) if path not in {"conv", "network"} and view == "activation"
    ]
    assert order[0] == ("conv", "weights")
    assert own == list(range(len(own)))
    assert network == list(range(len(own), len(own) + len(network)))
    assert channels == list(range(channels[0], channels[0] + len(channels)))
    assert channels[0] == len(own) + len(network)
    assert len({*order}) == len(order)
    by_view = dict(zip(order, drawn, strict=True))
    assert by_view["conv", "activation"].drawing.alt.endswith("channel 2 close up")
    assert "close up" not in by_view["flat", "activation"].drawing.alt
    assert by_view["out", "weights"].drawing.alt.startswith("out, weights: kernel: (64, 3)")
    assert ("flat", "weights") not in by_view  # it has none


def test_drawings_of_given_layers_are_in_their_order(explorer):
    paths = [shown.node.path for shown in explorer.drawings(["out", "conv"]) if not shown.is_of_network]
    assert list(dict.fromkeys(paths)) == ["out", "conv"]


def test_a_channel_stays_selected_only_between_layers_with_as_many_channels():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(6, 3, name="first")(x)
    y = layers.ReLU(name="relu")(y)
    model = keras.Model(x, layers.Conv2D(40, 3, name="wide")(y))
    explorer = Explorer(model, np.ones((1, 8, 8, 3), "float32"))

    def go_to(**changes):
        explorer.select(**changes)
        return explorer.fit().channel

    assert go_to(layer="first", channel=4) == 4
    assert go_to(layer="relu") == 4
    assert go_to(layer="wide") is None
    assert go_to(layer="wide", channel=4) == 4
    assert go_to(layer="relu") is None
    assert go_to(layer="wide", channel=30) == 30
    assert go_to(sample=0) == 30
    assert go_to(reading="first") is None
