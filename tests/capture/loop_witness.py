"""What recurrent cells compute, one step after the other in NumPy from the formulas in Keras's documentation."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras.src.layers.rnn.conv_lstm import ConvLSTMCell

Values = dict[str, np.ndarray]


def known(cell: Any) -> bool:
    """Whether a cell is one of Keras's own."""
    if type(cell) is keras.layers.StackedRNNCells:
        return all(map(known, cell.cells))
    return type(cell) in (keras.layers.LSTMCell, keras.layers.GRUCell, keras.layers.SimpleRNNCell, ConvLSTMCell)


def by_hand(layer: Any, inputs: Any, mask: Any = None, states: Any = None) -> Values:
    """By path below a recurrent layer what its cells compute, shape `(samples, steps, ...)`.

    Args:
        layer: The layer.
        inputs: What it is given, shape `(samples, steps, ...)`.
        mask: Which steps count, shape `(samples, steps)`.
        states: The states before the first step, by default zeros.
    """
    x = np.asarray(keras.ops.cast(inputs, layer.cell.compute_dtype)).astype("float32")
    counts = np.ones(x.shape[:2], bool) if mask is None else np.asarray(mask).astype(bool).reshape(x.shape[:2])
    if layer.go_backwards:
        x, counts = x[:, ::-1], counts[:, ::-1]
    flat = [np.asarray(state).astype("float32") for state in keras.tree.flatten(states)] if states is not None else []
    found: Values = {}
    stack = type(layer.cell) is keras.layers.StackedRNNCells
    prefix = f"{layer.cell.name}/" if stack else ""
    for cell in layer.cell.cells if stack else [layer.cell]:
        names, step = _STEPS[type(cell)]
        size = 2 if "cell_state" in names else 1
        if not flat:
            zeros = np.asarray(cell.get_initial_state(batch_size=len(x))[0]).astype("float32")
            own = [zeros] * size
        else:
            own, flat = flat[:size], flat[size:]
        each = []
        for t in range(x.shape[1]):
            *gates, new = step(cell, x[:, t], own)
            keep = counts[:, t].reshape(-1, *[1] * (own[0].ndim - 1))
            own = [np.where(keep, after, before) for after, before in zip(new, own, strict=True)]
            each.append([*gates, *own])
        values = [np.stack([step[i] for step in each], axis=1).astype(_dtype(cell)) for i in range(len(names))]
        named = dict(zip(names, values, strict=True))
        x = named["hidden_state"].astype("float32")
        found[prefix + cell.name] = named["hidden_state"]
        found |= {f"{prefix}{cell.name}/{name}": value for name, value in named.items()}
    return {layer.cell.name: x.astype(_dtype(layer.cell)), **found} if stack else found


def _dtype(cell: Any) -> str:
    return "float32" if cell.compute_dtype == "bfloat16" else cell.compute_dtype


def _weights(cell: Any) -> list[np.ndarray]:
    kernel, recurrent, *bias = (np.asarray(weight, "float32") for weight in cell.get_weights())
    return [kernel, recurrent, *(bias or [np.zeros(kernel.shape[-1], "float32")])]


def _apply(function: Any, value: np.ndarray) -> np.ndarray:
    return np.asarray(function(keras.ops.convert_to_tensor(value)))


def _lstm(cell: Any, x: np.ndarray, states: list[np.ndarray]) -> list[Any]:
    kernel, recurrent, bias = _weights(cell)
    h, c = states
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    return _lstm_of(cell, [i, f, g, o], c)


def _conv_lstm(cell: Any, x: np.ndarray, states: list[np.ndarray]) -> list[Any]:
    kernel, recurrent, bias = _weights(cell)
    h, c = states
    form = cell.data_format
    options = {"strides": cell.strides, "dilation_rate": cell.dilation_rate, "data_format": form}
    axis = 1 if form == "channels_first" else -1
    z = np.asarray(keras.ops.conv(x, kernel, padding=cell.padding, **options))
    z = z + np.asarray(keras.ops.conv(h, recurrent, padding="same", data_format=form))
    z = np.moveaxis(np.moveaxis(z, axis, -1) + bias, -1, axis)
    return _lstm_of(cell, np.split(z, 4, axis=axis), c)


def _lstm_of(cell: Any, given: list[np.ndarray], c: np.ndarray) -> list[Any]:
    i, f, o = (_apply(cell.recurrent_activation, given[index]) for index in (0, 1, 3))
    g = _apply(cell.activation, given[2])
    c = f * c + i * g
    return [i, f, g, o, [o * _apply(cell.activation, c), c]]


def _gru(cell: Any, x: np.ndarray, states: list[np.ndarray]) -> list[Any]:
    kernel, recurrent, bias = _weights(cell)
    h = states[0]
    given, told = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
    xz, xr, xg = np.split(x @ kernel + given, 3, axis=-1)
    uz, ur, ug = np.split(recurrent, 3, axis=-1)
    bz, br, bg = np.split(told, 3)
    z = _apply(cell.recurrent_activation, xz + h @ uz + bz)
    r = _apply(cell.recurrent_activation, xr + h @ ur + br)
    g = _apply(cell.activation, xg + (r * (h @ ug + bg) if cell.reset_after else (r * h) @ ug))
    return [z, r, g, [z * h + (1 - z) * g]]


def _simple(cell: Any, x: np.ndarray, states: list[np.ndarray]) -> list[Any]:
    kernel, recurrent, bias = _weights(cell)
    return [[_apply(cell.activation, x @ kernel + states[0] @ recurrent + bias)]]


_LSTM_NAMES = ["input_gate", "forget_gate", "candidate", "output_gate", "hidden_state", "cell_state"]
_STEPS: dict[type, Any] = {
    keras.layers.LSTMCell: (_LSTM_NAMES, _lstm),
    ConvLSTMCell: (_LSTM_NAMES, _conv_lstm),
    keras.layers.GRUCell: (["update_gate", "reset_gate", "candidate", "hidden_state"], _gru),
    keras.layers.SimpleRNNCell: (["hidden_state"], _simple),
}
