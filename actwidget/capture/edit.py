"""Layers that change what flows by, and `edit`, which puts them behind a model's layers."""

from __future__ import annotations

import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.change import fits
from actwidget.capture.inserted import Apply, Chain, register
from actwidget.capture.level import SCORES_CLASS, has_scores
from actwidget.capture.options import a_number, channel_numbers
from actwidget.capture.select import select
from actwidget.capture.submodel import not_capturable
from actwidget.capture.tapped import Tapped
from actwidget.capture.tree import trace
from actwidget.errors import ActwidgetError, ChannelError, OptionError, shown

if TYPE_CHECKING:
    from actwidget.capture.node import LayerNode


class _OnChannels(keras.layers.Layer):  # type: ignore[misc]  # Keras has no type hints
    """Changes some channels and passes the others on."""

    def __init__(self, channels: int | Iterable[int], *, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.channels = channel_numbers(channels, type(self).__name__)
        self.axis = a_number(axis, "axis", type(self).__name__, numbers.Integral)
        self.supports_masking = True

    def chosen(self, shape: Sequence[int | None]) -> np.ndarray[Any, Any]:
        """Which channels are changed.

        Args:
            shape: The shape of the activation, batch axis first.

        Returns:
            bool, one for each channel, shaped so that it broadcasts over the activation: `(1, 1, 1, channels)` for
            feature maps.

        Raises:
            OptionError: The number of channels is open, or there is no such axis.
            ChannelError: The activation has no such channel.
        """
        if not -len(shape) <= self.axis < len(shape):
            message = f"Expected an axis from 0 to {len(shape) - 1} for {self.name!r}, got {self.axis}."
            raise OptionError(message)
        count = shape[self.axis]
        if count is None:
            message = (
                f"{self.name!r} needs the number of channels, but axis {self.axis} of shape {tuple(shape)} is open."
            )
            raise OptionError(message)
        for channel in self.channels:
            if not -count <= channel < count:
                message = f"Expected channels from 0 to {count - 1} for {self.name!r}, got {channel}."
                raise ChannelError(message)
        chosen = np.zeros(count, dtype=bool)
        chosen[list(self.channels)] = True
        axes = [1] * len(shape)
        axes[self.axis] = count
        return chosen.reshape(axes)

    @property
    def number(self) -> Any:
        """What the chosen channels are set to, or multiplied by."""
        raise NotImplementedError

    def check_dtype(self, dtype: str) -> None:
        """Raises an error unless the number means something for an activation of this dtype (`""`: not known).

        Raises:
            OptionError: The activation holds text, or whole numbers and `number` is none.
        """
        if dtype == "string":
            message = f"Expected numbers for {self.name!r} to change, got text, dtype 'string'. Use a callable there."
            raise OptionError(message)
        if dtype.startswith(("int", "uint", "bool")) and self.number % 1 != 0:
            message = (
                f"Expected a whole number for {self.name!r} where the dtype is {dtype!r}, got {self.number!r}. Edit a "
                "layer after this one, whose output is no longer of that dtype, or use a callable."
            )
            raise OptionError(message)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape that comes, after a check of the channels."""
        self.chosen(input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer again."""
        return {**super().get_config(), "channels": list(self.channels), "axis": self.axis}


@register
class Ablate(_OnChannels):
    """A Keras layer that sets channels to one value.

    Example:
        >>> import numpy as np
        >>> Ablate([0, 2])(np.ones((1, 4))).numpy()
        array([[0., 1., 0., 1.]])
    """

    def __init__(self, channels: int | Iterable[int], value: float = 0.0, *, axis: int = -1, **kwargs: Any) -> None:
        """Chooses the channels.

        Args:
            channels: The index of a channel, or several; a negative one counts from the end.
            value: What they are set to, in the units of the activation.
            axis: The axis of the channels, the batch axis being 0.
            **kwargs: What `keras.layers.Layer` takes.
        """
        super().__init__(channels, axis=axis, **kwargs)
        self.value = a_number(value, "value", "Ablate")

    def call(self, inputs: Any) -> Any:
        """The activation with the chosen channels set to the value."""
        return keras.ops.where(self.chosen(inputs.shape), keras.ops.cast(self.value, inputs.dtype), inputs)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer again."""
        return {**super().get_config(), "value": self.value}

    @property
    def number(self) -> Any:
        """The value."""
        return self.value


@register
class Scale(_OnChannels):
    """A Keras layer that multiplies channels by a factor.

    Example:
        >>> import numpy as np
        >>> Scale(1, 3.0)(np.ones((1, 3))).numpy()
        array([[1., 3., 1.]])
    """

    def __init__(self, channels: int | Iterable[int], factor: float, *, axis: int = -1, **kwargs: Any) -> None:
        """Chooses the channels.

        Args:
            channels: The index of a channel, or several; a negative one counts from the end.
            factor: What they are multiplied by.
            axis: The axis of the channels, the batch axis being 0.
            **kwargs: What `keras.layers.Layer` takes.
        """
        super().__init__(channels, axis=axis, **kwargs)
        self.factor = a_number(factor, "factor", "Scale")

    def call(self, inputs: Any) -> Any:
        """The activation with the chosen channels multiplied by the factor."""
        return keras.ops.where(self.chosen(inputs.shape), inputs * keras.ops.cast(self.factor, inputs.dtype), inputs)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer again."""
        return {**super().get_config(), "factor": self.factor}

    @property
    def number(self) -> Any:
        """The factor."""
        return self.factor


@register
class Replace(keras.layers.Layer):  # type: ignore[misc]  # Keras has no type hints
    """A Keras layer that puts a given array in the place of what comes.

    Example:
        >>> import numpy as np
        >>> Replace(np.array([5.0, 6.0]))(np.zeros((2, 2))).numpy()
        array([[5., 6.],
               [5., 6.]])
    """

    def __init__(self, array: Any, **kwargs: Any) -> None:
        """Keeps the array.

        Args:
            array: What goes on, of the shape of the activation: for one sample, which then serves all, or with the
                batch axis.
            **kwargs: What `keras.layers.Layer` takes.
        """
        super().__init__(autocast=False, **kwargs)
        try:
            self.array = np.asarray(array)
        except Exception as error:  # an array library of its own may raise anything
            raise _no_array(array) from error
        if self.array.dtype.kind not in "biufcV":  # of kind V is bfloat16
            raise _no_array(array)
        self.supports_masking = True

    def fitted(self, shape: Sequence[int | None]) -> np.ndarray[Any, Any]:
        """The array with its batch axis.

        Args:
            shape: The shape of the activation, batch axis first.

        Returns:
            The array, shape `(1, ...)` or `(samples, ...)`.

        Raises:
            OptionError: The array does not fit the activation.
        """
        array = self.array if self.array.ndim == len(shape) else self.array[np.newaxis]
        fits = array.ndim == len(shape) and all(
            want in (None, got) for got, want in zip(array.shape[1:], shape[1:], strict=True)
        )
        samples = shape[0] if shape else None
        if fits and samples is not None and array.shape[0] not in (1, samples):
            message = (
                f"Expected a batch of {array.shape[0]} samples for {self.name!r}, as its array of shape "
                f"{self.array.shape} has them, got {samples}. Pass all in one batch, with predict: "
                f"predict(x, batch_size={array.shape[0]}). An array of shape {array.shape[1:]} serves any number."
            )
            raise OptionError(message)
        if not fits:
            message = (
                f"Expected an array of shape {tuple(shape[1:])}, or with the batch axis {tuple(shape)}, for "
                f"{self.name!r}, got {self.array.shape}."
            )
            raise OptionError(message)
        return array

    def call(self, inputs: Any) -> Any:
        """The array, once for each sample where it is given for one."""
        array = keras.ops.convert_to_tensor(self.fitted(inputs.shape), dtype=inputs.dtype)
        return keras.ops.broadcast_to(array, keras.ops.shape(inputs))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape that comes, after a check of the array."""
        self.fitted(input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer again."""
        return {**super().get_config(), "array": self.array.tolist()}


def _no_array(value: Any) -> OptionError:
    return OptionError(f"Expected an array of numbers to put in the place of an activation, got {shown(value)}.")


def edit(model: keras.Model, edits: Mapping[Any, Any]) -> keras.Model:
    """A model that computes as the given one does, but changes some layers' outputs before they go on.

    It shares the given model's weights, works when called and under `predict` and `fit`, and can be edited, explored
    and saved in its turn. The given model stays as it was. What goes on has the shape, the mask and the precision of
    what came.

    Layers are checked here, as far as the model's shapes and dtypes are known. What a callable gives is checked when
    the edited model runs, and so is a layer whose shape only a run can tell; an `OptionError` then names the path.

    Args:
        model: A Keras model.
        edits: For each selector (a path, a unique name, an index into `model.layers`, or a layer) a Keras layer, as
            `Ablate`, `Scale` or `Replace`, or a callable that takes the activation, shape `(samples, ...)`, and gives
            one of the same shape. It may decide on values, with `if` or NumPy: where TensorFlow makes a graph, as under
            `predict`, it is then run on them as Python. Only the chosen call of a shared layer is changed. Where there
            is an edit already, the new one comes after it.

    Returns:
        A `keras.Model` that takes and gives what the given one does.

    Raises:
        UnsupportedModelError: `model` can't be looked into.
        ModelNotBuiltError: `model` has no graph yet; call it on a batch first.
        LayerNotFoundError: A selector names no layer, or several.
        NotCapturableError: What flows there can't be reached; the message says why.
        ChannelError: A channel that the layer does not have.
        OptionError: What is to be put in is no layer or callable, gives another shape, or does not fit the dtype; or
            the selector names attention scores, which nothing in the model takes from there.

    Example:
        >>> import numpy as np
        >>> layers = [keras.Input((4,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(2, use_bias=False)]
        >>> model = keras.Sequential(layers)
        >>> edit(model, {"hidden": Ablate([0, 1, 2])})(np.ones((1, 4))).numpy()
        array([[0., 0.]], dtype=float32)
    """
    if not isinstance(edits, Mapping):
        message = f"Expected a dict of what to put behind each layer, edit(model, {{layer: ...}}), got {shown(edits)}."
        raise OptionError(message)
    graph = trace(model)
    put: dict[str, keras.Layer] = dict(model.edits) if isinstance(model, Tapped) else {}
    for selector, change in edits.items():
        node = select(graph, selector)
        if node.origin == "opaque":
            raise not_capturable(node, model.name)
        if has_scores(graph.operations[node.path]) and node.class_name == SCORES_CLASS:
            raise _computed_aside(node)
        layer = _layer(change, node)
        put[node.path] = _behind(put[node.path], layer, node.path) if node.path in put else layer
    return Tapped(graph.root, None, put, name=f"{graph.root.name}_edited")


def _computed_aside(node: LayerNode) -> OptionError:
    attention = node.path.rpartition("/")[0]
    message = (
        f"Expected a layer whose output goes on, got {node.path!r}: attention scores are asked for by a call of their "
        f"own, and nothing in the model takes them from there. Put the change behind {attention!r}, the attention "
        "layer itself, or behind a layer inside it, as the query, key or value of a MultiHeadAttention."
    )
    return OptionError(message)


def _layer(change: Any, node: LayerNode) -> keras.Layer:
    """What is put behind a node, checked as far as the shape is known."""
    if not isinstance(change, keras.Layer):
        if not callable(change) or isinstance(change, type):
            message = (
                f"Expected a Keras layer or a callable to put behind {node.path!r}, got {shown(change)}. For example "
                "actwidget.Ablate([0, 1])."
            )
            raise OptionError(message)
        try:
            return Apply(change, name=_name("edit_of", node.path))
        except TypeError as error:  # Keras looks whether it takes a mask
            message = (
                f"Expected a callable with arguments that Python can tell to put behind {node.path!r}, got "
                f"{shown(change)}. Wrap it in a function: lambda v: f(v)."
            )
            raise OptionError(message) from error
    if isinstance(change, _OnChannels):
        change.check_dtype(node.dtype)
    if node.output_shape is not None:
        expected = keras.KerasTensor(node.output_shape, dtype=node.dtype)
        try:
            given = change.compute_output_spec(expected)
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
