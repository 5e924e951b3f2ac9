"""Turns a source assignment for nbgrader into one for otter-grader's command `otter assign`.

`python to_otter.py find-the-fault/find-the-fault.ipynb otter/find-the-fault` writes the notebook, and the
Python files beside it, into the folder. `otter assign` makes the students' version and the autograder of it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from shutil import copyfile

import nbformat
from nbformat.v4 import new_code_cell, new_raw_cell

UNANSWERED = "# YOUR CODE HERE\nraise NotImplementedError()"
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS\n?", re.DOTALL)
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION", re.DOTALL | re.MULTILINE)


def converted(source, files):
    """The notebook in otter's format.

    A question is an answer's cell with the text before it and the tests after it. A text that a person reads is a
    question of its own.
    """
    config = {
        "name": source.stem,
        "files": files,
        "export_cell": {"pdf": False, "run_tests": False},
        "generate": {"pdf": False},
    }
    notebook = nbformat.read(source, as_version=4)
    cells = [raw("ASSIGNMENT CONFIG", config)]
    for text, question in questions(notebook.cells):
        cells.extend(block(text, question) if question else text)
    notebook.cells = cells
    return notebook


def questions(cells):
    """Pairs of lists: the cells that no question needs or that stand before its answer, and the question's own."""
    text, question = [], []
    for cell in cells:
        role = cell.metadata.nbgrader
        is_text = cell.cell_type == "markdown" and not role.solution
        if question and (role.solution or is_text):
            yield text, question
            text, question = [], []
        (question if question or role.solution else text).append(cell)
    yield text, question


def block(text, question):
    """The cells of one question with the marks that otter looks for."""
    answer, *rest = question
    tests = [cell for cell in rest if cell.metadata.nbgrader.grade]
    graded = answer if answer.metadata.nbgrader.grade else tests[-1] if tests else None
    options = {"name": answer.metadata.nbgrader.grade_id, "points": 0}
    if graded:
        options |= {"points": graded.metadata.nbgrader.points, "all_or_nothing": True}
    if graded is answer:
        options = {"name": answer.metadata.nbgrader.grade_id, "points": graded.metadata.nbgrader.points, "manual": True}
    *before, task = text
    yield from before
    yield raw("BEGIN QUESTION", options)
    yield task
    yield raw("BEGIN SOLUTION")
    if answer.cell_type == "code":
        answer.source = SOLUTION.sub(solution, answer.source)
    yield answer
    yield raw("END SOLUTION")
    yield from (cell for cell in rest if not cell.metadata.nbgrader.grade)
    if tests:
        yield raw("BEGIN TESTS")
        for cell in tests:
            # Each test runs by itself, so the hidden one begins with what students see.
            yield new_code_cell(HIDDEN.sub("", cell.source).strip())
            if HIDDEN.search(cell.source):
                yield new_code_cell("# HIDDEN\n" + HIDDEN.sub(r"\1", cell.source).strip())
        yield raw("END TESTS")
    yield raw("END QUESTION")


def solution(found):
    """A solution between otter's marks, and what students see in its place."""
    indent, lines = found.groups()
    unanswered = "".join(f"{indent}{line}\n" for line in UNANSWERED.splitlines())
    return (
        f"{indent}# BEGIN SOLUTION NO PROMPT\n{lines}{indent}# END SOLUTION\n"
        f'{indent}""" # BEGIN PROMPT\n{unanswered}{indent}""" # END PROMPT'
    )


def raw(mark, options=None):
    """A cell with one of otter's marks; its options are YAML, of which JSON is a part."""
    lines = [f"{name}: {json.dumps(value)}" for name, value in (options or {}).items()]
    return new_raw_cell("\n".join([f"# {mark}", *lines]))


def main(source, folder):
    """Writes the assignment in otter's format into a folder."""
    modules = sorted(source.parent.glob("*.py"))
    folder.mkdir(parents=True, exist_ok=True)
    for module in modules:
        copyfile(module, folder / module.name)
    nbformat.write(converted(source, [module.name for module in modules]), folder / source.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
