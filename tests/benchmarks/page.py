"""In real JupyterLab and real Chromium: from a click to the painted frame, and the bytes from the kernel."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from browser.lab import Explorer, Notebook, browser, jupyter_lab, new_page, write_notebook
from networks import LARGE, SOURCES
from table import Row

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Until all pictures of a figure are decoded and a frame is painted. Both at once: each waits for a frame, so one after
# the other would count a frame too many.
PAINTED = """const painted = (graph) => {
  const frame = new Promise((resolve) => requestAnimationFrame(() => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(null);
  }));
  return Promise.all([frame, ...[...graph.querySelectorAll('image')].map((image) => image.decode?.())]);
};"""
# Until Plotly has drawn the title, and that is painted.
CLICK_TO_PAINT = f"""([graph, target, title, key]) => new Promise((done) => {{
  {PAINTED}
  const drawn = async () => {{
    if (!graph.querySelector('.gtitle')?.textContent.startsWith(title)) return;
    graph.removeListener('plotly_afterplot', drawn);
    await painted(graph);
    done(performance.now() - start);
  }};
  graph.on('plotly_afterplot', drawn);
  const start = performance.now();
  if (key) target.dispatchEvent(new KeyboardEvent("keydown", {{key, bubbles: true, cancelable: true}}));
  else target.click();
}})"""
# The same without a kernel: the figures of the layers at hand on the page, Plotly draws one after the other.
KEEP = "(graph) => (globalThis.kept ??= []).push(structuredClone({data: graph.data, layout: graph.layout}))"
PLOTLY_ALONE = f"""async (graph) => {{
  {PAINTED}
  const plotly = await globalThis.__actwidgetPlotly;
  const taken = [];
  for (const {{data, layout}} of globalThis.kept.splice(0)) {{
    const start = performance.now();
    await plotly.react(graph, data, layout, {{displayModeBar: false, responsive: false, doubleClick: false}});
    await painted(graph);
    taken.push(performance.now() - start);
  }}
  return taken;
}}"""
BARE = """
import json, statistics, time
import keras, actwidget as aw
def bare(path, repeats=3):
    sub, tensor = aw.submodel(model, path), keras.ops.convert_to_tensor(x)
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        sub(tensor, training=False)
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)
"""
FIGURE_WIDGET = """
import ipywidgets, plotly.graph_objects as go, sys
sys.path.insert(0, {here!r})
from rivals import tiled
values = [tiled(aw.activations(model, x, path)[path][0]) for path in {paths!r}]
look = {{"title": {{"text": "begin"}}, "width": 900, "height": 480}}
rival = go.FigureWidget(go.Heatmap(z=values[0][:8, :8], colorscale="viridis"), layout=look)
button = ipywidgets.Button(description="rival")
turn = 0
def show(_):
    global turn
    with rival.batch_update():
        rival.data[0].z = values[turn % len(values)]
        rival.layout.title.text = f"turn {{turn}}."
    turn += 1
button.on_click(show)
ipywidgets.VBox([button, rival])
"""
PATHS = "print(json.dumps([node.path for node in view.tree if node.class_name != 'InputLayer']))"
# The grid, the close-up's values, and the thumbnail of the input.
PICTURES = """
grid = sum(map(len, {0}._screen.plot._images))
closeup = max(map(len, {0}._screen.plot._arrays), default=0)
print(grid + closeup + sum(len(item.picture) for item in {0}._samples._items(0, 1)))
"""

# Over 1,000 layers; a small one, whose first picture has a third of the values; and the first 150 of the large one.
SIZES = """
import keras, numpy as np, actwidget as aw
size = {"weights": None, "input_shape": (224, 224, 3), "include_top": False}
large, small = keras.applications.NASNetLarge(**size), keras.applications.MobileNetV2(**size)
start = keras.Model(large.inputs, large.layers[149].output)
x = np.random.default_rng(0).random((1, 224, 224, 3), dtype="float32")
aw.LayerExplorer(small, x)
"""


def pages(layers: int, repeats: int) -> dict[str, list[Row]]:
    """All that is measured on a page, for each network."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, jupyter_lab(Path(folder)) as address, browser() as chromium:
        for name in SOURCES:
            write_notebook(Path(folder) / f"{name}.ipynb", "0")
            found[name] = _page(name, chromium, address, layers, repeats)
    return found


def _page(name: str, chromium: Browser, address: str, layers: int, repeats: int) -> list[Row]:
    page = new_page(chromium, viewport={"width": 1400, "height": 1000})
    notebook = Notebook(page, address, f"{name}.ipynb")
    notebook.run(f"import json, actwidget as aw\n{SOURCES[name]}")
    first = _bytes_of(notebook, 0, "view = aw.LayerExplorer(model, x)\nview")
    further = _bytes_of(notebook, 1, "other = aw.LayerExplorer(model, x)\nother")
    pictures = int(notebook.ask(PICTURES.format("other")))
    explorer = Explorer(notebook)
    paths = json.loads(notebook.ask(PATHS))
    paths = paths[:: max(1, len(paths) // layers)][:layers]
    notebook.ask(BARE)
    new, bare = [], []
    for path in paths:  # one beside the other: the machine's speed moves
        new.append(_click(explorer, path))
        bare.append(float(notebook.ask(f"print(bare({path!r}))")))
    seen = [
        median(times)
        for times in zip(*([_click(explorer, path) for path in paths] for _ in range(repeats)), strict=True)
    ]
    tabs = _tabs(explorer, repeats)
    for path in paths:
        _click(explorer, path)
        explorer.graph.evaluate(KEEP)
    alone = explorer.graph.evaluate(PLOTLY_ALONE)
    beyond = [total - call for total, call in zip(new, bare, strict=True)]
    large = [_click(explorer, path) for _ in range(3) for path in (LARGE[name], paths[0])][::2]
    rival = _figure_widget(notebook, [LARGE[name]], repeats)
    rows = [
        Row.of("bare call of the sub-model", bare, "ms"),
        Row.of("click to paint, new layer", new, "ms", base=median(bare), base_name="the bare call"),
        Row.of("  beyond the bare call", beyond, "ms", goal=100),
        Row.of("click to paint, layer seen before", seen, "ms", goal=100, base=median(bare), base_name="the bare call"),
        Row.of("  of that Plotly alone, the figure at hand", alone, "ms"),
        Row.of(
            "click to paint, another tab of a layer", tabs, "ms", base=median(seen), base_name="a layer seen before"
        ),
        Row.of(f"click to paint, {LARGE[name]}, seen before", large, "ms"),
        Row.of("  the same by FigureWidget with a heatmap", rival, "ms", base=median(large), base_name="actwidget"),
        Row("first explorer on the page, with its pictures", first / 1e6, "MB", goal=1.7),
        Row("  without its pictures", (first - pictures) / 1e6, "MB", goal=1.7),
        Row("a further explorer, without its pictures", (further - pictures) / 1e3, "kB", goal=100),
        Row("  its pictures", pictures / 1e3, "kB"),
    ]
    notebook.shut_down()
    page.context.close()
    assert notebook.errors == [], notebook.errors
    return rows


def first_pictures(repeats: int) -> list[Row]:
    """From the run of a cell to the first picture of an explorer in it, of a very large model and of a small one."""
    taken: dict[str, list[float]] = {"small": [], "start": [], "large": []}
    with tempfile.TemporaryDirectory() as folder, jupyter_lab(Path(folder)) as address, browser() as chromium:
        write_notebook(Path(folder) / "sizes.ipynb", "0")
        notebook = Notebook(new_page(chromium, viewport={"width": 1400, "height": 1000}), address, "sizes.ipynb")
        notebook.run(SIZES)
        for turn in range(repeats + 1):
            for model, times in taken.items():
                start = time.perf_counter()
                notebook.run(f"view = aw.LayerExplorer({model}, x)\nview")
                Explorer(notebook, 1).settle()
                if turn:  # the first one of each has its layers run for the first time
                    times.append((time.perf_counter() - start) * 1000)
                notebook.ask("view.close()")
                notebook.page.locator(".actw-explorer").nth(1).wait_for(state="detached")
        notebook.shut_down()
    base = median(taken["small"])
    return [
        Row.of("a cell with an explorer, to its first picture: MobileNetV2", taken["small"], "ms"),
        Row.of(
            "  NASNetLarge, with over 1,000 layers",
            taken["large"],
            "ms",
            goal=base * 1.15,
            base=base,
            base_name="the small model",
        ),
        Row.of("  its first 150 layers alone", taken["start"], "ms", base=base, base_name="the small model"),
    ]


def _bytes_of(notebook: Notebook, index: int, code: str) -> int:
    before = sum(notebook.from_kernel)
    notebook.run(code)
    Explorer(notebook, index).settle()
    return sum(notebook.from_kernel) - before


def _click(explorer: Explorer, path: str) -> float:
    explorer.unfold_to(path)
    explorer.settle()
    return painted(explorer.notebook, explorer.graph, explorer.row(path), f"{path} ·")


def _tabs(explorer: Explorer, repeats: int) -> list[float]:
    """From a click on a tab to its figure, for each tab of the selected layer that has one; the table has none."""
    names = explorer.element.locator('[role="tab"]:not([aria-disabled="true"])').evaluate_all(
        "(tabs) => tabs.map((tab) => tab.dataset.view)"
    )
    names = [name for name in names if name != "table"]
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats + 1):  # a view is drawn for the first time in the first turn
        for name in [*names[1:], names[0]]:
            taken[name].append(painted(explorer.notebook, explorer.graph, explorer.tab(name), ""))
            explorer.settle()
    return [median(times[1:]) for times in taken.values()]


def painted(notebook: Notebook, graph: Any, target: Any, title: str, key: str = "") -> float:
    """Milliseconds from a click, or the press of a key, to the paint of a figure whose title begins so."""
    handles = [graph.element_handle(), target.element_handle(), title, key]
    return float(notebook.page.evaluate(CLICK_TO_PAINT, handles))


def _figure_widget(notebook: Notebook, paths: list[str], repeats: int) -> list[float]:
    notebook.run(FIGURE_WIDGET.format(paths=paths, here=str(Path(__file__).parent)))
    page = notebook.page
    graph = page.locator(".js-plotly-plot:not(.actw-explorer *)").last
    graph.locator(".main-svg").first.wait_for()
    button = page.get_by_role("button", name="rival")
    return [painted(notebook, graph, button, f"turn {turn}.") for turn in range(repeats)]
