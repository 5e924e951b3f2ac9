"""A context for forward passes that leave the model unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras

from actwidget.capture.run.failures import Failing
from actwidget.keras_internals.attributes import restored_attributes
from actwidget.keras_internals.isolation import isolated
from actwidget.keras_internals.layers import flat_layers


@contextmanager
def unchanged(
    model: keras.Model, layers: Sequence[keras.Layer] | None = None, name: str = "", *, trial: bool = False
) -> Iterator[None]:
    """A context for a forward pass, after which the model and the random generators are as they were before.

    Only the thread of the pass sees what it writes, and only until it ends, so another thread can train the model.

    Args:
        model: The model.
        layers: The layers of it that run; by default all.
        name: Its name in messages, if that is not the model's own name.
        trial: Whether actwidget makes this pass for itself, and the user has not asked for it. Then the lists and
            counters of user-defined layers are restored as well.

    Raises:
        CaptureError: A layer raised; the cause is chained.
    """
    running = [model] if layers is None else layers
    all_layers = list({id(inner): inner for layer in running for inner in flat_layers(layer)}.values())
    with Failing(name or model.name), restored_attributes(all_layers, trial=trial), isolated(all_layers):
        yield
