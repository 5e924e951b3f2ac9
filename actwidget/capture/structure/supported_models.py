"""What can be looked into: Keras 3 models. Of anything else an error says how to come to one."""

from __future__ import annotations

import os
from typing import Any

import keras

from actwidget.capture.structure.keras_2.rebuild import BY_HAND, reasons_against
from actwidget.capture.structure.saved_files import advice_on_file, advice_on_interpreter, advice_on_saved_model
from actwidget.errors import UnsupportedModelError
from actwidget.keras_internals.classes import packages_of
from actwidget.keras_internals.foreign.keras_2 import has_keras_2_graph, is_keras_2_graph


def check_is_keras_model(model: Any) -> None:
    """Raises an error that says what `model` is and what to do, unless it is a Keras 3 model.

    Raises:
        UnsupportedModelError: It is something else.
    """
    if isinstance(model, keras.Model):
        return
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    message = f"Expected a Keras 3 model, got {kind}. {_advice(model)}"
    raise UnsupportedModelError(message)


def _advice(model: Any) -> str:
    """What something is that is no Keras 3 model, and what to do."""
    packages = packages_of(model)
    if isinstance(model, type) and issubclass(model, keras.Model):
        advice = f"That is the class itself: make a model of it first, {model.__name__}(...)."
    elif isinstance(model, keras.Layer):
        advice = "That is a single layer. Wrap it: keras.Sequential([keras.Input(shape), layer])."
    elif "tf_keras" in packages:
        advice = f"That is a legacy Keras 2 model (tf_keras). {_from_tf_keras(model)}"
    elif "torch" in packages:
        advice = "That is a PyTorch module. actwidget looks into Keras 3 models; with PyTorch use forward hooks."
    elif type(model).__name__ == "Interpreter" and hasattr(model, "get_tensor_details"):
        advice = advice_on_interpreter()
    elif hasattr(model, "signatures") and "tensorflow" in packages:
        advice = advice_on_saved_model(model.signatures)
    elif "tensorflow" in packages:
        advice = (
            "That is a TensorFlow object, in which there are no Keras layers. Load the .keras file with "
            "keras.models.load_model."
        )
    elif isinstance(model, (str, bytes)) or hasattr(model, "__fspath__"):
        advice = advice_on_file(os.fsdecode(model))
    elif callable(model) and not isinstance(model, type):
        advice = "Pass a keras.Model; if that makes one, call it first."
    else:
        advice = "Pass a keras.Model."
    return advice


def _from_tf_keras(model: Any) -> str:
    """How a model of Keras 2 is brought to Keras 3."""
    if not is_keras_2_graph(model):
        return BY_HAND
    if reasons := list(reasons_against(model)):
        return f"aw.from_tf_keras(model) can't take it over: {reasons[0]}. {BY_HAND}"
    call = "" if has_keras_2_graph(model) else "Call it once on a batch, model(x). Then "
    return f"{call}{'Make' if not call else 'make'} a Keras 3 model of it: aw.from_tf_keras(model)."
