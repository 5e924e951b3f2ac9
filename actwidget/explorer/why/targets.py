"""What of the model's answer can be explained: its classes by their names, the likeliest first."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.errors import ActwidgetError
from actwidget.explorer.answers.kind import are_logits, kind_of_output, unit_names
from actwidget.figures.answers.content import by_value, value_in_words
from actwidget.figures.parts.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array

TOP = ""
"""The value of the control for the top class."""
MOST = 1_000
"""How many classes can be chosen on screen."""


@dataclass(frozen=True)
class Targets:
    """What can be chosen, and what it means in code.

    Attributes:
        choices: From the value of the control to its text, the likeliest class first.
        names: From the value to the name of the class alone.
        words: From the value to how likely the class is, or its number, in words.
        place: Which of the model's outputs they are of; `None` if it has only one, whose classes have numbers.
        rank: The number of axes of that output, with the one of the samples.
        output: The name of that output; `""` if the model has only one.
        is_one_number: Whether the output is a single number, so that there is nothing to choose.
    """

    choices: Mapping[str, str] = field(default_factory=lambda: {TOP: "the top class"})
    names: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    place: int | None = None
    rank: int = 2
    output: str = ""
    is_one_number: bool = False

    def fitted(self, value: str) -> str:
        """The value that is meant: itself where there is such a class, otherwise that of the top class."""
        return value if value in self.names else next(iter(self.names), TOP)

    def target(self, value: str) -> Any:
        """The `target` of `attributions` that a value stands for."""
        value = self.fitted(value)
        if value == TOP or self.is_one_number:
            return None if self.place is None else sum_of(self.place, 0)
        return int(value) if self.place is None else sum_of(self.place, int(value))

    def code(self, value: str) -> str:
        """The same as source code."""
        value = self.fitted(value)
        if self.place is None:
            return "None" if value == TOP or self.is_one_number else value
        axes = tuple(range(1, self.rank - 1))
        number = 0 if value == TOP else int(value)
        output = "outputs" if not self.output else f"keras.tree.flatten(outputs)[{self.place}]"
        if not axes:
            return f"lambda outputs: {output}[:, {number}]"
        return f"lambda outputs: keras.ops.sum({output}[..., {number}], axis={axes if len(axes) > 1 else 1})"


@lru_cache(64)
def sum_of(place: int, number: int) -> Callable[[Any], Any]:
    """A target: one class of an output, summed over all positions. It is one function for all calls."""

    def target(outputs: Any) -> Any:
        output = keras.tree.flatten(outputs)[place]
        values = output[..., number] if len(output.shape) > 1 else output
        axes = tuple(range(1, len(values.shape)))
        return keras.ops.sum(values, axis=axes) if axes else values

    return target


def targets_of(data: LayerData) -> Targets:
    """What can be chosen for the sample on screen.

    The model's answer is read for this. It is in the header, too, so that it is known nearly always.
    """
    results, key = data.sources.results, ("why", "targets", data.sample)
    known: Targets | None = results.get(key)
    if known is None:
        known = _targets(data)
        results.put(key, known)
    return known


def _targets(data: LayerData) -> Targets:
    sources = data.sources
    graph, path = sources.session.graph, sources.session.graph.output
    value = _answer(data, path)
    if value is None:
        return Targets()
    annotations = sources.annotations
    batch = sources.session.batch
    kind = kind_of_output(graph, path, value, annotations, [] if batch is None else batch.samples)
    is_several = len(graph.outputs) > 1
    output = graph.nodes[path].name if is_several else ""
    if value.size == 1 and value.ndim < 2:
        return _of_one_number(data, path, value, is_several=is_several, output=output)
    is_map = value.ndim > 1
    units = value.astype(np.float64).reshape(-1, value.shape[-1]).mean(axis=0)
    names = list(annotations.class_names or ())
    if kind is not None and not is_map:
        is_logits = kind == "scores" and are_logits(graph, path, annotations)
        names = unit_names(kind, annotations.class_names, value, graph.nodes[path].name, is_logits=is_logits)
    names += [f"class {number}" for number in range(len(names), units.size)]
    order = [str(number) for number in by_value(units).tolist()[:MOST]]
    # A class of a map is summed over all positions; its mean is what can be said of it.
    words = {
        number: plain(float(units[int(number)]))
        if kind is None or is_map
        else value_in_words(kind, float(units[int(number)]))
        for number in order
    }
    return Targets(
        {number: f"{names[int(number)]} {words[number]}" for number in order},
        {number: names[int(number)] for number in order},
        words,
        0 if is_several or is_map else None,
        value.ndim + 1,
        output,
    )


def _answer(data: LayerData, path: str) -> Array | None:
    """The model's first output for the sample; `None` if it can't be had, or holds no floats."""
    if not path:
        return None
    try:
        row = data.sources.values.row(path, data.sample)
    except ActwidgetError:  # the error is on screen when that layer is selected, and when the answer is explained
        return None
    except Exception:  # noqa: BLE001 - a layer of the user's can raise anything
        return None
    if row is None or not row.value.size or row.value.dtype.kind in "iubOSU":
        return None
    return row.value


def _of_one_number(data: LayerData, path: str, value: Array, *, is_several: bool, output: str) -> Targets:
    """The two classes of a single sigmoid, or the number itself."""
    annotations = data.sources.annotations
    share = float(np.asarray(value, np.float64).reshape(-1)[0])
    rank, place = value.ndim + 1, 0 if is_several else None
    if not annotations.is_binary or is_several:
        name = data.sources.session.graph.nodes[path].name
        name = (annotations.class_names or [name])[0] if not annotations.is_binary else name
        return Targets({"0": f"{name} {plain(share)}"}, {"0": name}, {"0": plain(share)}, place, rank, output, True)
    names = unit_names("two classes", annotations.class_names, value, "")
    shares = {"1": share, "0": 1 - share}
    words = {number: value_in_words("two classes", each) for number, each in shares.items()}
    order = sorted(shares, key=lambda number: -shares[number])
    return Targets(
        {number: f"{names[int(number)]} {words[number]}" for number in order},
        {number: names[int(number)] for number in order},
        words,
        place,
        rank,
        output,
    )
