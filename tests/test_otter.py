"""otter-grader's version of the assignments, made from the same source and marked by otter-grader itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.classroom import ALL, ASSIGNMENTS, REPOSITORY, Assignment, handed_in
from tests.versions.run import uv

pytestmark = pytest.mark.network


@pytest.fixture(scope="session")
def otter() -> Path:
    """The folder with the programs of an environment in which otter-grader is installed.

    Its `python` can be named in the environment variable `ACTWIDGET_OTTER_PYTHON`.
    """
    if given := os.environ.get("ACTWIDGET_OTTER_PYTHON"):
        return Path(given).parent
    folder = REPOSITORY / ".venv-otter"
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    uv("venv", "--allow-existing", "--python", "3.11", folder, PYENV_VERSION="3.11")
    wanted = ["otter-grader[grading]==7.0.0", "--editable", f"{REPOSITORY}[cpu,samples]"]
    uv("pip", "install", "--python", programs / "python", *wanted)
    return programs


def started(folder: Path, programs: Path, *arguments: str) -> subprocess.Popen[str]:
    """The program `otter`, at work in a folder."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "IPYTHONDIR": str(folder / ".ipython"),
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [str(programs / "otter"), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)


def finished(process: subprocess.Popen[str]) -> None:
    said, _ = process.communicate()
    assert process.returncode == 0, said


def scores(file: Path) -> dict[str, float]:
    """The points by the name of the test in nbgrader's version."""
    tests = json.loads(file.read_text(encoding="utf-8"))["tests"]
    return {f"{test['name']}-test": test["score"] for test in tests if "score" in test}


@pytest.fixture(scope="module", params=ALL.values(), ids=ALL)
def assigned(request, tmp_path_factory, otter) -> tuple[Assignment, Path]:
    """An assignment, and the folder that `otter assign` has made of it."""
    assignment = request.param
    folder = tmp_path_factory.mktemp("otter")
    program = [sys.executable, str(ASSIGNMENTS / "to_otter.py")]
    subprocess.run([*program, str(assignment.source), str(folder / assignment.name)], check=True)
    finished(started(folder, otter, "assign", "--no-run-tests", assignment.file, str(folder / "dist")))
    return assignment, folder / "dist"


def test_students_get_no_solution_and_no_hidden_test(assigned):
    assignment, folder = assigned
    assert {file.name for file in (folder / "student").iterdir()} == {assignment.source.name, *assignment.files}
    released = (folder / "student" / assignment.source.name).read_text(encoding="utf-8")
    solutions = assignment.solutions()
    for secret in ("HIDDEN", "SOLUTION", "PROMPT", '\\"hidden\\": true', solutions["words"][:40]):
        assert secret not in released
    answers = [
        cell
        for cell in nbformat.reads(released, as_version=4).cells
        if "otter_answer_cell" in cell.metadata.get("tags", ())
    ]
    assert len(answers) == len(solutions)
    *programs, words = answers
    assert all(cell.source.rstrip().endswith("raise NotImplementedError()") for cell in programs)
    assert words.source == "YOUR ANSWER HERE"


def test_otter_gives_the_points_that_nbgrader_gives(assigned, otter):
    assignment, folder = assigned
    (autograder,) = (folder / "autograder").glob("*.zip")
    right = assignment.solutions()
    marking = {}
    for student, answers in {"right": right, "wrong": right | assignment.wrong}.items():
        submission = folder / student / assignment.source.name
        submission.parent.mkdir()
        nbformat.write(handed_in(folder / "student" / assignment.source.name, answers), submission)
        options = ["-a", str(autograder), "-o", str(submission.parent)]
        marking[submission.parent] = started(folder, otter, "run", *options, str(submission))
    for process in marking.values():
        finished(process)
    found = [scores(student / "results.json") for student in marking]
    assert found == [assignment.points, assignment.wrong_points]
