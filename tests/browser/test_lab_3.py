"""An explorer in JupyterLab 3 with ipywidgets 7, from a kernel with Colab's packages."""

from __future__ import annotations

import pytest
from lab import SMALL, Notebook, add_kernel, jupyter_lab, new_page, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.network]
CELL = (
    SMALL
    + """
view = aw.LayerExplorer(model, np.random.default_rng(0).normal(size=(2, 12, 12, 3)))
view
"""
)
VERSIONS = "import ipywidgets, keras, plotly; print(ipywidgets.__version__, keras.__version__, plotly.__version__)"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory, chromium, colab_python, lab_3_python):
    folder = tmp_path_factory.mktemp("lab3")
    add_kernel(folder, "colab", colab_python)
    write_notebook(folder / "older.ipynb", CELL, kernel="colab")
    with jupyter_lab(folder, python=lab_3_python) as address:
        page = new_page(chromium, viewport={"width": 1400, "height": 1000})
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        opened = Notebook(page, address, "older.ipynb")
        opened.run_all()
        assert opened.ask(VERSIONS) == "7.7.1 3.13.2 5.24.1"
        yield opened
        opened.shut_down()
        page.context.close()
        outside = [url for url in requests if not url.startswith((address, "blob:", "data:"))]
        assert outside == []


def test_layers_and_channels_that_are_clicked_are_shown(explorer, notebook):
    explorer.select("pool")
    assert explorer.selected == ["pool"]
    explorer.select("conv")
    notebook.page.mouse.click(*explorer.tile(5))
    explorer.wait_until("(graph) => graph.layout.annotations[0].text.includes('channel 5<')")
    assert notebook.ask("print(view.layer, view.channel)") == "conv 5"
    assert explorer.alert.text_content() == ""
    assert notebook.page.locator(".actw-still").count() == 1
    assert not notebook.page.locator(".actw-still").is_visible()


def test_controls_have_their_names_and_tooltips_and_set_the_view(explorer, notebook):
    order = explorer.element.get_by_label("order")
    assert order.locator("xpath=..").get_by_title("order of the channels").count() == 1
    explorer.choose("table")
    table = explorer.element.get_by_role("grid")
    table.locator("td").first.wait_for()
    headers = table.locator("th button")
    assert headers.evaluate_all("(all) => all.every((each) => each.scrollWidth <= each.parentElement.clientWidth)")
    assert notebook.ask("print(view.show)") == "table"
    explorer.choose("activation")
    explorer.graph.wait_for()
    explorer.element.get_by_role("button", name="Next channel", exact=True).click()
    explorer.settle()
    assert notebook.ask("print(view.show, view.channel)") == "activation 6"


def test_a_tree_and_a_figure_are_drawn_by_themselves(explorer, notebook):
    notebook.run("display(aw.LayerTree(view.tree), aw.PlotView(view.figure))")
    trees = notebook.page.get_by_role("tree")
    figures = notebook.page.locator(".js-plotly-plot:has(.main-svg)")
    figures.nth(1).wait_for()
    assert (trees.count(), figures.count()) == (2, 2)
    assert trees.nth(1).get_by_role("treeitem").count() == 4
    assert figures.nth(1).locator(".gtitle").text_content() == explorer.title
