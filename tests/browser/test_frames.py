"""An explorer in pages of the html-manager, each output in a frame of its own and with a kernel behind it, as in Colab.

Colab's own manager is a relative of the html-manager: both show widgets in a page that is not Jupyter's.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from lab import SMALL, TWO_FRAMES, Explorer, add_kernel, jupyter_lab, new_page, post

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

pytestmark = [pytest.mark.browser, pytest.mark.network]
PAGES = Path(__file__).with_name("frames")
MODEL = f"{SMALL}\nx = np.random.default_rng(0).normal(size=(2, 12, 12, 3))\n"
CELLS = (f"{MODEL}view = aw.LayerExplorer(model, x)\nview", "other = aw.LayerExplorer(model, x, layer='pool')\nother")
# The html-manager for ipywidgets 7 and for ipywidgets 8, which knows the widgets of both; and the kernels.
PLACES = [("0.20.9", "colab"), ("1.0.15", "colab"), ("1.0.15", "python3")]
SIZES = """() => {
  const {scrollWidth, clientWidth, scrollHeight, clientHeight} = document.documentElement;
  const {width, height} = document.body.getBoundingClientRect();
  return {scrollWidth, clientWidth, scrollHeight, clientHeight, width, height: Math.ceil(height)};
}"""
LIGHTNESS = """(element, property) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.fillStyle = getComputedStyle(element)[property];
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
  return (red + green + blue) / 3;
}"""


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """From the names of files that the pages load to where npm has put them."""
    folder = tmp_path_factory.mktemp("npm")

    def package(name: str, version: str) -> Path:
        command = [shutil.which("npm") or "npm", "pack", "--silent", f"{name}@{version}"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        into = folder / f"{Path(name).name}-{version}"
        with tarfile.open(folder / run.stdout.strip()) as archive:
            archive.extractall(into, filter="data")
        return into / "package"

    anywidget = package("anywidget", "0.9.21") / "dist" / "index.js"
    require = package("requirejs", "2.3.7") / "require.js"
    return {
        version: {
            "require.js": require,
            "anywidget.js": anywidget,
            "embed-amd.js": package("@jupyter-widgets/html-manager", version) / "dist" / "embed-amd.js",
        }
        for version in sorted({version for version, _kernel in PLACES})
    }


@pytest.fixture(scope="module")
def address(tmp_path_factory, libraries, colab_python):
    root = tmp_path_factory.mktemp("frames")
    add_kernel(root, "colab", colab_python)
    for version, files in libraries.items():
        shutil.copytree(PAGES, root / "static" / version)
        (root / "static" / version / "lib").mkdir()
        for name, path in files.items():
            shutil.copy(path, root / "static" / version / "lib" / name)
    with jupyter_lab(root) as url:
        yield url


@pytest.fixture(scope="module")
def notebook():
    """There is none for all; what the pages log is held all the same."""
    return SimpleNamespace(errors=[])


class Cell:
    """The outputs of one cell, in their frame; to an `Explorer` it is what a notebook is elsewhere."""

    def __init__(self, page: Page, frame: Frame) -> None:
        self.page = frame
        self._whole = page

    def ask(self, code: str) -> str:
        return self.page.evaluate("(code) => ask(code)", code).strip()

    def click(self, x: float, y: float) -> None:
        """A click at a place in the frame."""
        box = self.page.frame_element().bounding_box()
        self._whole.mouse.click(box["x"] + x, box["y"] + y)


@pytest.fixture(scope="module", params=PLACES, ids=[f"html-manager {version}, {kernel}" for version, kernel in PLACES])
def place(request, address, chromium, notebook):
    """A page of two cells, what it has asked of other hosts, and for each request for plotly.js the websocket."""
    version, name = request.param
    kernel = post(address, "kernels", {"name": name})["id"]
    page = new_page(chromium, viewport={"width": 1200, "height": 1500})
    outside, asked = [], []
    page.on("pageerror", lambda error: notebook.errors.append(f"page: {error.stack or error}"))
    page.on("console", lambda said: notebook.errors.append(said.text) if said.type == "error" else None)
    page.on("request", lambda sent: sent.url.startswith((address, "blob:", "data:")) or outside.append(sent.url))
    page.on(
        "websocket", lambda socket: socket.on("framesent", lambda data: "plotly.js" in data and asked.append(socket))
    )
    page.goto(f"{address}/static/{version}/notebook.html")
    cells = []
    for code in CELLS:
        page.evaluate("(all) => addCell(...all)", [kernel, code, "light"])
        cells.append(Cell(page, page.frames[-1]))
        Explorer(cells[-1])
    yield SimpleNamespace(page=page, cells=cells, outside=outside, asked=asked, name=name)
    page.context.close()
    stop = urllib.request.Request(f"{address}/api/kernels/{kernel}", method="DELETE")  # noqa: S310
    urllib.request.urlopen(stop).close()  # noqa: S310


def test_layers_and_channels_that_are_clicked_are_shown(place):
    cell = place.cells[0]
    explorer = Explorer(cell)
    explorer.select("pool")
    assert explorer.selected == ["pool"]
    explorer.select("conv")
    cell.click(*explorer.tile(5))
    explorer.wait_until("(graph) => graph.layout.annotations[0].text.includes('channel 5<')")
    assert cell.ask("print(view.layer, view.channel)") == "conv 5"
    assert explorer.alert.text_content() == ""


def test_other_views_are_chosen_and_come_with_their_controls(place):
    cell = place.cells[0]
    explorer = Explorer(cell)
    names = explorer.element.get_by_role("tab").evaluate_all("(tabs) => tabs.map((tab) => tab.dataset.view)")
    of_layers = "print(*(name for name, view in view._explorer.offered_views().items() if not view.is_of_network))"
    assert names == cell.ask(of_layers).split()
    for name in [*names[1:], "overview", names[0]]:
        explorer.choose(name)
        drawn = explorer.element.get_by_role("grid") if name == "table" else explorer.graph
        drawn.wait_for()
        explorer.settle()
        assert explorer.alert.text_content() == ""
    assert cell.ask("print(view.show)") == "activation"
    explorer.choose("comparison")
    explorer.element.get_by_label("second sample", exact=True).wait_for()
    explorer.choose("activation")
    explorer.settle()


def test_the_still_of_each_cell_is_there_and_out_of_sight(place):
    for cell in place.cells:
        stills = cell.page.locator(".actw-still")
        assert stills.count() == 1
        assert not stills.is_visible()


def test_each_frame_gets_plotly_once_from_the_kernel_and_nothing_from_another_host(place):
    assert place.outside == []
    assert len(place.asked) == len(set(place.asked)) == len(place.cells)
    release = "import re, plotly.offline; print(re.search(r'plotly.js v([.0-9]+)', plotly.offline.get_plotlyjs())[1])"
    for cell in place.cells:
        assert cell.page.evaluate("() => Plotly.version") == cell.ask(release)


@pytest.mark.parametrize("width", [1200, 480])
def test_a_frame_is_as_high_as_its_explorer_and_nothing_sticks_out_of_it(place, width):
    place.page.set_viewport_size({"width": width, "height": 1500})
    for cell in place.cells:
        explorer = Explorer(cell)
        explorer.wait_until("(graph, width) => Math.abs(graph._fullLayout.width - graph.clientWidth) < 1")
        explorer.settle()
        fits = f"() => {{ const {{height, clientHeight}} = ({SIZES})(); return height === clientHeight }}"
        cell.page.wait_for_function(fits)
        sizes = cell.page.evaluate(SIZES)
        assert sizes["scrollWidth"] == sizes["clientWidth"] == sizes["width"] == width
        assert sizes["scrollHeight"] == sizes["clientHeight"] == sizes["height"]
        assert explorer.element.evaluate("(box) => box.scrollWidth <= box.clientWidth")
        # A figure that does not fit scrolls by itself; this one fits.
        assert explorer.element.locator(".actw-figure").evaluate("(box) => box.scrollHeight <= box.clientHeight + 1")
    place.page.set_viewport_size({"width": 1200, "height": 1500})


def test_a_frame_says_whether_it_is_dark(place):
    first, second = map(Explorer, place.cells)
    parts = [".actw-model", ".actw-tree-name", ".actw-numbers dt", "select", ".gtitle", ".actw-status", "dd"]

    def contrast(explorer):
        """How much lighter than its background each part's text is."""
        background = explorer.element.evaluate(LIGHTNESS, "backgroundColor")
        found = [explorer.element.locator(part).first for part in parts]
        properties = ["fill" if part == ".gtitle" else "color" for part in parts]
        return background, [
            each.evaluate(LIGHTNESS, name) - background for each, name in zip(found, properties, strict=True)
        ]

    def wait_for_color(explorer):
        text = "(graph) => { const {color} = getComputedStyle(graph); return graph._fullLayout.font.color === color }"
        explorer.wait_until(text)
        explorer.notebook.page.evaluate(TWO_FRAMES)

    place.cells[0].page.evaluate("() => document.documentElement.setAttribute('theme', 'dark')")
    wait_for_color(first)
    background, lighter = contrast(first)
    assert background < 50
    assert min(lighter) > 100
    background, lighter = contrast(second)
    assert background > 240
    assert max(lighter) < -100
    place.cells[0].page.evaluate("() => document.documentElement.setAttribute('theme', 'light')")
    wait_for_color(first)
    background, lighter = contrast(first)
    assert background > 240
    assert max(lighter) < -100
    place.cells[0].page.evaluate("() => document.body.classList.add('vscode-dark')")
    wait_for_color(first)
    background, lighter = contrast(first)
    assert background < 50
    assert min(lighter) > 100
    place.cells[0].page.evaluate("() => document.body.classList.remove('vscode-dark')")
    wait_for_color(first)


def test_a_kernel_has_the_releases_that_the_page_stands_for(place):
    versions = place.cells[0].ask("import ipywidgets, plotly; print(ipywidgets.__version__, plotly.__version__)")
    assert re.fullmatch(r"7\.7\.1 5\.24\.1" if place.name == "colab" else r"8\..* [67]\..*", versions)
