"""Brings the notebooks, the reference, the changelog and CONTRIBUTING.md into the site, with links that work there.

Copies stand in this folder only while the site is built, and git ignores them. Nothing is executed: a notebook is shown
with the outputs that it has stored.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCE: str = PROJECT["urls"]["Repository"]
FILES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "notebooks": "notebooks"}
"""What is copied: paths in the repository, and in this folder."""
PAGES = {"README.md": "index.md"}
"""What a page of this folder stands for."""
WIDGET, PLOTLY = "application/vnd.jupyter.widget-view+json", "application/vnd.plotly.v1+json"
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=\))")
"""Where a link or a picture in Markdown leads, if that is in the repository."""


def copy_files() -> None:
    """Copies what the repository has outside of this folder."""
    for here, there in FILES.items():
        source, target = REPOSITORY / here, DOCS / there
        if source.is_file():
            shutil.copyfile(source, target)
        else:
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"))


def place(path: str) -> str | None:
    """Where a file of the repository stands in this folder; None if it is not part of the site."""
    for here, there in (PAGES | FILES | {"docs": ""}).items():
        if path == here or path.startswith(f"{here}/"):
            found = posixpath.normpath(posixpath.join(there, path[len(here) :].lstrip("/")))
            return posixpath.join(found, "README.md") if (DOCS / found / "README.md").is_file() else found
    return None


def origin(docname: str, suffix: str) -> str:
    """The path in the repository of the file that a page is made from."""
    path = docname + suffix
    if path.startswith("notebooks/"):
        return path
    return {there: here for here, there in FILES.items()}.get(path, f"docs/{path}")


def linked(text: str, path: str) -> str:
    """Text of the repository's file `path` with its links as the site needs them.

    A link to a file that the site does not show leads to that file on GitHub.
    """
    folder = posixpath.dirname(path)
    page_folder = posixpath.dirname(place(path) or "")

    def replace(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match["path"]))
        anchor = match["anchor"] or ""
        if (found := place(target)) is not None:
            return posixpath.relpath(found, page_folder or ".") + anchor
        if (REPOSITORY / target).exists():
            kind = "tree" if (REPOSITORY / target).is_dir() else "blob"
            return f"{SOURCE}/{kind}/main/{target}{anchor}"
        return match[0]

    return LINK.sub(replace, text)


def static(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook whose outputs need no kernel.

    Of an explorer the snapshot stays, which is an output of its own. A figure of Plotly becomes data that
    `_static/figures.js` draws.
    """
    for cell in notebook["cells"]:
        outputs = [output for output in cell.get("outputs", []) if WIDGET not in output.get("data", {})]
        for output in outputs:
            if figure := output.get("data", {}).pop(PLOTLY, None):
                content = json.dumps({name: figure[name] for name in ("data", "layout")}).replace("</", r"<\/")
                html = f'<div class="figure-of-plotly"><script type="application/json">{content}</script></div>'
                output["data"] = {"text/html": html}
        if "outputs" in cell:
            cell["outputs"] = outputs
    return notebook


def with_ways_to_run(notebook: dict[str, Any], path: str) -> dict[str, Any]:
    """A notebook with links below its title, if it has one, that open it where it can be run."""
    cell = notebook["cells"][0]
    title, _, rest = "".join(cell["source"]).partition("\n")
    if cell["cell_type"] != "markdown" or not title.startswith("# "):
        return notebook
    repository = SOURCE.removeprefix("https://github.com/")
    binder = f"https://mybinder.org/v2/gh/{repository}/main?urlpath=lab/tree/{path}"
    colab = f"https://colab.research.google.com/github/{repository}/blob/main/{path}"
    cell["source"] = (
        f"{title}\n\nRun it [on Binder]({binder}) or [in Colab]({colab}), or download "
        f"[the notebook]({SOURCE}/blob/main/{path}).\n{rest}"
    )
    return notebook


def read(app: Any, docname: str, content: list[str]) -> None:
    """Changes the text of a page when Sphinx reads it."""
    suffix = Path(app.env.doc2path(docname)).suffix
    path = origin(docname, suffix)
    if suffix != ".ipynb":
        content[0] = linked(content[0], path)
        return
    notebook = static(json.loads(content[0]))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = linked("".join(cell["source"]), path)
    content[0] = json.dumps(with_ways_to_run(notebook, path))
