"""The network as a drawing: what is in it, what opens, what a click selects, and what is said of it."""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget import errors
from actwidget.capture.run.reasons import NOT_CALLED
from actwidget.explorer.explorer import Explorer
from actwidget.explorer.navigation import selected_by_click
from actwidget.explorer.network.network_graph import FEW, MANY
from tests.capture import zoo


def explorer(model, x=None, **selected) -> Explorer:
    found = Explorer(model, x)
    found.select(show="graph", **selected)
    return found


def click(found: Explorer, *customdata) -> None:
    found.select(
        **selected_by_click(
            list(customdata), found.data, partial(found.view.layer_clicked, data=found.data, selection=found.selection)
        )
    )


def spec(found: Explorer) -> dict:
    return found.show().drawing.figure.figure


def drawn(found: Explorer) -> list[str]:
    """The paths of the boxes, in order."""
    targets = spec(found)["data"][-1]["customdata"]
    return list(dict.fromkeys(data[0] for data in targets))


def pan(found: Explorer) -> dict:
    return spec(found)["layout"]["meta"]["pan"]


def residual() -> keras.Model:
    x = keras.Input((8, 8, 3), name="x")
    y = layers.Conv2D(3, 3, padding="same", name="conv")(x)
    y = layers.Lambda(lambda v: v * 0, name="dead")(y)
    return keras.Model(x, layers.Add(name="add")([x, y]), name="net")


def with_models_inside() -> keras.Model:
    """`tower` holds `deep`, which holds `dense`."""
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    deep = keras.Model(b, layers.Dense(3, name="dense")(b), name="deep")
    tower = keras.Model(a, layers.ReLU(name="relu")(deep(a)), name="tower")
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(2, name="out")(tower(x)), name="net")


@pytest.mark.parametrize("make", zoo.SMALL, ids=lambda make: make.__name__)
def test_every_call_of_a_model_is_a_box_and_every_edge_of_its_graph_is_a_line(make):
    model, x = make()
    found = explorer(model, x)
    graph = found.session.graph
    opened = frozenset(path for path in found.data.sources.graph.flows if path)
    arranged = found.data.sources.graph.arranged(opened)
    called = {path for path in graph.nodes if path not in graph.asides and graph.nodes[path].reason != NOT_CALLED}
    boxes = {path for path in arranged.boxes if path in graph.nodes}
    further = {path for path in called if path.rpartition(":")[0] in boxes}  # outputs of a box that is there
    assert boxes | further == called
    of = {path: path.rpartition(":")[0] if path in further else path for path in called}
    lines = {pair for pair in arranged.lines if set(pair) <= boxes}
    assert {(of[source], of[target]) for source, target in graph.edges} <= lines


def test_the_selected_layer_is_marked_with_its_lines_in_words_too():
    found = explorer(residual(), zoo.noise(1, 8, 8, 3), layer="add")
    shown = found.show()
    assert drawn(found) == ["x", "conv", "dead", "add"]
    assert pan(found)["selected"] == "add"
    assert shown.drawing.alt == "net · 4 layers. add: from x, dead; to no other layer"


def test_a_click_selects_a_layer_and_keeps_the_drawing_and_a_second_one_shows_its_channels():
    found = explorer(residual(), zoo.noise(1, 8, 8, 3), layer="conv")
    before = pan(found)
    click(found, "add")
    assert (found.selection.show, found.selection.layer) == ("graph", "add")
    assert pan(found)["key"] == before["key"]
    assert pan(found)["at"] != before["at"]
    click(found, "add")
    assert (found.selection.show, found.selection.layer) == ("activation", "add")


def test_models_inside_open_and_close_by_their_buttons_and_close_over_the_selected_layer():
    found = explorer(with_models_inside(), zoo.noise(2, 4), layer="out")
    everything = ["x", "tower", "tower/a", "tower/deep", "tower/deep/b", "tower/deep/dense", "tower/relu", "out"]
    assert sorted(drawn(found)) == sorted(everything)  # small ones are open at first
    click(found, "tower/deep", "toggle")
    assert sorted(drawn(found)) == sorted(set(everything) - {"tower/deep/b", "tower/deep/dense"})
    assert found.selection.layer == "out"
    click(found, "tower/relu")
    click(found, "tower", "toggle")
    assert drawn(found) == ["x", "tower", "out"]
    assert found.selection.layer == "tower"  # what was selected is inside it
    click(found, "tower", "toggle")
    assert "tower/relu" in drawn(found)


def test_a_layer_that_is_selected_in_the_tree_opens_what_is_around_it():
    found = explorer(with_models_inside(), zoo.noise(2, 4), options={"graph_open": []}, layer="out")
    assert drawn(found) == ["x", "tower", "out"]
    found.select(layer="tower/deep/dense")
    assert "tower/deep/dense" in drawn(found)
    assert pan(found)["selected"] == "tower/deep/dense"


def test_what_is_open_is_part_of_the_state_and_of_no_other_model():
    model, x = with_models_inside(), zoo.noise(2, 4)
    found = aw.LayerExplorer(model, x, show="graph", layer="out")
    found._screen.plot._answer(found._screen.plot, {"kind": "click", "customdata": ["tower", "toggle"]}, [])
    state = found.state()
    assert (state["options"], state["show"]) == ({"graph_open": ["tower/deep"]}, "graph")  # which stays open inside
    again = aw.LayerExplorer(model, x, state=state)
    assert again.figure.to_dict()["layout"]["meta"]["pan"]["key"] == "net"
    other = aw.LayerExplorer(residual(), state={**state, "layer": "conv", "options": {"graph_open": ["tower"]}})
    assert [each[0] for each in other.figure.data[-1].customdata][::3] == ["x", "conv", "dead", "add"]
    with pytest.raises(errors.OptionError, match="Expected graph_open as a list of paths of layers, got 3"):
        found.options = {"graph_open": 3}


def test_many_or_large_models_are_closed_at_first():
    x = keras.Input((4,), name="x")
    large = keras.Sequential([keras.Input((4,)), *(layers.ReLU() for _ in range(FEW))], name="large")
    small = [keras.Sequential([keras.Input((4,)), *(layers.ReLU() for _ in range(9))], name=f"m{n}") for n in range(9)]
    y = large(x)
    for model in small:
        y = model(y)
    found = explorer(keras.Model(x, y), layer="x")
    assert not [path for path in drawn(found) if path.startswith("large/")]
    assert {path.partition("/")[0] for path in drawn(found) if "/" in path} == {"m0", "m1", "m2", "m3"}
    assert len(drawn(found)) <= MANY


def test_warnings_are_marked_where_layers_have_been_counted():
    found = explorer(residual(), zoo.noise(1, 8, 8, 3), layer="x")
    found.data.whole_network.summaries()
    labels = next(trace for trace in spec(found)["data"] if trace.get("meta") == "labels")
    assert [text.partition("<br>")[0] for text in labels["text"]] == ["x", "conv", "⚠ dead", "add"]
    targets = spec(found)["data"][-1]
    assert targets["hovertext"][targets["customdata"].index(["dead"])].endswith(
        "<br>3 of 3 channels dead in one sample"
    )


class Residual(keras.Model):
    def __init__(self):
        super().__init__(name="net")
        self.inner = [layers.Dense(4, name="a"), layers.Dense(4, name="b")]

    def call(self, inputs):
        y = self.inner[0](inputs)
        return y + self.inner[1](y)


def test_a_subclassed_model_says_that_its_tensors_were_seen_in_a_run():
    found = explorer(Residual(), np.ones((3, 4), "float32"), layer="b")
    shown = found.show()
    assert shown.drawing.alt.startswith(
        "net · 2 layers · tensors as seen in one run with sample 0. b: from a; to output"
    )
    assert set(found.data.sources.graph.arranged(frozenset()).lines) == {
        ("0/", "a"), ("a", "b"), ("a", "/="), ("b", "/="),
    }  # fmt: skip


def test_without_inputs_a_subclassed_model_shows_the_order_of_its_calls_dotted():
    model = Residual()
    model(np.ones((3, 4), "float32"))
    found = explorer(model)
    assert "dotted: order of execution" in spec(found)["layout"]["title"]["text"]
    assert [trace for trace in spec(found)["data"] if trace.get("line", {}).get("dash") == "dot"]


def test_a_layer_that_was_not_called_is_said_to_be_left_out():
    class Half(keras.Model):
        def __init__(self):
            super().__init__(name="net")
            self.used, self.idle = layers.Dense(4, name="used"), layers.Dense(4, name="idle")

        def call(self, inputs):
            return self.used(inputs)

    found = explorer(Half(), np.ones((3, 4), "float32"), layer="idle")
    assert "idle was not called, so it is not drawn" in spec(found)["layout"]["title"]["text"]
    assert pan(found)["at"] is None


def test_what_a_layer_computes_on_the_way_is_marked_by_the_box_of_the_layer():
    x = keras.Input((4, 6), name="x")
    y = layers.MultiHeadAttention(2, 3, name="mha")(x, x)
    model = keras.Model(x, layers.LSTM(3, name="lstm")(y))
    found = explorer(model, zoo.noise(2, 4, 6))
    asides = found.session.graph.asides
    assert {"mha/scores", "lstm/lstm_cell/input_gate"} <= asides.keys()
    for path in asides:
        found.select(layer=path)
        assert "was not called" not in spec(found)["layout"]["title"]["text"], path
        assert pan(found)["selected"] == path.split("/")[0]


def test_nothing_is_read_or_arranged_before_the_drawing_is_asked_for(monkeypatch):
    def refuse(*_args):
        raise AssertionError

    monkeypatch.setattr("actwidget.explorer.network.network_graph.dataflow", refuse)
    monkeypatch.setattr("actwidget.explorer.network.network_graph.arrange", refuse)
    found = aw.LayerExplorer(residual(), zoo.noise(1, 8, 8, 3))
    found.show, found.layer = "overview", "add"
    assert [tab.name for tab in found._explorer.show().tabs] == ["overview", "graph"]


def test_without_the_library_the_tab_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fast_sugiyama", None)
    found = explorer(residual(), zoo.noise(1, 8, 8, 3), layer="conv")
    reasons = {tab.name: tab.reason for tab in found.show().tabs}
    assert reasons["overview"] is None
    assert reasons["graph"].endswith('pip install "actwidget[graph]"')
    assert reasons["graph"] in found.show().drawing.alt
