"""A tree so large that the page leaves out what is out of sight: all of it can be reached all the same."""

from __future__ import annotations

import json

import pytest
from lab import IN_SIGHT

MODEL = """
import json, keras, numpy as np, actwidget as aw
from keras import layers
vector = y = keras.Input((4,), name="vector")
for number in range(60):
    for part in ("a", "b", "c", "d"):
        y = layers.Activation("tanh", name=f"block{number}_{part}")(y)
    y = layers.Identity(name=f"between{number}")(y)
model = keras.Model(vector, y, name="long")
explorer = aw.LayerExplorer(model, np.ones((1, 4), "float32"))
"""
# What a person finds in the middle of the tree's box, and whether the box is as high inside as its rows are.
SEEN = """(tree) => {
  const {left, top, width, height} = tree.getBoundingClientRect();
  const row = document.elementFromPoint(left + width / 2, top + height / 2).closest("[role=treeitem]");
  const rows = [...tree.querySelectorAll("[role=treeitem]")].filter((each) => !each.hidden);
  const high = rows.length * row.offsetHeight;
  return [row.textContent, tree.scrollHeight - parseFloat(getComputedStyle(tree).paddingBottom) - high];
}"""


@pytest.fixture(scope="module")
def notebook(open_explorer):
    return open_explorer(MODEL)


def in_sight(explorer, path):
    explorer.notebook.page.wait_for_function(IN_SIGHT, arg=explorer.row(path).element_handle())
    text, apart = explorer.tree.evaluate(SEEN)
    assert text.strip()
    assert apart == 0


def test_the_rows_are_in_the_order_of_the_tree(explorer):
    rows = explorer.tree.locator('[role="treeitem"][data-path]')
    paths = json.loads(explorer.notebook.ask("print(json.dumps([node.path for node in explorer.tree]))"))
    assert rows.evaluate_all("(rows) => rows.map((row) => row.dataset.path)") == paths
    assert len(paths) > 256


def test_the_ends_are_reached_by_key(explorer):
    explorer.select("vector")
    for key, path in (("End", "between59"), ("Home", "vector")):
        explorer.notebook.page.keyboard.press(key)
        explorer.wait_for_title(path)
        assert explorer.focused == path
        in_sight(explorer, path)


def test_a_layer_in_a_folded_group_far_down_is_set_from_code(explorer):
    for path in ("block40_c", "block3_a", "block59_d"):
        explorer.notebook.ask(f"explorer.layer = {path!r}")
        explorer.wait_for_title(path)
        in_sight(explorer, path)
        row = explorer.row(path)
        assert (row.get_attribute("aria-posinset"), row.get_attribute("aria-setsize")) == (
            str("abcd".index(path[-1]) + 1),
            "4",
        )


def test_folding_and_the_filter_keep_the_heights(explorer):
    explorer.select("between59")
    explorer.tree.locator('[data-group="block59"]').click()
    in_sight(explorer, "between59")
    explorer.filter.fill("_b")
    explorer.select("block30_b")
    in_sight(explorer, "block30_b")
    explorer.filter.press("Escape")
    in_sight(explorer, "block30_b")


def test_all_layers_can_be_shown_without_groups(explorer):
    explorer.select("between30")
    button = explorer.element.get_by_role("button", name="group")
    button.click()
    in_sight(explorer, "between30")
    assert len(explorer.shown) == 301
    button.click()
    in_sight(explorer, "between30")
