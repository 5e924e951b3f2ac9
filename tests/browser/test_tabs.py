"""Tabs and the switch between a layer and the whole network: by mouse, by keyboard, and where a view does not apply."""

from __future__ import annotations

import pytest
from lab import SMALL, Explorer

pytestmark = pytest.mark.browser
CELL = SMALL + 'view = aw.LayerExplorer(model, np.ones((2, 12, 12, 3)), layer="conv", channel=2)\nview'
TABS = "(tabs) => tabs.map((tab) => tab.dataset.view)"


@pytest.fixture(scope="module")
def notebook(run_cell):
    return run_cell(CELL)


@pytest.fixture
def explorer(notebook):
    notebook.ask("view.layer, view.show = 'conv', 'activation'")
    explorer = Explorer(notebook)
    explorer.settle()
    return explorer


def names(explorer):
    return explorer.element.get_by_role("tab").evaluate_all(TABS)


def shown(explorer):
    return explorer.notebook.ask("print(view.show)")


@pytest.mark.parametrize("scope", ["layer", "network"])
def test_each_tab_is_chosen_by_mouse(explorer, scope):
    if scope == "network":
        explorer.switch("network").click()
        explorer.settle()
    for name in [*names(explorer)[1:], names(explorer)[0]]:
        explorer.choose(name)
        assert shown(explorer) == name
        assert explorer.alert.text_content() == ""
        drawn = explorer.element.get_by_role("grid") if name == "table" else explorer.graph.locator(".main-svg").first
        drawn.wait_for()


def test_each_tab_is_chosen_by_keyboard(explorer):
    tabs = names(explorer)
    explorer.tab("activation").focus()
    for name in [*tabs[1:], tabs[0]]:
        explorer.notebook.page.keyboard.press("ArrowRight")
        explorer.settle()
        assert shown(explorer) == name
        focused = explorer.tab(name)
        assert focused.evaluate("(tab) => tab === document.activeElement")
        assert focused.get_attribute("tabindex") == "0"
    assert explorer.element.locator("[role=tab][tabindex='0']").count() == 1


def test_the_switch_is_worked_by_keyboard_and_each_side_keeps_its_view(explorer):
    explorer.choose("table")
    explorer.switch("layer").focus()
    explorer.notebook.page.keyboard.press("ArrowRight")
    explorer.settle()
    assert shown(explorer) == "overview"
    assert explorer.switch("network").get_attribute("aria-checked") == "true"
    explorer.notebook.page.keyboard.press("ArrowLeft")
    explorer.settle()
    assert shown(explorer) == "table"


def test_a_tab_that_does_not_apply_says_why_and_changes_nothing(explorer):
    explorer.select("pool")
    tab = explorer.tab("weights")
    assert tab.get_attribute("aria-disabled") == "true"
    reason = tab.get_attribute("title")
    assert reason == explorer.notebook.page.locator(f"#{tab.get_attribute('aria-describedby')}").text_content() != ""
    assert "weights" in reason
    tab.click(force=True)  # it counts as disabled
    explorer.settle()
    assert shown(explorer) == "activation"
    explorer.select("conv")
    assert tab.get_attribute("aria-disabled") is None


def test_a_click_in_the_overview_goes_to_the_layer(explorer):
    explorer.choose("overview")
    explorer.row("pool").click()
    explorer.settle()
    assert explorer.notebook.ask("print(view.layer)") == "pool"
