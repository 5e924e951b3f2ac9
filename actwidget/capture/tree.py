"""What can be selected in a model: its graph, and `layer_tree(model)`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras

from actwidget.capture.inputs import built_shape
from actwidget.capture.node import LayerNode
from actwidget.capture.paths import Namer
from actwidget.errors import ModelNotBuiltError, UnsupportedModelError

# keras.Model(inputs, outputs) makes one; the class has no public name.
_FUNCTIONAL_CALL = keras.src.models.Functional.call


@dataclass(frozen=True, eq=False)
class ModelGraph:
    """A model's tree and the symbolic tensors behind it.

    Attributes:
        model: The user's model.
        tree: Its layer tree.
        inputs: The structure of symbolic inputs that the model takes.
        tensors: For each path the symbolic tensor in this model's own graph.
        paths: For the `id` of each layer of the model the path of its first call.
        operations: For each path the layer or operation that computes it.
    """

    model: keras.Model
    tree: LayerNode
    inputs: Any
    tensors: dict[str, keras.KerasTensor]
    paths: dict[int, str]
    operations: dict[str, keras.Operation]

    @cached_property
    def nodes(self) -> dict[str, LayerNode]:
        """All nodes but the root by path, in order of execution."""
        return {node.path: node for node in self.tree}


def layer_tree(model: keras.Model, inputs: Any = None) -> LayerNode:
    """The tree of everything in a model whose activation can be selected.

    Args:
        model: A Keras 3 model: `Sequential` or functional.
        inputs: A sample batch, needed only by a `Sequential` model that nothing has built yet (it is built for that
            shape).

    Returns:
        The root, whose children are the nodes of the model in order of execution, inputs first.

    Raises:
        UnsupportedModelError: `model` is no Keras 3 model, or of a kind that can't be looked into.
        ModelNotBuiltError: The model has never been built and no `inputs` were given.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")], name="small")
        >>> print(layer_tree(model))  # doctest: +ELLIPSIS
        small... Sequential ...
          hidden... Dense ... (None, 3) ... 15
        >>> layer_tree(model)["hidden"].parameters
        15
    """
    return trace(model, inputs).tree


def trace(model: Any, inputs: Any = None) -> ModelGraph:
    """Reads the graph of a functional or sequential model; nothing is run and the model stays as it is.

    Args:
        model: The model.
        inputs: A sample batch, for a `Sequential` model that is not built yet.

    Raises:
        UnsupportedModelError: The model has no functional graph to read.
        ModelNotBuiltError: The model is not built, and there is no sample to build it with.
    """
    function = _function(model, inputs)
    nodes = _nodes(function)
    operations = list(dict.fromkeys(node.operation for node in nodes))
    namer = Namer(operation.name for operation in operations)
    names = {id(operation): namer.sibling(operation.name) for operation in operations}
    calls: dict[int, int] = {}
    children: list[LayerNode] = []
    tensors: dict[str, keras.KerasTensor] = {}
    paths: dict[int, str] = {}
    by_path: dict[str, keras.Operation] = {}
    for node in nodes:
        operation = node.operation
        call = calls.get(id(operation), 0)
        calls[id(operation)] = call + 1
        called = namer.call(names[id(operation)], call)
        paths.setdefault(id(operation), called)
        for index, tensor in enumerate(node.outputs):
            path = namer.output(called, index)
            tensors[path] = tensor
            by_path[path] = operation
            children.append(_leaf(path, operation, call, _shape(tensor, model), tensor.dtype))
    root = LayerNode(
        path="",
        name=model.name,
        class_name=type(model).__name__,
        call=0,
        output_shape=_shape(model.outputs[0], model) if len(model.outputs) == 1 else None,
        dtype=str(model.outputs[0].dtype) if len(model.outputs) == 1 else "",
        parameters=model.count_params(),
        trainable=bool(model.trainable),
        children=tuple(children),
    )
    structure = model.inputs[0] if isinstance(model, keras.Sequential) else function.input
    return ModelGraph(model, root, structure, tensors, paths, by_path)


def _shape(tensor: keras.KerasTensor, model: keras.Model) -> tuple[int | None, ...]:
    """A tensor's shape; the batch axis of a `Sequential` is open, though a call on some batch may have built it."""
    shape = tuple(tensor.shape)
    if isinstance(model, keras.Sequential) and shape and shape[0] == model.inputs[0].shape[0]:
        return (None, *shape[1:])
    return shape


def _leaf(path: str, operation: keras.Operation, call: int, shape: tuple[int | None, ...], dtype: object) -> LayerNode:
    is_layer = isinstance(operation, keras.Layer)
    return LayerNode(
        path=path,
        name=operation.name,
        class_name=type(operation).__name__,
        call=call,
        output_shape=shape,
        dtype=str(dtype),
        parameters=operation.count_params() if is_layer and operation.built else 0,
        trainable=bool(operation.trainable) if is_layer else False,
    )


def _nodes(function: Any) -> list[Any]:
    """The graph's nodes in the order in which Keras runs them, inputs first.

    Only this graph's nodes: a layer that also works in another model has more of them.
    """
    by_depth = function._nodes_by_depth
    ordered = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    order = {id(tensor): index for index, tensor in enumerate(function.inputs)}
    given = [node for node in ordered if node.is_input]
    given.sort(key=lambda node: order.get(id(node.outputs[0]), len(order)))
    return given + [node for node in ordered if not node.is_input]


def _function(model: Any, inputs: Any) -> Any:
    """The object that holds the model's functional graph."""
    check_is_keras_model(model)
    if isinstance(model, keras.Sequential):
        if type(model).call is not keras.Sequential.call:
            raise _no_graph(model, "overrides call(), so its graph is not what runs")
        if model._functional is None:
            _build(model, inputs)
        return model._functional
    if not hasattr(model, "_nodes_by_depth"):
        raise _no_graph(model, "is a subclass of keras.Model without a functional graph")
    if type(model).call is not _FUNCTIONAL_CALL:
        raise _no_graph(model, "overrides call(), so its graph is not what runs")
    return model


def _build(model: keras.Sequential, inputs: Any) -> None:
    if inputs is None:
        message = (
            f"Model {model.name!r} has not been built, so its layers have no shapes yet. Pass a batch as `inputs`, or "
            "start the model with keras.Input(shape)."
        )
        raise ModelNotBuiltError(message)
    model.build(built_shape(inputs, model.name))
    if model._functional is None:
        raise _no_graph(model, "holds a layer whose output shape Keras can't infer")


def check_is_keras_model(model: Any) -> None:
    """Raises an error that says what `model` is and what to do, unless it is a Keras 3 model.

    Raises:
        UnsupportedModelError: It is something else.
    """
    if isinstance(model, keras.Model):
        return
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    bases = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if isinstance(model, type) and issubclass(model, keras.Model):
        advice = f"That is the class itself: make a model of it first, {model.__name__}(...)."
    elif isinstance(model, keras.Layer):
        advice = "That is a single layer. Wrap it: keras.Sequential([keras.Input(shape), layer])."
    elif "tf_keras" in bases:
        advice = (
            "That is a legacy Keras 2 model (tf_keras). Save it with model.save('model.keras') and load that file with "
            "keras.models.load_model, or build it again with `import keras`."
        )
    elif "torch" in bases:
        advice = "That is a PyTorch module. actwidget looks into Keras 3 models; with PyTorch use forward hooks."
    elif "tensorflow" in bases:
        advice = (
            "That is a TensorFlow object, such as a loaded SavedModel, which keeps no layers. Load the .keras file "
            "with keras.models.load_model."
        )
    elif isinstance(model, (str, bytes)) or hasattr(model, "__fspath__"):
        advice = "That is a path or a name. Load it first: keras.models.load_model(path)."
    else:
        advice = "Pass a keras.Sequential or a functional keras.Model."
    message = f"Expected a Keras 3 model, got {kind}. {advice}"
    raise UnsupportedModelError(message)


def _no_graph(model: keras.Model, why: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"Model {model.name!r} ({type(model).__name__}) {why}. This version of actwidget looks into Sequential and "
        "functional models; build the model as keras.Model(inputs, outputs) to look inside it."
    )
