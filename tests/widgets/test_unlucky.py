"""A layer that raises, no memory, messages that no page sends, hosts that link and box: the explorer lives."""

from __future__ import annotations

import ipywidgets
import keras
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.capture.access.session import Session
from actwidget.errors import ActwidgetError, CaptureError, LayerNotFoundError
from tests.capture import zoo


def convolutions(count):
    x = y = keras.Input((8, 8, 3), name="image")
    for number in range(count):
        y = layers.Conv2D(8, 3, padding="same", name=f"conv_{number}")(y)
    return keras.Model(x, layers.GlobalAveragePooling2D(name="pool")(y), name="net")


class Fragile(keras.layers.Layer):
    """Raises the error that it holds."""

    error = None

    def call(self, inputs):
        if self.error is not None:
            raise self.error
        return inputs * 2


def with_fragile(error):
    x = keras.Input((8, 8, 3), name="image")
    y = layers.Conv2D(4, 3, name="before")(x)
    y = layers.GlobalAveragePooling2D(name="pool")(Fragile(name="fragile")(y))
    model = keras.Model(x, layers.Dense(3, activation="softmax", name="out")(y), name="net")
    model.get_layer("fragile").error = error
    return model


RAISED = {
    "out of memory, said by TensorFlow": (
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[64,512,512,64]"),
        ("ran out of memory", "fewer or smaller samples"),
    ),
    "out of memory, said by Python": (MemoryError(), ("ran out of memory", "fewer or smaller samples")),
    "an error of its own": (
        ValueError("no \x1b[1mbold\x1b[0m <b>moves</b>\nhere"),
        ("ValueError", "no bold &lt;b&gt;moves"),
    ),
    "an error without words": (AssertionError(), ("AssertionError",)),
    "a long error": (RuntimeError("x" * 100_000), ("RuntimeError",)),
    "a look-up that fails": (KeyError("key"), ("KeyError", "key")),
}


@pytest.mark.parametrize(("error", "words"), RAISED.values(), ids=RAISED)
def test_what_a_layer_raises_is_said_and_the_explorer_lives(error, words):
    explorer = aw.LayerExplorer(with_fragile(error), zoo.noise(2, 8, 8, 3), layer="before")
    figure = explorer.figure
    for path in ("fragile", "pool", "out"):
        explorer.layer = path
        text = explorer._screen.alert.value
        assert path in text
        assert all(word in text for word in words), text
        assert len(text) < 2_000
        assert "\x1b" not in text
        assert explorer.figure is figure
        with pytest.raises(CaptureError):
            _ = explorer.activation
    explorer.show = "overview"
    assert words[0] in explorer._screen.alert.value
    explorer.show = "activation"
    explorer.layer = "before"
    assert 'actw-alert"></div>' in explorer._screen.alert.value
    explorer.model.get_layer("fragile").error = None
    explorer.layer = "out"
    assert 'actw-alert"></div>' in explorer._screen.alert.value
    assert explorer.activation.shape == (2, 3)


def test_an_interrupted_layer_is_said_and_can_be_chosen_again():
    model = with_fragile(KeyboardInterrupt())
    explorer = aw.LayerExplorer(model, zoo.noise(2, 8, 8, 3), layer="before")
    with pytest.raises(KeyboardInterrupt):
        told(explorer._screen.tree, selected="fragile")
    assert "fragile was interrupted" in explorer._screen.status.value
    assert explorer._screen.plot.busy is False
    assert explorer.figure.layout.title.text.startswith("before ")
    model.get_layer("fragile").error = None
    explorer._screen.tree._handle_custom_msg({"kind": "again"}, [])
    assert explorer.figure.layout.title.text.startswith("fragile ")
    assert "interrupted" not in explorer._screen.status.value


def test_no_memory_for_a_drawing_is_said_too(monkeypatch):
    explorer = aw.LayerExplorer(convolutions(2), zoo.noise(2, 8, 8, 3))
    figure = explorer.figure
    with monkeypatch.context() as short_of_memory:
        short_of_memory.setattr(
            "actwidget.explorer.views.channels.picture", lambda *_args, **_options: (_ for _ in ()).throw(MemoryError)
        )
        explorer.layer = "conv_1"
    assert "MemoryError" in explorer._screen.alert.value
    assert explorer.figure is figure
    explorer.layer = "pool"
    assert 'actw-alert"></div>' in explorer._screen.alert.value


def told(widget, **state):
    """As the page tells the kernel that a person changed something."""
    widget._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})


def test_quick_selections_from_the_page_end_on_the_last_one_and_run_each_layer_once(monkeypatch):
    explorer = aw.LayerExplorer(convolutions(5), zoo.noise(2, 8, 8, 3))
    passes = []
    whole = Session.captured
    monkeypatch.setattr(
        Session, "captured", lambda self, path: (self.holds(path) or passes.append(path), whole(self, path))[1]
    )
    for number in range(30):
        told(explorer._screen.tree, selected=f"conv_{number % 5}")
    told(explorer._screen.tree, selected="conv_2")
    assert explorer.layer == explorer._screen.tree.selected == "conv_2"
    assert explorer.figure.layout.title.text.startswith("conv_2")
    assert sorted(passes) == ["conv_1", "conv_2", "conv_3", "conv_4"]


@pytest.mark.parametrize("selected", ["nothing", "<script>", "x" * 100_000, 3, None, ["conv_1"], {"a": []}])
def test_a_selection_that_the_page_could_not_have_made_changes_nothing(selected):
    explorer = aw.LayerExplorer(convolutions(2), zoo.noise(2, 8, 8, 3))
    told(explorer._screen.tree, selected=selected)  # ipywidgets logs what is wrong
    assert explorer.layer == explorer._screen.tree.selected == "conv_0"
    told(explorer._screen.tree, selected="pool")
    assert explorer.layer == "pool"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"kind": "click"},
        {"kind": "click", "customdata": "conv_1"},
        {"kind": "click", "customdata": []},
        {"kind": "click", "customdata": [None]},
        {"kind": "click", "customdata": [[1]]},
        {"kind": "click", "customdata": [1e300]},
        {"kind": "click", "customdata": [float("nan")]},
        {"kind": "click", "customdata": ["nothing"]},
        {"kind": "click", "customdata": ["sample", 99]},
        {"kind": "click", "customdata": ["sample", "1"]},
        {"kind": ["click"], "customdata": {}},
        "click",
        None,
        3,
    ],
    ids=repr,
)
def test_a_click_that_the_page_could_not_have_made_changes_nothing(content):
    explorer = aw.LayerExplorer(convolutions(2), zoo.noise(2, 8, 8, 3))
    state = explorer.state()
    explorer._screen.plot._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})
    assert explorer.state() == state
    explorer._screen.plot._handle_msg(
        {"content": {"data": {"method": "custom", "content": {"kind": "click", "customdata": [3]}}}, "buffers": []}
    )
    assert explorer.channel == 3


def test_interact_steers_an_explorer():
    explorer = aw.LayerExplorer(convolutions(2), zoo.noise(2, 8, 8, 3))

    def choose(layer, channel):
        explorer.layer, explorer.channel = layer, channel

    control = ipywidgets.interactive(choose, layer=["conv_0", "conv_1"], channel=(0, 7))
    layer, channel = control.children[:2]
    layer.value, channel.value = "conv_1", 5
    assert (explorer.layer, explorer.channel) == ("conv_1", 5)
    assert 'actw-alert"></div>' in explorer._screen.alert.value


def test_an_explorer_in_a_box_is_closed_by_itself_alone():
    model, x = convolutions(2), zoo.noise(2, 8, 8, 3)
    one, two = aw.LayerExplorer(model, x), aw.LayerExplorer(model, x)
    box = ipywidgets.HBox([one, two])
    seen = []
    two.observe(lambda change: seen.append((change["name"], change["new"])), ["layer", "channel"])
    one.close()
    two.layer, two.channel = "conv_1", 3
    assert seen == [("layer", "conv_1"), ("channel", 3)]
    assert 'actw-alert"></div>' in two._screen.alert.value
    box.close()
    two.layer = "pool"
    assert two.activation.shape == (2, 8)


def test_a_link_is_undone_and_refuses_what_the_other_lacks():
    x = zoo.noise(2, 8, 8, 3)
    one, two = aw.LayerExplorer(convolutions(3), x), aw.LayerExplorer(convolutions(2), x)
    link = ipywidgets.link((one, "layer"), (two, "layer"))
    one.layer = "conv_1"
    assert two.layer == "conv_1"
    with pytest.raises(LayerNotFoundError, match="conv_2"):
        one.layer = "conv_2"
    assert two.layer == "conv_1"
    assert "conv_2" in two._screen.alert.value
    link.unlink()
    two.layer = "pool"
    assert one.layer == "conv_2"
    assert one.activation.shape == (2, 8, 8, 8)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layer", "nothing"),
        ("channel", 99),
        ("sample", 9),
        ("compare", "x"),
        ("sort", 3),
        ("show", ""),
        ("scaling", None),
    ],
)
def test_what_is_refused_while_notifications_are_held_is_not_kept(name, value):
    explorer = aw.LayerExplorer(convolutions(2), zoo.noise(2, 8, 8, 3))
    state = explorer.state()
    with pytest.raises(ActwidgetError), explorer.hold_trait_notifications():
        setattr(explorer, name, value)
    assert explorer.state() == state
    with explorer.hold_trait_notifications():
        explorer.layer, explorer.channel = "conv_1", 7
    assert explorer.figure.layout.title.text.startswith("conv_1")
