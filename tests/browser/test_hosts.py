"""An explorer in hosts other than JupyterLab: Notebook 7 and Voila on the same server, and a page made by nbconvert."""

from __future__ import annotations

from types import SimpleNamespace

import nbformat
import pytest
from lab import NOTEBOOK, Explorer, write_notebook
from nbclient import NotebookClient
from nbconvert import HTMLExporter

pytestmark = pytest.mark.browser
CELL = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(0)
x = keras.Input((12, 12, 3), name="image")
y = keras.layers.Conv2D(8, 3, activation="relu", name="conv")(x)
y = keras.layers.GlobalAveragePooling2D(name="pool")(y)
model = keras.Model(x, keras.layers.Dense(3, activation="softmax", name="out")(y), name="small")
view = aw.LayerExplorer(model, np.random.default_rng(0).normal(size=(2, 12, 12, 3)))
view
"""
TITLE = "(title) => document.querySelector('.actw-explorer .gtitle')?.textContent.startsWith(title)"


@pytest.fixture(scope="module")
def notebook():
    """There is none for all; what the pages log is held all the same."""
    return SimpleNamespace(errors=[])


@pytest.fixture
def page(chromium, notebook):
    """An empty page."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.on("pageerror", lambda error: notebook.errors.append(f"page: {error.stack or error}"))
    page.on("console", lambda said: notebook.errors.append(said.text) if said.type == "error" else None)
    yield page
    context.close()


def test_notebook_7_shows_layers_and_channels_that_are_clicked(open_page):
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


def test_voila_shows_a_layer_that_is_clicked(page, folder, address):
    write_notebook(folder / "app.ipynb", CELL)
    page.goto(f"{address}/voila/render/app.ipynb", timeout=120_000)
    page.wait_for_function(TITLE, arg="conv ·", timeout=120_000)
    assert page.locator(".jp-InputArea").count() == 0
    page.locator('[role="treeitem"][data-path="pool"]').click()
    page.wait_for_function(TITLE, arg="pool ·")
    assert page.locator(".actw-explorer .actw-path").text_content() == "pool"
    assert page.locator(".actw-explorer").get_by_role("alert").text_content() == ""
