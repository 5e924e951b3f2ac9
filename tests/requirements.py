"""What the project asks for: its dependencies and extras, as `pyproject.toml` names them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
PROJECT = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]


def requirements(*extras: str) -> dict[str, Requirement]:
    """What actwidget names itself, by name, without what those packages need in turn."""
    of_extras = [requirement for extra in extras for requirement in _of_extra(extra)]
    return {canonicalize_name(each.name): each for each in [*map(Requirement, PROJECT["dependencies"]), *of_extras]}


def _of_extra(name: str) -> list[Requirement]:
    """What an extra names, and the extras that it contains."""
    named = [Requirement(text) for text in PROJECT["optional-dependencies"][name]]
    contained = [extra for each in named if each.name == PROJECT["name"] for extra in each.extras]
    return [
        *(each for each in named if each.name != PROJECT["name"]),
        *(requirement for extra in contained for requirement in _of_extra(extra)),
    ]
