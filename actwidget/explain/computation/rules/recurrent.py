"""Recurrent layers: the gates of one step, what becomes of the states, and what the layer gives of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array, as_array
from actwidget.capture.structure.call_names import CallNames
from actwidget.explain.computation.arithmetic_result import Products, Source, Step
from actwidget.explain.computation.rules.activation import activated
from actwidget.explain.computation.rules.convolution import Geometry, window_terms
from actwidget.explain.computation.rules.indices import is_channels_first, split_index
from actwidget.explain.computation.site import Site, Sum, Tensor, UnknownArithmeticError, weight_values
from actwidget.keras_internals.classes import ConvLSTMCell

HIDDEN, CELL_STATE = "hidden_state", "cell_state"


@dataclass(frozen=True)
class Steps:
    """A recurrent layer at one step.

    Attributes:
        site: The value asked for; its index has the step behind the sample.
        cell: The cell, one of a stack perhaps.
        path: The path of the cell, below which its gates and states are.
        before: The path of the cell before it in a stack; `""` of the first.
        first_state: Which of the layer's states the cell's first one is.
    """

    site: Site
    cell: Any
    path: str
    before: str
    first_state: int

    @property
    def unit(self) -> int:
        """The unit or channel."""
        return self.site.index[2 if is_channels_first(self.cell) else -1]

    def at(self, name: str, *, earlier: int = 0, unit: int | None = None) -> Source:
        """A gate or state of the step, or of an earlier one, at the place of the value."""
        index = [*self.site.index]
        index[1] -= earlier
        if unit is not None:
            index[2 if is_channels_first(self.cell) else -1] = unit
        return self.site.at(f"{self.path}/{name}").source(index)

    def given(self) -> Tensor:
        """What the cell is given at the step, without the axis of steps."""
        step = self.site.index[1]
        if self.before:
            return at_step(self.site.at(f"{self.before}/{HIDDEN}"), step)
        inputs = self.site.input
        return at_step(inputs, inputs.shape[1] - 1 - step if self.site.operation.go_backwards else step)

    def state(self, name: str) -> Tensor | None:
        """A state before the step, without the axis of steps; `None` where it is zeros that nobody gave."""
        step = self.site.index[1]
        if step:
            return at_step(self.site.at(f"{self.path}/{name}"), step - 1)
        number = self.first_state + [HIDDEN, CELL_STATE].index(name)
        layer = self.site.operation
        initial = self.site.arguments.get("initial_state")
        if initial is not None:
            state = keras.tree.flatten(initial)[number]
            return state if isinstance(state, Tensor) else Tensor(as_array(state), None, "an initial state")
        if layer.stateful:
            return Tensor(as_array(layer.states[number]), None, "the state that the layer kept of the batch before")
        return None

    @property
    def counts(self) -> bool:
        """Whether the mask lets the step count."""
        row = _mask_row(self.site)
        return row is None or bool(row[self.site.index[1]])


def inside(site: Site, name: str) -> Sum:
    """A gate or state of a cell, by its path below the layer."""
    path, _, value = name.rpartition("/")
    cells = _cells(site.operation)
    if path not in [each for _, each in cells]:  # what a cell, or a stack of them, gives: the state of the last one
        last = [each for _, each in cells if each == name or each.startswith(f"{name}/")][-1]
        return _same(_steps(site, last).at(HIDDEN))
    steps = _steps(site, path)
    return _rules(steps.cell)[value](steps)


def recurrent(site: Site) -> Sum:
    """`LSTM`, `GRU`, `SimpleRNN`, `RNN` and `ConvLSTM`: a state of the last cell, at one step or the last."""
    layer = site.operation
    steps = site.inputs[0].shape[1]
    cells = _cells(layer)
    if not site.number:
        path = cells[-1][1]
        if _is_left_out(site, site.index[1] if layer.return_sequences else steps - 1):
            return Sum([], steps=(Step("masked", 0.0),))
        place = site.index if layer.return_sequences else (site.index[0], steps - 1, *site.index[1:])
        return _same(site.at(f"{site.path}/{path}/{HIDDEN}").source(place))
    names = [f"{path}/{state}" for cell, path in cells for state in _states(cell)]
    return _same(site.at(f"{site.path}/{names[site.number - 1]}").source((site.index[0], steps - 1, *site.index[1:])))


def bidirectional(site: Site) -> Sum:
    """`Bidirectional`: what the two directions give, merged."""
    layer = site.operation
    names = {id(each): name for name, each in CallNames(layer).known.items()}
    forward, backward = (
        site.at(f"{site.path}/{names[id(each)]}") for each in (layer.forward_layer, layer.backward_layer)
    )
    index = site.index
    turned = (index[0], forward.shape[1] - 1 - index[1], *index[2:]) if layer.return_sequences else index
    if layer.merge_mode == "concat":
        width = forward.shape[-1]
        if index[-1] < width:
            return Sum([forward.products([index])])
        return Sum([backward.products([(*turned[:-1], index[-1] - width)])])
    if layer.merge_mode is None:
        return Sum([backward.products([turned]) if site.number else forward.products([index])])
    if layer.merge_mode == "mul":
        other = backward.source(turned)
        return Sum([forward.products([index], other.value, lambda _: (other,))])
    weight = 0.5 if layer.merge_mode == "ave" else 1.0
    return Sum([forward.products([index], weight), backward.products([turned], weight)])


def _steps(site: Site, path: str) -> Steps:
    before, first = "", 0
    for cell, each in _cells(site.operation):
        if each == path:
            return Steps(site, cell, f"{site.path}/{each}", before, first)
        before, first = f"{site.path}/{each}", first + len(_states(cell))
    message = f"{site.operation.name!r} has no cell {path!r} that is known."
    raise UnknownArithmeticError(message)


def _cells(layer: Any) -> list[tuple[Any, str]]:
    """The single cells of a layer, each with its path below it."""
    name, _ = CallNames(layer).call(layer.cell)
    if type(layer.cell) is not keras.layers.StackedRNNCells:
        return [(layer.cell, name)]
    level = CallNames(layer.cell)
    return [(each, f"{name}/{level.call(each)[0]}") for each in layer.cell.cells]


def _mask_row(site: Site) -> Array | None:
    """Which steps of the sample count, in the order in which the layer goes through them."""
    if site.mask is None:
        return None
    row: Array = site.mask[site.index[0]]
    row = row.reshape(len(row), -1)[:, 0]
    return row[::-1] if site.operation.go_backwards else row


def _is_left_out(site: Site, step: int) -> bool:
    """Whether the layer gives zeros at a step: none has counted so far, or it does so wherever one does not."""
    row = _mask_row(site)
    if row is None:
        return False
    return not row[: step + 1].any() or (bool(site.operation.zero_output_for_mask) and not row[step])


def _states(cell: Any) -> list[str]:
    return [HIDDEN, CELL_STATE] if isinstance(cell, (keras.layers.LSTMCell, ConvLSTMCell)) else [HIDDEN]


def _rules(cell: Any) -> dict[str, Callable[[Steps], Sum]]:
    """How the gates and states of a cell are computed."""
    if isinstance(cell, (keras.layers.LSTMCell, ConvLSTMCell)):
        return {
            "input_gate": lambda steps: _gate(steps, 0),
            "forget_gate": lambda steps: _gate(steps, 1),
            "candidate": lambda steps: _gate(steps, 2, steps.cell.activation),
            "output_gate": lambda steps: _gate(steps, 3),
            CELL_STATE: _lstm_cell_state,
            HIDDEN: _lstm_hidden_state,
        }
    if isinstance(cell, keras.layers.GRUCell):
        return {
            "update_gate": lambda steps: _gate(steps, 0),
            "reset_gate": lambda steps: _gate(steps, 1),
            "candidate": _gru_candidate,
            HIDDEN: _gru_hidden_state,
        }
    return {HIDDEN: _simple_hidden_state}


def _gate(steps: Steps, number: int, function: Any = None) -> Sum:
    """What the inputs and the hidden state before put into a gate."""
    cell = steps.cell
    groups = [*_weighted(steps, steps.given(), cell.kernel, number)]
    if (hidden := steps.state(HIDDEN)) is not None:
        groups += _weighted(steps, hidden, cell.recurrent_kernel, number, recurrent=True)
    found = Sum(groups, _bias(steps, number))
    return activated(found, function or cell.recurrent_activation, steps.site)


def _lstm_cell_state(steps: Steps) -> Sum:
    """What is kept of the state before, and what is let in."""
    if not steps.counts:
        return _as_before(steps, CELL_STATE)
    forget, admit = steps.at("forget_gate"), steps.at("input_gate")
    groups = [_scaled(steps.at("candidate"), admit.value, admit)]
    if (before := steps.state(CELL_STATE)) is not None:
        place = (steps.site.index[0], *steps.site.index[2:])
        groups.insert(0, before.products([place], forget.value, lambda _: (forget,)))
    return Sum(groups)


def _lstm_hidden_state(steps: Steps) -> Sum:
    """How far the output gate opens, times the cell state behind its activation."""
    if not steps.counts:
        return _as_before(steps, HIDDEN)
    state = steps.at(CELL_STATE)
    shown = activated(_same(state), steps.cell.activation, steps.site).result
    return Sum([_scaled(steps.at("output_gate"), shown, state)])


def _gru_candidate(steps: Steps) -> Sum:
    """What the inputs propose, and what the reset gate lets through of the state before."""
    cell = steps.cell
    groups = [*_weighted(steps, steps.given(), cell.kernel, 2)]
    hidden = steps.state(HIDDEN)
    bias = _bias(steps, 2)
    if cell.reset_after:
        reset = steps.at("reset_gate")
        if hidden is not None:
            recalled = _weighted(steps, hidden, cell.recurrent_kernel, 2, recurrent=True)
            groups += [_times(part, reset.value, lambda _: (reset,)) for part in recalled]
        if cell.bias is not None:
            own, other = weight_values(cell.bias, steps.site.dtype)[:, 2 * cell.units + steps.unit]
            bias = float(own + reset.value * other)
    elif hidden is not None:
        resets = [steps.at("reset_gate", unit=unit) for unit in range(cell.units)]
        values = np.array([each.value for each in resets])
        recalled = _weighted(steps, hidden, cell.recurrent_kernel, 2, recurrent=True)
        groups += [_times(part, values, lambda number: (resets[number],)) for part in recalled]
    return activated(Sum(groups, bias), cell.activation, steps.site)


def _gru_hidden_state(steps: Steps) -> Sum:
    """The state before and the candidate, in the shares that the update gate gives them."""
    if not steps.counts:
        return _as_before(steps, HIDDEN)
    update = steps.at("update_gate")
    groups = [_scaled(steps.at("candidate"), 1 - update.value, update)]
    if (before := steps.state(HIDDEN)) is not None:
        place = (steps.site.index[0], *steps.site.index[2:])
        groups.insert(0, before.products([place], update.value, lambda _: (update,)))
    return Sum(groups)


def _simple_hidden_state(steps: Steps) -> Sum:
    if not steps.counts:
        return _as_before(steps, HIDDEN)
    return _gate(steps, 0, steps.cell.activation)


def _as_before(steps: Steps, name: str) -> Sum:
    """A state at a step that the mask leaves out."""
    before = steps.state(name)
    if before is None:
        return Sum([])
    return Sum([before.products([(steps.site.index[0], *steps.site.index[2:])])])


def _weighted(steps: Steps, given: Tensor, kernel: Any, number: int, *, recurrent: bool = False) -> list[Products]:
    """The terms that a vector, or a window of feature maps, puts into a gate."""
    cell, sample = steps.cell, steps.site.index[0]
    column = number * _width(cell) + steps.unit
    weights = weight_values(keras.ops.convert_to_tensor(kernel)[..., column], steps.site.dtype)
    if not isinstance(cell, ConvLSTMCell):
        return [given.products([(sample, place) for place in range(given.shape[-1])], weights)]
    _, position, _ = split_index((sample, *steps.site.index[2:]), first=is_channels_first(cell))
    ones = [1] * len(position)
    geometry = (
        Geometry(cell.kernel_size, ones, ones, "same", cell.data_format)
        if recurrent
        else Geometry(cell.kernel_size, cell.strides, cell.dilation_rate, cell.padding, cell.data_format)
    )
    indices, taps = window_terms(geometry, given.shape, sample, position)
    return [given.products(indices, weights[tuple(taps.T)].reshape(-1))]


def _bias(steps: Steps, number: int) -> float | None:
    cell = steps.cell
    if cell.bias is None:
        return None
    bias = weight_values(cell.bias, steps.site.dtype).reshape(-1, np.shape(cell.bias)[-1])
    return float(bias[:, number * _width(cell) + steps.unit].sum())


def _width(cell: Any) -> int:
    return int(cell.filters if isinstance(cell, ConvLSTMCell) else cell.units)


def at_step(tensor: Tensor, step: int) -> Tensor:
    """One step of a sequence."""

    def locate(indices: Array) -> Array:
        return np.insert(indices, 1, step, axis=1)

    return tensor.part(tensor.array[:, step], locate)


def _same(source: Source) -> Sum:
    return Sum([_scaled(source, 1.0)])


def _scaled(source: Source, weight: float, *weight_from: Source) -> Products:
    """One value with its weight."""
    indices = np.array([source.index], int)
    made = (lambda _: weight_from) if weight_from else None
    return Products(source.path, source.reason, indices, np.array([source.value]), np.array([float(weight)]), made)


def _times(part: Products, factors: Array | float, weight_from: Callable[[int], tuple[Source, ...]]) -> Products:
    """Terms whose weights have a further factor."""
    return Products(part.path, part.reason, part.indices, part.inputs, part.weights * factors, weight_from)
