"""The assignments in notebooks/assignments, and for each the answers and the points of two students."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

REPOSITORY = Path(__file__).parents[1]
ASSIGNMENTS = REPOSITORY / "notebooks" / "assignments"


@dataclass(frozen=True)
class Assignment:
    """An assignment, with answers that only look right.

    Attributes:
        name: Of its folder and of its notebook.
        points: What a program gives for right answers, by the name of the test.
        wrong: Answers of the right kind, so that the tests which students see find nothing wrong.
        wrong_points: What a program gives for these.
        words: What a person gives for the written answer.
        explorers: How many the notebook shows.
        secrets: How many solutions and hidden tests it has.
        files: The Python files that students get with it.
    """

    name: str
    points: dict[str, int]
    wrong: dict[str, str]
    wrong_points: dict[str, int]
    words: int
    explorers: int
    secrets: int
    files: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return ASSIGNMENTS / self.name

    @property
    def file(self) -> str:
        return f"{self.name}/{self.name}.ipynb"

    @property
    def source(self) -> Path:
        return ASSIGNMENTS / self.file

    def solutions(self) -> dict[str, str]:
        """The source's own answers, by the cell's name, as a student would write them."""
        kept = {name: cell for name, cell in cells(self.source).items() if cell.metadata.nbgrader.solution}
        return {name: re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", cell.source) for name, cell in kept.items()}


def handed_in(notebook: Path, answers: dict[str, str]) -> nbformat.NotebookNode:
    """A released notebook with a student's answers."""
    read = nbformat.read(notebook, as_version=4)
    for cell in read.cells:
        # nbgrader's name for the cell, or that of otter-grader's version.
        name = cell.metadata.nbgrader.grade_id if "nbgrader" in cell.metadata else cell.metadata.get("name")
        cell.source = answers.get(name, cell.source)
    return read


def cells(notebook: Path) -> dict[str, Any]:
    """The cells of a notebook by their names for nbgrader."""
    read = nbformat.read(notebook, as_version=4)
    return {cell.metadata.nbgrader.grade_id: cell for cell in read.cells}


SEES = Assignment(
    "what-a-cnn-sees",
    {"dead-units-test": 2, "view-test": 3, "strongest-test": 2, "nearest-test": 3},
    {
        "view": 'view = {**explorer.state(), "show": "activation", "layer": "relu1", "sample": 9, "channel": 0}',
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
    },
    {"dead-units-test": 2, "view-test": 0, "strongest-test": 0, "nearest-test": 0},
    words=3,
    explorers=2,
    secrets=9,
)
FAULT = Assignment(
    "find-the-fault",
    {"diagnosis-test": 4, "channels-test": 2, "mended-test": 4},
    {
        "diagnosis": 'layer, kind = "digit", "nan"',  # has NaN, but is not the first
        "channels": "channels = list(range(10))",
        "mended": """
mended = keras.models.clone_model(model)  # learns all of it again
mended.compile("adam", "sparse_categorical_crossentropy")
mended.get_layer("normalize").set_weights([np.array([images.mean()]), np.array([images.var()])])
mended.fit(images[~held_out], labels[~held_out], epochs=15, batch_size=35, verbose=0)
""",
    },
    {"diagnosis-test": 0, "channels-test": 0, "mended-test": 0},
    words=3,
    explorers=1,
    secrets=7,
    files=("broken.py",),
)
DECISION = Assignment(
    "explain-a-decision",
    {"heat-test": 2, "erased-test": 3, "effects-test": 2, "what-if-test": 3},
    {
        "heat": """
heat = aw.attributions(model, x[[case]], target=3).values[0, :, :, 0]  # for the wrong class
place = tuple(int(number) for number in np.unravel_index(heat.argmax(), heat.shape))
""",
        "erased": """
def erased(picture, rows, columns):
    picture[rows, columns] = 0  # changes x too
    return model(picture[np.newaxis], training=False).numpy()[0]

without_claim, without_control = 3, 8
""",
        "effects": """
effects = aw.channel_effects(model, x[[case]], "relu2", 8)[0]  # of the probability
strongest = int(effects.argmax())
without_channel = aw.edit(model, {"relu2": aw.Ablate(strongest)})
""",
        "what-if": """
edited = aw.edit(model, {"relu1": lambda activation: 0 * activation})  # all of it, not the corner
one_channel, the_corner = False, True
""",
    },
    {"heat-test": 0, "erased-test": 0, "effects-test": 0, "what-if-test": 0},
    words=4,
    explorers=1,
    secrets=9,
    files=("reader.py",),
)
ALL = {each.name: each for each in (SEES, FAULT, DECISION)}
