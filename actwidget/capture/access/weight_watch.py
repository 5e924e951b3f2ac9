"""Whether the weights of layers were written since they were last looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actwidget.capture.run.isolation import read
from actwidget.capture.run.restore import variables_of
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.layers import flat_layers


class WeightWatch:
    """Tells whether the weights of some layers were written, or their settings, since it came to watch them.

    TensorFlow writes a variable whose value is still held into new memory, on every device. So where the value lies at
    the same address it is the same. At another address it need not be another: of a variable with rows that were
    written one by one (an embedding in training) TensorFlow gives a copy at each reading. Where the addresses differ,
    or can't be had (on a GPU), all bits of the two values are compared.
    """

    def __init__(self) -> None:
        """Watches nothing."""
        self._layers: dict[int, keras.Layer] = {}
        self._held: dict[int, _Held] = {}  # the values of variables
        self._set: dict[int, dict[str, Any]] = {}  # the settings of layers, and of those in them

    def add(self, layers: Iterable[keras.Layer]) -> None:
        """Watches layers, and those in them, from now on, if it does not do so already."""
        new = [layer for layer in layers if id(layer) not in self._layers]
        # What a watched layer gained meanwhile is none of these: that it has come is for `unwritten` to tell.
        old = {id(variable) for variable in _variables(self._layers.values())} if new else set()
        self._layers |= {id(layer): layer for layer in new}
        self._set |= {id(layer): _settings(layer) for layer in _flat(new)}
        for variable in _variables(new):
            if id(variable) not in old:
                self._held[id(variable)] = _Held.of(variable)

    def unwritten(self) -> bool:
        """Whether it is known that no weight or setting was written, and that none has come or gone."""
        if any(_settings(layer) != self._set.get(id(layer)) for layer in _flat(self._layers.values())):
            return False
        now = {id(variable): variable for variable in _variables(self._layers.values())}
        if now.keys() != self._held.keys():
            return False
        return all(before.is_still_that_of(now[each]) for each, before in self._held.items())

    def clear(self) -> None:
        """Watches nothing any more."""
        self._layers.clear()
        self._held.clear()
        self._set.clear()


@dataclass(frozen=True, eq=False)
class _Held:
    """The value of a variable at one moment.

    Attributes:
        tensor: The value, `None` where it could not be read.
        address: Where it lies in the processor's memory, `None` where it lies elsewhere.
    """

    tensor: Any
    address: int | None

    @classmethod
    def of(cls, variable: keras.Variable) -> _Held:
        """The value that a variable has now."""
        tensor = _value_of(variable)
        return cls(tensor, None if tensor is None else address_of(tensor))

    def is_still_that_of(self, variable: keras.Variable) -> bool:
        """Whether it is known that a variable has this value; what can't be read counts as written."""
        now = _value_of(variable)
        if self.tensor is None or now is None:
            return False
        if self.address is not None and self.address == address_of(now):
            return True
        return _have_same_bits(self.tensor, now)


def _value_of(variable: Any) -> Any:
    """The tensor that a variable of Keras's or TensorFlow's holds; `None` where it can't be read."""
    try:
        return read(variable if isinstance(variable, tf.Variable) else variable.value)
    except Exception:  # noqa: BLE001 - a strategy that spreads a variable over devices refuses in ways of its own
        return None


def address_of(tensor: Any) -> int | None:
    """Where a tensor lies in the processor's memory; `None` where it lies on another device, or that can't be told."""
    if not tensor.device.endswith("CPU:0"):  # from another device the buffer is a copy
        return None
    try:
        address: int = np.asarray(memoryview(tensor)).ctypes.data
    except (TypeError, ValueError, BufferError):  # of bfloat16 and the like, which numpy does not know
        return None
    return address


def _have_same_bits(one: Any, other: Any) -> bool:
    """Whether two tensors are equal in all bits, NaN and the sign of zero included.

    Large ones are compared on the device where they lie: only the answer is copied to the processor's memory.
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.dtype in _NO_BITS or one.shape.num_elements() * one.dtype.size <= _FEW:
        return bool(one.numpy().tobytes() == other.numpy().tobytes())
    # As bytes: of 32-bit integers TensorFlow copies all to the processor before it compares them.
    first, second = (tf.raw_ops.Bitcast(input=each, type=tf.uint8) for each in (one, other))
    return bool(tf.raw_ops.All(input=tf.raw_ops.Equal(x=first, y=second), axis=range(first.ndim)))


_NO_BITS = {tf.bool, tf.string, *(tf.as_dtype(name) for name in ("float8_e4m3fn", "float8_e5m2"))}
"""The dtypes that `tf.bitcast` does not take."""
_FEW = 500_000
"""So many bytes are copied from a device sooner than it is asked to compare them."""


def _settings(layer: keras.Layer) -> dict[str, Any]:
    """What a layer of Keras's was made with and can be given anew, such as its activation, or a table of a vocabulary.

    A layer of the user's may count in its attributes as it is called, and on a model anything may be kept.
    """
    if isinstance(layer, keras.Model) or not is_from_keras(layer):
        return {}
    return {
        name: value
        for name, value in vars(layer).items()
        if name[0] != "_" and (_is_plain(value) or name == "lookup_table")
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, FunctionType, keras.Layer))


def _variables(layers: Iterable[keras.Layer]) -> list[Any]:
    running = list(layers)
    every = _flat(running)
    return [*variables_of(running, every), *_of_tensorflow(every)]


def _of_tensorflow(layers: Iterable[keras.Layer]) -> list[tf.Variable]:
    """TensorFlow's own variables among the attributes of the user's layers, of which Keras knows nothing."""
    own = [layer for layer in layers if not is_from_keras(layer)]
    values = [value for layer in own for value in vars(layer).values()]
    leaves = [leaf for value in values for leaf in (value if isinstance(value, (list, tuple)) else [value])]
    return list({id(leaf): leaf for leaf in leaves if isinstance(leaf, tf.Variable)}.values())


def _flat(layers: Iterable[keras.Layer]) -> list[keras.Layer]:
    return [inner for layer in layers for inner in flat_layers(layer)]
