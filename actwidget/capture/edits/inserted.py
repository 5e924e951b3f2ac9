"""The layers that `edit` makes itself: one for a callable, and one for several edits behind the same layer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import keras

from actwidget.capture.run.apply_edit import apply_edit
from actwidget.keras_internals.backend import backend

register = keras.saving.register_keras_serializable(package="actwidget")

# What Python raises where it asks a tensor of a graph for its value, as `if`, `float()`, `.numpy()` and NumPy do.
_NO_VALUE = (TypeError, AttributeError, NotImplementedError)


@register
class Apply(keras.layers.Lambda):  # type: ignore[misc]  # Keras has no type hints
    """A layer that applies a callable, in a graph too where it asks for real values."""

    def __init__(self, function: Callable[..., Any], **kwargs: Any) -> None:
        """Takes what `keras.layers.Lambda` takes."""
        super().__init__(function, autocast=False, **kwargs)
        self.supports_masking = True
        self.built = True  # there are no weights
        self.supports_jit = False  # XLA compiles no Python

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:  # noqa: FBT001 - Keras's signature
        """What the callable gives; in a graph it is given the tensor of the graph, or the values when it runs."""
        run = functools.partial(super().call, training=training)
        if backend.graph_in_progress() is None:
            return run(inputs, mask=mask)
        try:
            return run(inputs, mask=mask)
        except _NO_VALUE:
            pass

        def on_values(values: Any, *masks: Any) -> Any:
            return apply_edit(functools.partial(run, mask=masks[0] if masks else None), values, self.name)

        return backend.on_values(on_values, [inputs] if mask is None else [inputs, mask])


@register
class Chain(keras.layers.Layer):  # type: ignore[misc]  # Keras has no type hints
    """A layer that applies others in turn, each to what the one before gives, without a change of dtype or mask."""

    def __init__(self, layers: Iterable[keras.Layer], **kwargs: Any) -> None:
        """Keeps the layers, which may have one name."""
        super().__init__(autocast=False, **kwargs)
        self.layers = list(layers)
        self.supports_masking = True
        self.built = all(layer.built for layer in self.layers)

    def build(self, _input_shape: Any) -> None:
        """The layers are built when they are first called."""

    def call(self, inputs: Any) -> Any:
        """What the last layer gives."""
        for layer in self.layers:
            inputs = apply_edit(layer, inputs, self.name)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape that comes."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer again."""
        return {**super().get_config(), "layers": [keras.saving.serialize_keras_object(layer) for layer in self.layers]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Chain:
        """Makes the layer from what `get_config` gave."""
        load = functools.partial(keras.saving.deserialize_keras_object, custom_objects=custom_objects)
        return cls(**{**config, "layers": [load(layer) for layer in config["layers"]]})
