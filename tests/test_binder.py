"""What mybinder.org would build from this repository, read from the Dockerfile that it would use."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.requirements import PROJECT, requirements

REPOSITORY = Path(__file__).parents[1]
BINDER = REPOSITORY / "binder"
# The machines of mybinder.org.
MACHINE = {"sys_platform": "linux", "platform_machine": "x86_64", "extra": ""}


@pytest.fixture(scope="module")
def dockerfile() -> str:
    repo2docker = Path(sys.executable).with_name("jupyter-repo2docker")
    run = subprocess.run(
        [repo2docker, "--no-build", "--debug", "."], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def requirement_lines() -> list[str]:
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pins() -> dict[str, Requirement]:
    """The packages that Binder installs, by name; the repository itself, which is no pin, is left out."""
    pinned = [Requirement(line) for line in requirement_lines() if line != "."]
    return {canonicalize_name(requirement.name): requirement for requirement in pinned}


def wanted() -> dict[str, Requirement]:
    """What `actwidget[cpu,samples]` asks for on one of mybinder.org's machines, by name."""
    return {
        name: requirement
        for name, requirement in requirements("cpu", "samples").items()
        if requirement.marker is None or requirement.marker.evaluate(MACHINE)
    }


def test_the_image_has_a_python_that_the_package_admits(dockerfile: str) -> None:
    runtime = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip()
    version = runtime.removeprefix("python-")
    assert version in SpecifierSet(PROJECT["requires-python"])
    # The name of the environment's lock file, as repo2docker escapes it: environment.py-3.11-linux-64.lock.
    assert f"environment-2epy-2d{version.replace('.', '-2e')}-2d" in dockerfile


def test_the_requirements_are_installed_once_the_repository_is_there(dockerfile: str) -> None:
    copy = dockerfile.index("COPY --chown=0:0 src/ ${REPO_DIR}/")
    install = dockerfile.index('/bin/pip install --no-cache-dir -r "binder/requirements.txt"')
    assert copy < install
    assert requirement_lines().count(".") == 1


def test_every_package_is_pinned_to_one_version_that_the_project_admits() -> None:
    assert pins().keys() == wanted().keys()
    for name, pin in pins().items():
        (clause,) = pin.specifier
        assert clause.operator == "==", pin
        assert "*" not in clause.version, pin
        assert clause.version in wanted()[name].specifier, pin


def test_the_badge_of_the_readme_opens_a_notebook_that_exists() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"https://mybinder\.org/v2/[^)\s\"']+", readme)
    assert links
    for link in links:
        query = parse_qs(urlsplit(link).query)
        (opened,) = query.get("urlpath") or query["labpath"]
        notebook = opened.removeprefix("lab/tree/")
        assert notebook.endswith(".ipynb")
        assert (REPOSITORY / notebook).is_file(), link
