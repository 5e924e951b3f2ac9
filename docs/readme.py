"""The README as PyPI shows it, where no files are that a link could lead to. Hatchling runs this for each build."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(?P<picture>!\[[^\]]*\])?(?<=\])\((?!\w+:|#)(?P<path>[^)\s]+)\)")
"""Where a link or a picture in Markdown leads, if that is a file of the repository."""


def absolute(text: str, urls: dict[str, str]) -> str:
    """Text of the README with each link to a file as one to the site, or to the file on GitHub.

    Args:
        text: The text.
        urls: Those of the project: of the site, `Documentation`, and of the `Repository`.
    """

    def replace(match: re.Match[str]) -> str:
        path = match["path"]
        if match["picture"]:
            return f"{match['picture']}({urls['Repository']}/raw/main/{path})"
        page = re.sub(r"\.(md|ipynb)(?=#|$)", ".html", path)
        if page != path and path.startswith(("docs/", "notebooks/")):
            return f"({urls['Documentation']}/{page.removeprefix('docs/')})"
        return f"({urls['Repository']}/blob/main/{path})"

    return LINK.sub(replace, text)


class CustomMetadataHook(MetadataHookInterface):
    """Gives hatchling the text."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds the README to what is known of the project."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text, metadata["urls"])}
