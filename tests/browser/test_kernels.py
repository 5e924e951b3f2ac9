"""Explorers whose kernel does not answer for plotly.js: it is busy, or the explorer is gone before it could."""

from __future__ import annotations

import os

import pytest
from lab import KERNEL_IDLE, RUN_ALL, SMALL, Explorer, write_notebook

pytestmark = pytest.mark.browser
MADE = f"{SMALL}\nx = np.ones((1, 12, 12, 3))\n"
# The cell ends when the gate, a pipe that has a name, is opened from the other side.
AT_GATE = "view = aw.LayerExplorer(model, x)\ndisplay(view)\nopen({gate!r}).close()"
PATH = "() => window.jupyterapp.shell.currentWidget.context.path"
OPEN = """async (path) => {
  await window.jupyterapp.commands.execute("docmanager:open", {path, factory: "Notebook"});
}"""


@pytest.fixture
def gate(tmp_path):
    """Where a cell waits."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


@pytest.fixture
def at_gate(open_page, gate):
    """Opens a notebook whose first explorer asks for plotly.js while its cell goes on, and then `code` runs."""

    def at_gate(code=""):
        opened = open_page("", MADE, f"{AT_GATE.format(gate=str(gate))}\n{code}")
        opened.page.evaluate(RUN_ALL)
        opened.page.locator(".actw-plot-waiting").wait_for(state="attached")
        return opened

    return at_gate


@pytest.fixture
def notebook(at_gate, request):
    return at_gate(getattr(request, "param", ""))


def test_a_figure_that_is_loading_is_a_skeleton_of_its_height_and_drawing_it_moves_nothing(notebook, gate):
    page = notebook.page
    page.evaluate("window.addEventListener('error', (event) => (window.seen ??= []).push(event.message))")
    skeleton = page.locator(".actw-plot-waiting")
    assert skeleton.is_visible()
    assert skeleton.get_attribute("aria-label") == "The figure is loading"
    assert page.locator(".actw-still:visible").count() == 0
    explorer = page.locator(".actw-explorer")
    before = explorer.bounding_box()["height"]
    assert skeleton.bounding_box()["height"] >= 480
    gate.write_text("")
    skeleton.wait_for(state="detached")
    Explorer(notebook).settle()
    assert explorer.bounding_box()["height"] == before
    assert page.evaluate("window.seen ?? []") == []


@pytest.mark.parametrize("notebook", ["view.close()"], indirect=True, ids=["closed in its cell"])
def test_an_explorer_that_goes_before_it_is_answered_keeps_no_other_from_being_drawn(notebook, gate):
    gate.write_text("")
    notebook.page.locator(".actw-plot-waiting").wait_for(state="detached")
    notebook.page.wait_for_function(KERNEL_IDLE)
    notebook.run("aw.LayerExplorer(model, x)")
    assert Explorer(notebook).title.startswith("conv ·")


def test_a_busy_kernel_keeps_no_explorer_of_another_from_being_drawn(notebook, gate, folder):
    path = notebook.page.evaluate(PATH)
    write_notebook(folder / "beside.ipynb", f"{MADE}\naw.LayerExplorer(model, x)")
    notebook.page.evaluate(OPEN, "beside.ipynb")
    notebook.page.wait_for_function(KERNEL_IDLE)
    notebook.run_all()
    assert Explorer(notebook, 1).title.startswith("conv ·")
    notebook.shut_down()
    notebook.page.evaluate(OPEN, path)
    gate.write_text("")
