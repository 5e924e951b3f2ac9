"""The site: it is built without a warning, no link in it is broken, and it shows what the notebooks have stored."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docs.collect import PLOTLY, PROJECT, SOURCE, WIDGET, linked
from docs.gallery import KINDS, LIMIT
from docs.readme import absolute

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
NOTEBOOKS = [
    path.relative_to(REPOSITORY)
    for path in sorted((REPOSITORY / "notebooks").rglob("*.ipynb"))
    if ".ipynb_checkpoints" not in path.parts
]
# What a browser loads by itself, by the tag and the attribute that name it.
LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("link", "href"), ("source", "src"), ("video", "src")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as the workflow builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-d",
        folder / "doctrees",
        DOCS,
        folder / "html",
    ]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder / "html"


class Page(HTMLParser):
    """The anchors of a page, where its links lead, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"id", "name"}:
                self.anchors.add(value or "")
            if name in {"href", "src"} and value is not None:
                known_as = dict(attrs).get("rel")
                is_loaded = (tag, name) in LOADED and known_as not in {"canonical", "author", "next", "prev"}
                (self.loads if is_loaded else self.links).append(value)


@cache
def page(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def pages(site: Path) -> list[Path]:
    found = sorted(site.rglob("*.html"))
    assert len(found) > 25
    return found


def leads_nowhere(link: str, path: Path) -> bool:
    """Whether a link of a page is to a file or an anchor of the site that is not there."""
    address = urlsplit(link)
    if address.scheme in {"http", "https", "mailto", "data"}:
        return False
    target = (path.parent / unquote(address.path)).resolve() if address.path else path
    if target.suffix != ".html" or not target.is_file():
        return not target.exists()
    return unquote(address.fragment) not in page(target).anchors


def test_every_link_within_the_site_leads_to_a_page_and_an_anchor(site: Path) -> None:
    broken = {
        (path.relative_to(site).as_posix(), link)
        for path in pages(site)
        for link in [*page(path).links, *page(path).loads]
        if leads_nowhere(link, path)
    }
    assert broken == set()
    assert leads_nowhere("gone.html", site / "index.html")
    assert leads_nowhere("guide.html#gone", site / "index.html")
    assert not leads_nowhere("guide.html#paths", site / "index.html")


def test_no_link_leads_to_a_source_that_is_a_page_here(site: Path) -> None:
    links = {link for path in pages(site) for link in page(path).links if not urlsplit(link).scheme}
    assert [link for link in links if urlsplit(link).path.endswith((".md", ".ipynb"))] == []


def test_nothing_is_loaded_from_another_address(site: Path) -> None:
    loads = [link for path in pages(site) for link in page(path).loads]
    assert len(loads) > 100
    assert [link for link in loads if urlsplit(link).scheme not in {"", "data"} or link.startswith("//")] == []
    sheets = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert sheets
    assert [
        found for text in sheets for found in re.findall(r"(?:url\(|@import)\s*['\"]?\s*(?:https?:)?//", text)
    ] == []


def test_the_search_finds_words_of_every_kind_of_page(site: Path) -> None:
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    found = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))
    assert {"index", "guide", "hosts", "faq", "gallery", "changelog", "contributing"} <= set(found["docnames"])
    assert {path.with_suffix("").as_posix() for path in NOTEBOOKS} <= set(found["docnames"])
    assert {"notebooks/README", "notebooks/reference"} <= set(found["docnames"])
    assert {"marimo", "espresso", "invalidinputserror", "colab"} <= found["terms"].keys()
    assert (site / "search.html").is_file()


def outputs(notebook: dict, mime: str) -> list[str]:
    """The outputs of a kind that a notebook has stored and does not hide."""
    cells = [cell for cell in notebook["cells"] if "remove-cell" not in cell["metadata"].get("tags", [])]
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return [str(each[mime]) for each in data if mime in each]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_shown_with_its_snapshots_and_figures_and_without_widgets(path: Path, site: Path) -> None:
    notebook = json.loads((REPOSITORY / path).read_text(encoding="utf-8"))
    text = (site / path.with_suffix(".html")).read_text(encoding="utf-8")
    stills = [html for html in outputs(notebook, "text/html") if "actw-still" in html]
    assert len(stills) >= len(outputs(notebook, WIDGET)) // 2
    assert len(re.findall(r'<(?:div|figure|section)[^>]* class="[^"]*\bactw-still\b', text)) == len(stills)
    assert text.count('<div class="figure-of-plotly">') == len(outputs(notebook, PLOTLY))
    assert WIDGET not in text
    assert "LayerExplorer object" not in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_that_a_lesson_hides_are_not_shown(path: Path, site: Path) -> None:
    notebook = json.loads((REPOSITORY / path).read_text(encoding="utf-8"))
    text = re.sub(r"<[^>]+>", "", (site / path.with_suffix(".html")).read_text(encoding="utf-8"))
    shown, hidden = [], []
    for cell in notebook["cells"]:
        lines = {
            line.strip()
            for line in "".join(cell["source"]).splitlines()
            if re.fullmatch(r"[\w\s.,]{12,}", line.strip())
        }
        (hidden if "remove-cell" in cell["metadata"].get("tags", []) else shown).extend(lines)
    assert [line for line in set(hidden) - set(shown) if line in text] == []
    assert "".join(notebook["cells"][0]["source"]).split()[1] in text  # the first word of the title


@pytest.mark.parametrize("kind", [kind.__name__ for kind in KINDS])
def test_the_gallery_has_a_page_for_each_kind_of_model_that_is_small_and_complete(kind: str, site: Path) -> None:
    made = site / "gallery" / f"{kind}.html"
    assert 2_000_000 < made.stat().st_size < LIMIT == 3_000_000
    assert f"gallery/{kind}.html" in page(site / "gallery.html").links
    assert page(made).loads == []
    (pictured,) = [link for link in page(site / "gallery.html").loads if f"{kind}.webp" in link]
    assert (site / pictured).stat().st_size < 60_000


def stored(made: Path) -> dict[str, set[str]]:
    """The views of each layer that an offline page has."""
    (content,) = re.findall(r'<script type="application/json" id="actw-data">(.*?)</script>', made.read_text("utf-8"))
    return {path: set(layer["views"]) for path, layer in json.loads(content)["layers"].items()}


# What the text of the gallery promises of each page: a layer and a view.
PROMISED = {
    "convnet": [
        ("block1_project_bn", "overlay"),
        *((f"block{block}_project_bn", "activation") for block in (5, 11, 15)),
    ],
    "u_net": [("down0_conv2", "activation"), ("up0_skip", "activation"), ("coin", "activation")],
    "transformer": [("block1_attention/scores", "activation"), ("topic", "activation")],
    "lstm": [("reader", "activation"), ("reader/lstm_cell/forget_gate", "activation")],
    "tabular": [("hidden1", "why")],
    "autoencoder": [("code", "samples"), ("drawn", "activation")],
    "gan": [("digit", "every_sample")],
}


@pytest.mark.parametrize("kind", PROMISED)
def test_a_page_of_the_gallery_has_what_the_text_promises(kind: str, site: Path) -> None:
    views = stored(site / "gallery" / f"{kind}.html")
    assert [promised for promised in PROMISED[kind] if promised[1] not in views.get(promised[0], set())] == []


def test_a_link_of_the_repository_leads_to_a_page_of_the_site_or_else_to_github() -> None:
    text = (
        "[a](../notebooks/reference.md#scan) [b](faq.md) ![c](../notebooks/images/explorer.png) [d](../LICENSE) [e](#x)"
    )
    assert linked(text, "docs/guide.md") == (
        "[a](notebooks/reference.md#scan) [b](faq.md) ![c](notebooks/images/explorer.png) "
        f"[d]({SOURCE}/blob/main/LICENSE) [e](#x)"
    )
    assert (
        linked("[a](../README.md) [b](https://x.org)", "notebooks/README.md") == "[a](../index.md) [b](https://x.org)"
    )
    assert linked("[a](docs/faq.md) [b](tests/owner.py)", "CONTRIBUTING.md") == (
        f"[a](faq.md) [b]({SOURCE}/blob/main/tests/owner.py)"
    )


# The sections of the README before its tables went to the site, and the pages that have them now.
SECTIONS = {
    "Two commands": "README.md", "Use": "README.md", "What it shows": "docs/guide.md", "Hosts": "docs/hosts.md",
    "In marimo": "docs/hosts.md", "Lessons": "README.md", "In a classroom": "docs/classroom.md",
    "Without a widget": "docs/guide.md", "Paths": "docs/guide.md", "Models it reaches": "docs/models.md",
    "TensorFlow, JAX and PyTorch": "docs/models.md", "Releases": "docs/models.md",
    "Errors people search for": "docs/faq.md", "Keyboard": "docs/guide.md", "Speed": "docs/speed.md",
    "Other packages": "docs/other-packages.md", "Licence": "README.md",
}  # fmt: skip


@pytest.mark.parametrize("title", SECTIONS)
def test_each_section_of_the_long_readme_is_there_and_the_readme_leads_to_it(title: str) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    text = (REPOSITORY / SECTIONS[title]).read_text(encoding="utf-8")
    ((level, section),) = re.findall(rf"^(#+) {re.escape(title)}\n(.*)", text, re.DOTALL | re.MULTILINE)
    assert len(re.split(rf"^{level} ", section, flags=re.MULTILINE)[0]) > 150
    assert SECTIONS[title] == "README.md" or f"]({SECTIONS[title]})" in readme


def test_the_readme_is_short_and_its_picture_moves_and_is_small() -> None:
    from PIL import Image

    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 115
    recording = REPOSITORY / "notebooks" / "images" / "recording.webp"
    assert f"]({recording.relative_to(REPOSITORY).as_posix()})" in "\n".join(lines[:15])
    assert recording.stat().st_size < 1_000_000
    with Image.open(recording) as picture:
        assert picture.n_frames >= 15


def test_the_commands_on_the_site_are_those_of_the_readme() -> None:
    def commands(path: Path) -> list[str]:
        return re.findall(r"```sh\n(.*?)\n```", path.read_text(encoding="utf-8"), re.DOTALL)

    assert len(commands(REPOSITORY / "README.md")) == 2
    assert commands(DOCS / "index.md") == commands(REPOSITORY / "README.md")
    assert commands(DOCS / "install.md") == commands(REPOSITORY / "README.md")


def test_on_pypi_each_link_of_the_readme_leads_to_the_site_or_to_github() -> None:
    site = PROJECT["urls"]["Documentation"]
    text = "[![a](p.png)](docs/faq.md#x) [b](notebooks/02.ipynb) [c](LICENSE) [d](https://x.org) ![e](https://x.org/y)"
    assert absolute(text, PROJECT["urls"]) == (
        f"[![a]({SOURCE}/raw/main/p.png)]({site}/faq.html#x) [b]({site}/notebooks/02.html) "
        f"[c]({SOURCE}/blob/main/LICENSE) [d](https://x.org) ![e](https://x.org/y)"
    )
    readme = absolute((REPOSITORY / "README.md").read_text(encoding="utf-8"), PROJECT["urls"])
    assert [link for link in re.findall(r"\]\(([^)]+)\)", readme) if not link.startswith("https://")] == []
