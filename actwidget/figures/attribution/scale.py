"""The colours of attributions: what speaks for the answer, and what against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.overlay import veil

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actwidget.figures.parts.palette import ColorRange

FOR, AGAINST = "#d65f45", "#4287d6"
"""The colours of what speaks for the answer, and against it: readable on light and dark pages, with text over them."""
PLAIN = "#2a9d8f"
"""The colour of sizes."""
SIGNED = ((0.0, 1.0), (0.25, 0.6), (0.375, 0.35), (0.5, 0.0), (0.625, 0.35), (0.75, 0.6), (1.0, 1.0))
"""How opaque the colours are along the scale, as a share of the most."""
UNSIGNED = ((0.0, 0.0), (0.5, 0.6), (1.0, 1.0))
STRONG, UNDER_TEXT = 0.95, 0.7
"""How opaque the strongest colours are over a picture and below words."""


def scale_of(color: ColorRange, *, is_text: bool) -> list[list[Any]]:
    """The colours: transparent where there is nothing, so that what is below shows; the same on light and dark pages.

    Args:
        color: The range of the values.
        is_text: Whether they are below words, which have to be readable on the strongest of them.
    """
    most = UNDER_TEXT if is_text else STRONG
    if color.scale == "balance":
        return [[place, _rgba(AGAINST if place < 0.5 else FOR, alpha * most)] for place, alpha in SIGNED]
    if is_text:
        return [[place, _rgba(PLAIN, alpha * most)] for place, alpha in UNSIGNED]
    return veil(color.scale)


def _rgba(color: str, alpha: float) -> str:
    red, green, blue = bytes.fromhex(color[1:])
    return f"rgba({red},{green},{blue},{alpha:.3f})"


def signed_pixels(values: NDArray[np.float32], color: ColorRange) -> NDArray[np.uint8]:
    """The same colours of values of both signs as pixels, shape `(rows, columns, 4)`."""
    share = np.clip(np.nan_to_num(values) / (color.high or 1.0), -1, 1)
    places, alphas = zip(*SIGNED, strict=True)
    pixels = np.empty((*values.shape, 4), np.uint8)
    against, speaking = (np.frombuffer(bytes.fromhex(each[1:]), np.uint8) for each in (AGAINST, FOR))
    pixels[..., :3] = np.where((share < 0)[..., np.newaxis], against, speaking)
    pixels[..., 3] = np.rint(255 * STRONG * np.interp(share / 2 + 0.5, places, alphas))
    return pixels
