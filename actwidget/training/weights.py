"""The weights of a model while it trains: their norms, their updates, whether they are finite, and a way back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array, as_array
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.variables import held, read
from actwidget.training.records import WeightRecord

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph

_BLOCK = 65_536
_COMPILED = 4_000_000


def is_float(variable: Any) -> bool:
    """Whether a variable holds floats, not a seed or a counter."""
    return "float" in keras.backend.standardize_dtype(variable.dtype)


def measured_weights(layer: Any) -> list[keras.Variable]:
    """What a layer trains; all its weights if it is frozen. An operation that is no layer has none."""
    if not isinstance(layer, keras.Layer):
        return []
    return [weight for weight in layer.trainable_weights or layer.weights if is_float(weight)]


class Weights:
    """Measures the weights of layers, and how much they have changed since they were measured last."""

    def __init__(self, graph: ModelGraph, paths: Iterable[str]) -> None:
        """Measures nothing yet.

        Args:
            graph: The model's graph.
            paths: The layers.
        """
        weights = {path: measured_weights(graph.operations[path]) for path in paths}
        self._weights = {path: each for path, each in weights.items() if each}
        self._before: dict[int, tuple[Any, float]] = {}

    def measure(self) -> dict[str, WeightRecord]:
        """The sizes of the weights of each layer that has any."""
        variables = {id(each): each for weights in self._weights.values() for each in weights}
        now: dict[int, tuple[Any, float]] = {}
        changes: dict[int, float] = {}
        for key, variable in variables.items():
            value, (before, size) = held(variable), self._before.get(key, (None, math.nan))
            if before is not None and _is_same(before, value):
                now[key], changes[key] = (value, size), 0.0
                continue
            array = as_array(value)
            changes[key] = math.nan if before is None else squares(array, as_array(before))
            now[key] = value, squares(array)
        found = {}
        for path, weights in self._weights.items():
            keys = list(map(id, weights))
            norm_before = math.sqrt(sum(self._before.get(key, (None, math.nan))[1] for key in keys))
            change = math.sqrt(sum(changes[key] for key in keys))
            update = change / norm_before if norm_before else (math.nan if change == 0 else math.inf)
            found[path] = WeightRecord(math.sqrt(sum(now[key][1] for key in keys)), update)
        self._before = now
        return found


def _is_same(one: Any, other: Any) -> bool:
    address = backend.address_of(one)
    return address is not None and address == backend.address_of(other)


def squares(array: Array, minus: Array | None = None) -> float:
    """The sum of the squares of some numbers, or of their differences from others, in float64."""
    line, other = array.reshape(-1), None if minus is None else minus.reshape(-1)
    total = 0.0
    for start in range(0, line.size, _BLOCK):
        part = line[start : start + _BLOCK].astype(np.float64)
        if other is not None:
            part -= other[start : start + _BLOCK]
        # Not `np.dot`: its threads wait for the processors that training keeps busy.
        total += float(np.square(part, out=part).sum())
    return total


def is_finite(array: Array) -> bool:
    """Whether all of some numbers are finite."""
    with np.errstate(all="ignore"):
        # The sum is finite only if all are. It may overflow although they are.
        return bool(np.isfinite(np.add.reduce(array, axis=None)) or np.isfinite(array).all())


class FiniteCheck:
    """Whether all of some variables are finite: small ones are looked at here, large ones where they are."""

    def __init__(self, variables: Sequence[keras.Variable]) -> None:
        """Looks at nothing yet."""
        self._variables = [variable for variable in variables if is_float(variable)]
        self._compiled: Any = None
        if sum(math.prod(variable.shape) for variable in self._variables) > _COMPILED:
            self._compiled = backend.compiled(self._are_finite, self._variables)

    def __call__(self) -> bool:
        """Whether all are finite now."""
        if self._compiled is not None:
            return bool(as_array(self._compiled(keras.ops.zeros(()))))
        return all(is_finite(as_array(read(variable))) for variable in self._variables)

    def _are_finite(self, zero: Any) -> Any:
        found = [keras.ops.all(keras.ops.isfinite(variable.value)) for variable in self._variables]
        return keras.ops.all(keras.ops.stack([*found, keras.ops.isfinite(zero)]))


class State:
    """The values of variables at one moment."""

    def __init__(self, variables: Iterable[Any]) -> None:
        """Keeps the values as they are now, without a copy where nothing is written."""
        self._values = [(variable, held(variable)) for variable in variables]

    def put_back(self) -> None:
        """Gives the variables these values again."""
        for variable, value in self._values:
            variable.assign(value)
