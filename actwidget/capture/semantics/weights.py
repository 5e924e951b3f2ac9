"""The weights of a layer as arrays, with what is known of their axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from actwidget.capture.run.conversion import Array, as_array
from actwidget.capture.semantics.table.semantics import WeightAxes
from actwidget.capture.semantics.weight_layout import WeightHolder, weight_holders
from actwidget.keras_internals.variables import read


@dataclass(frozen=True, eq=False)
class Weight:
    """One weight of a layer, and what is known of it.

    Attributes:
        values: Its values; those that Keras packs as four bits each are unpacked, where it says how.
        kernel: The same values as `(..., inputs, outputs)`, the other axes being those of space or time. `None` for a
            vector, and where it is not known which axes these are.
        depthwise: Whether each input has outputs of its own, as in a depthwise convolution.
        groups: Into how many groups the channels of a convolution fall, each of so many inputs as `kernel` has.
        channels: To which channel of the layer each entry of the last axis belongs (of a depthwise
            kernel to each of the last two axes together); `None` where they belong to none, or it is not known.
        gates: The gates of a recurrent layer, in which the entries of the last axis fall; empty without gates.
        note: What is to be said of the way in which Keras holds the values.
    """

    values: Array
    kernel: Array | None = None
    depthwise: bool = False
    groups: int = 1
    channels: Array | None = None
    note: str = ""
    gates: tuple[str, ...] = ()

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
    holders = weight_holders(operation)
    nobody = WeightHolder(operation, None)  # a class can make its weights anew at each reading
    weights = list(operation.weights)
    names = [weight.name for weight in weights]
    for weight in weights:
        # In Keras 3.8 a layer of a SavedModel has TensorFlow's own variables, whose name is their path.
        name = weight.name if names.count(weight.name) == 1 else getattr(weight, "path", weight.name)
        found[name if name not in found else f"{name}~{len(found)}"] = _weight(weight, holders.get(id(weight), nobody))
    return found


def _weight(variable: keras.Variable, holder: WeightHolder) -> Weight:
    values, note = _values(variable, holder.layer)
    axes = holder.axes_of(variable.name)
    named = axes.inputs + axes.outputs
    # A quantized weight can have fewer axes than the one that it stands for.
    exist = all(-values.ndim <= axis < values.ndim for axis in named)
    if not named or not exist or note == PACKED:
        return Weight(values, note=note)
    kernel = _as_kernel(values, axes) if axes.inputs else None
    count = values.shape[-1] if kernel is None else kernel.shape[-1] * (kernel.shape[-2] if axes.depthwise else 1)
    channels = None
    if axes.channels and holder.first_channel is not None:
        channels = holder.first_channel + np.arange(count) % (holder.width or count)
    gates = holder.gates if count == len(holder.gates) * (holder.width or 0) else ()
    return Weight(values, kernel, axes.depthwise, holder.groups, channels, note, gates)


def _as_kernel(values: Array, axes: WeightAxes) -> Array:
    """All axes of inputs as the last but one, all of outputs as the last."""
    inputs, outputs = ([axis % values.ndim for axis in named] for named in (axes.inputs, axes.outputs))
    others = [axis for axis in range(values.ndim) if axis not in {*inputs, *outputs}]
    moved = values.transpose(*others, *inputs, *outputs)
    rows, columns = (int(np.prod([values.shape[axis] for axis in named])) for named in (inputs, outputs))
    return moved.reshape(*moved.shape[: len(others)], rows, columns)


PACKED, UNPACKED = "packed, two weights in a byte", "unpacked from four bits"


def _values(variable: keras.Variable, holder: keras.Layer) -> tuple[Array, str]:
    """The values of a weight, and what is to be said of the way in which they are held."""
    if not _is_packed(variable, holder):
        return as_array(read(variable)), ""
    # The attribute of the same name is unpacked. With LoRA it is more than this weight, or an error (Keras 3.13).
    is_plain = holder.quantization_mode == "int4" and not getattr(holder, "lora_enabled", False)
    value = getattr(holder, variable.name, variable) if is_plain else variable
    return (as_array(read(variable)), PACKED) if value is variable else (as_array(value), UNPACKED)


def _is_packed(variable: keras.Variable, holder: keras.Layer) -> bool:
    mode, name = getattr(holder, "quantization_mode", None), variable.name
    if mode == "int4":
        return name in {"kernel", "embeddings", "reverse_embeddings"} and variable.dtype == "int8"
    # Those of GPTQ and AWQ are packed along their first axis, which is that of the scales.
    scales = getattr(holder, "kernel_scale", None) if mode in {"gptq", "awq"} and name == "kernel" else None
    return scales is not None and variable.dtype == "uint8" and variable.shape[0] < scales.shape[0]
