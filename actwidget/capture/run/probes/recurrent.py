"""What the cells of recurrent layers compute at each step: their gates and states."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from typing import Any

import keras
from keras import ops

from actwidget.capture.run.probes.cells import Cell, arithmetic_of, delayed
from actwidget.capture.run.probes.probe import Probe, ProbedCall, agrees, holds
from actwidget.capture.structure.call_names import CallNames, in_loop
from actwidget.capture.structure.calls import Call, Intermediate, Intermediates, Output
from actwidget.capture.structure.shapes import known_lengths
from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.tensors import set_mask
from actwidget.keras_internals.variables import recurrent_states


class RecurrentProbe(Probe):
    """Computes the gates and states of Keras's own cells, shape `(samples, steps, ...)`, from their weights.

    The steps are in the order in which the layer goes through them. At a step that the mask leaves out the gates are
    what the cell computes there, and the states stay those of the step before. That all of this is what happened is
    checked on what the layer gives.
    """

    is_loop = True
    steps = 1

    def changed_by_a_call(self, layer: Any) -> list[Any]:
        """The states of a stateful layer."""
        return recurrent_states(flat_layers(layer)) if layer.stateful else []

    def declared(self, layer: Any) -> Intermediates:
        """The cells, with what they compute."""
        return _intermediates(layer, lambda _cell: None)

    def expected(self, call: ProbedCall) -> Intermediates:
        """The cells, with the shapes of what they compute."""
        inputs = next(iter(call.arguments.values()))
        samples, steps, *rest = known_lengths(inputs.shape)

        def output(cell: Any) -> Output | None:
            kind = arithmetic_of(cell)
            return None if kind is None else Output((samples, steps, *kind.shape(cell, rest)), cell.compute_dtype)

        return _intermediates(call.layer, output)

    def computed(self, call: ProbedCall, _wanted: Collection[str] | None) -> Intermediates:
        """The cells, with the values of what they compute; one costs as much as all."""
        layer, found = call.layer, self.expected(call)
        if not found.calls or found.calls[0].reason:
            return found
        outer = found.calls[0]
        steps = _Steps(call)
        for cell, path in _calls_of_cells(outer):
            values = steps.through(cell.operation)
            found.tensors |= {path: steps.output, **{f"{path}/{name}": value for name, value in values.items()}}
        found.tensors[outer.name] = steps.output
        if holds(steps.agree(), reason := _unlike(layer)):
            return found
        return Intermediates(calls=[Call(layer.cell, outer.name, 0, reason=reason)], refused={outer.name: reason})

    def no_edit(self, layer: str) -> str:
        """The loop keeps its gates to itself."""
        return (
            f"the loop of {layer!r} computes these values itself, and those shown are computed beside it from its "
            f"weights. Put the change behind {layer!r}, the recurrent layer"
        )


class _Steps:
    """Goes through the steps of a recurrent layer, one cell after the other.

    Attributes:
        output: What the last cell gave, shape `(samples, steps, ...)`, which is what the next one is given.
    """

    def __init__(self, call: ProbedCall) -> None:
        """Reads what the layer's call was given."""
        given = call.arguments
        self._layer = call.layer
        self._layer_output = keras.tree.flatten(call.outputs)[0]
        self.output = ops.convert_to_tensor(next(iter(given.values())))
        mask = next(iter(keras.tree.flatten(given.get("mask"))), None)
        self._mask = None if mask is None else ops.cast(mask[..., 0] if len(mask.shape) == 3 else mask, "bool")
        initial = given.get("initial_state")
        if initial is None:
            stateful, samples = self._layer.stateful, ops.shape(self.output)[0]
            initial = self._layer.states if stateful else self._layer.get_initial_state(batch_size=samples)
        self._states = [ops.cast(state, self._layer.cell.compute_dtype) for state in keras.tree.flatten(initial)]
        if self._layer.go_backwards:
            self.output = ops.flip(self.output, axis=1)
            self._mask = None if self._mask is None else ops.flip(self._mask, axis=1)

    def through(self, cell: Any) -> dict[str, Any]:
        """What a cell computes at each step, by name."""
        arithmetic: Cell = arithmetic_of(cell)(cell)  # type: ignore[misc]  # the calls of unknown cells have a reason
        count = len(arithmetic.states)
        states, self._states = self._states[:count], self._states[count:]
        projected = arithmetic.project(self.output)
        # The hidden states of the last cell are what the layer gives: with them the gates of all steps are one product.
        known = self._layer.return_sequences and self._mask is None and not self._states and arithmetic.is_dense
        found = (
            self._at_once(arithmetic, projected, states) if known else self._one_by_one(arithmetic, projected, states)
        )
        named = dict(zip([*arithmetic.gates, *arithmetic.states], found, strict=True))
        if self._mask is not None:
            for value in named.values():
                set_mask(value, self._mask)
        self.output = named["hidden_state"]
        return named

    def _at_once(self, arithmetic: Cell, projected: Any, first: list[Any]) -> list[Any]:
        hidden = ops.cast(self._layer_output, arithmetic.dtype)
        gates = arithmetic.open(projected, delayed(hidden, first[0]))
        states = arithmetic.advance(gates, arithmetic.before(gates, hidden, first))
        return [*gates[: len(arithmetic.gates)], *states]

    def _one_by_one(self, arithmetic: Cell, projected: Any, first: list[Any]) -> list[Any]:
        axis, mask = arithmetic.axis, self._mask
        if mask is not None:  # it goes along as one more unit
            shape = [*ops.shape(projected)]
            shape[axis if axis < 0 else axis + 1] = 1
            counts = ops.reshape(mask, (*ops.shape(mask), *[1] * (len(shape) - 2)))
            counts = ops.cast(ops.broadcast_to(counts, shape), projected.dtype)
            projected = ops.concatenate([projected, counts], axis=axis if axis < 0 else axis + 1)

        def step(inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            counts = None
            if mask is not None:
                inputs, counts = ops.split(inputs, [inputs.shape[axis] - 1], axis=axis)
            gates = arithmetic.open(inputs, states[0])
            new = arithmetic.advance(gates, list(states))
            if counts is not None:
                new = [ops.where(counts > 0, after, before) for after, before in zip(new, states, strict=True)]
            return ops.concatenate([*gates[: len(arithmetic.gates)], *new], axis=axis), new

        found = backend.over_steps(step, projected, first)
        count = len(arithmetic.gates) + len(arithmetic.states)
        return list(ops.split(found, count, axis=axis if axis < 0 else axis + 1))

    def agree(self) -> Any:
        """Whether the layer gave what the last cell gives, where the mask lets a step count."""
        found = ops.cast(self.output, self._layer_output.dtype)
        counts = self._mask
        if not self._layer.return_sequences:
            found = found[:, -1]
            if counts is not None:  # a step that is left out repeats the one before, or gives zeros
                counts = counts[:, -1] if self._layer.zero_output_for_mask else ops.any(counts, axis=1)
        if counts is not None:
            counts = ops.reshape(counts, (*ops.shape(counts), *[1] * (len(found.shape) - len(counts.shape))))
            found = ops.where(counts, found, self._layer_output)
        return agrees([found], [self._layer_output])


def _intermediates(layer: Any, output_of: Callable[[Any], Output | None]) -> Intermediates:
    """The calls of a layer's cells, of an own class of the user's with the reason why nothing is known of it."""
    cell = layer.cell
    if not isinstance(cell, keras.Layer):
        return Intermediates()
    name, _ = CallNames(layer).call(cell)
    if not _is_known(cell):
        return Intermediates(calls=[Call(cell, name, 0, reason=in_loop(layer))])
    if type(cell) is not keras.layers.StackedRNNCells:
        return Intermediates(calls=[_call(cell, name, output_of(cell))])
    level = CallNames(cell)
    called = [(each, *level.call(each)) for each in cell.cells]
    inside = [dataclasses.replace(_call(each, call, output_of(each)), index=index) for each, call, index in called]
    output = output_of(cell.cells[-1])
    return Intermediates(calls=[Call(cell, name, 0, {} if output is None else {name: output}, inside)])


def _is_known(cell: Any) -> bool:
    """Whether it is known how a cell, or each of a stack, computes."""
    if type(cell) is keras.layers.StackedRNNCells:
        kinds = [arithmetic_of(each) for each in cell.cells]
        return all(kind is not None and kind.is_dense for kind in kinds)
    return arithmetic_of(cell) is not None


def _call(cell: Any, name: str, output: Output | None) -> Call:
    """The calls of a cell at all steps, as one."""
    kind = arithmetic_of(cell)
    kinds = {**kind.gates, **kind.states} if kind is not None else {}
    values = {each: Intermediate(what, output) for each, what in kinds.items()}
    return Call(cell, name, 0, {} if output is None else {name: output}, intermediates=Intermediates(values))


def _calls_of_cells(outer: Call) -> list[tuple[Call, str]]:
    """The calls of single cells, each with its path below the layer."""
    return [(inner, f"{outer.name}/{inner.name}") for inner in outer.calls] or [(outer, outer.name)]


def _unlike(layer: Any) -> str:
    """Why the gates of a layer are not known, where it does not give what its cells make of its inputs."""
    cells = flat_layers(layer.cell)
    if any(getattr(cell, "dropout", 0) or getattr(cell, "recurrent_dropout", 0) for cell in cells):
        why = "dropout changes what goes into its gates in training mode: training=False shows them"
    else:
        why = "what the layer gives is not what its cell's weights make of its inputs"
    return f"{in_loop(layer)}, and {why}"
