"""A hundred random actions on each kind of explorer bring no error to the page, the console or the explorer."""

from __future__ import annotations

import random

import pytest
from lab import Explorer

pytestmark = pytest.mark.browser
ACTIONS = 100
KEYS = ("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp", "Enter", " ", "Escape")
# What can be clicked: by kind, so that the many rows of the tree do not crowd out the rest.
TARGETS = {
    "tab": "[role=tab]",
    "switch": "[role=radio]",
    "row": "[role=treeitem]:not([hidden])",
    "stepper": ".actw-stepper button",
    "inspector": ".actw-inspector button",
    "sample": ".actw-samples [role=option], .actw-samples [role=radio]",
    "table": ".actw-table tbody tr, .actw-table th button",
}
POINT = """(element, [x, y]) => {
  element.scrollIntoView({block: "nearest"});
  const box = element.getBoundingClientRect();
  return [box.left + x * box.width, box.top + y * box.height];
}"""
# Each takes one of the elements that are there at that moment, by a share from 0 to 1.
CLICK = """(all, share) => {
  const each = all[Math.floor(share * all.length)];
  each?.focus();
  each?.click();
}"""
CHOOSE = """(all, [which, option]) => {
  const menu = all[Math.floor(which * all.length)];
  if (!menu) return;
  menu.selectedIndex = Math.floor(option * menu.options.length);
  menu.dispatchEvent(new Event("change", {bubbles: true}));
}"""


@pytest.fixture(scope="module", params=["image", "sequence", "dense", "attention", "volume"])
def notebook(request, run_kind):
    return run_kind(request.param)


def act(explorer: Explorer, chance: random.Random) -> str:
    """Does one thing that a person might; gives what it was."""
    page = explorer.notebook.page
    kind = chance.choice([*TARGETS, "menu", "figure", "key", "key", "width"])
    stage = explorer.element.locator(".actw-figure, .actw-table-box").first
    if kind == "figure":
        page.mouse.click(*stage.evaluate(POINT, [chance.random(), chance.random()]))
    elif kind == "key":
        page.keyboard.press(key := chance.choice(KEYS))
        return f"key {key}"
    elif kind == "width":
        width = chance.choice([1400, 1000, 760, 420])
        explorer.element.evaluate("(element, width) => { element.style.width = `${width}px`; }", width)
    elif kind == "menu":
        explorer.element.locator(".actw-controls select").evaluate_all(CHOOSE, [chance.random(), chance.random()])
    else:
        explorer.element.locator(TARGETS[kind]).evaluate_all(CLICK, chance.random())
    return kind


@pytest.mark.parametrize("seed", [1])
def test_random_actions_bring_no_error(notebook, seed):
    explorer = Explorer(notebook)
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    done = []
    for _ in range(ACTIONS):
        done.append(act(explorer, chance))
        if chance.random() < 0.3:
            explorer.settle()
            assert notebook.errors == [], done
            assert explorer.alert.all_text_contents() in ([], [""]), done
    explorer.settle()
    assert notebook.errors == [], done
    assert notebook.ask("print(view.activation is not None)") == "True"
