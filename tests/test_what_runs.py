"""Which tests run: by default those that need nothing beyond the installed environment, in CI all."""

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


def test_ci_asks_for_it():
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
