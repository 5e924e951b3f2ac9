"""The tab What if: edits as a trait, what becomes of the answer, and how far each later layer moves."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import ChannelError, LayerNotFoundError, OptionError
from actwidget.explorer.what_if.edits import channels_from, listed_channels
from actwidget.explorer.what_if.outcome import relative_distance
from actwidget.keras_internals.backend import backend

X = np.random.default_rng(0).normal(size=(3, 6, 6, 2)).astype("float32")


def network():
    keras.utils.set_random_seed(1)
    x = keras.Input((6, 6, 2), name="x")
    first = layers.Conv2D(5, 3, activation="relu", name="first")(x)
    side = layers.Conv2D(4, 1, name="side")(x)
    second = layers.Conv2D(4, 3, name="second")(first)
    both = layers.Concatenate(name="both")([layers.Flatten(name="flat")(second), layers.Flatten(name="other")(side)])
    return keras.Model(x, layers.Dense(3, activation="softmax", name="top")(both), name="net")


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.inner = network()

    def call(self, x):
        return self.inner(x)


@pytest.fixture
def explorer():
    made = aw.LayerExplorer(network(), X, layer="first")
    yield made
    made.close()


def moved_by_hand(model, edited, x, sample, skip=()):
    """How far each layer moves, from two whole passes."""
    before, after = aw.activations(model, x), aw.activations(edited, x)
    lengths = {path: np.linalg.norm(after[path][sample] - before[path][sample]) for path in before if path not in skip}
    return {path: length / np.linalg.norm(before[path][sample]) for path, length in lengths.items() if length}


EDITS = {
    "one": {"first": [aw.Ablate(1)]},
    "in turn": {"first": [aw.Scale([0, 2], 2.0), aw.Ablate(1, 0.5), aw.Scale(1, 3.0)]},
    "an array": {"first": [aw.Replace(np.ones((4, 4, 5), "float32"))]},
    "two layers": {"first": [aw.Ablate([0, 1])], "second": [aw.Scale(3, -1.0)]},
    "beside": {"second": [aw.Ablate(0)], "side": [aw.Ablate(2)]},
    "the answer": {"top": [aw.Scale(0, 0.5)]},
}


def test_only_the_activations_that_edits_can_change_are_kept_to_be_compared():
    explorer = aw.LayerExplorer(network(), X, layer="second")
    explorer.edits = {"second": [aw.Ablate(0)]}
    what_if, selection = explorer._explorer.inspector.what_if, explorer._explorer.selection
    what_if.outcome(selection.edits, 0, "second")
    (passes,) = what_if._passes.values()
    assert passes._base.keys() == {"second", "flat", "both", "top"}


@pytest.mark.parametrize("edits", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("make", [network, Subclassed])
@pytest.mark.parametrize("layer", [0, -1])
def test_the_answers_and_the_way_of_each_layer_are_those_of_the_edited_model(make, edits, layer):
    model = make()
    model(X)
    prefix = "" if make is network else "net/"
    edits = {prefix + path: changes for path, changes in edits.items()}
    explorer = aw.LayerExplorer(model, X, layer=list(edits)[layer], sample=2)
    explorer.edits = edits
    what_if, selection = explorer._explorer.inspector.what_if, explorer._explorer.selection
    outcome = what_if.outcome(selection.edits, 2, selection.layer)
    np.testing.assert_allclose(outcome.before[0], np.asarray(model(X))[2], atol=1e-5)
    np.testing.assert_allclose(outcome.after[0], np.asarray(explorer.edited(X))[2], atol=1e-5)
    expected = moved_by_hand(model, explorer.edited, X, 2)
    found = {path: distance for path, distance in outcome.moved.items() if distance > 1e-6}
    assert found == pytest.approx({path: each for path, each in expected.items() if each > 1e-6}, rel=1e-3)
    assert outcome.is_partial == (make is network)
    explorer.close()


def test_the_edits_are_in_the_state_as_json_and_restored_from_it(explorer):
    explorer.edits = {"first": [aw.Ablate([1, 2]), aw.Scale(0, 0.25)], -1: aw.Replace(np.array([0.5, 0.25, 0.25]))}
    assert {path: [type(each).__name__ for each in changes] for path, changes in explorer.edits.items()} == {
        "first": ["Ablate", "Scale"],
        "top": ["Replace"],
    }
    state = json.loads(json.dumps(explorer.state()))
    again = aw.LayerExplorer(explorer.model, X, state=state)
    assert again.state() == state
    np.testing.assert_allclose(np.asarray(again.edited(X)), np.asarray(explorer.edited(X)), atol=1e-6)
    again.close()


def test_without_edits_the_state_says_nothing_of_them_and_the_edited_model_is_the_model(explorer):
    assert "edits" not in explorer.state()
    assert explorer.edited is explorer.model
    assert "aw.edit" not in explorer.code


@pytest.mark.parametrize(
    ("edits", "error", "text"),
    [
        ({"first": [aw.Ablate(5)]}, ChannelError, "from 0 to 4"),
        ({"nowhere": [aw.Ablate(0)]}, LayerNotFoundError, "nowhere"),
        ({"first": [lambda v: v]}, OptionError, "Ablate"),
        ({"first": aw.Replace(np.ones(3))}, OptionError, "shape"),
        ({"first": 3}, OptionError, "Expected edits"),
        ([aw.Ablate(0)], OptionError, "Expected edits"),
        ({"first": [{"class": "Ablate", "channel": 3}]}, OptionError, r"explorer\.state"),
    ],
)
def test_what_is_no_edit_is_an_error_on_screen_and_raised_and_changes_nothing(explorer, edits, error, text):
    explorer.edits = {"first": [aw.Ablate(1)]}
    before = explorer.state()
    with pytest.raises(error, match=text):
        explorer.edits = edits
    assert explorer.state() == before
    assert 'role="alert"' in explorer._screen.alert.value


def test_the_code_makes_the_edited_model(explorer):
    explorer.edits = {"first": [aw.Ablate([0, 3]), aw.Scale(1, 0.5)], "second": [aw.Ablate(2, 1.5)]}
    scope = {"model": explorer.model, "x": X}
    exec(explorer.code, scope)  # noqa: S102 - the code under test
    np.testing.assert_allclose(np.asarray(scope["answer"]), np.asarray(explorer.edited(X)), atol=1e-6)
    np.testing.assert_allclose(np.asarray(scope["activation"]), explorer.activation, atol=1e-6)


def test_showing_the_tab_runs_nothing(explorer, monkeypatch):
    calls = []
    monkeypatch.setattr(backend, "compiled", lambda *_: calls.append("compiled"))
    explorer._explorer.session.seconds = 0.0
    monkeypatch.setattr(type(explorer._explorer.inspector.what_if), "outcome", lambda *_: calls.append("outcome"))
    explorer.show = "what_if"
    assert calls == []
    assert explorer._explorer.session.seconds == 0
    assert "Choose channels" in explorer._screen.plot.alt


def controls(explorer):
    found = explorer._screen.controls
    return [found.widget(f"what_if_{name}") for name in ("channels", "change", "factor")]


def test_the_controls_change_the_edit_of_the_layer(explorer):
    explorer.show = "what_if"
    channels, change, factor = controls(explorer)
    assert factor is None
    channels.value = "1, 3-4"
    assert explorer._explorer.selection.edits[0].words == "channels 1, 3, 4 off"
    change.value = "others"
    assert explorer._explorer.selection.edits[0].channels == (0, 2)
    assert channels.value == "1, 3, 4"
    change.value = "scale"
    factor = controls(explorer)[2]
    factor.value = 0.25
    (scale,) = explorer.edits["first"]
    assert (scale.channels, scale.factor) == ((1, 3, 4), 0.25)
    change.value = "mean"
    mean = explorer.statistics.per_channel.mean
    assert [each.value for each in explorer.edits["first"]] == pytest.approx(mean[[1, 3, 4]].tolist())
    channels.value = ""
    assert explorer.edits == {}


def test_channels_that_the_layer_does_not_have_are_an_error_on_screen_and_change_nothing(explorer):
    explorer.show = "what_if"
    explorer.edits = {"first": [aw.Ablate(1)]}
    before = explorer.state()
    controls(explorer)[0].value = "5"
    assert explorer.state() == before
    assert "from 0 to 4" in explorer._screen.alert.value


def test_each_edit_can_be_taken_back(explorer):
    explorer.show = "what_if"
    explorer.edits = {"first": [aw.Ablate(1)], "second": [aw.Scale(0, 2.0)]}
    labels = [label for label, _ in explorer._screen.inspection.content["actions"]]
    place = next(index for index, label in enumerate(labels) if "second" in label)
    explorer._screen.inspection._answer(None, {"action": place}, [])
    assert list(explorer.edits) == ["first"]
    controls(explorer)[0].value = "0"
    assert explorer.edits["first"][0].channels == (0,)


def test_a_kept_edit_stays_while_the_controls_make_another_one(explorer):
    explorer.show = "what_if"
    controls(explorer)[0].value = "1"
    labels = [label for label, _ in explorer._screen.inspection.content["actions"]]
    explorer._screen.inspection._answer(None, {"action": labels.index("Keep, and change more")}, [])
    assert controls(explorer)[0].value == ""
    controls(explorer)[0].value = "2"
    assert [each.channels for each in explorer.edits["first"]] == [(1,), (2,)]


def test_the_inspector_of_a_channel_switches_it_off(explorer):
    explorer.channel = 2
    labels = [label for label, _ in explorer._screen.inspection.content["actions"]]
    explorer._screen.inspection._answer(None, {"action": labels.index("Switch it off")}, [])
    assert explorer.show == "what_if"
    assert explorer.edits["first"][0].channels == (2,)


def test_a_click_on_a_layer_compares_it_without_and_with_the_edits(explorer):
    explorer.show = "what_if"
    explorer.edits = {"first": [aw.Ablate(1)]}
    explorer._clicked(["second", "compare"])
    assert (explorer.show, explorer.compare, explorer.layer) == ("comparison", "edited", "second")
    apart = aw.compare(explorer.model, X, explorer.edited, "second")["second"][0]
    strongest = np.abs(apart).mean(axis=(0, 1)).argmax()
    assert f"mean difference: {strongest} " in explorer._screen.plot.alt
    explorer.edits = {}
    assert explorer.compare is None


def test_the_overview_has_the_way_of_each_layer_while_there_are_edits(explorer):
    explorer.show = "overview"
    traces = len(explorer.figure.data)
    explorer.edits = {"first": [aw.Ablate(1)]}
    assert len(explorer.figure.data) == traces + 1
    assert "channel 1 off" in explorer.figure.layout.title.text
    explorer._clicked(["second"])
    assert (explorer.show, explorer.compare) == ("comparison", "edited")


def test_channels_are_sorted_by_their_effect_when_that_is_asked_for(explorer):
    effects = aw.channel_effects(explorer.model, X[:1], "first")[0]
    explorer.sort = "effect"
    assert explorer._grid.order.tolist() == np.argsort(-effects, kind="stable").tolist()
    explorer.show = "table"
    np.testing.assert_allclose(explorer._explorer.show().drawing.table.columns["effect"], effects, atol=1e-6)


def test_effects_are_no_column_before_they_are_known(explorer):
    explorer.show = "table"
    assert "effect" not in explorer._explorer.show().drawing.table.columns


def test_a_text_names_channels():
    assert channels_from(" 3, 5-7;1", 8) == (3, 5, 6, 7, 1)
    assert channels_from("", 8) == ()
    for wrong in ("8", "a", "3-1", "-1", "1-"):
        with pytest.raises(OptionError, match="from 0 to 7"):
            channels_from(wrong, 8)
    assert listed_channels([9, 3, 4, 5]) == "3-5, 9"


def test_a_layer_that_was_zero_has_moved_infinitely_far():
    assert relative_distance(np.zeros(3), np.ones(3)) == np.inf
    assert relative_distance(np.zeros(3), np.zeros(3)) == 0
