"""The crosshair between the close-up and the input: it follows the pointer and the keys, in the page alone."""

from __future__ import annotations

import json

import pytest
from lab import Explorer

pytestmark = pytest.mark.browser
MODEL = """
import json, keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(1)
x = keras.Input((32, 32, 3), name="image")
y = keras.layers.Conv2D(6, 5, strides=2, padding="valid", name="conv")(x)
model = keras.Model(x, keras.layers.GlobalAveragePooling2D()(y), name="small")
explorer = aw.LayerExplorer(model, np.random.default_rng(0).random((1, 32, 32, 3)), layer="conv", channel=2)
heard = []
explorer._screen.plot.on_msg(lambda widget, content, buffers: heard.append(content))
explorer
"""
# Where on the page a row and a column of the close-up ("2") or of the input ("5") are.
AT = """(graph, [axis, row, column]) => {
  const [x, y] = [graph._fullLayout[`xaxis${axis}`], graph._fullLayout[`yaxis${axis}`]];
  const {left, top} = graph.getBoundingClientRect();
  return [left + x._offset + x.d2p(column), top + y._offset + y.d2p(row)];
}"""
# The middle and the size of each mark in sight, in cells of its panel.
MARKS = """(graph) => [...graph.parentElement.querySelectorAll(".actw-crosshair:not([hidden])")].map((mark, index) => {
  const number = index ? 5 : 2;
  const [x, y] = [graph._fullLayout[`xaxis${number}`], graph._fullLayout[`yaxis${number}`]];
  const {left, top} = graph.getBoundingClientRect();
  const box = mark.getBoundingClientRect();
  const row = y.p2d(box.top + box.height / 2 - top - y._offset);
  const column = x.p2d(box.left + box.width / 2 - left - x._offset);
  return [row, column, box.height / y._length * Math.abs(y.range[1] - y.range[0])];
})"""


@pytest.fixture(scope="module")
def notebook(open_explorer):
    return open_explorer(MODEL)


@pytest.fixture
def explorer(notebook):
    notebook.ask("explorer.position, explorer.channel = None, 2")
    shown = Explorer(notebook)
    shown.settle()
    notebook.page.mouse.move(0, 0)
    shown.graph.scroll_into_view_if_needed()
    notebook.ask("heard.clear()")
    return shown


def line(explorer):
    return explorer.element.locator(".actw-crosshair-line").text_content()


def value(notebook, row, column):
    return float(notebook.ask(f"print(float(explorer.activation[0, {row}, {column}, 2]))"))


def heard(notebook):
    return json.loads(notebook.ask("print(json.dumps(heard))"))


def test_over_the_close_up_it_shows_the_value_and_what_of_the_input_that_place_depends_on(explorer, notebook):
    notebook.page.mouse.move(*explorer.graph.evaluate(AT, ["2", 5, 9]))
    (row, column, _), (row_seen, column_seen, seen) = explorer.graph.evaluate(MARKS)
    assert (round(row), round(column)) == (5, 9)
    assert (row_seen, column_seen) == pytest.approx((2 * 5 + 2, 2 * 9 + 2), abs=0.3)
    assert seen == pytest.approx(5, abs=0.6)
    said = line(explorer)
    assert said.startswith("row 5, column 9 is ")
    assert said.endswith("; it depends on 5 × 5 pixels")
    assert float(said.split(" is ")[1].split(";")[0]) == pytest.approx(value(notebook, 5, 9), rel=0.01)
    assert heard(notebook) == []


def test_over_the_input_it_shows_the_cell_that_looks_there(explorer, notebook):
    notebook.page.mouse.move(*explorer.graph.evaluate(AT, ["5", 12, 20]))
    (row, column, _), _ = explorer.graph.evaluate(MARKS)
    assert (round(row), round(column)) == (5, 9)
    notebook.page.mouse.move(0, 0)
    assert explorer.graph.evaluate(MARKS) == []
    assert line(explorer) == ""
    assert heard(notebook) == []


def test_the_keys_move_it_and_enter_pins_it(explorer, notebook):
    explorer.graph.locator("xpath=..").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        notebook.page.keyboard.press(f"Shift+{key}")
    # The first key shows it in the middle of the 14 by 14 cells.
    assert line(explorer).startswith("row 6, column 8 is ")
    assert heard(notebook) == []
    notebook.page.keyboard.press("Shift+Enter")
    explorer.wait_until("(graph) => String(graph.layout.meta.crosshair?.pinned) === '6,8'")
    assert notebook.ask("print(explorer.position, explorer.channel, explorer.show)") == "(6, 8) 2 activation"
    assert line(explorer).startswith("row 6, column 8 is ")
    assert notebook.errors == []
