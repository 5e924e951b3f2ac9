"""`edit`: layers and callables put behind a model's layers, to change what goes on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras

from actwidget.capture.access.submodel import not_capturable
from actwidget.capture.edits.inserted import Apply, Chain
from actwidget.capture.edits.layers import NumbersIn
from actwidget.capture.run.tap import run_symbolically
from actwidget.capture.run.tapped_model import Tapped
from actwidget.capture.structure.selectors import select
from actwidget.capture.structure.shapes import fits
from actwidget.capture.trace import trace
from actwidget.errors import ActwidgetError, OptionError, shown
from actwidget.keras_internals.tensors import is_declared_ragged

if TYPE_CHECKING:
    from actwidget.capture.structure.model_graph import ModelGraph, Place
    from actwidget.capture.structure.node import LayerNode


def edit(
    model: keras.Model, edits: Mapping[Any, Any], inputs: Any = None, *, allow_unreached: bool = False
) -> keras.Model:
    """A model that computes as the given one does, but changes some layers' outputs before they go on.

    It shares the given model's weights, works when called and under `predict` and `fit`, and can be edited, explored
    and saved in its turn; its file is loaded after `from actwidget import edit`, by which Keras knows its classes. The
    given model stays as it was. What goes on has the shape, the mask and the precision of what came.

    Layers are checked here, as far as the model's shapes and dtypes are known. What a callable gives is checked when
    the edited model runs, and so is a layer whose shape only a run can tell; an `OptionError` then names the path.

    The attribute `reached` of the edited model tells of each path whether the latest call made the edit there. A call
    that does not make one raises a `NotCapturableError` that says why: the model did not call that layer for this
    batch, or ran it where no edit can be made, as inside a function that the backend compiles, or in another thread.

    Args:
        model: A Keras model.
        edits: For each selector (a path, a unique name, an index into `model.layers`, or a layer) a Keras layer, as
            `Ablate`, `Scale` or `Replace`, or a callable that takes the activation, shape `(samples, ...)`, and gives
            one of the same shape. It may decide on values, with `if` or NumPy: where the backend makes a graph, as
            under `predict`, it is then run on them as Python, through which JAX computes no gradients. Only the chosen
            call of a shared layer is changed. Where there is an edit already, the new one comes after it.
        inputs: A sample batch, as for `layer_tree`: of a model without a functional graph it tells which layers are
            called, where nothing else can.
        allow_unreached: Whether a call may leave these edits out, since it depends on the batch whether the model calls
            these layers. An edit is still an error where its layer is called and no edit can be made.

    Returns:
        A `keras.Model` that takes and gives what the given one does.

    Raises:
        UnsupportedModelError: `model` can't be looked into.
        ModelNotBuiltError: `model` has no graph yet; give `inputs`, or call it on a batch first.
        InvalidInputsError: The model can't take `inputs`.
        LayerNotFoundError: A selector names no layer, or several.
        NotCapturableError: What flows there can't be reached; the message says why.
        ChannelError: A channel that the layer does not have.
        OptionError: What is to be put in is no layer or callable, gives another shape, or does not fit the dtype, or a
            sparse or ragged tensor; or the selector names what a layer computes on the way and keeps to itself:
            attention scores, the gates of a recurrent layer, what runs inside a `TimeDistributed`.

    Example:
        >>> import numpy as np
        >>> from actwidget import Ablate
        >>> layers = [keras.Input((4,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2, use_bias=False)]
        >>> model = keras.Sequential(layers)
        >>> edit(model, {"hidden": Ablate([0, 1, 2])})(np.ones((1, 4))).numpy()
        array([[0., 0.]], dtype=float32)
    """
    if not isinstance(edits, Mapping):
        message = f"Expected a dict of what to put behind each layer, edit(model, {{layer: ...}}), got {shown(edits)}."
        raise OptionError(message)
    graph = trace(model, inputs)
    put, optional = dict(graph.edits), set(graph.allow_unreached)
    places = trace(graph.root, inputs).places if put else graph.places
    for selector, change in edits.items():
        node = select(graph, selector)
        if node.origin == "opaque":
            raise not_capturable(node, model.name)
        check_goes_on(graph, node.path)
        layer = fitted_change(change, node, places.get(node.path))
        put[node.path] = _behind(put[node.path], layer, node.path) if node.path in put else layer
        (optional.add if allow_unreached else optional.discard)(node.path)
    return Tapped(graph.root, None, put, allow_unreached=optional, name=f"{graph.root.name}_edited")


def check_goes_on(graph: ModelGraph, path: str) -> None:
    """Raises an error if a layer computes a value on the way and keeps it to itself, so that no edit can change it.

    Raises:
        OptionError: It does.
    """
    if (aside := graph.asides.get(path)) is not None:
        message = f"Expected a layer whose output goes on, got {path!r}: {aside.no_edit}."
        raise OptionError(message)


def _applied(change: Any, path: str) -> Apply:
    """The layer that applies a callable behind a path."""
    if not callable(change) or isinstance(change, type):
        message = (
            f"Expected a Keras layer or a callable to put behind {path!r}, got {shown(change)}. For example "
            "actwidget.Ablate([0, 1])."
        )
        raise OptionError(message)
    try:
        return Apply(change, name=_name("edit_of", path))
    except TypeError as error:  # Keras looks whether it takes a mask
        message = (
            f"Expected a callable with arguments that Python can tell to put behind {path!r}, got {shown(change)}. "
            "Wrap it in a function: lambda v: f(v)."
        )
        raise OptionError(message) from error


def fitted_change(change: Any, node: LayerNode, place: Place | None) -> keras.Layer:
    """What is put behind a node, built and checked as far as the shape is known.

    Args:
        change: A layer or a callable.
        node: The node.
        place: Where it stands in a functional graph; `None` if it is in none.

    Raises:
        ChannelError: A channel that the layer does not have.
        OptionError: It is no layer or callable, gives another shape, or does not fit the dtype.
    """
    if not isinstance(change, keras.Layer):
        return _applied(change, node.path)
    if isinstance(change, NumbersIn):
        change.check_dtype(node.dtype)
        if place is not None:
            change.check_kind(sparse=place.tensor.sparse, ragged=is_declared_ragged(place.tensor))
    if node.output_shape is not None:
        expected = keras.KerasTensor(node.output_shape, dtype=node.dtype)
        try:
            given = change.compute_output_spec(expected)
            if not change.built:
                run_symbolically(change, (expected,), {})  # by which it is built, as by a call
        except ActwidgetError:
            raise
        except Exception:  # noqa: BLE001 - a layer that can only be run can't be checked beforehand
            return change
        if not isinstance(given, keras.KerasTensor) or not fits(given.shape, expected.shape):
            got = tuple(given.shape) if isinstance(given, keras.KerasTensor) else shown(given)
            message = (
                f"What is put behind {node.path!r} must keep its shape {tuple(expected.shape)}; {change.name!r} gives "
                f"{got}."
            )
            raise OptionError(message)
    return change


def _behind(first: keras.Layer, second: keras.Layer, path: str) -> Chain:
    """Two edits of one layer, in turn."""
    before = first.layers if isinstance(first, Chain) else [first]
    return Chain([*before, second], name=_name("edits_of", path))


def _name(prefix: str, path: str) -> str:
    """A layer's name with a path in it."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", f"{prefix}_{path}")
