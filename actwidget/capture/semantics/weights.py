"""The weights of layers: as arrays, with what is known of their axes, and whether they were written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from actwidget.capture.run.conversion import Array, as_array
from actwidget.capture.semantics.weight_layout import Owner, Reading, owners_of
from actwidget.keras_internals.classes import is_from_keras
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.variables import read, variables_of


@dataclass(frozen=True, eq=False)
class Weight:
    """One weight of a layer, and what is known of it.

    Attributes:
        values: Its values; those that Keras packs as four bits each are unpacked, where it says how.
        kernel: The same values as `(..., inputs, outputs)`, the other axes being those of space or time. `None` for a
            vector, and where it is not known which axes these are.
        own: Whether each input has outputs of its own, as in a depthwise convolution.
        groups: Into how many groups the channels of a convolution fall, each of so many inputs as `kernel` has.
        channels: To which channel of the layer each entry of the last axis belongs (of `own`, each of the last two
            axes together); `None` where they belong to none, or it is not known.
        note: What is to be said of the way in which Keras holds the values.
    """

    values: Array
    kernel: Array | None = None
    own: bool = False
    groups: int = 1
    channels: Array | None = None
    note: str = ""

    def entries_of(self, channel: int | None) -> list[int]:
        """Where in `channels` a channel stands: in a layer with gates once for each of them."""
        if self.channels is None or channel is None:
            return []
        return [int(entry) for entry in np.flatnonzero(self.channels == channel)]


def weights_of(operation: Any) -> dict[str, Weight]:
    """A layer's own and inner weights by name, in Keras's order; two of one name are told apart by their path.

    Args:
        operation: A layer; an operation that is none has no weights.
    """
    if not isinstance(operation, keras.Layer):
        return {}
    found: dict[str, Weight] = {}
    owners, nobody = owners_of(operation), Owner(operation, None)  # a class can make its weights anew at each reading
    weights = list(operation.weights)
    names = [weight.name for weight in weights]
    for weight in weights:
        name = weight.name if names.count(weight.name) == 1 else weight.path
        found[name if name not in found else f"{name}~{len(found)}"] = _weight(weight, owners.get(id(weight), nobody))
    return found


def _weight(variable: keras.Variable, owner: Owner) -> Weight:
    values, note = _values(variable, owner.layer)
    reading = owner.reading(variable.name)
    axes = reading.inputs + reading.outputs
    # A quantized weight can have fewer axes than the one that it stands for.
    there = all(-values.ndim <= axis < values.ndim for axis in axes)
    if not axes or not there or note == PACKED:
        return Weight(values, note=note)
    kernel = _arranged(values, reading) if reading.inputs else None
    count = values.shape[-1] if kernel is None else kernel.shape[-1] * (kernel.shape[-2] if reading.own else 1)
    channels = None
    if reading.channels and owner.first is not None:
        channels = owner.first + np.arange(count) % (owner.width or count)
    return Weight(values, kernel, reading.own, owner.groups, channels, note)


def _arranged(values: Array, reading: Reading) -> Array:
    """All axes of inputs as the last but one, all of outputs as the last."""
    inputs, outputs = ([axis % values.ndim for axis in axes] for axes in (reading.inputs, reading.outputs))
    others = [axis for axis in range(values.ndim) if axis not in {*inputs, *outputs}]
    moved = values.transpose(*others, *inputs, *outputs)
    rows, columns = (int(np.prod([values.shape[axis] for axis in axes])) for axes in (inputs, outputs))
    return moved.reshape(*moved.shape[: len(others)], rows, columns)


PACKED, UNPACKED = "packed, two weights in a byte", "unpacked from four bits"


def _values(variable: keras.Variable, owner: keras.Layer) -> tuple[Array, str]:
    """The values of a weight, and what is to be said of the way in which they are held."""
    if not _is_packed(variable, owner):
        return as_array(read(variable.value)), ""
    # The attribute of the same name is unpacked, and with LoRA more than this weight.
    value = getattr(owner, variable.name, variable)
    if value is variable or getattr(owner, "lora_enabled", False) or owner.quantization_mode != "int4":
        return as_array(read(variable.value)), PACKED
    return as_array(value), UNPACKED


def _is_packed(variable: keras.Variable, owner: keras.Layer) -> bool:
    mode, name = getattr(owner, "quantization_mode", None), variable.name
    if mode == "int4":
        return name in {"kernel", "embeddings", "reverse_embeddings"} and variable.dtype == "int8"
    # Those of GPTQ and AWQ are packed along their first axis, which is that of the scales.
    scales = getattr(owner, "kernel_scale", None) if mode in {"gptq", "awq"} and name == "kernel" else None
    return scales is not None and variable.dtype == "uint8" and variable.shape[0] < scales.shape[0]


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
