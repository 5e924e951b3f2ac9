"""`from_tf_keras`: a Keras 2 model becomes a Keras 3 model."""

from __future__ import annotations

from typing import Any

import keras

from actwidget.capture.structure.keras_2.rebuild import Rebuilt, reasons_against, refusal
from actwidget.errors import UnsupportedModelError
from actwidget.keras_internals.classes import packages_of


def from_tf_keras(model: Any, inputs: Any = None) -> keras.Model:
    """Makes a Keras 3 model that computes what a Keras 2 model (`tf_keras`) computes.

    The graph is built again from Keras 3's own layers, with the names, settings and weights of the given ones. Before
    it returns, both models are run on one batch, and each layer's values and the model's outputs are compared.

    A `/` in a layer's name becomes `_`, since Keras 3 takes none there. The optimizer, losses and metrics of
    `compile` are not taken over. The given model stays as it is, and the two share no weights.

    Args:
        model: A Sequential or functional model of `tf_keras` that has been built, of layers that Keras has. Models
            inside it are taken over, too.
        inputs: The batch on which the two are compared, as the model takes it; by default two random samples. Give one
            where only some inputs make sense to the model.

    Returns:
        A `keras.Model`, or a `keras.Sequential` for a Sequential, that is not compiled. Where the hard sigmoid of
            Keras 2 is used, which Keras 3 does not have, its file is loaded after
            `from actwidget import from_tf_keras`.

    Raises:
        UnsupportedModelError: It is no `tf_keras` model, or a subclassed one; a layer is of a class of your own, is a
            `Lambda` or a TensorFlow function, or has a setting that Keras 3 lacks; a layer gives other values in
            Keras 3; or Keras does not run on TensorFlow. The message names the layer, and the other way.
        ModelNotBuiltError: A Sequential has not been called, so that the shape of its inputs is not known.
        InvalidInputsError: The Keras 2 model does not take `inputs`, or the random ones.
    """
    if "tf_keras" not in packages_of(model):
        kind = f"{type(model).__module__}.{type(model).__qualname__}"
        message = f"Expected a Keras 2 model of the package tf_keras, got {kind}."
        raise UnsupportedModelError(message)
    if keras.config.backend() != "tensorflow":
        message = (
            f"A Keras 2 model runs on TensorFlow, and Keras 3 runs on {keras.config.backend()} here, so the two can't "
            'be compared. Convert it where KERAS_BACKEND is "tensorflow", save that as a .keras file, and load it here.'
        )
        raise UnsupportedModelError(message)
    from actwidget.capture.structure.keras_2.agreement import check_agreement

    if reasons := list(reasons_against(model)):
        raise refusal(reasons)
    rebuilt = Rebuilt(model)
    check_agreement(rebuilt, model, inputs)
    made: keras.Model = rebuilt.model
    return made
