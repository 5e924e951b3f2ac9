"""The graph of a Keras 2 model (tf_keras), read without importing tf_keras: who has such a model has it loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_PACKAGE = "tf_keras"
Tensor = tuple[int, int, int]
"""What identifies a symbolic tensor: the layer that made it, in which of its calls, and which output of that call."""


@dataclass(frozen=True)
class Keras2Call:
    """One call of a layer in the graph of a Keras 2 model.

    Attributes:
        layer: The layer.
        args: The positional arguments, with symbolic tensors in them.
        kwargs: The keyword arguments that are not `None`, with symbolic tensors in them.
        outputs: The symbolic tensors that the call makes.
    """

    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: Any


def is_of_keras_2(value: Any) -> bool:
    """Whether a value is of one of Keras 2's own classes, not of a subclass of the user's."""
    return type(value).__module__.partition(".")[0] == _PACKAGE


def is_keras_2_graph(value: Any) -> bool:
    """Whether a value is a Sequential or functional model of Keras 2, and not of a subclass."""
    return is_of_keras_2(value) and type(value).__name__ in {"Functional", "Sequential"}


def is_keras_2_sequential(value: Any) -> bool:
    """Whether a value is a `tf_keras.Sequential`."""
    return is_of_keras_2(value) and type(value).__name__ == "Sequential"


def has_keras_2_graph(model: Any) -> bool:
    """Whether a Sequential or functional model has a graph; a `Sequential` has none before it knows its inputs."""
    return bool(getattr(model, "_graph_initialized", True))


def calls_of_keras_2(model: Any) -> Iterator[Keras2Call]:
    """The calls in a model's graph, in the order in which Keras 2 runs them, without its inputs."""
    for _, nodes in sorted(model._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            if not node.is_input:
                kwargs = {name: value for name, value in node.call_kwargs.items() if value is not None}
                yield Keras2Call(node.layer, tuple(node.call_args), kwargs, node.outputs)


def symbolic_inputs(model: Any) -> Any:
    """The symbolic inputs of a model, in the structure in which it takes values."""
    return model._nested_inputs


def symbolic_outputs(model: Any) -> Any:
    """The symbolic outputs of a model, in the structure in which it returns values."""
    return model._nested_outputs


def is_symbolic(value: Any) -> bool:
    """Whether a value is a symbolic tensor of Keras 2."""
    return hasattr(value, "_keras_history") and is_of_keras_2(value)


def identity(tensor: Any) -> Tensor:
    """What identifies a symbolic tensor; equal for two objects that stand for one tensor."""
    history = tensor._keras_history
    return id(history.layer), history.node_index, history.tensor_index


def input_layer_of(tensor: Any) -> Any:
    """The `InputLayer` that a symbolic input of a model comes from."""
    return tensor._keras_history.layer


def idf_weights_of(layer: Any) -> Any:
    """The inverse document frequencies of a lookup layer or a `TextVectorization` of Keras 2; `None` without any."""
    return getattr(getattr(layer, "_lookup_layer", layer), "idf_weights", None)


def number_of_constants(layer: Any) -> int:
    """How many of the inputs of a recurrent layer of Keras 2 are constants."""
    return getattr(layer, "_num_constants", 0) or 0


def knows_its_batch_size(model: Any) -> bool:
    """Whether the batch size of a model's inputs was chosen, not taken from the first batch that a Sequential saw."""
    return bool(getattr(model, "_has_explicit_input_shape", True))
