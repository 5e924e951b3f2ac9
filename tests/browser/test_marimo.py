"""Explorers in marimo, as an app and in its editor."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from lab import SMALL, TWO_FRAMES, Explorer, free_port, marimo_notebook, new_page, wait_for_explorer, wait_until_up

pytestmark = pytest.mark.browser

# The editor runs the notebook when it is opened, and the page is light or dark as the browser prefers.
SETTINGS = """
[runtime]
auto_instantiate = true

[display]
theme = "system"
"""
CELLS = [
    f"""
import marimo as mo
{SMALL}
batch = np.random.default_rng(0).normal(size=(2, 12, 12, 3))
layers = []
""",
    """
view = mo.ui.anywidget(aw.LayerExplorer(model, batch))
view
""",
    """
mo.Html(f"<p class=chosen>{view.layer}, {view.channel}, {view.value['show']}</p>")
""",
    """
changed = mo.ui.anywidget(aw.LayerExplorer(model, batch))
changed
""",
    """
layers.append(changed.layer)
changed.channel = len(layers)  # another one each time
mo.Html(f"<p class=layers>{', '.join(layers)}</p>")
""",
    """
volumes = keras.Sequential([keras.Input((6, 8, 8, 1)), keras.layers.Conv3D(2, 3, name="conv3")], name="net3")
aw.LayerExplorer(volumes, np.random.default_rng(1).normal(size=(1, 6, 8, 8, 1)))
""",
]
# Red, green and blue, in whatever way the style sheet says them.
BACKGROUND = """(element) => {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = getComputedStyle(element).backgroundColor;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}"""
VIEW, CHANGED, VOLUMES = range(3)  # the explorers, from the top of the page down


@pytest.fixture(scope="module", params=["run", "edit"])
def mode(request):
    """Of the commands of marimo the one that shows the notebook."""
    return request.param


@pytest.fixture(scope="module")
def notebook(mode, tmp_path_factory, chromium):
    """The notebook on a page, when its cells have run."""
    folder = tmp_path_factory.mktemp("marimo")
    (folder / "notebook.py").write_text(marimo_notebook(*CELLS))
    (folder / "marimo").mkdir()
    (folder / "marimo" / "marimo.toml").write_text(SETTINGS)
    port = free_port()
    options = ["--headless", "--no-token", f"--port={port}"]
    environment = os.environ | {"XDG_CONFIG_HOME": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "marimo", mode, *options, "notebook.py"],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )
        try:
            wait_until_up(process, f"http://127.0.0.1:{port}/health", log)
            page = new_page(chromium, viewport={"width": 1400, "height": 1000})
            notebook = SimpleNamespace(page=page, errors=[], ask=lambda _code: "")
            page.on("pageerror", lambda error: notebook.errors.append(f"page: {error.stack or error}"))
            page.on("console", lambda said: notebook.errors.append(said.text) if said.type == "error" else None)
            page.goto(f"http://127.0.0.1:{port}")
            wait_for_explorer(page, VIEW)  # it is drawn when all cells have run
            for index in (CHANGED, VOLUMES):
                Explorer(notebook, index)
            yield notebook
            page.context.close()
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def shown(notebook):
    """Waits until an element says something, which it does for good."""

    def shown(selector, text):
        notebook.page.locator(selector).get_by_text(text, exact=True).wait_for()
        notebook.page.evaluate(TWO_FRAMES)

    return shown


def test_it_is_live_and_no_still_is_there(notebook):
    for index, title in ((VIEW, "conv · 8 channels"), (CHANGED, "conv · 8 channels"), (VOLUMES, "conv3 · 2 channels")):
        assert Explorer(notebook, index).title.startswith(title)
    assert notebook.page.locator(".actw-explorer").count() == 3
    assert notebook.page.locator(".actw-still").count() == 0
    assert notebook.page.get_by_text("Run this cell").count() == 0


def test_a_cell_that_reads_the_layer_runs_again_when_another_one_is_clicked(explorer, shown):
    explorer.select("pool")
    shown(".chosen", "pool, None, activation")
    assert explorer.element.locator(".actw-path").text_content() == "pool"
    explorer.select("conv")
    shown(".chosen", "conv, None, activation")


def test_a_channel_is_selected_by_its_tile_by_keys_by_number_and_by_steps(notebook, explorer, shown):
    notebook.page.mouse.click(*explorer.tile(5))
    shown(".chosen", "conv, 5, activation")
    explorer.wait_until("(graph) => graph.layout.annotations[0].text.includes('channel 5<')")
    explorer.element.locator(".actw-plot").press("ArrowRight")
    shown(".chosen", "conv, 6, activation")
    field = explorer.element.get_by_role("textbox", name="channel")
    field.fill("2")
    field.press("Enter")
    shown(".chosen", "conv, 2, activation")
    explorer.element.get_by_role("button", name="Next channel").click()
    shown(".chosen", "conv, 3, activation")
    assert field.input_value() == "3"
    field.fill("8")
    field.press("Enter")
    explorer.alert.get_by_text("Expected a channel from 0 to 7, got '8'.").wait_for()
    field.fill("")
    field.press("Enter")
    shown(".chosen", "conv, None, activation")
    assert explorer.alert.text_content() == ""


def test_a_tab_changes_the_view_and_keeps_the_focus(explorer, shown):
    explorer.tab("table").click()
    shown(".chosen", "conv, None, table")
    explorer.element.locator(".actw-table tbody tr").nth(4).click()
    shown(".chosen", "conv, 4, table")
    assert explorer.graph.count() == 0
    explorer.tab("weights").click()
    shown(".chosen", "conv, 4, weights")
    assert explorer.element.get_by_role("textbox", name="input channel").is_visible()
    explorer.tab("weights").press("Home")
    shown(".chosen", "conv, 4, activation")
    explorer.wait_until("(graph) => graph.layout.annotations[0].text.includes('channel 4<')")
    assert explorer.tab("activation").evaluate("(tab) => tab.getRootNode().activeElement === tab")


def test_a_slider_goes_through_a_volume(notebook):
    volumes = Explorer(notebook, VOLUMES)
    slider = volumes.element.get_by_role("slider", name="slice")
    assert slider.input_value() == "1"
    slider.press("ArrowRight")
    volumes.wait_until("(graph) => graph.querySelector('.gtitle').textContent.includes('slice 2')")
    assert volumes.element.locator(".widget-readout").text_content() == "2"


def test_a_cell_that_reads_the_layer_and_changes_the_channel_runs_once_for_each_click(notebook, explorer, shown):
    changed = Explorer(notebook, CHANGED)
    shown(".layers", "conv")
    changed.select("pool")
    shown(".layers", "conv, pool")
    changed.select("conv")
    shown(".layers", "conv, pool, conv")
    explorer.select("out")  # what the other explorer has still to say is said before this is
    shown(".chosen", "out, None, activation")
    shown(".layers", "conv, pool, conv")
    assert changed.element.get_by_role("textbox", name="channel").input_value() == "3"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_the_colours_of_the_page_and_no_serious_violation(notebook, explorer, scheme):
    page = notebook.page
    page.emulate_media(color_scheme=scheme)
    page.wait_for_selector(f"body.{scheme}")
    background = explorer.element.evaluate(BACKGROUND)
    assert background == page.locator("body").evaluate(BACKGROUND)
    assert (sum(background) > 3 * 128) == (scheme == "light")
    found = Axe().run(page, context="marimo-anywidget").response["violations"]
    serious = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in {"serious", "critical"}]
    assert serious == []


def test_a_page_that_is_loaded_again_shows_the_same(mode, notebook, explorer, shown):
    if mode == "edit":  # an app begins anew
        explorer.select("conv")
        shown(".chosen", "conv, None, activation")
        notebook.page.reload()
        Explorer(notebook).select("pool")
        shown(".chosen", "pool, None, activation")
