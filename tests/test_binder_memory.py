"""The lessons in an environment of their own, as mybinder.org has it: the pinned packages, 2 GB of memory."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

if TYPE_CHECKING:
    from nbformat import NotebookNode

pytestmark = pytest.mark.network

REPOSITORY = Path(__file__).parents[1]
# The others need less memory; they run with the newest releases and with Colab's.
LARGEST = {"01-explore-a-real-network", "06-change-what-flows", "07-why-this-answer"}
LESSONS = [
    pytest.param(path, id=path.stem, marks=() if path.stem in LARGEST else pytest.mark.thorough)
    for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
]
# What mybinder.org gives at most. It bounds what the process has written to, not what it has merely reserved.
LIMIT = 2_000_000_000
LAUNCH = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, ({LIMIT}, {LIMIT}))
from ipykernel import kernelapp
kernelapp.launch_new_instance(argv=sys.argv[1:])
"""
# Not what getrusage says: a new process begins with the peak of the one that started it.
PEAK = "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"


@pytest.fixture(scope="module")
def kernels(tmp_path_factory) -> KernelSpecManager:
    """Where the kernel of the fresh environment is registered."""
    root = tmp_path_factory.mktemp("binder")
    venv.create(root / "env")
    python = root / "env" / "bin" / "python"
    # Python compiles what a lesson imports when it is imported, and most of what is installed no lesson imports.
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile"]
    install += ["-r", "binder/requirements.txt", "ipykernel"]
    run = subprocess.run(install, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    spec = root / "kernels" / "binder"
    spec.mkdir(parents=True)
    argv = [str(python), "-c", LAUNCH, "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Binder", "language": "python", "env": {"PYTHONPATH": ""}})
    )
    return KernelSpecManager(kernel_dirs=[str(root / "kernels")], ensure_native_kernel=False)


def executed(path: Path, kernels: KernelSpecManager) -> NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(PEAK))
    manager = AsyncKernelManager(kernel_name="binder", kernel_spec_manager=kernels)
    NotebookClient(notebook, km=manager, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    return notebook


@pytest.mark.skipif(sys.platform != "linux", reason="mybinder.org is Linux")
@pytest.mark.parametrize("path", LESSONS)
def test_a_lesson_runs_in_two_gigabytes(path, kernels, record_property):
    peak = 1024 * int(executed(path, kernels).cells[-1].outputs[0].text)
    record_property(f"peak memory of {path.stem}", f"{peak / 1e9:.2f} GB")
    assert peak < LIMIT
