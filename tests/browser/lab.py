"""JupyterLab in a process of its own, and notebooks opened in it by headless Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import re
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

    from playwright.sync_api import Browser, Page

CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# Not returned: the promise ends only when every cell has run.
RUN_ALL = "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
KERNEL_IDLE = "() => document.querySelector('#jp-bottom-panel, #jp-main-statusbar')?.textContent.includes('| Idle')"


def chromium() -> str:
    """Where Chromium is on this machine."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    message = "The browser tests need Chromium: apt-get install chromium"
    raise FileNotFoundError(message)


@contextlib.contextmanager
def jupyter_lab(root: Path, application: str = "lab") -> Iterator[str]:
    """A running JupyterLab on the folder `root`; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(root / ".jupyter"),
        "JUPYTERLAB_SETTINGS_DIR": str(root / ".jupyter" / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(root / ".jupyter" / "workspaces"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    options = [
        "--no-browser", "--allow-root", f"--ServerApp.port={port}", "--IdentityProvider.token=", "--ServerApp.password=",
        "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True",
        "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    news = root / ".jupyter" / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True, exist_ok=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    log = (root / "lab.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter", application, *options], env=environment, stdout=log, stderr=log
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(process, f"{address}/api/status", root / "lab.log")
        yield address
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    pause = threading.Event()
    for _ in range(600):
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


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook with these code cells."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, path)
    return path


def open_notebook(page: Page, address: str, name: str, *, run: bool = True, timeout: float = 120_000) -> None:
    """Opens a notebook, with nothing but it on the page, and runs all its cells."""
    page.goto(f"{address}/lab/tree/{name}?reset", wait_until="commit")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=timeout)
    # Before the kernel is connected JupyterLab asks for one.
    page.wait_for_function(KERNEL_IDLE, timeout=timeout)
    collapse = "() => { if (document.querySelector('#jp-left-stack:not(.lm-mod-hidden)')) window.jupyterapp.commands.execute('application:toggle-left-area') }"  # noqa: E501
    page.evaluate(collapse)
    if run:
        page.evaluate(RUN_ALL)


def wait_for_explorer(page: Page, index: int = 0, timeout: float = 120_000) -> Any:
    """The explorer's element, once its figure is drawn."""
    explorer = page.locator(".actw-explorer").nth(index)
    explorer.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=timeout)
    return explorer


def title_of(explorer: Any) -> str:
    """The figure's title, without its markup."""
    text = explorer.locator(".js-plotly-plot").first.evaluate("(graph) => graph.layout.title.text")
    return re.sub(r"<[^>]*>", "", text)


def set_theme(page: Page, name: str) -> None:
    """Switches JupyterLab's theme, `"JupyterLab Dark"` or `"JupyterLab Light"`, and waits for it."""
    page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
    page.wait_for_selector(f'body[data-jp-theme-name="{name}"]', state="attached")
