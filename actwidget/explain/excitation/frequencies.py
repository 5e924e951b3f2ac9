"""A filter of gradients by their spatial frequencies, as matrix products: no more work than a small layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

Array = np.ndarray[Any, Any]

FEW, MANY = 31, 63
"""How many waves each axis of a picture is taken apart into at most; what is finer is left together."""
DECLINE = 1.75
"""The gain falls with the frequency to this power; in photographs the amplitudes fall with the frequency itself."""
DECAY = 0.01
"""How far pixels go back to grey in each step, as a share of their distance from it."""
LOWEST = 0.01
"""Below this frequency, in cycles a pixel, the gain rises no more: pictures would become black or white as a whole."""
NEUTRAL = 0.35
"""The frequency that keeps its strength, in cycles a pixel: the middle of what is finer than the waves."""
FIRST_CUT, LAST_CUT = 0.03, 0.6
"""Above which frequency, in cycles a pixel, the filter cuts at the first and at the last step."""
# How the colours of pixels in ImageNet go together, from Lucid (Olah et al., 2017); the columns are directions.
_COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
_COLOUR_SHARE = 0.8


def waves(length: int, most: int = MANY) -> tuple[Array, Array]:
    """Cosines and sines over an axis, which go on at its other end.

    Args:
        length: How many pixels the axis has.
        most: How many waves there are at most.

    Returns:
        The waves as orthonormal columns, shape `(length, waves)`, and their frequencies in cycles a pixel, `(waves,)`.

    >>> basis, frequencies = waves(5)
    >>> np.allclose(basis.T @ basis, np.eye(5), atol=1e-6), frequencies.round(1).tolist()
    (True, [0.0, 0.2, 0.2, 0.4, 0.4])
    """
    highest = min((length - 1) // 2, most // 2)
    place = 2 * np.pi * np.arange(length) / length
    columns = [np.full(length, np.sqrt(1 / length))]
    for cycles in range(1, highest + 1):
        columns += [np.sqrt(2 / length) * wave(cycles * place) for wave in (np.cos, np.sin)]
    frequencies = np.array([0, *np.repeat(np.arange(1, highest + 1), 2)]) / length
    return np.stack(columns, axis=1).astype(np.float32), frequencies


@dataclass(frozen=True, eq=False)
class Filter:
    """A filter for gradients of pictures of one size.

    Attributes:
        rows: The waves down a picture, shape `(height, waves)`.
        columns: The waves across it, shape `(width, waves)`.
        frequencies: The frequency of each pair of these, shape `(waves down, waves across)`, in cycles a pixel.
        colours: Mixes the colours of the coarse part, shape `(channels, channels)`.
    """

    rows: Array
    columns: Array
    frequencies: Array
    colours: Array

    @classmethod
    def of(cls, height: int, width: int, channels: int, most: int = MANY) -> Filter:
        """The filter for pictures of a size, with at most so many waves along each axis."""
        (rows, down), (columns, across) = waves(height, most), waves(width, most)
        colours = np.eye(channels)
        if channels == 3:
            mixed = _COLOURS @ _COLOURS.T
            colours = _COLOUR_SHARE * mixed * 3 / np.trace(mixed) + (1 - _COLOUR_SHARE) * colours
        return cls(rows, columns, np.hypot(down[:, None], across[None]), colours.astype(np.float32))

    def gains(self, progress: float) -> tuple[Array, Array]:
        """By what each frequency is multiplied; coarse shapes come first, and finer ones later.

        Args:
            progress: How far the ascent is, from 0 to 1.

        Returns:
            For the coarse part what is added to the other gain, shape `(waves down, waves across)`; and the gain of
            what is finer than the waves.
        """
        cut = FIRST_CUT + (LAST_CUT - FIRST_CUT) * progress
        fine = np.exp(-((0.25 / cut) ** 2))
        falling = (np.maximum(self.frequencies, LOWEST) / NEUTRAL) ** -DECLINE
        coarse = falling * np.exp(-((self.frequencies / cut) ** 2))
        return (coarse - fine).astype(np.float32), np.asarray(fine, np.float32)

    def run(self, pictures: Any, gradients: Any, gains: tuple[Any, Any], rate: Any, grey: float) -> Any:
        """Pictures one step further, before values out of range are cut off, as tensors; it can be compiled.

        Args:
            pictures: Shape `(pictures, height, width, channels)`.
            gradients: Their gradients, of the same shape.
            gains: What `gains` gives.
            rate: The standard deviation of what is added to the pixels of a picture.
            grey: What pixels decay to.

        Returns:
            The new pictures, and the standard deviation of each one's filtered gradient, shape `(pictures,)`.
        """
        ops = keras.ops
        (coarse, fine), (count, height, width, channels) = gains, pictures.shape
        rows, columns = ops.convert_to_tensor(self.rows), ops.convert_to_tensor(self.columns)
        down, across = self.rows.shape[1], self.columns.shape[1]
        # Each axis by one product over all that is on the others. The colours change places while there is little.
        waves = ops.matmul(ops.transpose(rows), ops.reshape(gradients, (count, height, width * channels)))
        waves = ops.transpose(ops.reshape(waves, (count, down, width, channels)), (0, 1, 3, 2))
        waves = ops.reshape(ops.matmul(ops.reshape(waves, (-1, width)), columns), (count, down, channels, across))
        change = ops.matmul(ops.convert_to_tensor(self.colours), waves * ops.expand_dims(coarse, 1))
        # The waves are orthonormal, so squares add up to the same for them as for pixels.
        strength = ops.sum(ops.square(change + fine * waves), axis=(1, 2, 3))
        finer = ops.sum(ops.square(gradients), axis=(1, 2, 3)) - ops.sum(ops.square(waves), axis=(1, 2, 3))
        strength += ops.square(fine) * ops.maximum(finer, 0.0)
        length = ops.sqrt(strength / (height * width * channels))
        scale = ops.reshape(rate / ops.maximum(length, 1e-30), (count, 1, 1, 1))
        # Towards grey everywhere is a change of the wave of no cycles alone.
        still = np.zeros((1, down, 1, across), np.float32)
        still[0, 0, 0, 0] = DECAY * grey * np.sqrt(height * width)
        change = scale * change + ops.convert_to_tensor(still)
        change = ops.matmul(ops.reshape(change, (-1, across)), ops.transpose(columns))
        change = ops.transpose(ops.reshape(change, (count, down, channels, width)), (0, 1, 3, 2))
        change = ops.matmul(rows, ops.reshape(change, (count, down, width * channels)))
        change = ops.reshape(change, (count, height, width, channels))
        return (1 - DECAY) * pictures + change + (fine * scale) * gradients, length
