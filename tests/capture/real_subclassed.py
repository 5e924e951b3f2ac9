"""Subclassed networks that people use, of a package that is no part of Keras: bayesflow's summary networks."""

from __future__ import annotations

import os
from typing import Any

import keras
import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # bayesflow would look for another one
import bayesflow


class Summary(keras.Model):
    """A model around one network, as bayesflow's own workflow has it."""

    def __init__(self, network: keras.Layer, name: str) -> None:
        super().__init__(name=name)
        self.network = network

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: FBT001, FBT002 - Keras's signature
        return self.network(inputs, training=training)


NETWORKS = {"SetTransformer": (50, 6), "TimeSeriesTransformer": (40, 5), "DeepSet": (50, 6)}


def real(name: str) -> tuple[keras.Model, np.ndarray]:
    """One of `NETWORKS`, called once, and a batch for it."""
    keras.utils.set_random_seed(1)
    model = Summary(getattr(bayesflow.networks, name)(summary_dim=8), name)
    x = np.random.default_rng(0).normal(size=(3, *NETWORKS[name])).astype("float32")
    model(x)
    return model, x
