"""The overview of a network with more layers than its panel has room for."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser
CELL = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(0)
stack = [keras.Input((6,), name="features")]
stack += [keras.layers.Dense(6, activation="relu", name=f"dense_{number}") for number in range(60)]
model = keras.Sequential(stack, name="deep")
view = aw.LayerExplorer(model, np.random.default_rng(0).normal(size=(4, 6)), show="overview", layer="dense_0")
view
"""
PANEL = ":has(> .actw-plot)"
# The rows' names in sight: below the headings, and within the panel.
IN_SIGHT = """(panel) => {
  const box = panel.getBoundingClientRect();
  const sticky = panel.querySelector(".actw-plot-sticky > svg").getBoundingClientRect();
  const names = [...panel.querySelectorAll(".js-plotly-plot .ytick text")];
  return names.filter((name) => {
    const { top, bottom } = name.getBoundingClientRect();
    return top >= sticky.bottom && bottom <= box.bottom;
  }).map((name) => name.textContent);
}"""


@pytest.fixture(scope="module")
def notebook(run_cell):
    return run_cell(CELL)


@pytest.fixture
def panel(explorer):
    explorer.settle()
    return explorer.element.locator(PANEL)


def headings(panel):
    """The texts that stay in sight, and how far they are from the top of the panel."""
    return panel.evaluate(
        """(panel) => {
          const top = panel.getBoundingClientRect().top;
          const texts = [...panel.querySelectorAll(".actw-plot-sticky text")];
          return texts.map((text) => [text.textContent, Math.round(text.getBoundingClientRect().top - top)]);
        }"""
    )


def test_a_click_in_the_tree_goes_to_the_row_and_the_axis_stays(explorer, panel):
    first = headings(panel)
    assert [text for text, _ in first if text in {"0", "1", "100 %"}]
    assert any(text.startswith("deep · 60 layers") for text, _ in first)
    assert "dense_0" in panel.evaluate(IN_SIGHT)
    assert "dense_50" not in panel.evaluate(IN_SIGHT)
    explorer.row("dense_50").click()
    explorer.settle()
    assert "dense_50" in panel.evaluate(IN_SIGHT)
    assert headings(panel) == first
    assert explorer.selected == ["dense_50"]
    explorer.row("dense_2").click()
    explorer.settle()
    assert "dense_2" in panel.evaluate(IN_SIGHT)


def test_the_keyboard_scrolls_the_rows(notebook, explorer, panel):
    explorer.row("dense_2").click()
    explorer.settle()
    before = panel.evaluate("(panel) => panel.scrollTop")
    panel.focus()
    notebook.page.keyboard.press("PageDown")
    explorer.notebook.page.wait_for_function(
        "([panel, top]) => panel.scrollTop > top", arg=[panel.element_handle(), before]
    )
    assert explorer.selected == ["dense_2"]


def test_a_view_that_does_not_scroll_takes_no_focus(explorer, panel):
    assert panel.get_attribute("tabindex") == "0"
    explorer.choose("activation")
    assert panel.get_attribute("tabindex") is None
    assert panel.locator(".actw-plot-sticky").count() == 0
    explorer.choose("overview")


@pytest.mark.usefixtures("explorer")
def test_axe_finds_nothing(notebook, panel):
    assert panel.evaluate("(panel) => panel.scrollHeight > panel.clientHeight")
    found = Axe().run(notebook.page, context=".actw-explorer").response["violations"]
    assert [(each["id"], each["impact"], each["nodes"][0]["html"][:200]) for each in found] == []
