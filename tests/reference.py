"""Writes notebooks/reference.md, the API reference, from the docstrings: `python tests/reference.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import griffe
from mdit_py_plugins.anchors.index import slugify

REPOSITORY = Path(__file__).parents[1]
FILE = REPOSITORY / "notebooks" / "reference.md"
TITLE = "Reference"
MODULES = ("actwidget", "actwidget.samples", "actwidget.errors", "actwidget.analysis", "actwidget.figures")
MORE = "More classes"
MORE_TEXT = "Nobody makes these by hand: what is above takes them or gives them back."
RANK = ("text", "parameters", "returns", "raises", "attributes", "admonition", "example")
# Of the special methods these are how an object is used; the others follow from them.
SPECIAL = ("__getitem__", "__contains__", "__iter__", "__len__")
# Keras says what these are given, and what these attributes are.
KERAS = ("call", "compute_output_shape", "supports_masking", "built")
WIDTH = 100

INTRODUCTION = f"""# {TITLE}

Every public name, with what its docstring says. The [first lesson](01-explore-a-real-network.ipynb) is the place to
begin; here is where to look things up. This file is written by `python tests/reference.py`: a change goes into the
docstring.
"""


@dataclass(frozen=True)
class Entry:
    """One heading.

    Attributes:
        title: What it says: `LayerExplorer`, `LayerExplorer.state`.
        thing: The module, class, function or attribute, as griffe read it.
        owner: The title of the heading above it.
        level: Of the heading.
        anchor: By which GitHub links to it.
    """

    title: str
    thing: Any
    owner: str
    level: int
    anchor: str


def collected() -> list[Entry]:
    """Every entry, in the order of the reference. The package is read, not imported."""
    options = {"returns_multiple_items": False, "returns_named_value": False}
    root: Any = griffe.load(
        "actwidget", search_paths=[str(REPOSITORY)], docstring_parser="google", docstring_options=options
    )
    entries: list[Entry] = []
    slugs = [slugify(TITLE)]

    def add(title: str, thing: Any, owner: str, level: int) -> None:
        slug = slugify(title)
        anchor = f"{slug}-{slugs.count(slug)}" if slug in slugs else slug
        slugs.append(slug)
        entries.append(Entry(title, thing, owner, level, anchor))
        if level == 3 and thing.is_class:
            for member in members(thing):
                add(f"{title}.{member.name}", member, title, 4)

    for name in MODULES:
        module = at(root, name)
        add(name, module, "", 2)
        for public in public_names(module):
            add(public, defined(root, name, public), name, 3)
    add(MORE, root, "", 2)
    for entry in entries:  # also those that are added meanwhile
        for path in annotated(entry.thing):
            if path.startswith("actwidget.") and path not in {each.thing.path for each in entries}:
                parent, name = path.rsplit(".", 1)
                thing = defined(root, parent, name)
                if thing.is_class and not name.startswith("_"):
                    add(name, thing, MORE, 3)
    return entries


def at(root: Any, module: str) -> Any:
    """A module by its full name."""
    return root if module == root.path else root[module.removeprefix(f"{root.path}.")]


def defined(root: Any, module: str, name: str) -> Any:
    """What a module calls `name`, where it is defined.

    The import says where: in the folder `capture`, `compare` is a function and also the module that holds it.
    """
    here = at(root, module)
    return defined(root, *here.imports[name].rsplit(".", 1)) if name in here.imports else here[name]


def public_names(module: Any) -> list[str]:
    """The names in `__all__`; without one, those that the module defines and no underscore begins."""
    if module.exports is not None:
        return [str(name) for name in module.exports]
    return [name for name, member in module.members.items() if not name.startswith("_") and not member.is_alias]


def members(thing: Any) -> Iterator[Any]:
    """The methods and properties of a class, with those that it has from private classes of this package."""
    seen: set[str] = set()
    for each in (thing, *(base for base in thing.resolved_bases if base.name.startswith("_"))):
        for name, member in each.members.items():
            public = not name.startswith("_") or name in SPECIAL
            if public and name not in seen and (member.is_function or "property" in member.labels):
                seen.add(name)
                yield member


def annotated(thing: Any) -> Iterator[str]:
    """The full names in the annotations of a function, of a property, or of a class's fields."""
    annotations = [thing.annotation] if thing.is_attribute else []
    if thing.is_function:
        annotations = [thing.returns, *(parameter.annotation for parameter in thing.parameters)]
    if thing.is_class:
        annotations = [member.annotation for name, member in thing.attributes.items() if not name.startswith("_")]
    for annotation in annotations:
        if isinstance(annotation, griffe.Expr):
            yield from (part.canonical_path for part in annotation.iterate() if isinstance(part, griffe.ExprName))


def sections(thing: Any, kind: str = "") -> list[Any]:
    """The parts of a docstring, a class's constructor's after its own; all, or those of one kind."""
    found = [] if thing.docstring is None else list(thing.docstring.parsed)
    if thing.is_class and "__init__" in thing.members and thing["__init__"].docstring is not None:
        found += [part for part in thing["__init__"].docstring.parsed if part.kind.value != "text"]
    return [part for part in found if kind in ("", part.kind.value)]


def explained(thing: Any) -> set[str]:
    """The parameters, fields and traits that a docstring explains, that of a base class of this package too."""
    parts = [part for kind in ("parameters", "attributes") for part in sections(thing, kind)]
    told = {item.name.lstrip("*") for part in parts for item in part.value} | {trait.name for trait in traits_of(thing)}
    bases = [base for base in thing.resolved_bases if base.path.startswith("actwidget.")] if thing.is_class else []
    return told.union(*map(explained, bases))


def traits_of(thing: Any) -> list[Any]:
    """The attributes of a class that have a docstring of their own below them."""
    if not thing.is_class:
        return []
    fields = [field for name, field in thing.attributes.items() if not name.startswith("_")]
    return [field for field in fields if field.docstring is not None and "property" not in field.labels]


def lacking(entry: Entry) -> list[str]:
    """What no docstring explains: the thing itself, its parameters, its fields and traits, what it gives."""
    thing = entry.thing
    if not sections(thing, "text"):
        return [entry.title]
    if thing.is_module or entry.owner == "actwidget.errors":  # nobody calls an error
        return []
    told = explained(thing)
    wanted = [parameter.name for parameter in thing.parameters] if thing.is_function or thing.is_class else []
    if thing.is_class:
        wanted += [name for name, field in thing.attributes.items() if "property" not in field.labels]
    found = [
        f"{entry.title}: {name}"
        for name in dict.fromkeys(name.lstrip("*") for name in wanted)
        if name not in {"self", "cls", *told, *KERAS} and not name.startswith("_")
    ]
    if thing.name in (*SPECIAL, *KERAS):
        return []
    gives = entry.level == 3 and thing.is_function and str(thing.returns) != "None"
    return [*found, *([f"{entry.title}: returns"] if gives and not sections(thing, "returns") else [])]


class Writer:
    """Writes entries as Markdown, with links from one to another."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self.anchors: dict[str, str] = {}
        for entry in entries:
            self.anchors.setdefault(entry.title, entry.anchor)

    def text(self) -> str:
        """All of the file."""
        modules = [f"- {self.link(entry.title)}" for entry in self.entries if entry.level == 2]
        return joined([INTRODUCTION, "\n".join(modules), *map(self.entry, self.entries)]) + "\n"

    def entry(self, entry: Entry) -> str:
        """A heading and what is below it."""
        heading = f"{'#' * entry.level} {entry.title if entry.title == MORE else f'`{entry.title}`'}"
        if entry.level > 2:
            return joined([heading, f"```python\n{signature(entry)}\n```", *self.docstring(entry)])
        below = [each for each in self.entries if each.owner == entry.title]
        rows = [f"| [`{each.title}`](#{each.anchor}) | {self.summary(each)} |" for each in below]
        told = [MORE_TEXT] if entry.title == MORE else self.docstring(entry)
        return joined([heading, *told, "\n".join(["| | |", "|---|---|", *rows])])

    def summary(self, entry: Entry) -> str:
        """The first line of a docstring, for a table."""
        first = sections(entry.thing, "text")[0].value.split("\n\n")[0] if sections(entry.thing, "text") else ""
        return self.linked(flat(first), entry).replace("|", "\\|")

    def docstring(self, entry: Entry) -> list[str]:
        """The parts of a docstring: what it is, how it is made, what it has, an example."""
        found = sorted(sections(entry.thing), key=rank)
        before = [part for part in found if rank(part) <= RANK.index("attributes")]
        texts = [text for part in before for text in self.section(part, entry)]
        texts += self.traits(entry)
        texts += [text for part in found[len(before) :] for text in self.section(part, entry)]
        if entry.thing.is_attribute and (kinds := self.kinds(entry.thing)):
            texts.insert(1, f"**Gives**{kinds}")
        return texts

    def section(self, part: Any, entry: Entry) -> list[str]:
        """One part, as paragraphs."""
        kind = part.kind.value
        if kind == "text":
            return self.paragraphs(part.value, entry)
        if kind == "admonition":
            return [f"**{part.title}**", *self.paragraphs(part.value.description, entry)]
        if kind == "returns":
            (item,) = part.value
            # What stands before a colon passes for a type with griffe; here it is a part of the sentence.
            before = f"{item.annotation}: " if isinstance(item.annotation, str) else ""
            return [f"**Returns**{self.kinds(item)} {self.linked(flat(before + item.description), entry)}"]
        if kind == "raises":
            lines = [
                f"- {self.names(str(item.annotation))}: {self.linked(flat(item.description), entry)}"
                for item in part.value
            ]
            return ["**Raises**", "\n".join(lines)]
        lines = [
            f"- `{item.name}`{self.kinds(item)}: {self.linked(flat(item.description), entry)}" for item in part.value
        ]
        return ["**Arguments**" if kind == "parameters" else "**Attributes**", "\n".join(lines)]

    def traits(self, entry: Entry) -> list[str]:
        """The attributes that are described below themselves."""
        lines = [
            f"- `{trait.name}`: {self.linked(flat(trait.docstring.value), entry)}" for trait in traits_of(entry.thing)
        ]
        return ["**Attributes**", "\n".join(lines)] if lines else []

    def paragraphs(self, text: str, entry: Entry) -> list[str]:
        """Text with its examples fenced."""
        blocks = text.split("\n\n")
        return [f"```pycon\n{each}\n```" if each.startswith(">>>") else self.linked(each, entry) for each in blocks]

    def linked(self, text: str, entry: Entry) -> str:
        """Text in which each name in backquotes that has a heading leads to it, unless it is a parameter's here."""
        local = explained(entry.thing)

        def replace(match: re.Match[str]) -> str:
            name = match[1].removesuffix("()").removeprefix("actwidget.")
            if name in local:
                return match[0]
            owner = entry.owner if entry.level == 4 else entry.title
            for title in (match[1], f"{owner}.{name}", name):
                if title in self.anchors and title not in (entry.title, owner):
                    return f"[{match[0]}](#{self.anchors[title]})"
            return match[0]

        return re.sub(r"(?<!`)`([A-Za-z_.0-9]+(?:\(\))?)`(?!`)", replace, text)

    def link(self, title: str) -> str:
        """A heading's name as a link to it, or as code where there is no such heading."""
        shown = title if title == MORE else f"`{title}`"
        return f"[{shown}](#{self.anchors[title]})" if title in self.anchors else shown

    def names(self, text: str) -> str:
        """Each name in a list of names."""
        return ", ".join(self.link(name.strip()) for name in text.strip("()").split(","))

    def kinds(self, item: Any) -> str:
        """The headings' names in an annotation, in brackets."""
        words = [] if isinstance(item.annotation, str) else re.findall(r"\w+", str(item.annotation))
        known = dict.fromkeys(word for word in words if word in self.anchors and word[0].isupper())
        return f" ({', '.join(map(self.link, known))})" if known else ""


def signature(entry: Entry) -> str:
    """How it is called or read, over several lines where one is too long."""
    thing = entry.thing
    if entry.owner == "actwidget.errors":  # nobody calls these; what they can be caught as counts
        return f"class {entry.title}({', '.join(map(str, thing.bases))})"
    if thing.is_attribute:
        return f"{entry.title}: {thing.annotation}" if "property" in thing.labels else thing.source
    parameters, kind_before = [], None
    for each in thing.parameters:
        kind, star = each.kind, {"variadic positional": "*", "variadic keyword": "**"}.get(each.kind.value, "")
        if each.name in ("self", "cls"):
            continue
        if kind.value == "keyword-only" and kind_before not in ("keyword-only", "variadic positional"):
            parameters.append("*")
        kind_before = kind.value
        text = f"{star}{each.name}" + (f": {each.annotation}" if each.annotation is not None else "")
        parameters.append(text if each.default is None or star else f"{text} = {quoted(each.default)}")
    name = f"class {entry.title}" if thing.is_class else entry.title
    gives = "" if thing.is_class or thing.returns is None else f" -> {thing.returns}"
    line = f"{name}({', '.join(parameters)}){gives}"
    if len(line) <= WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {parameter},\n" for parameter in parameters) + f"){gives}"


def quoted(default: Any) -> str:
    """A default value with the quotes that the source has; griffe writes others."""
    return re.sub(r"^'([^'\"]*)'$", r'"\1"', str(default))


def rank(part: Any) -> int:
    """The place of a part of a docstring; an example without a title is the last."""
    example = part.kind.value == "text" and part.value.startswith(">>>")
    return RANK.index("example" if example else part.kind.value)


def flat(text: str) -> str:
    """Text in one line."""
    return " ".join(text.split())


def joined(parts: list[str]) -> str:
    """Paragraphs, with an empty line between them."""
    return "\n\n".join(part.strip("\n") for part in parts)


def rendered() -> str:
    """What the file should hold."""
    return Writer(collected()).text()


if __name__ == "__main__":
    FILE.write_text(rendered(), encoding="utf-8")
