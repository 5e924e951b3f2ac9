"""The tab Samples: a point under the pointer, clicked, and chosen by keys; a cell of the matrix of layers."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser
CELL = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(0)
stack = [keras.Input((8, 8, 3)), keras.layers.Flatten(name="flat"), keras.layers.Dense(6, name="hidden")]
model = keras.Sequential([*stack, keras.layers.Dense(3, activation="softmax", name="classes")], name="small")
x = np.random.default_rng(0).random((40, 8, 8, 3), np.float32)
scan = aw.scan(model, x, labels=np.arange(40) % 3, progress=False)
view = aw.LayerExplorer(model, x[:2], scan=scan, layer="hidden", show="samples")
view
"""
POINTS = ".scatterlayer .trace .points path.point"


@pytest.fixture(scope="module")
def notebook(run_cell):
    return run_cell(CELL)


def test_a_point_has_a_picture_under_the_pointer_and_a_click_takes_its_sample(notebook, explorer):
    explorer.settle()
    # The first traces are the rings of the neighbours and those that are right; a point of the last one is on top.
    clickable = [each for each in explorer.element.locator(POINTS).all() if each.bounding_box()["width"] < 10]
    clickable[-1].hover(force=True)
    picture = explorer.element.locator(".actw-plot-thumbnail")
    picture.wait_for(state="visible")
    assert picture.get_attribute("src").startswith("data:image/png;base64,")
    clickable[-1].click(force=True)
    explorer.element.locator(".js-plotly-plot[aria-label*='nearest to sample']").wait_for()
    assert notebook.ask("print(view.inputs.shape[0], view.sample)") == "3 2"


def test_keys_mark_a_sample_and_enter_takes_it(notebook, explorer):
    explorer.settle()
    explorer.element.locator(".actw-plot").focus()
    notebook.page.keyboard.press("Home")
    notebook.page.keyboard.press("ArrowRight")
    explorer.settle()
    marked = int(notebook.ask("print(view.options['samples_picked'])"))
    notebook.page.keyboard.press("Enter")
    explorer.settle()
    assert notebook.ask(f"print((view.inputs[view.sample] == x[{marked}]).all(), view.options)") == "True {}"


def test_a_cell_of_the_matrix_selects_its_layer(notebook, explorer):
    notebook.ask("view.show = 'similarity'")
    matrix = explorer.element.locator(".js-plotly-plot[aria-label*='similarity of 4 layers']")
    matrix.wait_for()
    box = matrix.locator(".heatmaplayer image").first.bounding_box()
    notebook.page.mouse.click(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.9)
    explorer.settle()
    assert explorer.selected == ["classes"]
