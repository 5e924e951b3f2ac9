"""A Keras 3 model with the graph, the layers and the weights of a Sequential or functional model of Keras 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras

from actwidget.capture.structure.keras_2.configs import RefusedLayerError, made_in_keras_3
from actwidget.errors import ModelNotBuiltError, UnsupportedModelError, error_text
from actwidget.keras_internals.foreign.keras_2 import (
    Keras2Call,
    Tensor,
    calls_of_keras_2,
    has_keras_2_graph,
    identity,
    input_layer_of,
    is_keras_2_graph,
    is_keras_2_sequential,
    is_symbolic,
    knows_its_batch_size,
    symbolic_inputs,
    symbolic_outputs,
)

BY_HAND = (
    "Build the same model with `import keras`, call both on a batch, and then new.set_weights(model.get_weights())."
)
"""What to do where a model can't be taken over."""


def reasons_against(model: Any, prefix: str = "") -> Iterator[str]:
    """Why a model of Keras 2 can't be made into one of Keras 3: a clause for each layer that stands in the way.

    It builds nothing, so a layer may be refused later that nothing is said of here.

    Args:
        model: The model.
        prefix: The path of the model inside another one, with a `/` after it.
    """
    if not is_keras_2_graph(model):
        yield f"{prefix or model.name!r} is of a class of your own, {type(model).__module__}.{type(model).__qualname__}"
        return
    calls = list(_calls(model))
    for layer in {id(call.layer): call.layer for call in calls}.values():
        yield from _reasons_against_layer(layer, prefix)
    names: dict[str, str] = {}
    for layer in model.layers:
        if (other := names.setdefault(keras_3_name(layer.name), layer.name)) != layer.name:
            yield f"{prefix + layer.name!r} would have the name of {other!r}, since Keras 3 takes no / in names"
    for call in calls:
        if call.kwargs.get("training"):
            yield f"{prefix + call.layer.name!r} is called with training=True, so that no two outputs are alike"


def _reasons_against_layer(layer: Any, prefix: str) -> Iterator[str]:
    """Why a layer can't be made in Keras 3, or the layers of a model that it is or wraps."""
    for inner in (layer, getattr(layer, "layer", None)):
        if is_keras_2_graph(inner):
            yield from reasons_against(inner, f"{prefix}{layer.name}/")
    if not is_keras_2_graph(layer):
        try:
            made_in_keras_3(layer, keras_3_name(layer.name), lambda _: keras.layers.Identity())
        except RefusedLayerError as reason:
            yield f"{prefix + layer.name!r} {reason}"


def _calls(model: Any) -> Iterator[Keras2Call]:
    """The calls in a model, of a Sequential that has no graph yet those that it will make."""
    if has_keras_2_graph(model):
        yield from calls_of_keras_2(model)
    else:
        yield from (Keras2Call(layer, (), {}, None) for layer in model.layers)


def keras_3_name(name: str) -> str:
    """The name of a layer in Keras 3, which takes no `/` in it."""
    return name.replace("/", "_")


class Rebuilt:
    """A model of Keras 2 with its counterpart in Keras 3.

    Attributes:
        model: The model of Keras 3.
    """

    def __init__(self, model: Any) -> None:
        """Builds the counterpart.

        Args:
            model: A Sequential or functional model of Keras 2, of which `reasons_against` says nothing.

        Raises:
            ModelNotBuiltError: The model, or one inside it, is a Sequential that has not seen a batch.
            UnsupportedModelError: A layer can't be built in Keras 3.
        """
        self._counterparts: dict[int, Any] = {}
        self.model: Any = self.counterpart(model)
        _freeze(model, self)

    def counterpart(self, layer: Any) -> Any:
        """The layer of Keras 3 that stands for one of Keras 2, the same one for each call of it."""
        if id(layer) not in self._counterparts:
            self._counterparts[id(layer)] = self._made(layer)
        return self._counterparts[id(layer)]

    def _made(self, layer: Any) -> Any:
        if not is_keras_2_graph(layer):
            try:
                return made_in_keras_3(layer, keras_3_name(layer.name), self.counterpart)
            except RefusedLayerError as reason:
                raise refusal([f"{layer.name!r} {reason}"]) from reason
        if not has_keras_2_graph(layer):
            message = f"{layer.name!r} does not know its inputs yet: call it once on a batch, then convert it."
            raise ModelNotBuiltError(message)
        return self._sequential(layer) if is_keras_2_sequential(layer) else self._functional(layer)

    def _sequential(self, model: Any) -> Any:
        given = _input_like(symbolic_inputs(model), has_batch_size=knows_its_batch_size(model))
        inside = [*map(self.counterpart, model.layers)]
        try:
            made = keras.Sequential([given, *inside], name=keras_3_name(model.name))
        except Exception as error:
            raise refusal([f"{model.name!r} can't be built in Keras 3: {error_text(error)}"]) from error
        for layer in model.layers:
            self._take_weights(layer)
        return made

    def _functional(self, model: Any) -> Any:
        tensors: dict[Tensor, Any] = {}
        for symbolic in keras.tree.flatten(symbolic_inputs(model)):
            tensors[identity(symbolic)] = _input_like(symbolic)
        for call in calls_of_keras_2(model):
            args, kwargs = arguments_in_keras_3(call, tensors)
            try:
                outputs = self.counterpart(call.layer)(*args, **kwargs)
            except (ModelNotBuiltError, UnsupportedModelError):
                raise
            except Exception as error:
                raise refusal([f"{call.layer.name!r} can't be called so in Keras 3: {error_text(error)}"]) from error
            remember(call, outputs, tensors)
            self._take_weights(call.layer)
        inputs, outputs = (mapped(part(model), tensors) for part in (symbolic_inputs, symbolic_outputs))
        return keras.Model(inputs, outputs, name=keras_3_name(model.name))

    def _take_weights(self, old: Any) -> None:
        """Copies the weights of a layer that is built in both; a model inside has done so for its own layers."""
        if is_keras_2_graph(old) or is_keras_2_graph(getattr(old, "layer", None)):
            return
        new = self.counterpart(old)
        if type(old).__name__ in {"StringLookup", "IntegerLookup", "TextVectorization", "Discretization"}:
            return  # what these know is in their config
        try:
            for variable, value in zip(_weights(new), _weights(old), strict=True):
                variable.assign(value.numpy())
        except ValueError as error:
            raise refusal([f"{old.name!r} has other weights in Keras 3: {error_text(error)}"]) from error
        if isinstance(new, keras.layers.Normalization):
            new.finalize_state()


def _weights(layer: Any) -> list[Any]:
    """The weights of a layer, in an order that is the same in Keras 2 and 3."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _freeze(model: Any, rebuilt: Rebuilt) -> None:
    """Makes trainable in Keras 3 what is so in Keras 2, from outside in, since what is set on a model goes inwards."""
    for layer in [model, *(layer for layer in model.layers if type(layer).__name__ != "InputLayer")]:
        made = rebuilt.counterpart(layer)
        if made.trainable != layer.trainable:
            made.trainable = layer.trainable
    for layer in model.layers:
        for inner in (layer, getattr(layer, "layer", None)):
            if is_keras_2_graph(inner):
                _freeze(inner, rebuilt)


def refusal(reasons: list[str]) -> UnsupportedModelError:
    """The error for a model that can't be taken over."""
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return UnsupportedModelError(f"This Keras 2 model has no equal in Keras 3: {reasons[0]}{more}. {BY_HAND}")


def _input_like(symbolic: Any, *, has_batch_size: bool = True) -> Any:
    """A symbolic input of Keras 3 like one of Keras 2."""
    config = input_layer_of(symbolic).get_config()
    shape = tuple(symbolic.shape)
    return keras.Input(
        batch_shape=shape if has_batch_size else (None, *shape[1:]),
        dtype=symbolic.dtype.name,
        name=keras_3_name(config["name"]),
        **{key: True for key in ("sparse", "ragged") if config.get(key)},
    )


def mapped(structure: Any, tensors: Mapping[Tensor, Any]) -> Any:
    """A structure with what stands for each symbolic tensor of Keras 2 in it."""
    return keras.tree.map_structure(lambda leaf: tensors[identity(leaf)] if is_symbolic(leaf) else leaf, structure)


def arguments_in_keras_3(call: Keras2Call, tensors: Mapping[Tensor, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call as Keras 3 takes them."""
    args, kwargs = mapped(call.args, tensors), mapped(call.kwargs, tensors)
    if _has_initial_state(call):
        (sequence, *state), *others = args
        return (sequence, *others), kwargs | {"initial_state": state}
    return args, kwargs


def _has_initial_state(call: Keras2Call) -> bool:
    """Whether the initial state of a recurrent layer is among its inputs, as it is in a graph of Keras 2."""
    is_recurrent = hasattr(call.layer, "cell") or type(call.layer).__name__ == "Bidirectional"
    return is_recurrent and isinstance(call.args[0], (list, tuple))


def remember(call: Keras2Call, outputs: Any, tensors: dict[Tensor, Any]) -> None:
    """Notes what stands for the symbolic outputs of a call."""
    made = keras.tree.flatten(outputs)
    for symbolic, output in zip(keras.tree.flatten(call.outputs), made, strict=True):
        tensors[identity(symbolic)] = output
