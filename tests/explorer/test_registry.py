"""A view is one class: it comes on screen, into the state and into the offline page with nothing else changed."""

from __future__ import annotations

import json
import re

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import OptionError
from actwidget.explorer.controls import Choice, Number
from actwidget.explorer.drawing import Drawing, Table
from actwidget.explorer.registry import View, register, unregister, views

POWER = Choice("power", "power", "what the values are raised to", {"one": "as they are", "two": "squared"})
LEAST = Number("least", "least", count=100, empty="any")


@pytest.fixture
def sums():
    """A view that shows the sum of each channel."""

    @register
    class Sums(View):
        name = "sums"
        label = "sums"
        question = "How much is there in each channel?"
        controls = ("channel", POWER, LEAST)

        def available(self, data):
            return data.missing or (None if data.node.name != "flat" else "A vector has nothing to add up.")

        def draw(self, data, selection):
            values = data.value ** (2 if selection.option(POWER) == "two" else 1)
            found = values.reshape(-1, values.shape[-1]).sum(axis=0)
            if (least := selection.option(LEAST)) is not None:
                found = found[found >= least]
            figure = {"data": [{"type": "bar", "y": found}], "layout": {"title": {"text": f"sums of {data.path}"}}}
            alt = f"{data.path}: sums {found.round(3).tolist()}"
            return Drawing.of(figure, alt, tell=lambda: f"{len(found)} sums", table=Table("Sums", {"sum": found}))

    yield Sums
    unregister("sums")


@pytest.fixture
def model():
    stack = [keras.Input((4, 4, 1)), layers.Conv2D(3, 2, name="conv"), layers.Flatten(name="flat")]
    return keras.Sequential(stack, name="small")


X = np.random.default_rng(0).random((2, 4, 4, 1), "float32")


def sums_of(model, sample, power=1):
    return (aw.activations(model, X, "conv")["conv"][sample] ** power).sum(axis=(0, 1))


@pytest.mark.usefixtures("sums")
def test_a_new_view_is_on_screen(model):
    explorer = aw.LayerExplorer(model, X, show="sums", layer="conv")
    assert {item["name"]: item["label"] for item in explorer._screen.tabs.items}["sums"] == "sums"
    assert explorer.figure.layout.title.text == "sums of conv"
    np.testing.assert_allclose(explorer.figure.data[0].y, sums_of(model, 0), rtol=1e-5)
    explorer.sample = 1
    np.testing.assert_allclose(explorer.figure.data[0].y, sums_of(model, 1), rtol=1e-5)
    assert "3 sums" in explorer._screen.numbers.value
    assert explorer._screen.stage.children[0] is explorer._screen.table
    explorer.layer = "flat"
    assert "A vector has nothing to add up." in explorer._screen.plot.alt
    explorer.close()


@pytest.mark.usefixtures("sums")
def test_the_controls_of_a_view_are_on_screen_and_set_what_it_draws(model):
    explorer = aw.LayerExplorer(model, X, show="sums", layer="conv")
    controls = explorer._screen.controls
    assert list(controls.box.children) == [controls.widget(name) for name in ("channel", "power", "least")]
    controls.widget("power").value = "two"
    assert explorer.options == {"power": "two"}
    np.testing.assert_allclose(explorer.figure.data[0].y, sums_of(model, 0, power=2), rtol=1e-5)
    explorer.options = {"power": "one", "least": 99}
    assert controls.widget("power").value == "one"
    assert controls.widget("least").value == 99
    assert len(explorer.figure.data[0].y) == 0
    for wrong in ({"power": "three"}, {"least": 100}, {"other": 1}, 3):
        with pytest.raises(OptionError):
            explorer.options = wrong
    assert explorer.options == {"power": "one", "least": 99}
    explorer.show = "activation"
    assert controls.widget("power") not in controls.box.children
    explorer.close()


@pytest.mark.usefixtures("sums")
def test_a_new_view_is_in_the_state(model):
    explorer = aw.LayerExplorer(model, X, show="sums", layer="conv")
    explorer.options = {"power": "two"}
    state = json.loads(json.dumps(explorer.state()))
    again = aw.LayerExplorer(model, X, state=state)
    assert again.state() == state
    assert again.figure.to_json() == explorer.figure.to_json()
    explorer.close()
    again.close()


@pytest.mark.usefixtures("sums")
def test_a_new_view_is_in_the_offline_page_where_it_is_available(model, tmp_path):
    explorer = aw.LayerExplorer(model, X, show="sums", layer="conv")
    file = tmp_path / "page.html"
    assert explorer.to_html(file, layers=["conv", "flat"]) == ["conv", "flat"]
    data = re.search(r'id="actw-data">(.*?)</script>', file.read_text(encoding="utf-8"), re.DOTALL)
    page = json.loads(data[1])
    conv, flat = page["layers"]["conv"], page["layers"]["flat"]
    assert next(iter(conv["views"])) == "sums"  # the page begins with what is on screen
    assert conv["views"]["sums"]["alt"].startswith("conv: sums [")
    assert conv["views"]["sums"]["table"]["columns"] == ["sum"]
    assert "sums" not in flat["views"]
    assert {tab["name"]: tab.get("reason") for tab in flat["tabs"]}["sums"] == "A vector has nothing to add up."
    explorer.close()


def test_without_the_view_nothing_of_it_is_left(model):
    assert "sums" not in views()
    with pytest.raises(OptionError, match="show"):
        aw.LayerExplorer(model, X, show="sums")


def test_two_views_of_one_name_or_with_one_control_are_refused(sums):
    with pytest.raises(ValueError, match="sums"):
        register(sums)

    class Others(sums):
        name = "others"

    with pytest.raises(ValueError, match="power"):
        register(Others)

    class Sampled(sums):
        name = "sampled"
        controls = (Number("sample", "sample"),)

    with pytest.raises(ValueError, match="sample"):
        register(Sampled)


def test_each_view_says_what_it_is_for():
    for name, view in views().items():
        assert view.name == name
        assert view.label
        assert view.question.endswith("?")
