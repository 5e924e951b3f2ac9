"""Who owns the repository on GitHub: `python tests/owner.py NEW-OWNER` writes another one into every link to it.

The owner stands in `pyproject.toml`, under `[project.urls]`; `test_findable.py` compares all links with that.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

if __package__:
    from tests.requirements import PROJECT
else:
    from requirements import PROJECT

REPOSITORY = Path(__file__).parents[1]
OWNER: str = PROJECT["urls"]["Repository"].split("/")[-2]
SUFFIXES = {".cff", ".ipynb", ".js", ".md", ".py", ".toml", ".yml"}
LINK = re.compile(
    r"(?P<before>(?:github\.com|mybinder\.org/v2/gh|colab\.research\.google\.com/github)/)[\w-]+(?P<after>/actwidget\b)"
    r"|(?P<site>https://)[\w-]+(?P<end>\.github\.io/actwidget\b)"
)
"""A link to the repository, to a page of Binder or Colab that opens what is in it, or to the site."""


def texts() -> dict[Path, str]:
    """The text of each file in which there may be links, by its path."""
    folders = [REPOSITORY / name for name in (".github", "actwidget", "binder", "notebooks", "tests")]
    # In the folders within docs are copies, which come and go.
    paths = [
        *REPOSITORY.glob("*"),
        *REPOSITORY.glob("docs/*"),
        *(path for folder in folders for path in folder.rglob("*")),
    ]
    return {path: path.read_text(encoding="utf-8") for path in paths if path.is_file() and path.suffix in SUFFIXES}


def with_owner(text: str, owner: str) -> str:
    """A text whose links have this owner."""
    return LINK.sub(lambda found: f"{found['before'] or found['site']}{owner}{found['after'] or found['end']}", text)


def main(owner: str) -> None:
    """Writes an owner into every link."""
    for path, text in texts().items():
        changed = with_owner(text, owner)
        if changed != text:
            path.write_text(changed, encoding="utf-8")
            print(path.relative_to(REPOSITORY))


if __name__ == "__main__":
    if len(sys.argv) != 2 or not re.fullmatch(r"[\w-]+", sys.argv[1]):
        sys.exit(__doc__)
    main(sys.argv[1])
