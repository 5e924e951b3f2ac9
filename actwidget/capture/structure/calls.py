"""The records of a running model: its calls, the tensors that they give, and what a layer computes on the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import keras

from actwidget.keras_internals.backend import backend


@dataclass(frozen=True)
class Output:
    """One tensor that a call gave: its shape (`None` for what is not known) and dtype."""

    shape: tuple[int | None, ...] | None
    dtype: str

    @classmethod
    def of(cls, tensor: Any) -> Output:
        """The shape and dtype of a tensor of the backend, dense or not."""
        return cls(backend.shape_of(tensor), backend.dtype_of(tensor))

    def common(self, other: Output) -> Output:
        """What two outputs have in common: an axis along which they differ in length is open."""
        if self.shape is None or other.shape is None or len(self.shape) != len(other.shape):
            return Output(None, self.dtype)
        pairs = zip(self.shape, other.shape, strict=True)
        return Output(tuple(one if one == another else None for one, another in pairs), self.dtype)


@dataclass(frozen=True)
class Intermediate:
    """A value that a layer computes on the way and does not give, and that no call inside it gives.

    Attributes:
        kind: What it is, such as `"AttentionScores"`.
        output: Its shape and dtype; `None` where they are not known.
    """

    kind: str
    output: Output | None = None


@dataclass
class Call:
    """One call that was seen.

    Attributes:
        operation: The layer or operation.
        name: Its name at its level, `name~k@n`.
        index: Which call of it this is.
        outputs: The tensors that it gave, by their name at its level.
        calls: The calls inside it.
        intermediates: What it was asked for beside its own pass, where it was.
        reason: Why its value can't be had, or `""`.
        is_made: Whether its layer is not declared, or stands in one that is not.
    """

    operation: keras.Operation
    name: str
    index: int
    outputs: dict[str, Output] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    intermediates: Intermediates | None = None
    reason: str = ""
    is_made: bool = False


@dataclass
class Intermediates:
    """What a layer computes on the way, found by asking it beside its own pass.

    Attributes:
        values: The values that no call gives, by name.
        calls: The calls inside the layer that its own pass does not show.
        tensors: What was asked for, by its path below the layer.
        refused: For a path below the layer why neither it nor what stands below it can be had in this pass.
    """

    values: dict[str, Intermediate] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    tensors: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def open_where_different(passes: list[tuple[Call, list[Output]]]) -> tuple[Call, list[Output]]:
    """The records of one layer called on symbols, once or more, as one: an axis is open where its lengths differ.

    PyTorch has no tensors of open shape, so there Keras tries a layer twice, with two lengths for each open axis.

    Args:
        passes: For each time the record of the call, and the layer's outputs.
    """
    if len(passes) == 1:
        return passes[0]
    (call, outputs), (other, other_outputs) = passes[-2:]
    return _common_call(call, other), [*map(Output.common, outputs, other_outputs)]


def _common_call(call: Call, other: Call) -> Call:
    # Where the two have made other calls inside, the first is taken as it is.
    found = replace(call)
    if call.outputs.keys() == other.outputs.keys():
        found.outputs = {name: output.common(other.outputs[name]) for name, output in call.outputs.items()}
    found.calls = _merged(call.calls, other.calls)
    if call.intermediates is not None and other.intermediates is not None:
        found.intermediates = _merged_intermediates(call.intermediates, other.intermediates)
    return found


def _merged(calls: list[Call], others: list[Call]) -> list[Call]:
    if [each.name for each in calls] != [each.name for each in others]:
        return calls
    return [*map(_common_call, calls, others)]


def _merged_intermediates(found: Intermediates, other: Intermediates) -> Intermediates:
    values = dict(found.values)
    for name, value in found.values.items():
        seen = other.values.get(name)
        if seen is not None and value.output is not None and seen.output is not None:
            values[name] = replace(value, output=value.output.common(seen.output))
    return replace(found, values=values, calls=_merged(found.calls, other.calls))
