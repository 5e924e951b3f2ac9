"""The assignment in notebooks/assignments, given out, handed in and marked by nbgrader itself."""

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
from typing import TYPE_CHECKING, Any

import nbformat
import numpy as np
import pytest
from nbgrader.api import Gradebook
from PIL import Image

import actwidget as aw
from actwidget.samples import digits, digits_cnn
from actwidget.widgets.stored import still

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[1]
NAME = "what-a-cnn-sees"
ASSIGNMENT = REPOSITORY / "notebooks" / "assignments" / NAME
FILE = f"{NAME}/{NAME}.ipynb"
EXPLORERS = 2  # that the notebook shows

# What each of these computes is of the right kind, so the tests that students see find nothing wrong.
WRONG = {
    "strongest": """
def strongest(path, sample):
    return int(aw.activations(model, x, [path])[path].mean(axis=(0, 1, 2)).argmax())  # of all samples
""",
    "nearest": """
features = aw.submodel(model, "dense_relu")

def nearest(sample):
    distances = np.abs(x - x[sample]).sum(axis=(1, 2, 3))  # of the pixels
    distances[sample] = np.inf
    return int(distances.argmin())
""",
    "nearest-test": "assert True",
    "setup": "model = x = None",
}


def cells(notebook: Path) -> dict[str, Any]:
    """The cells by their name for nbgrader."""
    read = nbformat.read(notebook, as_version=4)
    return {cell.metadata.nbgrader.grade_id: cell for cell in read.cells}


def solutions() -> dict[str, str]:
    """The source's own answers, by the cell's name, as a student would write them."""
    kept = {name: cell for name, cell in cells(ASSIGNMENT / f"{NAME}.ipynb").items() if cell.metadata.nbgrader.solution}
    return {name: re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", cell.source) for name, cell in kept.items()}


def at_home() -> aw.LayerExplorer:
    """The explorer of the assignment, in a process other than the one that marks it."""
    images, labels = digits()
    return aw.LayerExplorer(
        digits_cnn(verbose=False), images[::7][:40], labels=labels[::7][:40], class_names=list("0123456789")
    )


def picture(bundle: Any) -> np.ndarray:
    """The still picture in a display bundle, grey, 0 to 255."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).convert("L"), dtype=float)


class Course:
    """A teacher's folder, set up as the note beside the assignment says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "source" / NAME).mkdir(parents=True)
        (folder / "source" / FILE).write_bytes((ASSIGNMENT / f"{NAME}.ipynb").read_bytes())
        (configuration,) = re.findall(r"```python\n(.*?)```", (ASSIGNMENT / "README.md").read_text("utf-8"), re.DOTALL)
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

    def hand_in(self, student: str, answers: dict[str, str]) -> None:
        notebook = nbformat.read(self.folder / "release" / FILE, as_version=4)
        for cell in notebook.cells:
            cell.source = answers.get(cell.metadata.nbgrader.grade_id, cell.source)
        file = self.folder / "submitted" / student / FILE
        file.parent.mkdir(parents=True)
        nbformat.write(notebook, file)

    def marked(self, student: str) -> Path:
        return self.folder / "autograded" / student / FILE

    def points(self, student: str) -> dict[str, float | None]:
        """What nbgrader gave for each cell; None for what a person has to read."""
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as gradebook:
            submission = gradebook.find_submission(NAME, student)
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
    course.nbgrader(f"generate_assignment {NAME}")
    right = {**solutions(), "view": f"view = {seen.state()!r}"}
    course.hand_in("right", right)
    elsewhere = {**seen.state(), "channel": (seen.channel + 1) % 16}
    course.hand_in("wrong", {**right, **WRONG, "view": f"view = {elsewhere!r}"})
    course.hand_in("empty", {})
    course.nbgrader(f"autograde {NAME}")
    return course


def test_right_answers_get_all_the_points_that_a_program_gives(course):
    expected = {"dead-units-test": 2, "view-test": 3, "strongest-test": 2, "nearest-test": 3, "words": None}
    assert course.points("right") == expected


def test_answers_that_only_look_right_get_none(course):
    expected = {"dead-units-test": 2, "view-test": 0, "strongest-test": 0, "nearest-test": 0, "words": None}
    assert course.points("wrong") == expected


def test_no_answers_get_no_points(course):
    # A text that nobody wrote needs no reader.
    assert set(course.points("empty").values()) == {0}


@pytest.mark.parametrize("name", ["nearest-test", "setup"])
def test_an_edit_where_there_is_no_answer_to_give_is_put_back(course, name):
    assert cells(course.folder / "submitted" / "wrong" / FILE)[name].source == WRONG[name]
    assert cells(course.marked("wrong"))[name].source == cells(ASSIGNMENT / f"{NAME}.ipynb")[name].source


def test_the_points_are_exported(course):
    course.nbgrader("export")
    with (course.folder / "grades.csv").open(encoding="utf-8", newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {"right": 10, "wrong": 2, "empty": 0}


def test_what_students_get_holds_no_solution_and_no_hidden_test(course):
    source, released = cells(ASSIGNMENT / f"{NAME}.ipynb"), cells(course.folder / "release" / FILE)
    assert [file.name for file in (course.folder / "release" / NAME).iterdir()] == [f"{NAME}.ipynb"]
    everything = "\n".join(cell.source for cell in released.values())
    assert "HIDDEN" not in everything
    assert "SOLUTION" not in everything
    regions = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", re.DOTALL)
    secret = [part for cell in source.values() for part in regions.findall(cell.source)]
    assert len(secret) == 9
    lines = {line.strip() for part in secret for line in part.splitlines() if line.strip()}
    assert not lines & {line.strip() for line in everything.splitlines()}
    assert released["words"].source == "YOUR ANSWER HERE"
    assert released["setup"].source == source["setup"].source


def test_the_state_in_a_submission_makes_the_view_again(course, seen):
    marked = cells(course.marked("right"))
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


def test_an_explorer_in_a_marked_notebook_takes_kilobytes(course):
    notebook = course.marked("right")
    pictures = [
        output for cell in cells(notebook).values() for output in cell.get("outputs", []) if "image/png" in output.data
    ]
    assert len(pictures) == EXPLORERS
    own = (course.folder / "submitted" / "right" / FILE).stat().st_size
    assert notebook.stat().st_size - own < EXPLORERS * 50_000
