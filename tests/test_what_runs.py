"""Which tests run: by default those that need nothing beyond the installed environment, others on request."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def collected(*options: str) -> set[str]:
    """The files of tests/test_binder*.py whose tests pytest would run."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options]
    run = subprocess.run(
        [*command, "tests/test_binder.py", "tests/test_binder_memory.py"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return {line.partition("::")[0] for line in run.stdout.splitlines() if "::" in line}


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ([], {"tests/test_binder.py"}),
        (["-m", "not browser"], {"tests/test_binder.py"}),
        (["-m", "not browser", "--network"], {"tests/test_binder.py", "tests/test_binder_memory.py"}),
    ],
    ids=["by default", "without Chromium", "with the network"],
)
def test_what_installs_packages_runs_only_where_it_is_asked_for(options, files):
    assert collected(*options) == files


def gpu_tests(*options: str) -> subprocess.CompletedProcess[str]:
    """A run of one of the tests that need a GPU, on a machine whose GPUs are out of sight."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "-k", "lie_on", "tests/gpu"]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


def test_what_needs_a_gpu_is_left_out_unless_it_is_asked_for_and_then_fails_without_one():
    left_out, asked_for = gpu_tests(), gpu_tests("--gpu")
    assert "deselected" in left_out.stdout
    assert left_out.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "These tests need a GPU, and tensorflow sees none." in asked_for.stdout
    assert asked_for.returncode == pytest.ExitCode.TESTS_FAILED
    assert "skipped" not in asked_for.stdout


def test_ci_asks_for_what_needs_the_network():
    assert "--network" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("in_ci", [True, False])
def test_only_ci_tries_the_same_examples_each_time(in_ci):
    code = "import tests.conftest, hypothesis; print(hypothesis.settings().derandomize)"
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | (
        {"CI": "true"} if in_ci else {}
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(in_ci)]
