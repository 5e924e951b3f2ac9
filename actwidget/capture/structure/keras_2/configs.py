"""What the config of a layer of Keras 2 has that Keras 3 does not take, in one table, and what is done about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from actwidget.errors import error_text, shown
from actwidget.keras_internals.foreign.keras_2 import (
    idf_weights_of,
    is_keras_2_graph,
    is_of_keras_2,
    number_of_constants,
)

ANY = object()
"""Every value of such a key says only how a layer computes, or what is found out anew when it is built."""


@dataclass(frozen=True)
class Mend:
    """How the configs of some classes of Keras 2 become those of Keras 3.

    Attributes:
        classes: The names of the classes in Keras 2.
        dropped: Keys that not every release of Keras 3 takes, each with the values that ask for what Keras 3 does
            anyway. With any other value the layer is refused, where the installed Keras does not take the key.
        renamed: Keys that have another name in Keras 3.
        added: Keys that Keras 3 needs besides.
        name: The name of the class in Keras 3, if it is another one.
    """

    classes: tuple[str, ...]
    dropped: Mapping[str, Any] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


_LOOKUPS = ("StringLookup", "IntegerLookup", "TextVectorization")
_DEPTHWISE = ("DepthwiseConv1D", "DepthwiseConv2D")
_SEPARABLE = ("SeparableConv1D", "SeparableConv2D")
_TRANSPOSED = ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
_UNUSED = dict.fromkeys(("kernel_initializer", "kernel_regularizer", "kernel_constraint"), ANY)
_SHAPES = dict.fromkeys(("query_shape", "key_shape", "value_shape"), ANY)
_RANDOM = ("RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation", "RandomTranslation")

MENDS = (
    Mend(("LSTM", "GRU", "SimpleRNN", "RNN"), {"time_major": [False], "implementation": ANY}),
    Mend(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), {"time_major": [False], "unroll": ANY}),
    Mend(("LSTMCell", "GRUCell", "SimpleRNNCell"), {"implementation": ANY}),
    Mend((*_DEPTHWISE, *_TRANSPOSED), {"groups": [1]}),
    Mend(_SEPARABLE, {"groups": [1]} | _UNUSED),
    Mend(("Embedding",), {"input_length": ANY, "activity_regularizer": [None]}),
    Mend(("MultiHeadAttention",), _SHAPES | {"softmax_robust_masking": [False]}),
    Mend(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), {"noise_shape": [None]}),
    Mend((*_RANDOM, "RandomZoom"), {"rng_type": ANY}),
    Mend(_LOOKUPS, {"vocabulary_size": ANY}),
    Mend(("BatchNormalization",), {"renorm": [False], "virtual_batch_size": [None], "fused": ANY}),
    Mend(("SyncBatchNormalization",), added={"synchronized": True}, name="BatchNormalization"),
    Mend(("LeakyReLU",), renamed={"alpha": "negative_slope"}),
    Mend(("ThresholdedReLU",), renamed={"theta": "threshold"}, name="ReLU"),
)
"""A layer is made by its class of the same name, with the same config, but for what is said here."""

# Every layer of Keras 2 has these. `trainable` is set afterwards, and the shape is that of the first call.
_OF_ALL = ("batch_input_shape", "trainable")
_MENDS = {name: mend for mend in MENDS for name in mend.classes}
_UNMENDED = Mend(())


class RefusedLayerError(Exception):
    """A layer of Keras 2 that has no equal in Keras 3; the message says why, and follows the layer's name."""


def keras_2_hard_sigmoid(x: Any) -> Any:
    """The hard sigmoid of Keras 2, which is steeper in Keras 3: there it is `relu6(x + 3) / 6`."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


keras.saving.register_keras_serializable(package="actwidget")(keras_2_hard_sigmoid)


def made_in_keras_3(layer: Any, name: str, make_model: Callable[[Any], keras.Layer]) -> keras.Layer:
    """A layer of Keras 3 with the config of one of Keras 2. It is not built yet.

    Args:
        layer: The layer of Keras 2.
        name: Its name in Keras 3.
        make_model: What makes a model that the layer wraps.

    Raises:
        RefusedLayerError: Keras 3 has no such layer.
    """
    if is_of_keras_2(layer) and type(layer).__name__ in {"TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"}:
        message = "is a TensorFlow function called on a symbolic tensor, where Keras 3 takes layers and keras.ops"
        raise RefusedLayerError(message)
    if type(layer).__name__ == "Lambda":
        message = "is a Lambda, which runs a Python function of yours, and that may call Keras 2"
        raise RefusedLayerError(message)
    if not is_of_keras_2(layer):
        message = f"is of a class of your own, {type(layer).__module__}.{type(layer).__qualname__}"
        raise RefusedLayerError(message)
    if number_of_constants(layer):
        message = "is given constants, which Keras 3's recurrent layers do not take so"
        raise RefusedLayerError(message)
    try:
        config = layer.get_config()
    except Exception as error:
        message = f"does not tell its config: {error_text(error)}"
        raise RefusedLayerError(message) from error
    inner = {key: make_model(value) for key, value in vars(layer).items() if key == "layer" and is_keras_2_graph(value)}
    return _made(type(layer).__name__, config | {"name": name} | inner | _state(layer))


def _state(layer: Any) -> dict[str, Any]:
    """What a preprocessing layer was given or has learned, as entries of its config."""
    kind = type(layer).__name__
    if kind == "Discretization" and layer.bin_boundaries:
        # The dtype is that of the bins' numbers in Keras 2, and that to which the inputs are cast in Keras 3.
        return {"bin_boundaries": np.ravel(layer.bin_boundaries).tolist(), "num_bins": None, "dtype": "float32"}
    if kind == "Normalization" and layer.input_mean is not None:
        mean, variance = np.broadcast_arrays(layer.input_mean, layer.input_variance)
        return {"mean": mean.tolist(), "variance": variance.tolist()}
    if kind not in _LOOKUPS:
        return {}
    if not layer.get_vocabulary(include_special_tokens=False):
        return {}
    known, weights = layer.get_vocabulary(), idf_weights_of(layer)
    return {"vocabulary": known} | ({} if weights is None else {"idf_weights": weights.numpy()[: len(known)]})


def _made(kind: str, config: Mapping[str, Any]) -> Any:
    """A layer of Keras 3 of the name of a class of Keras 2, and with its config, mended."""
    mend = _MENDS.get(kind, _UNMENDED)
    new_class = getattr(keras.layers, mend.name or kind, None)
    if new_class is None:
        message = f"is a {kind}, which Keras 3 does not have"
        raise RefusedLayerError(message)
    kept = {key: value for key, value in config.items() if key not in _OF_ALL}
    taken = inspect.signature(new_class).parameters
    for key, harmless in mend.dropped.items():
        if key in taken:  # as in some releases of Keras 3
            continue
        value = kept.pop(key, None)
        if harmless is not ANY and value not in [None, *harmless]:
            message = f"has {key}={shown(value)}, and {kind} of Keras 3 has no such argument"
            raise RefusedLayerError(message)
    renamed = {
        mend.renamed.get(key, key): _mended(key, value)
        for key, value in kept.items()
        if not (key.endswith("_initializer") and _is_foreign(value))
    }
    if kind.endswith("BatchNormalization"):
        renamed["axis"] = _only(renamed["axis"])
    try:
        made = new_class(**renamed | dict(mend.added))
    except Exception as error:
        message = f"is a {kind} that Keras 3 can't make from its config: {error_text(error)}"
        raise RefusedLayerError(message) from error
    if config.get("trainable") is False:
        made.trainable = False
    return made


def _only(axis: Any) -> Any:
    """The one axis; Keras 2 has it in a list."""
    if not isinstance(axis, list):
        return axis
    if len(axis) != 1:
        message = f"normalizes over axis={axis}, and BatchNormalization of Keras 3 keeps one axis"
        raise RefusedLayerError(message)
    return axis[0]


def _mended(key: str, value: Any) -> Any:
    """A value of a config as Keras 3 takes it."""
    if key.endswith("activation") and value == "hard_sigmoid":
        return keras_2_hard_sigmoid
    if isinstance(value, Mapping):
        return _object(key, value) if "class_name" in value else {k: _mended(k, each) for k, each in value.items()}
    if isinstance(value, (list, tuple)):
        return (tuple if isinstance(value, tuple) else list)(_mended(key, each) for each in value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value.as_list() if hasattr(value, "as_list") else value


def _is_foreign(value: Any) -> bool:
    """Whether what stands in a config is an object or function that is not Keras's own.

    Such an initializer is left out: it says how weights began, and these are copied.
    """
    if not isinstance(value, Mapping) or "class_name" not in value:
        return False
    return value.get("registered_name") is not None or not str(value.get("module", "")).startswith("keras.")


def _object(key: str, value: Mapping[str, Any]) -> Any:
    """An object that stands in a config as its class and config: a layer, an initializer, a dtype policy."""
    if value["class_name"] in {"Policy", "AutoCastVariable"}:
        return value["config"]["name"]
    if _is_foreign(value):
        name = value["config"] if isinstance(value["config"], str) else value["class_name"]
        message = f"has {key}={name}, which is your own"
        raise RefusedLayerError(message)
    if value["module"] == "keras.layers":
        return _made(value["class_name"], value["config"])
    return dict(value) | {"config": _mended(key, value["config"])}
