"""The tab Examples on a page: a sample is taken as the input by mouse and by keyboard."""

from __future__ import annotations

import pytest
from lab import SMALL

pytestmark = pytest.mark.browser
CELL = (
    SMALL
    + """
data = np.random.default_rng(0).random((12, 12, 12, 3))
scan = aw.scan(model, data, labels=np.arange(12) % 3, progress=False)
view = aw.LayerExplorer(model, data[:1], scan=scan, layer="conv", channel=2, show="examples")
view
"""
)


@pytest.fixture(scope="module")
def notebook(run_cell):
    return run_cell(CELL)


def test_a_click_and_the_enter_key_take_an_example_as_the_input(notebook, explorer):
    best = "view.inputs[view.sample] == np.float32(data[scan.top('conv', 2)[{}].sample])"
    explorer.graph.click(position={"x": 40, "y": 80})
    explorer.settle()
    assert notebook.ask(f"print(({best.format(0)}).all(), len(view.inputs))") == "True 2"
    explorer.graph.locator("xpath=ancestor::*[@role='group']").first.focus()
    for key in ("Home", "ArrowRight", "Enter"):
        notebook.page.keyboard.press(key)
        explorer.settle()
    assert notebook.ask(f"print(({best.format(1)}).all(), len(view.inputs))") == "True 3"
    assert explorer.alert.text_content() == ""
