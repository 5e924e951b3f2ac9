"""The broken networks of the assignment find-the-fault: each student can find and mend the fault, and no other fits."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import pytest

from tests.classroom import FAULT, cells

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

# Numbers that give every kind of fault in every layer where it can be, and both wrong ranges.
STUDENTS = ["0", "5", "1", "6", "2", "7", "3", "8", "13", "18", "4", "9", "14", "19"]


@pytest.fixture(scope="module")
def broken() -> Iterator[ModuleType]:
    """The module that students get with the notebook, for which it is trained once."""
    spec = spec_from_file_location("broken", FAULT.folder / "broken.py")
    module = sys.modules["broken"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["broken"]


def run(who: str, **answers: str) -> dict[str, Any]:
    """The names in a notebook after it has been run with a student's name, and with these answers in place of ours."""
    given = FAULT.solutions() | {"who": f"who = {who!r}"} | answers
    names: dict[str, Any] = {}
    for name, cell in cells(FAULT.source).items():
        if cell.cell_type == "code":
            exec(compile(given.get(name, cell.source), name, "exec"), names)  # noqa: S102
    names["explorer"].close()
    return names


@pytest.mark.parametrize("who", STUDENTS)
def test_the_fault_can_be_found_in_what_the_explorer_shows_and_mended(broken, who):
    # The notebook's own asserts say whether the answers are right.
    found = run(who)
    assert (found["kind"], found["layer"]) == (broken.fault(who).kind, broken.fault(who).layer)
    assert found["accuracy"](found["model"]) < 0.9


def test_the_students_have_every_fault_that_there_is(broken):
    every = {(kind, layer) for kind, layers in broken.KINDS.items() for layer in layers}
    assert {(broken.fault(who).kind, broken.fault(who).layer) for who in STUDENTS} == every
    both_ranges = {float(broken.network(who).get_weights()[0][0]) for who in ("0", "5")}
    assert max(both_ranges) / min(both_ranges) == pytest.approx(255 / 16)


@pytest.mark.parametrize(("who", "other"), [("1", "6"), ("1", "11")], ids=["another layer", "other channels"])
def test_the_answers_of_another_student_with_the_same_kind_of_fault_are_wrong(broken, who, other):
    theirs = broken.fault(other)
    assert theirs.kind == broken.fault(who).kind
    with pytest.raises(AssertionError):
        run(
            who,
            diagnosis=f"layer, kind = {theirs.layer!r}, {theirs.kind!r}",
            channels=f"channels = {list(theirs.units)}",
        )


def test_a_name_gives_the_same_fault_however_it_is_written(broken):
    assert (
        broken.fault("Ada Lovelace")
        == broken.fault(" ada\tLOVELACE ")
        == broken.fault("\N{FULLWIDTH LATIN CAPITAL LETTER A}da Lovelace")
    )
    # On every machine and with every release of Python, which a hash of Python's own would not.
    assert (broken.fault("Ada Lovelace").kind, broken.fault("Ada Lovelace").layer) == ("nan", "hidden1")
    with pytest.raises(ValueError, match="Write your name"):
        broken.fault("  ")


def test_numbers_give_neighbours_in_a_list_faults_of_different_kinds(broken):
    kinds = [broken.fault(number).kind for number in range(1, 61)]
    assert all(one != other for one, other in pairwise(kinds))
    assert broken.fault(17) == broken.fault("17")


def test_names_are_spread_over_all_faults(broken):
    first, last = ["Ada", "Ben", "Cem", "Eva", "Finn"], ["Khan", "Novak", "Park", "Rossi"]
    names = [" ".join(pair) for pair in product(first, last)]
    faults = [broken.fault(name) for name in names]
    assert {fault.kind for fault in faults} == set(broken.KINDS)


def test_a_teacher_can_list_who_gets_what(tmp_path, broken):
    (tmp_path / "names.txt").write_text("Ada Lovelace\n\n1\n6\n", encoding="utf-8")
    command = [sys.executable, str(FAULT.folder / "broken.py"), str(tmp_path / "names.txt")]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[-2:] for line in listed[:2]] == [["nan", "hidden1"], ["dead", broken.fault(1).layer]]
    assert listed[2].endswith("the same kind as the line before")
    assert len(listed) == 3
