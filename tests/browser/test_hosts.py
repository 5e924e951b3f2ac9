"""An explorer outside JupyterLab: Notebook 7 and Voila, which the same server has, and a page made by nbconvert."""

from __future__ import annotations

from types import SimpleNamespace

import nbformat
import pytest
from lab import NOTEBOOK, SMALL, Explorer, new_page, write_notebook
from nbclient import NotebookClient
from nbconvert import HTMLExporter

pytestmark = pytest.mark.browser
CELL = (
    SMALL
    + """
view = aw.LayerExplorer(model, np.random.default_rng(0).normal(size=(2, 12, 12, 3)))
view
"""
)
TITLE = "(title) => document.querySelector('.actw-explorer .gtitle')?.textContent.startsWith(title)"


def one_picture(page):
    """Whether the explorer is in sight and its still is not."""
    return (page.locator(".actw-explorer:visible").count(), page.locator(".actw-still:visible").count()) == (1, 0)


@pytest.fixture(scope="module")
def notebook():
    """There is none for all; what the pages log is held all the same."""
    return SimpleNamespace(errors=[])


@pytest.fixture
def page(chromium, notebook):
    """An empty page."""
    page = new_page(chromium, viewport={"width": 1200, "height": 900})
    page.on("pageerror", lambda error: notebook.errors.append(f"page: {error.stack or error}"))
    page.on("console", lambda said: notebook.errors.append(said.text) if said.type == "error" else None)
    yield page
    page.context.close()


def test_notebook_7_shows_layers_and_channels_that_are_clicked(open_page):
    bare = open_page("", "0", host=NOTEBOOK)
    bare.run_all()
    opened = open_page("", CELL, host=NOTEBOOK)
    opened.run_all()
    explorer = Explorer(opened)
    assert opened.page.title().startswith("test_hosts")
    explorer.select("pool")
    explorer.select("conv")
    opened.page.mouse.click(*explorer.tile(5))
    explorer.wait_until("(graph) => graph.layout.annotations[0].text.includes('channel 5<')")
    assert opened.ask("print(view.layer, view.channel)") == "conv 5"
    assert explorer.alert.text_content() == ""
    assert one_picture(opened.page)
    assert set(opened.errors) <= set(bare.errors)  # Notebook 7 has an error of its own
    opened.errors.clear()
    bare.errors.clear()


def test_voila_shows_a_layer_that_is_clicked(page, notebook, folder, address):
    write_notebook(folder / "bare.ipynb", "0")
    page.goto(f"{address}/voila/render/bare.ipynb", wait_until="networkidle")
    page.locator(".jp-OutputArea-output").get_by_text("0", exact=True).wait_for()
    of_voila, notebook.errors[:] = set(notebook.errors), []  # it asks for fonts that are not there
    write_notebook(folder / "app.ipynb", CELL)
    page.goto(f"{address}/voila/render/app.ipynb")
    page.wait_for_function(TITLE, arg="conv ·")
    assert page.locator(".jp-InputArea").count() == 0
    page.locator('[role="treeitem"][data-path="pool"]').click()
    page.wait_for_function(TITLE, arg="pool ·")
    page.locator(".actw-explorer .actw-path").get_by_text("pool", exact=True).wait_for()
    assert page.locator(".actw-explorer").get_by_role("alert").text_content() == ""
    assert one_picture(page)
    assert set(notebook.errors) <= of_voila
    notebook.errors.clear()


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The cell, run by nbclient, which keeps the state of widgets."""
    path = write_notebook(tmp_path_factory.mktemp("executed") / "executed.ipynb", CELL)
    notebook = nbformat.read(path, 4)
    NotebookClient(notebook, timeout=300).execute()
    return notebook


@pytest.mark.parametrize("state", [True, False], ids=["with widget state", "without"])
def test_a_page_by_nbconvert_shows_the_still_with_no_network(chromium, executed, tmp_path, state):
    if not state:
        executed = nbformat.from_dict({**executed, "metadata": {}})
    html, _resources = HTMLExporter().from_notebook_node(executed)
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page = new_page(chromium, offline=True)
    page.goto((tmp_path / "page.html").as_uri())
    still = page.locator(".actw-still")
    still.wait_for()
    assert still.count() == 1
    assert page.locator(".jp-OutputArea img").evaluate_all("(all) => all.map((each) => each.naturalWidth > 200)") == [
        True
    ]
    numbers = still.locator("dl").inner_text()
    assert "range\n0.00 to " in numbers
    assert "dead channels\nnone" in numbers
    text = page.locator("body").inner_text()
    assert "rror" not in text
    assert "Loading" not in text
    page.context.close()
