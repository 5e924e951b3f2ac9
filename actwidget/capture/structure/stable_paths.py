"""Paths in words that outlast new names: Keras numbers the layers that were given none anew when a model is loaded."""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import count, islice
from typing import Any

import keras

from actwidget.capture.structure.call_names import Level
from actwidget.errors import LayerNotFoundError
from actwidget.keras_internals.classes import to_snake_case

Word = dict[str, Any]


def lasting(model: keras.Model, path: str) -> list[Word]:
    """What to keep of a path with a model that is saved.

    Args:
        model: The model.
        path: A path of it.

    Returns:
        For each part of the path its text and, where it is a call of a layer that is declared, that layer's name, its
        class, and how many of this class are declared before it at its level. Of a layer that is made in the call its
        name and, as those that are declared may take names of this kind, how many others have one before it.
    """
    words: list[Word] = []
    operation: Any = model
    for part in path.split("/"):
        level = None if operation is None else Level(operation)
        known = {} if level is None else level.known
        name = None if level is None else level.named(part)
        operation = None if name is None else known[name]
        if name is None:
            words.append({"part": part, **_among_others(part, known)})
            continue
        kind = type(operation).__name__
        before = [type(each).__name__ for each in known.values()][: list(known).index(name)].count(kind)
        words.append({"part": part, "name": name, "class": kind, "before": before})
    return words


def found_again(model: keras.Model, words: list[Word]) -> str:
    """The path in a loaded model that `lasting` gave the words for.

    Raises:
        LayerNotFoundError: The model has no such layer any more.
    """
    parts = []
    operation: Any = model
    for word in words:
        if operation is None or "class" not in word:
            known = {} if operation is None else Level(operation).known
            operation = None
            parts.append(_named_anew(word, known))
            continue
        known = {name: each for name, each in Level(operation).known.items() if type(each).__name__ == word["class"]}
        new = word["name"]
        if new not in known or not _is_given(new, word["class"]):
            if len(known) <= word["before"]:
                path = "/".join(each["part"] for each in words)
                message = (
                    f"Model {model.name!r} was saved with a tap or an edit at {path!r}, and as it is loaded no layer "
                    f"of class {word['class']} stands there. Load it with the classes that it was saved with."
                )
                raise LayerNotFoundError(message)
            new = list(known)[word["before"]]
        operation = known[new]
        parts.append(new + word["part"].removeprefix(word["name"]))
    return "/".join(parts)


_MADE = re.compile(r"(?P<name>.*?)(~(?P<number>\d+))?(?P<rest>(@\d+)?(:\d+)?)")


def _among_others(part: str, known: Container[str]) -> Word:
    """Of a layer that is made in the call its name without a number, and how many of that name are made before it."""
    found = _MADE.fullmatch(part)
    if found is None:
        return {}
    name, number = found["name"], int(found["number"] or 1)
    return {"name": name, "made": sum(_numbered(name, each) not in known for each in range(1, number))}


def _named_anew(word: Word, known: Container[str]) -> str:
    """The part of a path for a layer that is made in the call, past the names that declared ones have taken now."""
    found = _MADE.fullmatch(word["part"])
    if found is None or "made" not in word:
        return str(word["part"])
    free = (each for each in count(1) if _numbered(word["name"], each) not in known)
    return _numbered(word["name"], next(islice(free, word["made"], None))) + found["rest"]


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}~{number}"


def _is_given(name: str, kind: str) -> bool:
    """Whether a layer's name is one that Keras would not have made up."""
    return re.fullmatch(rf"{to_snake_case(kind)}(_\d+)?(~\d+)?", name) is None
