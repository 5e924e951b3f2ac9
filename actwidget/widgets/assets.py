"""The JavaScript and CSS that the widgets send to the page, bundled and minified from the folder `frontend`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FRONTEND = files("actwidget.widgets").joinpath("frontend")

_CSS_IMPORT = re.compile(r'^@import "\./([^"\n]+\.css)";\n', re.MULTILINE)
_CSS_COMMENTS_AND_SPACES = re.compile(r"/\*[\s\S]*?\*/|(?<=[{};,])\s+|;?\s+(?=})|\s+(?={)|(?<=:) +")

# Each widget sends its source, so comments and needless spaces are removed from it. Literals are left as they are:
# strings, templates, and regular expressions, which are recognised by the character before their slash. A line break
# is removed only where no statement can end, since elsewhere JavaScript may read it as a missing semicolon.
# Each alternative starts with a character and not with a lookaround: only then does `re` skip ahead quickly.
_LITERAL = r"""
    "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `(?:[^`\\]|\\[\s\S])*`
    | /(?:(?<=[(,=:\[!&|?{};<>+*%-]/) | (?<=[(,=:\[!&|?{};<>+*%-][ ]/) | (?<=return[ ]/))
      (?![/*]) (?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/"""
_COMMENT = re.compile(_LITERAL + r"| //.* | /\*[^*]*(?:\*(?!/)[^*]*)*\*/[ ]?", re.VERBOSE)
_SPACE = re.compile(
    _LITERAL
    + r"""
    | ;\n(?<![)];\n)\s*(?=}) | ,?\n\s*(?=[)}\]]) | \n(?<=[({\[,;]\n)\s* | (\n)\s+
    | [ ](?![\w$])(?<![+-][ ]) | [ ](?<![\w$+-][ ]) | [ ](?<=[+-][ ])(?![+-])""",
    re.VERBOSE,
)

# A statement is at the top level of a module if it starts in the first column.
_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.\.?/[^"\n]+\.js)";\n', re.MULTILINE)
_DECLARATION = re.compile(r"^(export )?(?:async )?(?:function\*?|class|const|let|var) +([\w$]+|[{\[])", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_EXPORT_DEFAULT = re.compile(r"^export default .*", re.MULTILINE)
_IMPORT_OR_EXPORT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_DYNAMIC_IMPORT = re.compile(r"import\(\s*[\"'`]\..*")


@cache
def asset(name: str) -> str:
    """The text of a file in `frontend`, without comments and needless spaces.

    Widgets get their source as text: if they got a path, anywidget would watch the file, which keeps every widget
    alive. A widget has a single source text, so a file is joined with its imports: in JavaScript see `join_modules`, in
    CSS they are `@import "./file.css";`.

    Args:
        name: The path in `frontend`, such as `"tree.js"` or `"tree.css"`.
    """
    if name.endswith(".css"):
        return _CSS_COMMENTS_AND_SPACES.sub("", _CSS_IMPORT.sub(lambda found: asset(found[1]), _read(name)))
    return join_modules(name, _read)


def _read(name: str) -> str:
    return _FRONTEND.joinpath(name).read_text(encoding="utf-8")


def _compact(path: str, source: str) -> str:
    """JavaScript without comments, and without the spaces and line breaks that it does not need."""

    def without_comment(match: re.Match[str]) -> str:
        literal = match[0]
        if literal.startswith(("//", "/*")):
            return ""
        if literal.count("${") > literal.count("}"):
            message = f"{path} has a template literal within another, {literal!r}; declare the inner one by itself."
            raise ValueError(message)
        return literal

    def without_space(match: re.Match[str]) -> str:
        return match[0] if match[0][0] in "\"'`/" else match[1] or ""

    text = _COMMENT.sub(without_comment, source)
    if match := _DYNAMIC_IMPORT.search(text):
        raise _unsupported(path, match[0])
    return _SPACE.sub(without_space, text).lstrip()


def join_modules(entry: str, read: Callable[[str], str]) -> str:
    r"""Bundles a module and everything it imports into one text, without comments and needless spaces.

    Each file is included once, after the files that it imports. Imports are removed, and so is `export` except in
    `entry`. All files share one scope, so a name can be declared at the top level of one file only.

    Args:
        entry: The path of the module whose exports are kept.
        read: Returns the text of the file at a path.

    Raises:
        ValueError: The files import or export in a form that is not supported, import what is not exported, import each
            other in a circle, or declare the same name. Supported are `import { a, b } from "./file.js";`, `export`
            before a declaration and, in `entry`, `export default`.

    Example:
        >>> texts = {
        ...     "entry.js": 'import { one } from "./part/one.js";\nexport const two = one + one;\n',
        ...     "part/one.js": "export const one = 1;\n",
        ... }
        >>> print(join_modules("entry.js", texts.__getitem__), end="")
        const one=1;export const two=one+one;
    """
    modules: dict[str, _Module] = {}
    _collect(entry, (), read, modules)
    declared: dict[str, str] = {}
    texts = []
    for module in modules.values():
        for name in module.declared:
            if name in declared:
                message = f"Both {declared[name]} and {module.path} declare {name!r}; rename one of them."
                raise ValueError(message)
            declared[name] = module.path
        text = module.text
        if module.path != entry:
            if match := _EXPORT_DEFAULT.search(text):
                raise _unsupported(module.path, match[0])
            text = _EXPORT.sub("", text)
        texts.append(_compact(module.path, text))
    return "".join(texts)


@dataclass(frozen=True)
class _Module:
    """A file of JavaScript.

    Attributes:
        path: Its path in `frontend`.
        imports: From the path of each imported file to the names that are imported from it.
        declared: The names declared at its top level.
        exported: Those of them that other files can import.
        text: Its text without the imports.
    """

    path: str
    imports: Mapping[str, list[str]]
    declared: list[str]
    exported: set[str]
    text: str


def _parse(path: str, source: str) -> _Module:
    imports: dict[str, list[str]] = {}
    for statement in _IMPORT.finditer(source):
        names = [name.strip() for name in statement[1].split(",") if name.strip()]
        if not all(name.isidentifier() for name in names):
            raise _unsupported(path, statement[0])
        imports.setdefault(normpath(join(dirname(path), statement[2])), []).extend(names)
    body = _IMPORT.sub("", source)
    declarations = _DECLARATION.findall(body)
    for _, name in declarations:
        if name in "{[":
            message = f"{path} declares names at its top level by destructuring; declare each by itself."
            raise ValueError(message)
    for line in _IMPORT_OR_EXPORT.findall(body):
        if not _DECLARATION.match(line) and not _EXPORT_DEFAULT.match(line):
            raise _unsupported(path, line)
    exported = {name for export, name in declarations if export}
    return _Module(path, imports, [name for _, name in declarations], exported, body)


def _collect(path: str, importers: tuple[str, ...], read: Callable[[str], str], modules: dict[str, _Module]) -> None:
    """Adds a module to `modules`, after the modules that it imports."""
    if path in importers:
        message = f"These files import each other in a circle: {' -> '.join([*importers, path])}."
        raise ValueError(message)
    if path in modules:
        return
    module = _parse(path, read(path))
    for target, names in module.imports.items():
        _collect(target, (*importers, path), read, modules)
        if missing := [name for name in names if name not in modules[target].exported]:
            message = f"{path} imports {', '.join(missing)} from {target}, which does not export it."
            raise ValueError(message)
    modules[path] = module


def _unsupported(path: str, statement: str) -> ValueError:
    return ValueError(
        f"{path} has {statement.strip()!r}, which can't be joined with other files. "
        'Supported are `import { a, b } from "./file.js";`, `export` before a declaration and, in the file '
        "that a widget starts with, `export default`."
    )
