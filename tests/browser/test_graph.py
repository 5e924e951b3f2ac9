"""The graph of the network in JupyterLab: by mouse, by wheel and by keyboard, linked with the tree both ways."""

from __future__ import annotations

import json

import pytest
from lab import Explorer

MODEL = """
import json, keras, actwidget as aw
from keras import layers
a = keras.Input((4,), name="a")
tower = keras.Model(a, layers.ReLU(name="relu")(layers.Dense(3, name="dense")(a)), name="tower")
x = y = keras.Input((4,), name="x")
for number in range(30):
    y = layers.Add(name=f"add{number}")([y, layers.Dense(4, name=f"dense{number}")(y)])
model = keras.Model(x, layers.Dense(2, name="out")(tower(y)), name="net")
explorer = aw.LayerExplorer(model, grouped=False, layer="dense0", show="graph")
"""
# Where on the page the middle of a box is, or of its button.
PLACE = """(graph, wanted) => {
  const {customdata, x, y} = graph._fullData.find((trace) => trace.customdata);
  const all = [...customdata.keys()].filter((index) => `${customdata[index]}` === `${wanted}`);
  const index = all[Math.floor(all.length / 2)];
  const {xaxis, yaxis} = graph._fullLayout;
  const {left, top} = graph.getBoundingClientRect();
  return [left + xaxis._offset + xaxis.d2p(x[index]), top + yaxis._offset + yaxis.d2p(y[index])];
}"""
VIEW = """(graph) => {
  const {xaxis, yaxis, width} = graph._fullLayout;
  const [[left, right], [bottom, top]] = [xaxis.range, yaxis.range];
  return [(left + right) / 2, (top + bottom) / 2, width / (right - left)];
}"""
SIZES = """(graph) => {
  const texts = [...graph.querySelectorAll(".textpoint text")];
  return texts.map((text) => parseFloat(getComputedStyle(text).fontSize));
}"""


@pytest.fixture(scope="module")
def notebook(open_explorer):
    return open_explorer(MODEL)


@pytest.fixture
def explorer(notebook):
    notebook.ask("explorer.show, explorer.layer, explorer.options = 'graph', 'dense0', {}")
    shown = Explorer(notebook)
    shown.settle()
    shown.graph.locator("xpath=..").focus()
    notebook.page.keyboard.press("0")
    while view(shown)[2] < 0.7:
        notebook.page.keyboard.press("+")
    return shown


def place(explorer, *customdata):
    return explorer.graph.evaluate(PLACE, [*customdata])


def view(explorer):
    explorer.settle()
    return explorer.graph.evaluate(VIEW)


def state(notebook):
    return json.loads(notebook.ask("print(json.dumps(explorer.state()))"))


def test_a_click_selects_a_layer_in_the_tree_and_a_second_one_shows_its_channels(explorer, notebook):
    explorer.row("add3").click()
    explorer.settle()
    notebook.page.mouse.click(*place(explorer, "dense4"))
    explorer.wait_until("(graph) => graph.layout.meta.pan.selected === 'dense4'")
    assert explorer.selected == ["dense4"]
    assert state(notebook)["show"] == "graph"
    notebook.page.mouse.click(*place(explorer, "dense4"))
    explorer.settle()
    assert (state(notebook)["show"], state(notebook)["layer"]) == ("activation", "dense4")


def test_a_row_of_the_tree_brings_its_box_into_sight(explorer):
    explorer.row("dense28").click()
    explorer.wait_until("(graph) => graph.layout.meta.pan.selected === 'dense28'")
    explorer.settle()
    x, y = place(explorer, "dense28")
    box = explorer.graph.bounding_box()
    assert box["x"] < x < box["x"] + box["width"]
    assert box["y"] < y < box["y"] + box["height"]


def test_a_button_and_the_enter_key_open_and_close_a_model_inside(explorer, notebook):
    explorer.row("tower").click()
    explorer.settle()
    before = place(explorer, "tower", "toggle")
    notebook.page.mouse.click(*before)
    explorer.wait_until("(graph) => graph.layout.meta.pan.key === 'net\\ntower'")
    explorer.settle()
    assert place(explorer, "tower", "toggle") == pytest.approx(before, abs=2)  # it stays under the pointer
    assert state(notebook)["options"] == {"graph_open": ["tower"]}
    explorer.graph.locator("xpath=..").focus()
    notebook.page.keyboard.press("Enter")
    explorer.wait_until("(graph) => graph.layout.meta.pan.key === 'net'")
    assert state(notebook)["options"] == {"graph_open": []}


def test_keys_and_buttons_and_the_wheel_change_the_size_and_a_drag_moves(explorer, notebook):
    x, y, scale = view(explorer)
    notebook.page.keyboard.press("ArrowDown")
    assert view(explorer) == pytest.approx([x, y + 80 / scale, scale], rel=1e-3)
    explorer.element.get_by_role("button", name="Larger").click()
    assert view(explorer)[2] == pytest.approx(scale * 1.25, rel=1e-3)
    explorer.element.get_by_role("button", name="Show all of it").click()
    whole = view(explorer)
    assert whole[2] < scale
    box = explorer.graph.bounding_box()
    notebook.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 200)
    notebook.page.mouse.wheel(0, -300)
    explorer.wait_until(f"(graph) => ({VIEW})(graph)[2] > {whole[2] * 1.05}")
    x, y, scale = view(explorer)
    notebook.page.mouse.down()
    notebook.page.mouse.move(box["x"] + box["width"] / 2 - 60, box["y"] + 150, steps=4)
    notebook.page.mouse.up()
    moved = view(explorer)
    assert moved[0] - x == pytest.approx(60 / scale, rel=0.1)
    assert moved[1] - y == pytest.approx(50 / scale, rel=0.1)


def test_names_grow_with_their_boxes_and_are_left_out_where_they_could_not_be_read(explorer, notebook):
    explorer.row("add3").click()
    explorer.settle()
    notebook.page.keyboard.press("Escape")
    scale = view(explorer)[2]
    assert set(explorer.graph.evaluate(SIZES)) == {round(11 * scale, 1)}
    explorer.element.get_by_role("button", name="Show all of it").click()
    assert view(explorer)[2] < 0.5
    assert explorer.graph.evaluate(SIZES) == []


def test_the_grid_has_its_keys_again_after_the_graph(explorer, notebook):
    notebook.ask("explorer.show = 'activation'")
    explorer.settle()
    assert explorer.element.get_by_role("button", name="Larger").count() == 0
    has_keys = explorer.graph.locator("xpath=..").get_attribute("tabindex") == "0"
    assert notebook.ask("print(explorer._screen.plot.arrows)") == str(has_keys)
