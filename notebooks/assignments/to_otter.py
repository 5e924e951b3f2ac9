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
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

# What the image for `otter grade` installs.
ACTWIDGET = "actwidget[cpu,samples] @ git+https://github.com/actwidget/actwidget"
UNANSWERED = "# YOUR CODE HERE\nraise NotImplementedError()"
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS\n?", re.DOTALL)
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION", re.DOTALL | re.MULTILINE)


def converted(source, files):
    """The notebook in otter's format.

    A question is an answer's cell with the text before it and all that comes after it until the next text or answer:
    the tests, and cells that show something. A text that a person reads is a question of its own.
    """
    config = {
        "name": source.stem,
        "files": files,
        "requirements": [ACTWIDGET],
        "export_cell": {"pdf": False, "run_tests": False},
        "generate": {"pdf": False},
    }
    notebook = nbformat.read(source, as_version=4)
    cells = [raw("ASSIGNMENT CONFIG", config)]
    for text, question in questions(notebook.cells):
        cells.extend(text[:-1] + block(text[-1], *question) if question else text)
    for cell in cells:
        if mark := cell.metadata.pop("nbgrader", None):
            cell.metadata.name = mark.grade_id
    notebook.cells = cells
    return notebook


def questions(cells):
    """Pairs of lists: the texts up to that of a question, and the question's own cells; none at the end."""
    text, question = [], []
    for cell in cells:
        role = cell.metadata.nbgrader
        if question and (role.solution or cell.cell_type == "markdown"):
            yield text, question
            text, question = [], []
        (question if question or role.solution else text).append(cell)
    yield text, question


def block(task, answer, *rest):
    """The cells of one question with the marks that otter looks for."""
    role = answer.metadata.nbgrader
    shown = [cell for cell in rest if not cell.metadata.nbgrader.grade]
    tests = [cell for cell in rest if cell.metadata.nbgrader.grade]
    points = sum(cell.metadata.nbgrader.points for cell in (answer, *tests) if cell.metadata.nbgrader.grade)
    options = {"name": role.grade_id, "points": points}
    if role.grade:
        options["manual"] = True
        prompt = [raw("BEGIN PROMPT"), new_markdown_cell("YOUR ANSWER HERE"), raw("END PROMPT")]
    else:
        options["all_or_nothing"] = True
        answer.source = SOLUTION.sub(solution, answer.source)
        prompt = []
    begin = [raw("BEGIN QUESTION", options), task, *prompt, raw("BEGIN SOLUTION"), answer, raw("END SOLUTION"), *shown]
    tested = [raw("BEGIN TESTS"), *(part for cell in tests for part in parts(cell)), raw("END TESTS")] if tests else []
    return [*begin, *tested, raw("END QUESTION")]


def parts(test):
    """The test that students see, and the hidden one, which begins with it since each runs by itself."""
    yield new_code_cell(HIDDEN.sub("", test.source).strip())
    if HIDDEN.search(test.source):
        yield new_code_cell("# HIDDEN\n" + HIDDEN.sub(r"\1", test.source).strip())


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
