"""The words of a path: `name~k@n:j`, their aliases, and what to say when there is no such path."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from actwidget.errors import LayerNotFoundError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def aliases(path: Any) -> Iterator[Any]:
    """`path` as it stands, then with the suffixes that mean "the first one" left out.

    A literal name always wins, so the path as it stands comes first. What is no text is no path, and has no aliases.

    >>> list(aliases("tower@0/dense:0"))
    ['tower@0/dense:0', 'tower/dense']
    """
    yield path
    if not isinstance(path, str):
        return
    plain = "/".join(re.sub(r"@0(?=:\d+$|$)", "", re.sub(r":0$", "", part)) for part in path.split("/"))
    if plain != path:
        yield plain


def sendable(name: str) -> str:
    r"""A name that any file and any page can hold: a lone surrogate, half of a character, is a question mark.

    >>> sendable("half \ud800")
    'half ?'
    """
    return name.encode("utf-8", "replace").decode("utf-8")


class Namer:
    """Gives each activation of one level of a model its own name.

    Literal names are kept by the layers that have them; repeated calls, further outputs and siblings of one name take
    the next free suffix.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Reserves the literal names of the level's layers."""
        self._taken = set(names)
        self._named: set[str] = set()

    def sibling(self, name: str) -> str:
        """The name of a layer, `name~2` for the second of that name."""
        if name not in self._named:
            self._named.add(name)
            return name
        return self._free(name, "~", 2)

    def call(self, name: str, index: int) -> str:
        """The name of call `index` of the layer called `name` here."""
        return name if index == 0 else self._free(name, "@", index)

    def output(self, name: str, index: int) -> str:
        """The name of output tensor `index` of the call called `name` here."""
        return name if index == 0 else self._free(name, ":", index)

    def _free(self, name: str, mark: str, number: int) -> str:
        while (candidate := f"{name}{mark}{number}") in self._taken:
            number += 1
        self._taken.add(candidate)
        return candidate


def closest(wanted: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like the wanted one, best first."""
    by_folded = {name.casefold(): name for name in known}
    inside = [name for folded, name in by_folded.items() if wanted and wanted.casefold() in folded]
    like = [by_folded[match] for match in difflib.get_close_matches(wanted.casefold(), by_folded, count, 0.5)]
    return list(dict.fromkeys([*like, *inside]))[:count]


def not_found(wanted: object, model_name: str, known: Iterable[str], *, untried: bool = False) -> LayerNotFoundError:
    """The error for a selector that names nothing; `untried` where a run with inputs could show more."""
    matches = closest(wanted, known) if isinstance(wanted, str) else []
    hint = f"Closest: {', '.join(map(repr, matches))}. " if matches else ""
    see = "See print(actwidget.layer_tree(model)) for all paths."
    if untried:
        see = (
            "Some of its layers can't be tried out on symbols: calls that layer_tree(model, inputs) shows and "
            "layer_tree(model) does not are had by what runs the model on inputs: activations, LayerExplorer, and "
            "submodel(model, layers, inputs)."
        )
    message = f"Layer {shown(wanted)} not found in model {model_name!r}. {hint}{see}"
    return LayerNotFoundError(message)
