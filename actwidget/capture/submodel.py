"""From nodes to a `keras.Model` that gives their values, sharing the weights of the user's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.select import select
from actwidget.capture.tree import trace

if TYPE_CHECKING:
    from actwidget.capture.tree import ModelGraph


@keras.saving.register_keras_serializable(package="actwidget")
class ListModel(keras.src.models.Functional):  # type: ignore[misc]  # keras.Model's functional form has no public name
    """A functional model whose output stays a list, also where it holds one tensor.

    `keras.Model(inputs, [tensor])` gives the bare tensor.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any) -> Any:  # noqa: FBT001 - Keras's signature
        """As the functional model, with a list around a single output."""
        outputs = super().call(inputs, training=training, mask=mask, **kwargs)
        return outputs if isinstance(outputs, list) else [outputs]


def submodel(model: keras.Model, layers: Any) -> keras.Model:
    """A model from the given model's inputs to the activations of the chosen layers.

    It shares its weights with the given model, which stays as it was, and can be called, trained, saved and used in
    other models like any other.

    Args:
        model: A `Sequential` or functional Keras model.
        layers: One selector (a path, a unique name, an index into `model.layers`, or a layer), or a list or a dict of
            them.

    Returns:
        A `keras.Model` with one output tensor for one selector, a list of them for a list, a dict for a dict. The first
        axis of each output is the sample.

    Raises:
        UnsupportedModelError: `model` can't be looked into.
        ModelNotBuiltError: `model` has no graph yet; call it on a batch first.
        LayerNotFoundError: A selector names no layer, or several.

    Example:
        >>> import keras, numpy as np
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2)])
        >>> submodel(model, "hidden")(np.ones((5, 4))).shape
        TensorShape([5, 3])
        >>> sorted(submodel(model, {"first": "hidden", "last": -1}).output)
        ['first', 'last']
    """
    graph = trace(model)
    if isinstance(layers, Mapping):
        outputs: Any = {key: _tensor(graph, selector) for key, selector in layers.items()}
        label = "_".join(map(str, layers))
    elif isinstance(layers, (list, tuple)):
        outputs = [_tensor(graph, selector) for selector in layers]
        label = str(len(layers))
    else:
        path = select(graph, layers).path
        outputs, label = graph.tensors[path], path
    return connect(graph, outputs, label)


def connect(graph: ModelGraph, outputs: Any, label: str) -> keras.Model:
    """The model from a graph's inputs to some of its tensors."""
    # With a name of its own it does not advance Keras's counter, by which the user's next models are named.
    name = f"{graph.model.name}_to_{label}".replace("/", "_")
    if isinstance(outputs, list) and len(outputs) == 1:
        return ListModel(graph.inputs, outputs, name=name)
    return keras.Model(graph.inputs, outputs, name=name)


def _tensor(graph: ModelGraph, selector: Any) -> keras.KerasTensor:
    return graph.tensors[select(graph, selector).path]
