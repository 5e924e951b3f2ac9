"""What makes the project findable and citable, and the links to its repository."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.owner import LINK, OWNER, REPOSITORY, texts, with_owner
from tests.requirements import PROJECT

GITHUB = REPOSITORY / ".github"


def test_every_link_to_the_repository_has_the_owner_of_the_project() -> None:
    linking = [path.relative_to(REPOSITORY).as_posix() for path, text in texts().items() if LINK.search(text)]
    assert {"README.md", "pyproject.toml", "docs/install.md", "notebooks/README.md"} <= set(linking)
    assert [path.name for path, text in texts().items() if with_owner(text, OWNER) != text] == []


def test_another_owner_is_written_into_links_to_the_repository_its_pages_and_the_site() -> None:
    text = " ".join(PROJECT["urls"].values())
    changed = with_owner(text, "some-one")
    assert changed == text.replace(f"/{OWNER}/", "/some-one/").replace(f"/{OWNER}.", "/some-one.")
    assert changed.count("some-one") == len(PROJECT["urls"])


def test_the_citation_is_of_this_project() -> None:
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["title"].split(":")[0] == PROJECT["name"]
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Repository"]
    assert set(citation["keywords"]) <= set(PROJECT["keywords"])


@pytest.mark.parametrize("path", sorted(GITHUB.rglob("*.yml")), ids=lambda path: path.stem)
def test_what_github_reads_can_be_read(path) -> None:
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    json.dumps({str(key): value for key, value in read.items()})  # of plain values alone


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem
)
def test_a_form_for_an_issue_has_what_github_asks_for(path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        assert form["blank_issues_enabled"] is True
        return
    assert {"name", "description", "body"} <= form.keys()
    fields = [each for each in form["body"] if each["type"] != "markdown"]
    assert fields
    assert len({each["id"] for each in fields}) == len(fields)
    assert all(each["attributes"]["label"] for each in fields)


def test_the_release_runs_only_for_a_tag_of_this_version_and_needs_no_secret() -> None:
    text = (GITHUB / "workflows" / "release.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML reads "on" as true
    assert workflow["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in text


def test_the_site_is_built_and_published_from_main_without_a_secret() -> None:
    text = (GITHUB / "workflows" / "pages.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow[True]["push"] == {"branches": ["main"]}
    assert workflow["permissions"] == {}
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert build["permissions"] == {"contents": "read"}
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert publish["needs"] == "build"
    runs = [step.get("run", "") for step in build["steps"]]
    assert any(run.startswith("sphinx-build -W ") and run.endswith(" docs build/site") for run in runs)
    uses = {step["uses"].split("@")[0] for job in (build, publish) for step in job["steps"] if "uses" in step}
    assert {"actions/upload-pages-artifact", "actions/deploy-pages"} <= uses
    assert "secrets." not in text


def test_the_project_s_page_of_documentation_is_the_site() -> None:
    owner, name = PROJECT["urls"]["Repository"].split("/")[-2:]
    assert PROJECT["urls"]["Documentation"] == f"https://{owner}.github.io/{name}"
