"""The views beside the grid by mouse and keyboard, haste, long use, a kernel that is gone."""

from __future__ import annotations

import json

import pytest
from lab import Explorer

MODEL = """
import json, keras, numpy as np, actwidget as aw
from keras import layers
keras.utils.set_random_seed(1)
image = y = keras.Input((24, 24, 3), name="image")
for number in range(40):
    y = layers.Conv2D(6, 3, padding="same", activation="tanh", name=f"conv{number}")(y)
model = keras.Model(image, layers.Dense(3, name="kinds")(layers.GlobalAveragePooling2D(name="pool")(y)), name="deep")
x = np.random.default_rng(0).random((2, 24, 24, 3), "float32")
explorer = aw.LayerExplorer(model, x, grouped=False)
drawn = []
inner = explorer._explorer.show
explorer._explorer.show = lambda: (drawn.append(explorer.layer), inner())[1]
"""
# Each is sent by the page as one would by hand, 30 of them as fast as the page can.
CLICK_ALL = """(tree) => {
  for (let number = 2; number < 32; number++) tree.querySelector(`[data-path="conv${number}"]`).click();
}"""
WATCH = """(graph) => {
  window.busy = [];
  const box = graph.parentElement;
  const note = () => {
    const picture = graph.querySelector("image") ? "with a picture" : "empty";
    window.busy.push(`${box.getAttribute("aria-busy")} ${picture}`);
  };
  new MutationObserver(note).observe(box, {attributes: true, attributeFilter: ["aria-busy"]});
}"""

RESIDENT = "import psutil; print(psutil.Process().memory_info().rss / 1e6)"


@pytest.fixture(scope="module")
def notebook(open_explorer):
    return open_explorer(MODEL)


@pytest.fixture
def explorer(notebook):
    notebook.ask(
        "explorer.show, explorer.layer, explorer.channel, explorer.sort = 'activation', 'conv0', None, 'index'"
    )
    shown = Explorer(notebook)
    shown.wait_for_title("conv0")
    return shown


def state(notebook):
    return json.loads(notebook.ask("print(json.dumps(explorer.state()))"))


def test_a_click_into_the_close_up_pins_that_place_and_the_view_stays(explorer, notebook):
    place = explorer.graph.evaluate(
        """(graph) => {
          const {xaxis2, yaxis2} = graph._fullLayout;
          const {left, top} = graph.getBoundingClientRect();
          return [left + xaxis2._offset + xaxis2.d2p(20), top + yaxis2._offset + yaxis2.d2p(3)];
        }"""
    )
    notebook.page.mouse.click(*place)
    explorer.wait_until("(graph) => String(graph.layout.meta.crosshair?.pinned) === '3,20'")
    assert (state(notebook)["show"], state(notebook)["position"]) == ("activation", [3, 20])
    explorer.element.get_by_role("button", name="Show on the input").click()
    explorer.wait_until("(graph) => graph.querySelector('.gtitle').textContent.includes('depends on 3 × 3')")


def test_arrow_keys_move_the_channel_when_the_figure_has_the_focus(explorer, notebook):
    explorer.graph.locator("xpath=..").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        notebook.page.keyboard.press(key)
        explorer.settle()
    assert state(notebook)["channel"] == 1
    notebook.page.keyboard.press("End")
    explorer.settle()
    assert state(notebook)["channel"] == 5
    notebook.page.keyboard.press("Escape")
    explorer.settle()
    assert state(notebook)["channel"] is None


def test_a_button_that_leads_to_the_last_channel_keeps_the_focus(explorer, notebook):
    notebook.ask("explorer.channel = 3")
    explorer.settle()
    forth = explorer.element.get_by_role("button", name="Next channel", exact=True)
    forth.focus()
    for _ in range(3):
        notebook.page.keyboard.press("Enter")
        explorer.settle()
    assert state(notebook)["channel"] == 5
    assert forth.evaluate("(button) => button === document.activeElement")
    explorer.element.get_by_role("button", name="Previous channel", exact=True).click()
    explorer.settle()
    assert state(notebook)["channel"] == 4


def test_the_table_sorts_and_selects_by_mouse_and_by_keyboard(explorer, notebook):
    explorer.choose("table")
    table = explorer.element.get_by_role("grid")
    table.wait_for()
    rows = "(table) => [...table.tBodies[0].rows].map((row) => Number(row.cells[0].textContent))"
    assert table.evaluate(rows) == list(range(6))
    table.get_by_role("button", name="mean").click()
    assert table.locator("[aria-sort=descending]").text_content() == "mean"
    means = json.loads(notebook.ask("print(explorer.statistics.per_channel.mean.tolist())"))
    by_mean = sorted(range(6), key=lambda channel: -means[channel])
    assert table.evaluate(rows) == by_mean
    table.locator("tbody tr").nth(2).click()
    explorer.settle()
    assert state(notebook)["channel"] == by_mean[2]
    notebook.page.keyboard.press("Tab")
    table.locator("tbody tr[tabindex='0']").focus()
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("Enter")
    explorer.settle()
    assert state(notebook)["channel"] == by_mean[3]
    assert table.locator("[aria-selected=true]").count() == 1
    explorer.choose("activation")
    explorer.wait_for_title("conv0")


def test_the_table_stays_sorted_by_the_column_that_was_chosen(explorer, notebook):
    explorer.choose("table")
    table = explorer.element.get_by_role("grid")
    table.get_by_role("button", name="saturated %").click()
    sorted_by = table.locator("[aria-sort=ascending], [aria-sort=descending]")
    assert sorted_by.text_content() == "saturated %"
    notebook.ask("explorer.layer = 'image'")  # it has no such column
    table.get_by_role("button", name="saturated %").wait_for(state="detached")
    assert sorted_by.text_content() == "channel"
    notebook.ask("explorer.layer = 'conv1'")
    table.get_by_role("button", name="saturated %").wait_for()
    assert sorted_by.text_content() == "saturated %"
    assert sorted_by.get_attribute("aria-sort") == "descending"


def test_thirty_clicks_at_once_end_on_the_last_and_few_are_drawn(explorer, notebook):
    notebook.ask("drawn.clear()")
    explorer.tree.evaluate(CLICK_ALL)
    explorer.wait_for_title("conv31")
    assert state(notebook)["layer"] == "conv31"
    count = int(notebook.ask("print(len(drawn))"))
    assert 1 <= count <= 8, count


def test_while_the_model_runs_the_figure_says_so_and_keeps_its_picture(explorer, notebook):
    notebook.page.evaluate(WATCH, explorer.graph.element_handle())
    notebook.ask("explorer._explorer.session.clear()")
    explorer.select("conv39")
    assert notebook.page.evaluate("() => window.busy") == ["true with a picture", "false with a picture"]


def test_less_motion_is_honoured(explorer, notebook):
    box = explorer.graph.locator("xpath=..")
    durations = """(box) => {
      box.setAttribute('aria-busy', 'true');
      const moved = getComputedStyle(box.querySelector('.actw-plot-graph')).transitionDuration;
      box.setAttribute('aria-busy', 'false');
      return moved;
    }"""
    assert box.evaluate(durations) != "0s"
    notebook.page.emulate_media(reduced_motion="reduce")
    moving = """(root) => [...root.querySelectorAll('*')].filter((each) => {
      const {transitionDuration, animationName} = getComputedStyle(each);
      if (each.closest('.js-plotly-plot')) return false;
      return parseFloat(transitionDuration) > 0 || animationName !== 'none';
    }).map((each) => each.className)"""
    assert box.evaluate(durations) == "0s"
    assert [name for name in explorer.element.evaluate(moving) if "actw" in str(name)] == []
    notebook.page.emulate_media(reduced_motion=None)


def test_the_selected_row_stays_in_sight_when_the_page_gets_narrow(explorer, notebook):
    notebook.ask("explorer.layer = 'conv19'")
    explorer.wait_for_title("conv19")
    in_sight = """([tree, row]) => {
      const [outer, inner] = [tree.getBoundingClientRect(), row.getBoundingClientRect()];
      return outer.height < %d && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
    }"""
    handles = [explorer.tree.element_handle(), explorer.row("conv19").element_handle()]
    wide = explorer.tree.bounding_box()["height"]
    notebook.page.set_viewport_size({"width": 640, "height": 1000})
    notebook.page.wait_for_function(in_sight % (wide / 2), arg=handles)
    notebook.page.set_viewport_size({"width": 1400, "height": 1000})


def test_after_hundreds_of_selections_the_page_has_not_grown(explorer, notebook, record_property):
    session = notebook.page.context.new_cdp_session(notebook.page)
    session.send("Performance.enable")

    def size():
        session.send("HeapProfiler.collectGarbage")
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return metrics["JSHeapUsedSize"], metrics["Nodes"], metrics["JSEventListeners"]

    def select(count):
        for _ in range(count // 50):
            notebook.ask("for number in range(50): explorer.layer, explorer.channel = f'conv{number % 40}', number % 6")
            explorer.settle()

    select(200)
    heap, nodes, listeners = size()
    kernel = float(notebook.ask(RESIDENT))
    select(400)
    heap_after, nodes_after, listeners_after = size()
    kernel_after = float(notebook.ask(RESIDENT))
    record_property("kernel memory before and after 400 selections", f"{kernel:.0f} and {kernel_after:.0f} MB")
    assert kernel_after < kernel + 20
    record_property("page memory before and after 400 selections", f"{heap / 1e6:.1f} and {heap_after / 1e6:.1f} MB")
    assert heap_after < heap + 3.2e6
    assert nodes_after < nodes * 1.04 + 200
    assert listeners_after < listeners * 1.04 + 40


def test_a_kernel_that_is_gone_is_said_in_words(open_explorer):
    opened = open_explorer(MODEL)
    shown = Explorer(opened)
    box = shown.graph.locator("xpath=..")
    words = "(box) => getComputedStyle(box, '::before').content"
    assert box.evaluate(words) == "none"
    opened.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    opened.page.wait_for_function(f"(box) => ({words})(box).includes('No kernel')", arg=box.element_handle())
    assert shown.graph.locator(".gtitle").is_visible()
