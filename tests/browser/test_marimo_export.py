"""An explorer in a page that marimo has exported: no kernel is behind it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import marimo
import pytest
from lab import SMALL, marimo_notebook, new_page

pytestmark = pytest.mark.browser
# What the page takes from a server on the web, as marimo has it.
FRONTEND = Path(marimo.__file__).parent / "_static"
TYPES = {".js": "text/javascript", ".css": "text/css"}


@pytest.fixture
def notebook():
    """There is none; what the page logs is held all the same."""
    return SimpleNamespace(errors=[])


def give(route):
    """Answers a request for a file of marimo's frontend."""
    file = FRONTEND / re.sub(r".*/dist/|\?.*", "", route.request.url)
    headers = {"Content-Type": TYPES.get(file.suffix, "application/octet-stream"), "Access-Control-Allow-Origin": "*"}
    route.fulfill(body=file.read_bytes(), headers=headers)


def test_it_says_that_it_needs_a_kernel(chromium, notebook, tmp_path):
    (tmp_path / "notebook.py").write_text(marimo_notebook(SMALL, "aw.LayerExplorer(model, np.ones((2, 12, 12, 3)))"))
    command = [sys.executable, "-m", "marimo", "export", "html", "notebook.py", "-o", "page.html"]
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    page = new_page(chromium)
    page.on("pageerror", lambda error: notebook.errors.append(f"page: {error.stack or error}"))
    page.route("https://cdn.jsdelivr.net/**", give)
    page.goto((tmp_path / "page.html").as_uri())
    said = page.locator(".actw-composite")
    said.wait_for()
    assert said.text_content() == (
        "⚠ No kernel: this page can't show the explorer. Its method to_html writes one that can."
    )
    assert page.get_by_text("Loading").count() == 0
    page.context.close()
