"""The weights of layers: as arrays, with what is known of their axes, and whether they were written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import keras
import numpy as np

from actwidget.capture.forward import Array, as_array, variables_of
from actwidget.capture.isolation import read
from actwidget.capture.owners import Owner, Reading, owners_of


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

    A variable whose value is still held is written into new memory, so where the place of its value is the same the
    value is. The other way round it need not be: of a variable with rows that were written one by one (an embedding in
    training) TensorFlow gives a copy at each reading.
    """

    def __init__(self) -> None:
        """Watches nothing."""
        self._layers: dict[int, keras.Layer] = {}
        self._held: dict[int, Array | None] = {}  # the values of variables, `None` where they are out of reach
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
                self._held[id(variable)] = _in_place(variable)

    def unwritten(self) -> bool | None:
        """Whether no weight or setting was written, and none has come or gone; `None` where that can't be known."""
        if any(_settings(layer) != self._set.get(id(layer)) for layer in _flat(self._layers.values())):
            return False
        now = {id(variable): variable for variable in _variables(self._layers.values())}
        if now.keys() != self._held.keys():
            return False
        known: bool | None = True
        for each, before in self._held.items():
            value = _in_place(now[each])
            if before is None or value is None:
                known = None
            elif value.ctypes.data != before.ctypes.data and value.tobytes() != before.tobytes():
                return False
        return known

    def clear(self) -> None:
        """Watches nothing any more."""
        self._layers.clear()
        self._held.clear()
        self._set.clear()


def _settings(layer: keras.Layer) -> dict[str, Any]:
    """What a layer of Keras's was made with and can be given anew, such as its activation.

    A layer of the user's may count in its attributes as it is called, and on a model anything may be kept.
    """
    if isinstance(layer, keras.Model) or not type(layer).__module__.startswith("keras.src."):
        return {}
    return {name: value for name, value in vars(layer).items() if name[0] != "_" and _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, FunctionType, keras.Layer))


def _variables(layers: Iterable[keras.Layer]) -> list[keras.Variable]:
    running = list(layers)
    return variables_of(running, _flat(running))


def _flat(layers: Iterable[keras.Layer]) -> list[keras.Layer]:
    return [inner for layer in layers for inner in layer._flatten_layers()]


def _in_place(variable: keras.Variable) -> Array | None:
    """A variable's value in the memory where it lies; `None` if that is not the processor's."""
    tensor = read(variable.value)
    if not tensor.device.endswith("CPU:0"):  # from another device the buffer is a copy
        return None
    try:
        return np.asarray(memoryview(tensor))
    except (TypeError, ValueError, BufferError):
        return None
