"""What can be looked into: Keras 3 models. Of anything else an error says how to come to one."""

from __future__ import annotations

from typing import Any

import keras

from actwidget.errors import UnsupportedModelError
from actwidget.keras_internals.classes import has_layer_of_keras_2, packages_of
from actwidget.keras_internals.layers import flat_layers, has_flat_layers


def check_is_keras_model(model: Any) -> None:
    """Raises an error that says what `model` is and what to do, unless it is a Keras 3 model.

    Raises:
        UnsupportedModelError: It is something else.
    """
    if isinstance(model, keras.Model):
        return
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    packages = packages_of(model)
    if isinstance(model, type) and issubclass(model, keras.Model):
        advice = f"That is the class itself: make a model of it first, {model.__name__}(...)."
    elif isinstance(model, keras.Layer):
        advice = "That is a single layer. Wrap it: keras.Sequential([keras.Input(shape), layer])."
    elif "tf_keras" in packages:
        advice = f"That is a legacy Keras 2 model (tf_keras). {_from_tf_keras(model)}"
    elif "torch" in packages:
        advice = "That is a PyTorch module. actwidget looks into Keras 3 models; with PyTorch use forward hooks."
    elif "tensorflow" in packages:
        advice = (
            "That is a TensorFlow object, such as a loaded SavedModel, which keeps no layers. Load the .keras file "
            "with keras.models.load_model."
        )
    elif isinstance(model, (str, bytes)) or hasattr(model, "__fspath__"):
        advice = "That is a path or a name. Load it first: keras.models.load_model(path)."
    elif callable(model) and not isinstance(model, type):
        advice = "Pass a keras.Model; if that makes one, call it first."
    else:
        advice = "Pass a keras.Model."
    message = f"Expected a Keras 3 model, got {kind}. {advice}"
    raise UnsupportedModelError(message)


def _from_tf_keras(model: Any) -> str:
    """How a model of Keras 2 is brought to Keras 3.

    Keras 3 loads none of Keras 2 that is of a class of the user's, or has a layer with an argument that is gone, as
    LSTM and DepthwiseConv2D have; and a functional one not from a `.keras` file.
    """
    layers = flat_layers(model) if has_flat_layers(model) else [model]
    # The layers inside a functional model or a Sequential tell of it.
    if all(type(layer).__name__ in {"Functional", "Sequential"} or has_layer_of_keras_2(layer) for layer in layers):
        load = "keras.models.load_model('model.h5', compile=False)"
        return f"Save it with model.save('model.h5') and load it with {load}."
    return (
        "Build the same model with `import keras`, call both on a batch, and then new.set_weights(model.get_weights())."
    )
