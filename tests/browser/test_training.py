"""The live figure of a training in JupyterLab: it grows while the cell that trains runs, and answers after that."""

from __future__ import annotations

import pytest
from lab import SMALL

pytestmark = pytest.mark.browser
CELL = (
    SMALL
    + """
from actwidget.training import display
display.PAUSE, display.SHARE = 0, 1  # else a few short epochs would be drawn once
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
x, y = np.random.default_rng(0).random((16, 12, 12, 3)), np.arange(16) % 3
watch = aw.Watch(x[:4])
watch"""
)
FIT = "model.fit(x, y, epochs=5, batch_size=8, verbose=0, callbacks=[watch]);"
# Keeps what the status line says while the kernel is busy.
KEEP = """(panel) => {
  window.seen = [];
  new MutationObserver(() => {
    const {status} = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const text = panel.querySelector("[role=status]")?.textContent;
    if (status === "busy" && text && text !== window.seen.at(-1)) window.seen.push(text);
  }).observe(panel, {subtree: true, childList: true, characterData: true});
}"""
SHOWN = """(texts) => texts.every((text) =>
  [...document.querySelectorAll(".actw-training .annotation-text")].some((each) => each.textContent.includes(text)))"""


@pytest.fixture(scope="module")
def notebook(open_page, kernel):
    opened = open_page("", "0", kernel=kernel)
    opened.run(CELL)
    opened.page.locator(".actw-training .js-plotly-plot .main-svg").first.wait_for()
    opened.page.locator(".actw-training").evaluate(KEEP)
    opened.run(FIT)
    return opened


def wait_for(notebook, *texts):
    notebook.page.wait_for_function(SHOWN, arg=list(texts))


def test_the_figure_grows_while_the_cell_that_trains_runs(notebook):
    wait_for(notebook, "now: step 10")
    epochs = [text.partition("epoch ")[2][:1] for text in notebook.page.evaluate("window.seen")]
    assert {"2", "3"} <= set(epochs)
    assert epochs == sorted(epochs)
    status = notebook.page.locator(".actw-training").get_by_role("status")
    assert status.inner_text() == "After step 10 · epoch 5 · 6 moments"


def test_a_click_on_a_cell_shows_its_layer_at_its_moment(notebook):
    cells = notebook.page.locator(".actw-training .nsewdrag").first.bounding_box()
    # Four layers and six moments: the last layer, and the third moment.
    notebook.page.mouse.click(cells["x"] + cells["width"] * 2.5 / 6, cells["y"] + cells["height"] * 3.5 / 4)
    wait_for(notebook, "out · values over time", "then: step 4")
    assert notebook.ask("print(watch.widget.chosen.layer, watch.widget.chosen.step)").split() == ["out", "4"]


def test_the_slider_goes_through_the_moments_by_keys(notebook):
    slider = notebook.page.locator(".actw-training").get_by_role("slider")
    slider.press("ArrowRight")
    wait_for(notebook, "then: step 6")
    slider.press("ArrowRight")
    wait_for(notebook, "then: step 8")
    slider.press("ArrowLeft")
    wait_for(notebook, "then: step 6")


def test_ridges_take_the_place_of_the_heatmap(notebook):
    notebook.page.get_by_text("Ridges").click()
    wait_for(notebook, "values after so many steps")
