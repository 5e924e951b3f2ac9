"""Paths, made of names with suffixes, `name~k@n:j`: how they are given, looked up, and not found."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from actwidget.errors import LayerNotFoundError, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def known_path(path: Any, known: Collection[str]) -> str | None:
    """The known path that `path` means: itself, or one without the suffixes `@0` and `:0`, which mean the first.

    A layer's own name may end like a suffix, so what is left as it stands is preferred.

    Args:
        path: What was asked for; what is no text is no path.
        known: All paths that there are.

    Returns:
        The known path; `None` where there is none.

    >>> known_path("tower@0/dense:0", {"tower/dense"}), known_path("dense@0:0", ["dense", "dense@0"])
    ('tower/dense', 'dense@0')
    """
    if not isinstance(path, str):
        return None
    if path in known:
        return path
    forms = [_forms(part) for part in path.split("/")]
    if all(len(each) == 1 for each in forms):
        return None
    found = {}
    for each in known:
        parts = each.split("/")
        if len(parts) == len(forms) and all(part in form for part, form in zip(parts, forms, strict=True)):
            found[each] = [form.index(part) for part, form in zip(parts, forms, strict=True)]
    return min(found, key=found.__getitem__, default=None)


def _forms(part: str) -> list[str]:
    """A part of a path as it stands, then without `:0`, then without `@0` too."""
    first_output = part.removesuffix(":0")
    first_call = re.sub(r"@0(?=:\d+$|$)", "", first_output)
    return list(dict.fromkeys([part, first_output, first_call]))


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
    """The known names most like the wanted one, best first, whether letters are large or small."""
    by_folded: dict[str, list[str]] = {}
    for name in known:
        by_folded.setdefault(name.casefold(), []).append(name)
    folded = wanted.casefold()
    inside = [each for each in by_folded if folded and folded in each]
    matches = dict.fromkeys([*difflib.get_close_matches(folded, by_folded, count, 0.5), *inside])
    return [name for match in matches for name in by_folded[match]][:count]


def not_found(wanted: object, model_name: str, known: Iterable[str], *, untried: bool = False) -> LayerNotFoundError:
    """The error for a selector that names nothing.

    Args:
        wanted: The selector.
        model_name: The name of the model.
        known: The paths that there are.
        untried: Whether a run of the model on inputs could show more of them.
    """
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


def outers(path: str) -> list[str]:
    """The paths of the layers that a layer is inside of, the outermost first.

    >>> outers("base/block/conv")
    ['base', 'base/block']
    """
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
