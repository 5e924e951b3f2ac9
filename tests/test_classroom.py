"""The assignments in notebooks/assignments, given out, handed in and marked by nbgrader itself."""

from __future__ import annotations

import ast
import base64
import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

import nbformat
import numpy as np
import pytest
from nbgrader.api import Gradebook
from PIL import Image

import actwidget as aw
from actwidget.samples import digits, digits_cnn
from actwidget.widgets.stored import still
from tests.classroom import ALL, ASSIGNMENTS, REPOSITORY, SEES, Assignment, cells, handed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

each_assignment = pytest.mark.parametrize("assignment", ALL.values(), ids=ALL)
# Edits where there is no answer to give, of the student who gives wrong ones.
EDITED = {"nearest-test": "assert True", "setup": "model = x = None"}


def at_home() -> aw.LayerExplorer:
    """The explorer of the assignment, in a process other than the one that marks it."""
    images, labels = digits()
    return aw.LayerExplorer(
        digits_cnn(verbose=False), images[::7][:40], labels=labels[::7][:40], class_names=list("0123456789")
    )


def picture(bundle: Any) -> np.ndarray:
    """The still picture in a display bundle, grey, 0 to 255."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("L"), dtype=float)


def plain(text: str) -> str:
    """A text without the colours of a terminal."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


class Course:
    """A teacher's folder, set up as the note beside the assignments says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for assignment in ALL.values():
            (folder / "source" / assignment.name).mkdir(parents=True)
            for file in (assignment.source.name, *assignment.files):
                copyfile(assignment.folder / file, folder / "source" / assignment.name / file)
        (configuration,) = re.findall(r"```python\n(.*?)```", (ASSIGNMENTS / "README.md").read_text("utf-8"), re.DOTALL)
        (folder / "nbgrader_config.py").write_text(configuration, encoding="utf-8")

    def nbgrader(self, command: str) -> None:
        # Marked with one thread, which rounds otherwise than a student's machine did.
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(REPOSITORY) + os.pathsep + os.environ.get("PYTHONPATH", ""),
            "JUPYTER_CONFIG_DIR": str(self.folder / ".jupyter"),
            "IPYTHONDIR": str(self.folder / ".ipython"),
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        run = subprocess.run(
            [sys.executable, "-m", "nbgrader", *command.split()],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr

    def hand_in(self, assignment: Assignment, student: str, answers: dict[str, str]) -> None:
        file = self.submitted(assignment, student)
        file.parent.mkdir(parents=True)
        nbformat.write(handed_in(self.folder / "release" / assignment.file, answers), file)

    def submitted(self, assignment: Assignment, student: str) -> Path:
        return self.folder / "submitted" / student / assignment.file

    def marked(self, assignment: Assignment, student: str) -> Path:
        return self.folder / "autograded" / student / assignment.file

    def points(self, assignment: Assignment, student: str) -> dict[str, float | None]:
        """What nbgrader gave for each cell; None for what a person has to read."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            submission = gradebook.find_submission(assignment.name, student)
            return {grade.name: grade.auto_score for notebook in submission.notebooks for grade in notebook.grades}


@pytest.fixture(scope="module")
def seen() -> Iterator[aw.LayerExplorer]:
    """An explorer that a student has left on the right view."""
    explorer = at_home()
    explorer.layer, explorer.sample = "relu1", 9
    explorer.channel = int(explorer.activation[9].mean(axis=(0, 1)).argmax())
    yield explorer
    explorer.close()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, seen: aw.LayerExplorer) -> Course:
    course = Course(tmp_path_factory.mktemp("course"))
    for assignment in ALL.values():
        course.nbgrader(f"generate_assignment {assignment.name}")
        right, wrong = assignment.solutions(), assignment.wrong
        if assignment is SEES:
            right |= {"view": f"view = {seen.state()!r}"}
            elsewhere = {**seen.state(), "channel": (seen.channel + 1) % 16}
            wrong = {**wrong, **EDITED, "view": f"view = {elsewhere!r}"}
            course.hand_in(assignment, "empty", {})
        course.hand_in(assignment, "right", right)
        course.hand_in(assignment, "wrong", {**right, **wrong})
        course.nbgrader(f"autograde {assignment.name}")
    return course


@each_assignment
def test_right_answers_get_all_the_points_that_a_program_gives(course, assignment):
    assert course.points(assignment, "right") == {**assignment.points, "words": None}
    source = cells(assignment.source)
    assert sum(assignment.points.values()) == 10
    assert source["words"].metadata.nbgrader.points == assignment.words


@each_assignment
def test_answers_that_only_look_right_get_none(course, assignment):
    assert course.points(assignment, "wrong") == {**assignment.wrong_points, "words": None}
    for name, cell in cells(course.marked(assignment, "wrong")).items():
        if assignment.wrong_points.get(name) == 0:
            (error,) = [output for output in cell.outputs if output.output_type == "error"]
            (line,) = re.findall(r"^Cell In\[\d+\], line (\d+)$", plain("\n".join(error.traceback)), re.MULTILINE)
            visible = cell.source.partition("### BEGIN HIDDEN TESTS")[0]
            assert int(line) > len(visible.splitlines()), error.evalue


def test_no_answers_get_no_points(course):
    # A text that nobody wrote needs no reader.
    assert set(course.points(SEES, "empty").values()) == {0}


@pytest.mark.parametrize("name", EDITED)
def test_an_edit_where_there_is_no_answer_to_give_is_put_back(course, name):
    assert cells(course.submitted(SEES, "wrong"))[name].source == EDITED[name]
    assert cells(course.marked(SEES, "wrong"))[name].source == cells(SEES.source)[name].source


def test_the_points_are_exported(course):
    course.nbgrader("export")
    with (course.folder / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scores = {(row["assignment"], row["student_id"]): float(row["score"]) for row in rows if float(row["score"])}
    assert scores == {(SEES.name, "wrong"): 2, **{(name, "right"): 10 for name in ALL}}


@each_assignment
def test_what_students_get_holds_no_solution_and_no_hidden_test(course, assignment):
    source, released = cells(assignment.source), cells(course.folder / "release" / assignment.file)
    given = {file.name for file in (course.folder / "release" / assignment.name).iterdir()}
    assert given == {assignment.source.name, *assignment.files}
    everything = "\n".join(cell.source for cell in released.values())
    assert "HIDDEN" not in everything
    assert "SOLUTION" not in everything
    regions = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", re.DOTALL)
    secret = [part for cell in source.values() for part in regions.findall(cell.source)]
    assert len(secret) == assignment.secrets
    lines = {line.strip() for part in secret for line in part.splitlines() if line.strip()}
    assert not lines & {line.strip() for line in everything.splitlines()}
    assert released["words"].source == "YOUR ANSWER HERE"
    assert released["setup"].source == source["setup"].source


def test_the_state_in_a_submission_makes_the_view_again(course, seen):
    marked = cells(course.marked(SEES, "right"))
    view = ast.literal_eval(marked["view"].source.removeprefix("view = "))
    assert view == seen.state() == json.loads(json.dumps(view))
    fresh = aw.LayerExplorer(
        seen.model, seen.inputs, labels=digits()[1][::7][:40], class_names=list("0123456789"), state=view
    )
    shown, picture_of_it = marked["view-shown"].outputs
    assert shown.data["text/plain"] == repr(fresh) == repr(seen)
    assert (fresh.layer, fresh.channel, fresh.sample) == ("relu1", seen.channel, 9)
    np.testing.assert_array_equal(fresh.activation, seen.activation)
    assert fresh.figure == seen.figure
    # Close, not equal: the marker's network is rounded otherwise.
    there, here = picture(picture_of_it.data), picture(still.bundle(fresh._screen.snapshot, ""))
    fresh.sample = 10
    other = picture(still.bundle(fresh._screen.snapshot, ""))
    assert there.shape == here.shape == other.shape
    assert np.abs(there - here).mean() < np.abs(there - other).mean() / 4
    fresh.close()


@each_assignment
def test_a_marked_notebook_takes_kilobytes(course, assignment):
    notebook = course.marked(assignment, "right")
    outputs = [output for cell in cells(notebook).values() for output in cell.get("outputs", []) if "data" in output]
    assert len([output for output in outputs if "image/png" in output.data]) == assignment.explorers
    own = course.submitted(assignment, "right").stat().st_size
    assert notebook.stat().st_size - own < assignment.explorers * 60_000
    assert own < 30_000
