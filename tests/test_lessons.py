"""The lessons where nothing is but the notebook itself, as on Colab."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from packaging.requirements import Requirement

from tests.test_binder_memory import LARGEST
from tests.versions.run import environment

REPOSITORY = Path(__file__).parents[1]
LESSONS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def first_code(path: Path) -> str:
    return next(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")


def test_each_lesson_begins_by_installing_actwidget_if_it_is_missing() -> None:
    (cell,) = set(map(first_code, LESSONS))
    *_rest, guard, install = cell.splitlines()
    assert guard == 'if find_spec("actwidget") is None:'
    assert install.startswith('    %pip install -q "')
    requirement = Requirement(install.split('"')[1])
    assert (requirement.name, requirement.extras) == (PROJECT["name"], {"samples"})
    assert requirement.extras < PROJECT["optional-dependencies"].keys()
    assert requirement.url == "git+https://github.com/actwidget/actwidget"


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> KernelSpecManager:
    """Where the kernel with Colab's releases is registered."""
    folder = tmp_path_factory.mktemp("kernels")
    (folder / "colab").mkdir()
    argv = [str(environment("colab")), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Colab", "language": "python", "env": {"PYTHONPATH": str(REPOSITORY)}}
    (folder / "colab" / "kernel.json").write_text(json.dumps(spec))
    return KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)


# Each lesson runs in the newest environment and in one other: those that need most memory as on Binder, these here.
IN_AN_OLDER_ONE = [
    pytest.param(path, id=path.stem, marks=pytest.mark.thorough if path.stem in LARGEST else ()) for path in LESSONS
]


@pytest.mark.network
@pytest.mark.parametrize("path", IN_AN_OLDER_ONE)
def test_a_lesson_runs_with_colab_s_releases_and_no_file_beside_it(
    path: Path, kernels: KernelSpecManager, tmp_path: Path
) -> None:
    notebook = nbformat.read(path, as_version=4)
    manager = AsyncKernelManager(kernel_name="colab", kernel_spec_manager=kernels)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, km=manager, timeout=600, resources=resources).execute()
    assert list(tmp_path.iterdir()) == []
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]
    assert any("application/vnd.jupyter.widget-view+json" in output.data for output in shown)
