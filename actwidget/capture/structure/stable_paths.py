"""Paths that still name the same layers after a model is loaded: Keras numbers layers without a given name anew then.

A stable path is a list with one dict for each part of the path, as it is saved in a file.
"""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import count, islice
from typing import Any

import keras

from actwidget.capture.structure.call_names import CallNames
from actwidget.errors import LayerNotFoundError
from actwidget.keras_internals.classes import to_snake_case

Part = dict[str, Any]


def stable_path(model: keras.Model, path: str) -> list[Part]:
    """What to save of a path with a model.

    Args:
        model: The model.
        path: A path of it.

    Returns:
        For each part of the path its text and, where it is a call of a layer that is declared, that layer's name, its
        class, and how many of this class are declared before it at its level. Of a layer that is made in the call its
        name and, as those that are declared may take names of this kind, how many others have one before it.
    """
    parts: list[Part] = []
    operation: Any = model
    for part in path.split("/"):
        names = None if operation is None else CallNames(operation)
        known = {} if names is None else names.known
        name = None if names is None else names.named(part)
        operation = None if name is None else known[name]
        if name is None:
            parts.append({"part": part, **_among_others(part, known)})
            continue
        kind = type(operation).__name__
        before = [type(each).__name__ for each in known.values()][: list(known).index(name)].count(kind)
        parts.append({"part": part, "name": name, "class": kind, "before": before})
    return parts


def path_in(model: keras.Model, stable: list[Part]) -> str:
    """The path in a loaded model of which `stable_path` was saved.

    Raises:
        LayerNotFoundError: The model has no such layer any more.
    """
    parts = []
    operation: Any = model
    for part in stable:
        if operation is None or "class" not in part:
            known = {} if operation is None else CallNames(operation).known
            operation = None
            parts.append(_named_anew(part, known))
            continue
        every = CallNames(operation).known
        known = {name: each for name, each in every.items() if type(each).__name__ == part["class"]}
        new = part["name"]
        if new not in known or not _was_given(new, part["class"]):
            if len(known) <= part["before"]:
                path = "/".join(each["part"] for each in stable)
                message = (
                    f"Model {model.name!r} was saved with a tap or an edit at {path!r}, and as it is loaded no layer "
                    f"of class {part['class']} stands there. Load it with the classes that it was saved with."
                )
                raise LayerNotFoundError(message)
            new = list(known)[part["before"]]
        operation = known[new]
        parts.append(new + part["part"].removeprefix(part["name"]))
    return "/".join(parts)


_MADE_IN_CALL = re.compile(r"(?P<name>.*?)(~(?P<number>\d+))?(?P<rest>(@\d+)?(:\d+)?)")


def _among_others(text: str, known: Container[str]) -> Part:
    """Of a layer that is made in the call its name without a number, and how many of that name are made before it."""
    found = _MADE_IN_CALL.fullmatch(text)
    if found is None:
        return {}
    name, number = found["name"], int(found["number"] or 1)
    return {"name": name, "made": sum(_numbered(name, each) not in known for each in range(1, number))}


def _named_anew(part: Part, known: Container[str]) -> str:
    """The text of a part for a layer that is made in the call, past the names that declared layers have now."""
    found = _MADE_IN_CALL.fullmatch(part["part"])
    if found is None or "made" not in part:
        return str(part["part"])
    free = (each for each in count(1) if _numbered(part["name"], each) not in known)
    return _numbered(part["name"], next(islice(free, part["made"], None))) + found["rest"]


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}~{number}"


def _was_given(name: str, kind: str) -> bool:
    """Whether a layer's name is one that Keras would not have made up."""
    return re.fullmatch(rf"{to_snake_case(kind)}(_\d+)?(~\d+)?", name) is None
