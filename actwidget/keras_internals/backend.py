"""The backend on which Keras runs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from actwidget.errors import UnsupportedKerasError
from actwidget.keras_internals.backends.protocol import Backend

Array = np.ndarray[Any, Any]


def _chosen() -> Backend:
    """The backend that Keras was told to run on, by `KERAS_BACKEND` or its configuration file."""
    name = keras.backend.backend()
    if name == "tensorflow":
        from actwidget.keras_internals.backends.tensorflow import TensorFlow

        return TensorFlow()
    if name == "jax":
        from actwidget.keras_internals.backends.jax import Jax

        return Jax()
    if name == "torch":
        from actwidget.keras_internals.backends.torch import Torch

        return Torch()
    message = (
        f"Expected Keras to run on TensorFlow, JAX or PyTorch, got the backend {name!r}. Set the environment variable "
        "KERAS_BACKEND to 'tensorflow', 'jax' or 'torch' before Keras is imported, and restart the kernel."
    )
    raise UnsupportedKerasError(message)


backend: Backend = _chosen()
"""The backend on which Keras runs."""
