"""One JupyterLab and one Chromium for all browser tests; each module has a notebook, a kernel and a page of its own."""

from __future__ import annotations

import os
import shutil
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode leaves it out
from cells import KINDS
from lab import LAB, Explorer, Notebook, browser, jupyter_lab, new_page, post, write_notebook

from tests.versions.run import environment, uv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    return root


@pytest.fixture(scope="session")
def address(folder) -> Iterator[str]:
    with jupyter_lab(folder) as url:
        yield url


@pytest.fixture(scope="session")
def kernel(address) -> str:
    """A kernel for many notebooks, one after the other: to load TensorFlow takes longer than most modules' tests."""
    return post(address, "kernels", {"name": "python3"})["id"]


@pytest.fixture(scope="session")
def colab_python() -> Path:
    """The Python of an environment with Colab's releases, for a kernel."""
    return environment("colab")


@pytest.fixture(scope="session")
def lab_3_python(tmp_path_factory) -> Path:
    """The Python of an environment with JupyterLab 3 and the widgets of ipywidgets 7; it has no Keras."""
    if given := os.environ.get("ACTWIDGET_LAB_3_PYTHON"):
        return Path(given)
    folder = tmp_path_factory.mktemp("environments") / "lab3"
    uv("venv", "--python", sys.executable, folder)
    packages = ("jupyterlab<4", "jupyterlab_widgets<2", "ipywidgets==7.7.1", "anywidget==0.9.21")
    uv("pip", "install", "--python", folder / "bin" / "python", *packages)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Not for the whole session: while Playwright is open its event loop runs in the thread of all tests."""
    with browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def open_page(request, folder, address, chromium) -> Iterator[Callable[..., Notebook]]:
    """Opens a notebook by its path below the folder, or one made of `cells`, in a host; `size` is the page's.

    It has a kernel of its own, or one that is given.
    """
    opened: list[Notebook] = []

    def close(notebook: Notebook) -> None:
        opened.remove(notebook)
        notebook.shut_down()
        notebook.page.context.close()
        assert notebook.errors == []

    def open_page(
        path: str = "", *cells: str, host: str = LAB, size: tuple[int, int] = (1400, 1000), kernel: str = ""
    ) -> Notebook:
        if kernel:  # whose messages would go to every page that has it
            for each in [each for each in opened if each.kernel == kernel]:
                close(each)
        name = path or f"{request.module.__name__.rpartition('.')[2]}{next(number)}.ipynb"
        if not path:
            write_notebook(folder / name, *cells)
        viewport = {"width": size[0], "height": size[1]}
        page = new_page(chromium, viewport=viewport, permissions=["clipboard-read", "clipboard-write"])
        opened.append(Notebook(page, address, name, host, kernel))
        return opened[-1]

    number = count()
    yield open_page
    while opened:
        close(opened[0])


@pytest.fixture(scope="module")
def open_explorer(open_page, kernel) -> Callable[[str], Notebook]:
    """Opens a notebook whose first cell makes an `explorer` by `code` and whose second shows it.

    Its kernel is that of the notebooks before it, which have left nothing in it.
    """

    def open_explorer(code: str) -> Notebook:
        opened = open_page("", code, "explorer", kernel=kernel)
        opened.run_all()
        Explorer(opened)  # waits for its picture
        return opened

    return open_explorer


@pytest.fixture(scope="module")
def run_cell(open_page, kernel) -> Callable[..., Notebook]:
    """Opens a notebook in which `cell`, which shows an explorer, runs as a new last one; `size` is the page's.

    Its kernel is that of the notebooks before it, which have left nothing in it.
    """

    def run_cell(cell: str, **size: tuple[int, int]) -> Notebook:
        opened = open_page("", "0", kernel=kernel, **size)
        opened.run(cell)
        Explorer(opened).settle()
        return opened

    return run_cell


@pytest.fixture(scope="module")
def run_kind(open_page, kernel) -> Callable[[str], Notebook]:
    """Shows a kind of `cells.KINDS`, whose explorer is `view`, in place of the kind before it.

    One page, with room for the widest one, is for all: to load JupyterLab takes longer than to look at most kinds.
    """
    opened = open_page("", "0", kernel=kernel, size=(1700, 1300))

    def run_kind(kind: str) -> Notebook:
        opened.clear()
        head, _, last = KINDS[kind].strip().rpartition("\n")
        opened.run(f"{head}\nview = {last}\nview")
        Explorer(opened).settle()
        return opened

    return run_kind


@pytest.fixture(autouse=True)
def no_errors(request) -> Iterator[None]:
    """No test leaves an error on its page or in its console."""
    notebook = request.getfixturevalue("notebook")
    yield
    errors, notebook.errors[:] = list(notebook.errors), []
    assert errors == []


@pytest.fixture
def explorer(notebook) -> Explorer:
    return Explorer(notebook)
