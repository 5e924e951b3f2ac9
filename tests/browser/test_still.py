"""The still picture of an explorer in JupyterLab: out of sight while it lives, in its place when it does not."""

from __future__ import annotations

from types import SimpleNamespace

import nbformat
import pytest
from lab import KERNEL_IDLE, LAB, SHUT_DOWN, SMALL, Explorer, jupyter_lab, new_page, open_without_kernel

pytestmark = pytest.mark.browser
CONVOLUTION = (
    SMALL
    + """
view = aw.LayerExplorer(model, np.random.default_rng(0).normal(size=(2, 12, 12, 3)))
view
"""
)
DENSE = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(0)
flat = keras.Sequential([keras.Input((20,)), keras.layers.Dense(7, name="dense")], name="flat")
aw.LayerExplorer(flat, np.ones((3, 20)))
"""
RUN = """async (index) => {
  window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
  await window.jupyterapp.commands.execute("notebook:run-cell");
}"""
FIRST, SECOND = 0, 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of its own, with JupyterLab's settings: whether widget state is saved is one of them, and is kept."""
    return tmp_path_factory.mktemp("stills")


@pytest.fixture(scope="module")
def address(folder):
    with jupyter_lab(folder) as url:
        yield url


@pytest.fixture(scope="module")
def live(open_page):
    opened = open_page("", CONVOLUTION, DENSE)
    opened.run_all()
    Explorer(opened)
    return opened


@pytest.fixture(scope="module")
def saved(live, folder):
    """Gives the text of the notebook as it is saved after a click on another layer, with widget state or without."""
    Explorer(live).select("pool")

    def saved(*, state=False):
        live.save(state=state)
        return (folder / "test_still0.ipynb").read_text(encoding="utf-8")

    return saved


@pytest.fixture
def notebook(live):
    return live


@pytest.fixture
def page(chromium):
    """An empty page. JupyterLab's own code has an error of its own with no kernel; the explorer's comes from blobs."""
    page = new_page(chromium, viewport={"width": 1200, "height": 1000})
    errors = []
    page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
    yield page
    page.context.close()
    assert [error for error in errors if "blob:" in error] == []


@pytest.fixture
def reopen(page, folder, address):
    """Opens what was saved on another page, under another name, so that no kernel knows it."""
    opened = []

    def reopen(text, name, *, kernel):
        (folder / name).write_text(text, encoding="utf-8")
        if kernel:
            page.goto(f"{address}/{LAB.format(name)}", wait_until="commit")
            page.wait_for_function(KERNEL_IDLE)
            opened.append(name)
        else:
            open_without_kernel(page, address, name)
        page.locator(".actw-still").nth(SECOND).wait_for()
        return SimpleNamespace(page=page, outputs=page.locator(".jp-OutputArea-child"))

    yield reopen
    if opened:
        page.evaluate(SHUT_DOWN)


def visible(locator):
    return [each.is_visible() for each in locator.all()]


def is_looked_at(still):
    """A picture that is loaded, and numbers as text."""
    assert still.locator("img").evaluate("(image) => image.complete && image.naturalWidth > 200")
    terms = still.locator("dt").all_text_contents()
    numbers = dict(zip(terms, still.locator("dd").all_text_contents(), strict=True))
    assert numbers["range"].startswith("0.00 to ")
    assert still.locator("figcaption").text_content() == "Snapshot. Run this cell for the interactive explorer."
    # It is the view as it was when the cell ran, not the layer that was selected later.
    assert still.locator("img").get_attribute("alt").startswith("conv · Channels · sample 0 · Conv2D")


def test_a_live_explorer_hides_its_still_and_leaves_no_gap(live):
    assert live.page.locator(".actw-still").count() == 2
    assert visible(live.page.locator(".actw-still")) == [False, False]
    assert visible(live.page.locator(".actw-explorer")) == [True, True]
    areas = live.page.locator(".jp-Cell-outputArea")
    heights = areas.nth(FIRST).evaluate(
        "(area) => [area, area.firstElementChild].map((each) => each.getBoundingClientRect().height)"
    )
    assert heights[0] - heights[1] < 12


def test_a_table_in_the_place_of_the_figure_shows_no_still(live):
    live.ask("view.show = 'table'")
    live.page.locator(".actw-table td").first.wait_for()
    assert visible(live.page.locator(".actw-still")) == [False, False]
    live.ask("view.show = 'activation'")
    Explorer(live)
    assert visible(live.page.locator(".actw-still")) == [False, False]


def test_an_explorer_with_another_view_that_is_not_drawn_shows_no_still(live):
    live.run("import ipywidgets\nipywidgets.Tab([ipywidgets.HTML('first'), view])")
    live.page.locator(".jupyter-widget-tab .actw-plot-waiting").wait_for(state="attached")
    assert visible(live.page.locator(".actw-still")) == [False, False]
    live.page.evaluate("() => window.jupyterapp.commands.execute('notebook:delete-cell')")


def test_a_closed_explorer_leaves_its_still(live):
    live.run("last = aw.LayerExplorer(model, view.inputs, layer='out')\nlast")
    Explorer(live, 2)
    still = live.page.locator(".actw-still").nth(2)
    still.wait_for(state="hidden")
    live.ask("last.close()")
    still.wait_for()
    assert visible(live.page.locator(".actw-still")) == [False, False, True]
    live.page.evaluate("() => window.jupyterapp.commands.execute('notebook:delete-cell')")


@pytest.mark.parametrize("kernel", [False, True], ids=["with no kernel", "with a new kernel"])
def test_a_notebook_opened_again_shows_stills_and_no_error(saved, reopen, kernel):
    again = reopen(saved(), f"again{kernel}.ipynb", kernel=kernel)
    placeholder = again.outputs.nth(0).get_by_text("not found" if kernel else "Loading widget")
    placeholder.wait_for(state="attached")
    assert visible(again.outputs) == [False, True, False, True]
    is_looked_at(again.page.locator(".actw-still").nth(FIRST))
    assert "Dense · 7 units" in again.page.locator(".actw-still img").nth(SECOND).get_attribute("alt")


def test_running_one_cell_hides_that_cell_s_still_only(saved, reopen):
    again = reopen(saved(), "one.ipynb", kernel=True)
    again.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    again.page.locator(".actw-explorer .main-svg").first.wait_for()
    again.page.locator(".actw-still").nth(FIRST).wait_for(state="hidden")
    assert visible(again.outputs) == [True, False, False, True]


def test_an_explorer_hides_no_still_of_the_same_name_in_another_cell(open_page, folder, reopen):
    opened = open_page("", f"{SMALL}\nx = np.ones((1, 12, 12, 3))", *["aw.LayerExplorer(model, x)"] * 2)
    opened.run_all()
    Explorer(opened, SECOND)
    opened.save()
    again = reopen((folder / "test_still1.ipynb").read_text(encoding="utf-8"), "same.ipynb", kernel=True)
    for cell in (0, 2):
        again.page.evaluate(RUN, cell)
    again.page.locator(".actw-explorer .main-svg").first.wait_for()
    again.page.locator(".actw-still").nth(SECOND).wait_for(state="hidden")
    assert visible(again.outputs) == [False, True, True, False]


def test_explorers_from_saved_state_give_way_to_their_stills_and_keep_none_from_being_drawn(saved, reopen):
    again = reopen(saved(state=True), "state.ipynb", kernel=True)
    again.page.locator(".actw-plot-waiting").nth(SECOND).wait_for(state="attached")
    assert visible(again.page.locator(".actw-explorer .actw-path")) == [False, False]
    assert visible(again.page.locator(".actw-still")) == [True, True]
    assert again.outputs.nth(0).bounding_box()["height"] == 0
    is_looked_at(again.page.locator(".actw-still").nth(FIRST))
    again.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")
    again.page.locator(".actw-explorer .main-svg").first.wait_for()
    assert visible(again.outputs)[:2] == [True, False]


def test_a_notebook_that_is_not_trusted_shows_stills_and_the_explorer_s_line(saved, reopen):
    changed = nbformat.reads(saved(), 4)
    changed.cells[0].outputs[1]["data"]["text/html"] += "<!-- changed by another hand -->"
    again = reopen(nbformat.writes(changed), "stranger.ipynb", kernel=False)
    assert again.page.locator(".jp-mod-trusted .actw-still, .actw-still style").count() == 0
    assert again.outputs.nth(0).text_content() == "LayerExplorer('small', layer='conv', channel=None, sample=0)"
    assert again.page.locator(".jp-OutputArea img:visible").count() == 2
    is_looked_at(again.page.locator(".actw-still").nth(FIRST))
