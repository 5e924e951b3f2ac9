"""A forward pass that leaves no trace in the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras

from actwidget.capture.run.failures import Failing
from actwidget.keras_internals.attributes import restored_attributes
from actwidget.keras_internals.isolation import isolated
from actwidget.keras_internals.layers import flat_layers
from actwidget.keras_internals.variables import WrittenBySavedModels


@contextmanager
def unchanged(
    model: keras.Model, layers: Sequence[keras.Layer] | None = None, name: str = "", *, trial: bool = False
) -> Iterator[None]:
    """Runs a forward pass that leaves a model, and the random numbers that come next, as they were.

    What the pass writes only its own thread sees, and only until the pass ends: another thread can train the model.

    Args:
        model: The model.
        layers: What of it runs; by default the whole.
        name: What it is called in messages, if that is not the model's own name.
        trial: Whether the user did not ask for this pass: then lists and counters of the user's layers are put back
            as well.

    Raises:
        CaptureError: What ran inside raised; the cause is chained.
    """
    running = [model] if layers is None else layers
    every = list({id(inner): inner for layer in running for inner in flat_layers(layer)}.values())
    written = WrittenBySavedModels(every)
    try:
        with Failing(name or model.name), restored_attributes(every, trial=trial), isolated(every):
            yield
    finally:
        written.put_back()
