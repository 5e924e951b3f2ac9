"""What to do with a file, or with what was loaded from one, that is no Keras 3 model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actwidget.keras_internals.foreign.saved_models import Signatures, signatures_in

_BACK = "To look inside, take the Keras model that it was made from"
_ALL_TENSORS = (
    "interpreter = tf.lite.Interpreter(path, experimental_preserve_all_tensors=True); interpreter.allocate_tensors(); "
    'interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x); interpreter.invoke(); '
    'values = {each["name"]: interpreter.get_tensor(each["index"]) for each in interpreter.get_tensor_details()}'
)
_TFLITE = (
    "It holds operations, and no Keras layers. "
    f"{_BACK}; or read the tensors of its operations: {_ALL_TENSORS} (x: a batch in the shape and dtype of the input)."
)


def advice_on_file(path: str) -> str:
    """What to do with the path of a model, by its ending and by what is there.

    Args:
        path: The path. It may lead nowhere.
    """
    name = Path(path).name.lower()
    load = "load_model(path)"
    of_keras_2 = ""
    if os.path.isfile(Path(path) / "saved_model.pb"):  # noqa: PTH113 - for too long a path that of `Path` raises an error
        return f"That is the folder of a SavedModel. {_through_a_layer(signatures_in(path))}"
    if name.endswith(".tflite"):
        return f"That is a TFLite file. {_TFLITE}"
    if name.endswith(".onnx"):
        return f"That is an ONNX file. It holds operations, and no Keras layers. {_BACK}."
    if name.endswith(".weights.h5"):
        return "That is a file of weights alone. Build the model, then model.load_weights(path)."
    if name.endswith((".h5", ".hdf5")):
        load = "load_model(path, compile=False)"
    if name.endswith((".h5", ".hdf5", ".keras")):
        of_keras_2 = f" If Keras 2 saved it and that fails: model = aw.from_tf_keras(tf_keras.models.{load})."
    return f"That is a path or a name. Load it first: model = keras.models.{load}.{of_keras_2}"


def advice_on_saved_model(signatures: Mapping[str, Any]) -> str:
    """What to do with what `tf.saved_model.load` returns.

    Args:
        signatures: Its functions, by name.
    """
    specs = {name: function.structured_input_signature[1] for name, function in signatures.items()}
    return f"That is a loaded SavedModel. {_through_a_layer(specs)}"


def advice_on_interpreter() -> str:
    """What to do with a `tf.lite.Interpreter`."""
    return f"That runs a TFLite file. {_TFLITE}"


def _through_a_layer(signatures: Signatures) -> str:
    """How a SavedModel becomes one layer of a Keras 3 model."""
    kept = "It keeps compiled functions, and no Keras layers. To look inside, load the .keras file of the same model."
    if not signatures:
        return f"{kept} It has no signature with inputs, so no Keras model can be made of it."
    endpoint = "serving_default" if "serving_default" in signatures else next(iter(signatures))
    inputs = {name: f"keras.Input({_arguments(spec)}" for name, spec in signatures[endpoint].items()}
    layer, before = "keras.layers.TFSMLayer", ""
    if len(inputs) == 1:
        x = f"{next(iter(inputs.values()))})"
    else:  # TFSMLayer passes one argument on
        before = (
            "Saved = type('Saved', (keras.layers.TFSMLayer,), "
            "{'call': lambda self, inputs: self.call_endpoint_fn(**inputs)}); "
        )
        layer = "Saved"
        x = "{" + ", ".join(f"{name!r}: {text}, name={name!r})" for name, text in inputs.items()) + "}"
    code = f"{before}x = {x}; model = keras.Model(x, {layer}(path, call_endpoint={endpoint!r})(x))"
    return f"{kept} As one layer, of which the outputs are seen: {code}."


def _arguments(spec: Any) -> str:
    """The arguments of an input like a `tf.TensorSpec`."""
    shape = None if spec.shape.rank is None else tuple(spec.shape.as_list())
    return f"batch_shape={shape}, dtype={spec.dtype.name!r}"
