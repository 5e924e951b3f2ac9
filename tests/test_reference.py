"""The API reference is what the docstrings say, they leave nothing out, and no link in the documentation is broken."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.anchors.index import slugify

import actwidget
from actwidget import analysis, errors, figures, samples, widgets
from docs import collect
from tests import reference

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").glob("*.md"),
        *(REPOSITORY / "notebooks").rglob("*"),
    ]
    if path.suffix in {".md", ".ipynb"} and ".ipynb_checkpoints" not in path.parts
    # The build of the site copies these from elsewhere.
    if not (path.parent.name == "docs" and path.name in collect.FILES.values())
)


def test_the_reference_is_what_the_docstrings_say() -> None:
    written = reference.FILE.read_text(encoding="utf-8")
    assert written == reference.rendered(), "python tests/reference.py writes it again"


def test_every_public_name_is_documented_with_all_that_it_takes_and_gives() -> None:
    assert [line for entry in reference.collected() for line in reference.lacking(entry)] == []


def test_no_docstring_explains_a_parameter_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        reference.rendered()
    # Of other tests too something may be told meanwhile: of a client that is collected, say.
    assert [record.getMessage() for record in caplog.records if record.name.startswith("griffe")] == []


def test_what_is_public_has_a_heading() -> None:
    public = {name for module in (actwidget, analysis, figures, samples, widgets) for name in module.__all__}
    public |= {name for name, value in vars(errors).items() if isinstance(value, type)}
    traits = actwidget.LayerExplorer.class_own_traits()
    titles = {entry.title: entry for entry in reference.collected()}
    assert public <= titles.keys()
    assert {name for name in traits if not name.startswith("_")} <= reference.explained(titles["LayerExplorer"].thing)
    own = {name for name, value in vars(actwidget.LayerExplorer).items() if isinstance(value, property)}
    assert {f"LayerExplorer.{name}" for name in own} <= titles.keys()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_each_link_leads_somewhere(path: Path) -> None:
    assert [link for link in links_in(tokens(path)) if not leads_somewhere(link, path)] == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading\n\n## `a_name`\n\n## A heading\n")
    here = tmp_path / "here.md"
    good = ["there.md", "there.md#a-heading-1", "there.md#a_name", "#here", "https://example.org/x#y"]
    bad = ["gone.md", "there.md#gone", "#there", "there.md#a-heading-2", "gone.png", "gone.svg"]
    lines = [f"[link]({target})" for target in [*good, *bad[:-2]]]
    here.write_text("\n\n".join(["# Here", *lines, "| ![picture](gone.png) |\n|---|", '<img src="gone.svg">']))
    assert [link for link in links_in(tokens(here)) if not leads_somewhere(link, here)] == bad


BINDER = "https://mybinder.org/v2/gh/actwidget/actwidget/main?urlpath=lab/tree/notebooks/"
COLAB = "https://colab.research.google.com/github/actwidget/actwidget/blob/main/notebooks/"


@pytest.mark.parametrize("host", [BINDER, COLAB], ids=["Binder", "Colab"])
def test_the_readme_opens_each_lesson_on_a_host_and_a_lesson_that_is_not_there_is_seen(host: str) -> None:
    readme = REPOSITORY / "README.md"
    lessons = [path.name for path in DOCUMENTS if path.parent.name == "notebooks" and path.suffix == ".ipynb"]
    assert {host + name for name in lessons} <= set(links_in(tokens(readme)))
    assert leads_somewhere(host + lessons[0], readme)
    assert not leads_somewhere(host + "00-gone.ipynb", readme)


def jupyter_slug(title: str) -> str:
    """A heading's anchor in a notebook."""
    return title.replace(" ", "-")


@cache
def tokens(path: Path) -> list[Token]:
    """A document, or all text cells of a notebook, taken apart; headings have their anchor as `id`."""
    text = path.read_text(encoding="utf-8")
    slug = slugify
    if path.suffix == ".ipynb":
        slug = jupyter_slug
        text = "\n\n".join(
            "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"
        )
    return MarkdownIt("gfm-like", {"linkify": False}).use(anchors_plugin, max_level=6, slug_func=slug).parse(text)


def links_in(found: list[Token]) -> Iterator[str]:
    """Where the links and pictures of a document lead, written in Markdown or in HTML."""
    for token in found:
        for name in ("href", "src"):
            if token.type in {"link_open", "image"} and name in token.attrs:
                yield str(token.attrs[name])
        if token.type in {"html_block", "html_inline"}:
            yield from re.findall(r'(?:href|src)="([^"]+)"', token.content)
        yield from links_in(token.children or [])


def anchors_in(path: Path) -> set[str]:
    """The anchors of a document."""
    return {str(token.attrs["id"]) for token in tokens(path) if token.type == "heading_open" and "id" in token.attrs}


def leads_somewhere(link: str, document: Path) -> bool:
    """Whether the file and the heading are there; of other sites only what Binder and Colab show of this repository."""
    address = urlsplit(link)
    if link.startswith(COLAB):
        return (REPOSITORY / "notebooks" / link.removeprefix(COLAB)).is_file()
    if address.netloc == "mybinder.org" and "urlpath" in address.query:
        (place,) = parse_qs(address.query)["urlpath"]
        return (REPOSITORY / place.removeprefix("lab/tree/")).is_file()
    if address.scheme:
        return address.scheme in {"https", "mailto"}
    target = document.parent / unquote(address.path) if address.path else document
    return target.exists() and (not address.fragment or unquote(address.fragment) in anchors_in(target))
