"""The JavaScript and CSS of the widgets, which are in the folder `frontend`."""

from __future__ import annotations

import re
from importlib.resources import files

# Whole lines and type casts only, so that nothing within a string is taken for a comment. Each widget sends its source.
_COMMENTS_AND_INDENTS = re.compile(
    r"^\s*/\*\*(?:(?!\*/)[\s\S])*\*/\s*\n|^\s*//.*\n|/\*\* @type [^*\n]*\*/ ?|^[ \t]+|^\n", re.MULTILINE
)
_CSS_COMMENTS_AND_SPACES = re.compile(r"/\*[\s\S]*?\*/|(?<=[{};,])\s+|;?\s+(?=})|\s+(?={)|(?<=:) +")


def asset(name: str) -> str:
    """The text of a file in `frontend`, without comments and indentation.

    Widgets get their source as text: as a path, anywidget would watch the file and so keep every instance alive.
    """
    source = files("actwidget.widgets").joinpath("frontend", name).read_text(encoding="utf-8")
    return (_CSS_COMMENTS_AND_SPACES if name.endswith(".css") else _COMMENTS_AND_INDENTS).sub("", source)
