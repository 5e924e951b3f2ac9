"""Ablate, Scale and Replace: layers that put numbers of one's own into what flows by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import keras
import numpy as np

from actwidget.capture.edits.inserted import register
from actwidget.capture.structure.shapes import fits
from actwidget.errors import ChannelError, OptionError, shown
from actwidget.keras_internals.backend import backend
from actwidget.options import a_number, channel_numbers


class NumbersIn(keras.layers.Layer):  # type: ignore[misc]  # Keras has no type hints
    """Puts numbers into an activation, in the dtype that this has."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True
        self.built = True  # there are no weights

    def check(self, inputs: Any) -> None:
        """Raises an error unless an activation can hold the numbers.

        Raises:
            OptionError: It is sparse or ragged, or holds text; or whole numbers, and can't hold all to be put in.
        """
        self.check_kind(sparse=backend.is_sparse(inputs), ragged=backend.is_ragged(inputs))
        self.check_dtype(keras.backend.standardize_dtype(inputs.dtype))

    @property
    def _numbers(self) -> Any:
        """What is put in: a number or an array."""
        raise NotImplementedError

    def check_kind(self, *, sparse: bool, ragged: bool) -> None:
        """Raises an error unless an activation is a dense tensor.

        Raises:
            OptionError: It is sparse or ragged.
        """
        if sparse or ragged:
            message = (
                f"Expected a dense tensor for {self.name!r} to change, got a {'sparse' if sparse else 'ragged'} one. "
                f"Edit a layer after this one that gives a dense tensor, or use a callable that takes a "
                f"tf.{'Sparse' if sparse else 'Ragged'}Tensor and gives one."
            )
            raise OptionError(message)

    def check_dtype(self, dtype: str) -> None:
        """Raises an error unless an activation of this dtype (`""`: not known) can hold the numbers.

        Raises:
            OptionError: The activation holds text; or whole numbers, and its dtype can't hold all to be put in.
        """
        if dtype == "string":
            message = f"Expected numbers for {self.name!r} to change, got text, dtype 'string'. Use a callable there."
            raise OptionError(message)
        if not dtype.startswith(("int", "uint", "bool")):
            return
        given = np.atleast_1d(self._numbers)
        least, above = (0, 2) if dtype == "bool" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max) + 1)
        with np.errstate(all="ignore"):  # infinity has no remainder, whatever np.seterr says
            broken = given[given % 1 != 0]
            # Both bounds are powers of two, or 0, so that floats are compared with them exactly.
            outside = given[(given < least) | (given >= above)]
        if broken.size:
            message = (
                f"Expected whole numbers for {self.name!r} where the dtype is {dtype!r}, got {broken[0]}. Edit a layer "
                "after this one, whose output is no longer of that dtype, or use a callable."
            )
            raise OptionError(message)
        if outside.size:
            message = (
                f"Expected numbers from {least} to {above - 1} for {self.name!r}, which the dtype {dtype!r} can hold, "
                f"got {outside[0]}. Edit a layer after this one, whose output is no longer of that dtype, or use a "
                "callable."
            )
            raise OptionError(message)


class _OnChannels(NumbersIn):
    """Changes some channels and passes the others on."""

    def __init__(self, channels: int | Iterable[int], *, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels = channel_numbers(channels, type(self).__name__)
        self.axis = a_number(axis, "axis", type(self).__name__, Integral)

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
        self.check(inputs)
        return keras.ops.where(self.chosen(inputs.shape), keras.ops.cast(self.value, inputs.dtype), inputs)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer again."""
        return {**super().get_config(), "value": self.value}

    @property
    def _numbers(self) -> Any:
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
        self.check(inputs)
        return keras.ops.where(self.chosen(inputs.shape), inputs * keras.ops.cast(self.factor, inputs.dtype), inputs)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer again."""
        return {**super().get_config(), "factor": self.factor}

    @property
    def _numbers(self) -> Any:
        """The factor."""
        return self.factor


@register
class Replace(NumbersIn):
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
        super().__init__(**kwargs)
        try:
            self.array = np.asarray(array)
        except Exception as error:  # an array library of its own may raise anything
            raise _no_array(array) from error
        if self.array.dtype.kind not in "biufcV":  # of kind V is bfloat16
            raise _no_array(array)

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
        is_fitting = array.ndim == len(shape) and fits(array.shape[1:], shape[1:])
        samples = shape[0] if shape else None
        if is_fitting and samples is not None and array.shape[0] not in (1, samples):
            message = (
                f"Expected a batch of {array.shape[0]} samples for {self.name!r}, as its array of shape "
                f"{self.array.shape} has them, got {samples}. Pass all in one batch, with predict: "
                f"predict(x, batch_size={array.shape[0]}). An array of shape {array.shape[1:]} serves any number."
            )
            raise OptionError(message)
        if not is_fitting:
            message = (
                f"Expected an array of shape {tuple(shape[1:])}, or with the batch axis {tuple(shape)}, for "
                f"{self.name!r}, got {self.array.shape}."
            )
            raise OptionError(message)
        return array

    def call(self, inputs: Any) -> Any:
        """The array, once for each sample where it is given for one."""
        self.check(inputs)
        with np.errstate(all="ignore"):  # what is too small for the dtype is 0, whatever np.seterr says
            array = keras.ops.convert_to_tensor(self.fitted(inputs.shape), dtype=inputs.dtype)
        return keras.ops.broadcast_to(array, keras.ops.shape(inputs))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """The shape that comes, after a check of the array."""
        self.fitted(input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer again."""
        return {**super().get_config(), "array": self.array.tolist()}

    @property
    def _numbers(self) -> Any:
        """The array."""
        return self.array


def _no_array(value: Any) -> OptionError:
    return OptionError(f"Expected an array of numbers to put in the place of an activation, got {shown(value)}.")
