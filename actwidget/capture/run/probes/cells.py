"""The arithmetic of Keras's recurrent cells: what opens and closes their gates, and what becomes of their states."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from actwidget.keras_internals.backend import backend
from actwidget.keras_internals.classes import ConvLSTMCell

GATE, CANDIDATE, CELL_STATE, HIDDEN_STATE = "Gate", "Candidate", "CellState", "HiddenState"


class Cell(ABC):
    """A cell outside of training, at one step, or at all steps at once with their axis as the second.

    Attributes:
        gates: What is computed of an input and the hidden state before it, by name and kind.
        states: What goes on to the next step, by name and kind; the hidden state, which is the cell's output, first.
        axis: The axis of the units at one step.
        is_dense: Whether all steps can be computed at once where the hidden states are known.
    """

    gates: ClassVar[dict[str, str]]
    states: ClassVar[dict[str, str]] = {"hidden_state": HIDDEN_STATE}
    axis = -1
    is_dense = True

    def __init__(self, cell: Any) -> None:
        """Reads the weights of a cell, in the precision in which it computes."""
        self.cell = cell
        self.dtype = cell.compute_dtype
        self.kernel = ops.cast(cell.kernel, self.dtype)
        self.recurrent_kernel = ops.cast(cell.recurrent_kernel, self.dtype)
        self.bias = None if cell.bias is None else ops.cast(cell.bias, self.dtype)

    @classmethod
    def shape(cls, cell: Any, _inputs: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape of a gate at one step for inputs of a shape, both without the samples."""
        return (cell.units,)

    def project(self, inputs: Any) -> Any:
        """What the inputs of all steps, shape `(samples, steps, ...)`, put into the gates."""
        projected = ops.matmul(ops.cast(inputs, self.dtype), self.kernel)
        return projected if self.bias is None else projected + self.bias

    @abstractmethod
    def open(self, projected: Any, hidden: Any) -> list[Any]:
        """The gates by what the inputs put into them and by the hidden state before."""

    def before(self, _gates: list[Any], hidden: Any, first: list[Any]) -> list[Any]:
        """The states before each step, by the gates and hidden states of all steps and the states before the first."""
        return [delayed(hidden, first[0])]

    @abstractmethod
    def advance(self, gates: list[Any], states: list[Any]) -> list[Any]:
        """The states after a step."""


class LSTM(Cell):
    """`keras.layers.LSTMCell`: i, f, g, o; c' = f c + i g; h' = o act(c')."""

    gates: ClassVar = {"input_gate": GATE, "forget_gate": GATE, "candidate": CANDIDATE, "output_gate": GATE}
    states: ClassVar = {"hidden_state": HIDDEN_STATE, "cell_state": CELL_STATE}

    def open(self, projected: Any, hidden: Any) -> list[Any]:
        """The gates, in the order of the kernel."""
        given = ops.split(projected + self.recur(hidden), 4, axis=self.axis)
        gate, squash = self.cell.recurrent_activation, self.cell.activation
        return [gate(given[0]), gate(given[1]), squash(given[2]), gate(given[3])]

    def advance(self, gates: list[Any], states: list[Any]) -> list[Any]:
        """The hidden state and the cell state."""
        admit, forget, candidate, expose = gates
        kept = forget * states[1] + admit * candidate
        return [expose * self.cell.activation(kept), kept]

    def before(self, gates: list[Any], hidden: Any, first: list[Any]) -> list[Any]:
        """The hidden states, and the cell states, which add up."""
        admit, forget, candidate, _ = gates
        return [delayed(hidden, first[0]), delayed(_added_up(forget, admit * candidate, first[1]), first[1])]

    def recur(self, hidden: Any) -> Any:
        """What the hidden state puts into the gates."""
        return ops.matmul(hidden, self.recurrent_kernel)


class ConvLSTM(LSTM):
    """The cell of `keras.layers.ConvLSTM1D` to `ConvLSTM3D`: an LSTM's, with convolutions in place of products."""

    is_dense = False

    def __init__(self, cell: Any) -> None:
        """Reads the weights, and on which axis the channels are."""
        super().__init__(cell)
        self.axis = 1 if cell.data_format == "channels_first" else -1

    @classmethod
    def shape(cls, cell: Any, inputs: Sequence[int | None]) -> tuple[int | None, ...]:
        """A feature map."""
        return tuple(cell.compute_output_shape((None, *inputs))[0][1:])

    def project(self, inputs: Any) -> Any:
        """The convolution of all steps, with the bias."""
        shape = ops.shape(inputs)
        folded = ops.reshape(ops.cast(inputs, self.dtype), (shape[0] * shape[1], *shape[2:]))
        maps = self.cell.input_conv(folded, self.kernel, padding=self.cell.padding)
        if self.bias is not None:
            along = [1] * len(maps.shape)
            along[self.axis] = -1
            maps += ops.reshape(self.bias, along)
        return ops.reshape(maps, (shape[0], shape[1], *ops.shape(maps)[1:]))

    def recur(self, hidden: Any) -> Any:
        """The convolution of the hidden state of one step."""
        return self.cell.recurrent_conv(hidden, self.recurrent_kernel)


class GRU(Cell):
    """`keras.layers.GRUCell`: z, r, g; h' = z h + (1 - z) g, with `reset_after` or without."""

    gates: ClassVar = {"update_gate": GATE, "reset_gate": GATE, "candidate": CANDIDATE}

    def project(self, inputs: Any) -> Any:
        """What the inputs put into the gates, with the bias that is theirs."""
        projected = ops.matmul(ops.cast(inputs, self.dtype), self.kernel)
        if self.bias is None:
            return projected
        return projected + (self.bias[0] if self.cell.reset_after else self.bias)

    def open(self, projected: Any, hidden: Any) -> list[Any]:
        """The gates, in the order of the kernel."""
        units, after = self.cell.units, self.cell.reset_after
        inputs = ops.split(projected, 3, axis=-1)
        gate, squash = self.cell.recurrent_activation, self.cell.activation
        if after:
            recurrent = ops.matmul(hidden, self.recurrent_kernel)
            if self.bias is not None:
                recurrent += self.bias[1]
        else:
            recurrent = ops.matmul(hidden, self.recurrent_kernel[:, : 2 * units])
        update = gate(inputs[0] + recurrent[..., :units])
        reset = gate(inputs[1] + recurrent[..., units : 2 * units])
        if after:
            recalled = reset * recurrent[..., 2 * units :]
        else:
            recalled = ops.matmul(reset * hidden, self.recurrent_kernel[:, 2 * units :])
        return [update, reset, squash(inputs[2] + recalled)]

    def advance(self, gates: list[Any], states: list[Any]) -> list[Any]:
        """The hidden state."""
        update, _, candidate = gates
        return [update * states[0] + (1 - update) * candidate]


class SimpleRNN(Cell):
    """`keras.layers.SimpleRNNCell`, which has no gates: h' = act(x W + h U + b)."""

    gates: ClassVar[dict[str, str]] = {}

    def open(self, projected: Any, hidden: Any) -> list[Any]:
        """What becomes the hidden state."""
        return [self.cell.activation(projected + ops.matmul(hidden, self.recurrent_kernel))]

    def advance(self, gates: list[Any], _states: list[Any]) -> list[Any]:
        """The hidden state."""
        return gates


def delayed(values: Any, first: Any) -> Any:
    """Values of all steps, shape `(samples, steps, ...)`, each one step later, with `first` at the first step."""
    return ops.concatenate([first[:, None], values[:, :-1]], axis=1)


def _added_up(factors: Any, terms: Any, first: Any) -> Any:
    """For all steps what is kept of the sum before, by `factors`, and the new term."""

    def step(inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        factor, term = ops.split(inputs, 2, axis=-1)
        total = factor * states[0] + term
        return total, [total]

    return backend.over_steps(step, ops.concatenate([factors, terms], axis=-1), [first])


_CELLS: dict[type, type[Cell]] = {
    keras.layers.LSTMCell: LSTM,
    keras.layers.GRUCell: GRU,
    keras.layers.SimpleRNNCell: SimpleRNN,
    ConvLSTMCell: ConvLSTM,
}


def arithmetic_of(cell: Any) -> type[Cell] | None:
    """How a cell computes; `None` of a class that is not Keras's own."""
    return _CELLS.get(type(cell))
