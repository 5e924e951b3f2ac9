"""Jupyter in a process of its own, and notebooks opened in it by headless Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, WebSocket

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
# Not returned: the promise ends only when every cell has run.
RUN_ALL = "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
KERNEL_IDLE = """() => {
  const context = window.jupyterapp?.shell?.currentWidget?.sessionContext;
  return context?.isReady && context.session?.kernel?.status === "idle";
}"""
# Whether a row of the tree is within what is seen of the tree.
IN_SIGHT = """(row) => {
  const [inner, outer] = [row, row.closest("[role=tree]")].map((element) => element.getBoundingClientRect());
  return inner.height > 0 && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
}"""
# How long a page waits for what must come, in milliseconds: a machine that does much else is slow.
PATIENCE = 180_000
# Where the server shows a notebook: JupyterLab, with nothing but it on the page, and Notebook 7.
LAB, NOTEBOOK = "lab/tree/{}?reset", "notebooks/{}"


def chromium() -> str:
    """Where Chromium is on this machine."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    message = "The browser tests need Chromium: apt-get install chromium"
    raise FileNotFoundError(message)


REPOSITORY = Path(__file__).parents[2]


def add_kernel(root: Path, name: str, python: str | Path) -> None:
    """Gives the JupyterLab that will run on the folder `root` one more kernel, with another Python."""
    folder = root / ".jupyter" / "data" / "kernels" / name
    folder.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": name, "language": "python", "env": {"PYTHONPATH": str(REPOSITORY)}}
    (folder / "kernel.json").write_text(json.dumps(spec))


@contextlib.contextmanager
def jupyter_lab(root: Path, application: str = "lab", python: str | Path = sys.executable) -> Iterator[str]:
    """A running JupyterLab on the folder `root`, of the environment of `python`; gives its address.

    The same server has Notebook 7 and Voila at other addresses, where these are installed, and below `static/` what is
    in the folder of that name.
    """
    port = free_port()
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(root / ".jupyter"),
        "JUPYTER_PATH": str(root / ".jupyter" / "data"),
        "JUPYTERLAB_SETTINGS_DIR": str(root / ".jupyter" / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(root / ".jupyter" / "workspaces"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    options = [
        "--no-browser", "--allow-root", f"--ServerApp.port={port}", "--IdentityProvider.token=",
        "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}",
        "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
        f"--ServerApp.extra_static_paths={root / 'static'}",
    ]  # fmt: skip
    if python == sys.executable:  # JupyterLab 3, in another environment, does not start with options that it lacks
        options += ["--LabApp.news_url=None", "--LabApp.extension_manager=readonly"]
    news = root / ".jupyter" / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True, exist_ok=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    log = (root / "lab.log").open("w")
    process = subprocess.Popen(
        [python, "-m", "jupyter", application, *options], env=environment, stdout=log, stderr=log
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(process, f"{address}/api/status", root / "lab.log")
        yield address
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def post(address: str, path: str, content: Any) -> Any:
    """What the server's interface answers to a request that creates something."""
    request = urllib.request.Request(f"{address}/api/{path}", json.dumps(content).encode())  # noqa: S310 - loopback
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def free_port() -> int:
    """A port of this machine that no server uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Waits until a server answers at `url` with JSON; if it ends before that, raises an error with its log."""
    pause = threading.Event()
    for _ in range(PATIENCE // 100):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
            json.load(answer)
            return
        pause.wait(0.1)
    raise RuntimeError(log.read_text())


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


def new_page(chromium: Browser, **context: Any) -> Page:
    """An empty page in a context of its own, made with these arguments; close it by `page.context.close()`."""
    made = chromium.new_context(**context)
    made.set_default_timeout(PATIENCE)
    return made.new_page()


def write_notebook(path: Path, *cells: str, kernel: str = "python3") -> Path:
    """A notebook with these code cells."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": kernel, "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, path)
    return path


def marimo_notebook(*cells: str) -> str:
    """The text of a marimo notebook; marimo itself finds out what each cell reads and defines."""
    bodies = ("\n".join(f"    {line}" if line else "" for line in cell.strip().splitlines()) for cell in cells)
    text = "".join(f"\n\n@app.cell\ndef _():\n{body}\n" for body in bodies)
    return f'import marimo\n\napp = marimo.App(width="full")\n{text}\n\nif __name__ == "__main__":\n    app.run()\n'


def open_notebook(page: Page, address: str, name: str, *, host: str = LAB, run: bool = True) -> None:
    """Opens a notebook in a host and runs all its cells."""
    page.goto(f"{address}/{host.format(name)}", wait_until="commit")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    # Before the kernel is connected JupyterLab asks for one.
    page.wait_for_function(KERNEL_IDLE)
    collapse = "() => { if (document.querySelector('#jp-left-stack:not(.lm-mod-hidden)')) window.jupyterapp.commands.execute('application:toggle-left-area') }"  # noqa: E501
    page.evaluate(collapse)
    if run:
        page.evaluate(RUN_ALL)


def open_without_kernel(page: Page, address: str, name: str) -> None:
    """Opens a notebook in JupyterLab as one where a person has chosen "No Kernel"."""
    page.goto(f"{address}/lab?reset", wait_until="commit")
    page.wait_for_function("() => window.jupyterapp")
    page.evaluate(OPEN_WITHOUT_KERNEL, name)
    page.wait_for_selector(".jp-Notebook .jp-Cell")


def wait_for_explorer(page: Page, index: int = 0) -> Any:
    """The explorer's element, once its figure, or the table in its place, is drawn."""
    explorer = page.locator(".actw-explorer").nth(index)
    explorer.locator(".js-plotly-plot .main-svg, .actw-table td").first.wait_for()
    return explorer


def set_theme(page: Page, name: str) -> None:
    """Switches JupyterLab's theme, `"JupyterLab Dark"` or `"JupyterLab Light"`, and waits for it."""
    page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
    page.wait_for_selector(f'body[data-jp-theme-name="{name}"]', state="attached")
    # JupyterLab takes its splash away a moment later; a second change before that makes it do so twice, and fail.
    page.wait_for_selector("#jupyterlab-splash", state="detached")


# Runs in the kernel with no cell, so that the page stays as it is: gives what was printed.
ASK = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, store_history: false});
  let printed = "";
  future.onIOPub = ({header, content}) => {
    if (header.msg_type === "stream" && content.name === "stdout") printed += content.text;
    if (header.msg_type === "error") printed += content.traceback.join("\\n");
  };
  const {content} = await future.done;
  return [content.status === "ok", printed];
}"""
# Gives the new cell's index and its outputs when it has run.
RUN_CELL = """async (source) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const shared = notebook.model.sharedModel;
  shared.insertCell(shared.cells.length, {cell_type: "code", source, metadata: {}});
  notebook.activeCellIndex = notebook.widgets.length - 1;
  await window.jupyterapp.commands.execute("notebook:run-cell");
  return notebook.activeCell.model.outputs.toJSON();
}"""
OUTPUTS = (
    "() => window.jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model.outputs?.toJSON() ?? [])"
)
CELLS = "() => window.jupyterapp.shell.currentWidget.content.widgets.map((cell) => cell.model.type)"
OPEN_WITHOUT_KERNEL = """async (path) => {
  await window.jupyterapp.restored;
  const kernelPreference = {shouldStart: false, autoStartDefault: false};
  await window.jupyterapp.commands.execute("docmanager:open", {path, factory: "Notebook", kernelPreference});
}"""
SAVE = """async (state) => {
  const {commands} = window.jupyterapp;
  if (state) await commands.execute("@jupyter-widgets/jupyterlab-manager:saveWidgetState");
  await commands.execute("docmanager:save");
}"""
# Leaves a kernel as it was after its imports, for the next notebook.
FORGET = """
import ipywidgets
ipywidgets.Widget.close_all()
get_ipython().run_line_magic("reset", "-f")
import gc, keras
keras.backend.clear_session()
gc.collect();
"""
DELETE_ALL_BUT_THE_FIRST = """() => {
  const shared = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
  shared.deleteCellRange(1, shared.cells.length);
}"""
SHUT_DOWN = "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"
# Each Plotly.react is counted on the graph that it draws.
COUNT_DRAWINGS = """() => {
  const {react} = window.Plotly;
  window.drawings = new Map();
  window.Plotly.react = (graph, ...rest) => {
    window.drawings.set(graph, (window.drawings.get(graph) ?? 0) + 1);
    return react(graph, ...rest);
  };
}"""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


# A model as a cell makes it, for tests that need one with maps, a vector and classes.
SMALL = """
import keras, numpy as np, actwidget as aw
keras.utils.set_random_seed(0)
x = keras.Input((12, 12, 3), name="image")
y = keras.layers.Conv2D(8, 3, activation="relu", name="conv")(x)
y = keras.layers.GlobalAveragePooling2D(name="pool")(y)
model = keras.Model(x, keras.layers.Dense(3, activation="softmax", name="out")(y), name="small")
"""


class Explorer:
    """An explorer on the page, as a person meets it."""

    def __init__(self, notebook: Notebook, index: int = 0) -> None:
        """Waits until the figure of the explorer number `index` is drawn."""
        self.notebook = notebook
        self.element = wait_for_explorer(notebook.page, index)
        self.tree = self.element.get_by_role("tree")
        self.graph = self.element.locator(".js-plotly-plot")
        self.status = self.element.get_by_role("status")
        self.alert = self.element.get_by_role("alert")
        self.filter = self.element.get_by_role("searchbox")

    @property
    def title(self) -> str:
        """The title in the picture, as it can be read there."""
        return self.graph.locator(".gtitle").text_content()

    @property
    def selected(self) -> list[str]:
        """The paths of all rows that say that they are selected."""
        rows = self.tree.locator('[role="treeitem"][aria-selected="true"]')
        return rows.evaluate_all("(rows) => rows.map((row) => row.dataset.path)")

    @property
    def shown(self) -> list[str]:
        """The rows in sight, unless scrolled away: paths, and groups with a `+`."""
        rows = self.tree.locator('[role="treeitem"]:not([hidden])')
        return rows.evaluate_all("(rows) => rows.map((row) => row.dataset.path ?? `+${row.dataset.group}`)")

    @property
    def focused(self) -> str | None:
        """The path or group of the row that has the focus."""
        return self.tree.evaluate(
            "(tree) => tree.contains(document.activeElement)"
            " ? document.activeElement.dataset.path ?? `+${document.activeElement.dataset.group}` : null"
        )

    @property
    def drawings(self) -> int:
        """How often Plotly has drawn this figure since `Notebook.count_drawings`."""
        self.settle()
        return self.graph.evaluate("(graph) => window.drawings.get(graph) ?? 0")

    def row(self, path: str) -> Locator:
        """The row of a layer, in sight or not."""
        return self.tree.locator(f'[role="treeitem"][data-path="{path}"]')

    def unfold_to(self, path: str) -> None:
        """Opens the prefix group that hides a layer, by a click on it."""
        if not self.row(path).is_visible():
            self.row(path).locator("xpath=preceding::*[@data-group][1]").click()

    def select(self, path: str) -> None:
        """Clicks a layer and waits until its figure is drawn."""
        self.unfold_to(path)
        self.row(path).click()
        self.wait_for_title(path)

    def tab(self, view: str) -> Locator:
        """The tab of a view, by the value of the explorer's `show`."""
        return self.element.locator(f'[role="tab"][data-view="{view}"]')

    def switch(self, scope: str) -> Locator:
        """A side of the switch between `"layer"` and `"network"`."""
        return self.element.locator(f'.actw-scope [data-view="{scope}"]')

    def choose(self, view: str) -> None:
        """Clicks a tab, on the other side of the switch if it is there, and waits until what it shows is drawn."""
        if not self.tab(view).count():
            self.element.locator('.actw-scope [aria-checked="false"]').click()
            self.tab(view).wait_for()
        self.tab(view).click()
        self.element.locator(f'[role="tab"][data-view="{view}"][aria-selected="true"]').wait_for()
        self.settle()

    def wait_for_title(self, path: str) -> None:
        """Waits until the figure is that of a layer and the kernel has nothing more to say."""
        self.wait_until("(graph, path) => graph.querySelector('.gtitle').textContent.startsWith(`${path} ·`)", path)
        self.settle()

    def wait_until(self, condition: str, argument: Any = None) -> None:
        """Waits until `condition(graph, argument)`, a JavaScript function, holds."""
        handle = self.graph.element_handle()
        self.notebook.page.wait_for_function(
            f"([graph, argument]) => ({condition})(graph, argument)", arg=[handle, argument]
        )

    def settle(self) -> None:
        """Waits until what the kernel has been sent is answered, and the answers are drawn.

        A change that comes while one before it is on its way to the kernel is sent when that one is answered: hence
        twice.
        """
        for _ in range(2):
            self.notebook.ask("")
            self.notebook.page.evaluate(TWO_FRAMES)

    def layout(self, path: str) -> Any:
        """What `graph.layout` holds at a path such as `yaxis.domain`."""
        get = "(graph, path) => path.split('.').reduce((value, name) => value[name], graph._fullLayout)"
        return self.graph.evaluate(get, path)

    def tile(self, channel: int) -> tuple[float, float]:
        """Where on the page the middle of a channel's tile is."""
        self.graph.scroll_into_view_if_needed()
        return self.graph.evaluate(
            """(graph, channel) => {
              const {x, y, customdata} = graph._fullData.find((trace) => trace.customdata);
              const row = customdata.findIndex((cells) => [...cells].some((cell) => cell[0] === channel));
              const column = [...customdata[row]].findIndex((cell) => cell[0] === channel);
              const {xaxis, yaxis} = graph._fullLayout;
              const {left, top} = graph.getBoundingClientRect();
              return [left + xaxis._offset + xaxis.d2p(x[column]), top + yaxis._offset + yaxis.d2p(y[row])];
            }""",
            channel,
        )


class Notebook:
    """A notebook on a page of its own.

    It keeps every error that the page has, and the size of each message that the kernel's widgets send.
    """

    def __init__(self, page: Page, address: str, name: str, host: str = LAB, kernel: str = "") -> None:
        """Opens the notebook `name`; nothing is run yet. By default it has a kernel of its own."""
        self.page = page
        self.kernel = kernel
        if kernel:
            post(address, "sessions", {"path": name, "name": name, "type": "notebook", "kernel": {"id": kernel}})
        self.errors: list[str] = []
        self.from_kernel: list[int] = []
        page.on("pageerror", lambda error: self.errors.append(f"page: {error.stack or error}"))
        page.on("console", self._console)
        page.on("dialog", self._dialog)
        page.on("websocket", self._websocket)
        open_notebook(page, address, name, host=host, run=False)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"console: {message.text} {message.location}")

    def _dialog(self, dialog: Dialog) -> None:
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _websocket(self, socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framereceived", self._received)

    def _received(self, payload: str | bytes) -> None:
        message = payload if isinstance(payload, bytes) else payload.encode()
        if b'"msg_type": "comm_' in message:
            self.from_kernel.append(len(message))

    def ask(self, code: str) -> str:
        """Runs code in the kernel, with no cell; gives what it prints."""
        good, printed = self.page.evaluate(ASK, code)
        assert good, printed
        return printed.strip()

    def run(self, code: str) -> str:
        """Runs code in a new last cell; gives what it prints."""
        return _printed(self.page.evaluate(RUN_CELL, code))

    def run_all(self) -> None:
        """Runs all cells to their end."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        for outputs in self.page.evaluate(OUTPUTS):
            _printed(outputs)

    def clear(self) -> None:
        """Deletes all cells but the first, and empties the kernel."""
        self.page.evaluate(DELETE_ALL_BUT_THE_FIRST)
        self.ask(FORGET)

    def count_drawings(self) -> None:
        """Counts drawings from zero, see `Explorer.drawings`."""
        self.page.evaluate(COUNT_DRAWINGS)

    def save(self, *, state: bool = False) -> None:
        """Saves the notebook, with the state of its widgets or without."""
        self.page.evaluate(SAVE, state)

    def shut_down(self) -> None:
        """Ends the kernel, or empties it if other notebooks use it."""
        if self.kernel:
            self.ask(FORGET)
        else:
            self.page.evaluate(SHUT_DOWN)


def _printed(outputs: list[dict[str, Any]]) -> str:
    errors = [f"{output['ename']}: {output['evalue']}" for output in outputs if output["output_type"] == "error"]
    assert not errors, errors
    return "".join(output["text"] for output in outputs if output["output_type"] == "stream").strip()
