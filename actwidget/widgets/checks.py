"""What a person gives an explorer, checked: each function gives the value as it is kept, or says what was expected."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.capture.paths import sendable
from actwidget.errors import ActwidgetError, OptionError, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from actwidget.capture.graph import ModelGraph
    from actwidget.capture.inputs import Batch


def index(value: Any, count: int, noun: str, there: str, error: type[ActwidgetError]) -> int:
    """A number below `count`; one below zero counts from the end.

    Raises:
        error: It is none.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and -count <= value < count:
        return int(value) % count
    message = f"Expected a {noun} from 0 to {count - 1} ({there}), got {shown(value)}."
    raise error(message)


def position(value: Any, lengths: tuple[int, int]) -> tuple[int, int]:
    """The row and the column of a map's cell.

    Raises:
        OptionError: There is no such cell.
    """
    given = list(value) if isinstance(value, (list, tuple, np.ndarray)) else []
    fits = [isinstance(i, (int, np.integer)) and not isinstance(i, bool) for i in given]
    if len(given) == len(fits) == 2 and all(fits) and all(0 <= i < n for i, n in zip(given, lengths, strict=True)):
        return int(given[0]), int(given[1])
    rows, columns = lengths
    there = f"a map of {rows} by {columns}" if rows and columns else "no feature map"
    message = f"Expected a position as (row, column); the layer gives {there}; got {shown(value)}."
    raise OptionError(message)


def option(value: Any, known: Collection[str], noun: str) -> str:
    """One of several words.

    Raises:
        OptionError: It is none of them.
    """
    if isinstance(value, str) and value in known:
        return value
    message = f"Expected {noun} to be one of {', '.join(map(repr, known))}, got {shown(value)}."
    raise OptionError(message)


def listed(values: Any, expected: str, *, least: int = 0) -> list[Any]:
    """The items of what should be a list; a text and a dict are none, though they have items.

    Raises:
        OptionError: It has no items, or fewer than it should.
    """
    if not isinstance(values, (str, bytes, dict)):
        with suppress(Exception):
            if len(items := list(values)) >= least:
                return items
    message = f"Expected {expected}; got {shown(values)}."
    raise OptionError(message)


def class_names(names: Any, graph: ModelGraph) -> list[str] | None:
    """A name for each unit of the model's output, the first of several.

    Raises:
        OptionError: They are no list, or not as many.
    """
    if names is None:
        return None
    name, units = graph.tree.name, _units(graph)
    expected = f"class_names as a list of texts, one for each output unit of {name!r}"
    texts = [sendable(each if isinstance(each, str) else shown(each)) for each in listed(names, expected)]
    if units is not None and len(texts) != units:
        message = f"Expected {units} class_names, one for each output unit of {name!r}, got {len(texts)}."
        raise OptionError(message)
    return texts


def labels(numbers: Any, batch: Batch | None, graph: ModelGraph) -> list[int] | None:
    """The number of an output unit for each sample.

    Raises:
        OptionError: They are no such numbers, or not as many as there are samples.
    """
    units = _units(graph)
    if numbers is None or batch is None:
        return None
    try:
        given = [float(number) for number in np.ravel(np.asarray(numbers))]
    except Exception:  # noqa: BLE001 - what is no number may raise anything
        given = []
    fits = all(number.is_integer() and 0 <= number < (units or math.inf) for number in given)
    if len(given) != batch.size or not fits:
        message = (
            f"Expected labels as {batch.size} numbers of output units, one for each sample"
            f"{'' if units is None else f', from 0 to {units - 1}'}; got {shown(numbers)}."
        )
        raise OptionError(message)
    return [int(number) for number in given]


def tokens(texts: Any, batch: Batch | None) -> list[list[str]] | None:
    """The texts of the steps, a list for each sample.

    Raises:
        OptionError: They are neither one list of texts nor one for each sample.
    """
    if texts is None or batch is None:
        return None
    expected = f"tokens as a list of texts, or one such list for each of the {batch.size} samples"
    given = listed(texts, expected)
    if all(isinstance(token, str) for token in given):
        return [[sendable(token) for token in given]] * batch.size
    if len(given) != batch.size or not all(isinstance(sample, (list, tuple)) for sample in given):
        message = f"Expected {expected}; got {shown(texts)}."
        raise OptionError(message)
    return [[sendable(str(token)) for token in sample] for sample in given]


def state(given: Mapping[str, Any] | None, names: Collection[str]) -> dict[str, Any]:
    """What `LayerExplorer.state` gave.

    Raises:
        OptionError: It is no mapping, or has another key.
    """
    if given is None:
        return {}
    if not hasattr(given, "keys") or not set(given) <= set(names):
        message = f"Expected a state as explorer.state() gives it, with the keys {sorted(names)}, got {shown(given)}."
        raise OptionError(message)
    return dict(given)


def _units(graph: ModelGraph) -> int | None:
    """How many units the model's output has, the first of several; `None` where that is open."""
    output = graph.nodes.get(graph.output, graph.tree)
    return (output.output_shape or (None,))[-1]
