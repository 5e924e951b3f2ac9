"""The attributions of one sample as they are drawn: those of a pixel's colours or a token's vector as one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actwidget.figures.attribution.content import Part
from actwidget.figures.parts.input_image import is_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_TOKENS = 2_000


def part_of(
    values: NDArray[Any],
    given: NDArray[Any] | None,
    name: str,
    *,
    is_signed: bool,
    labels: Sequence[str] = (),
) -> Part:
    """The attributions of one sample of an input.

    Args:
        values: Those of the input's shape, or of fewer axes: a map, or one number a token.
        given: The input's sample; `None` if there is none.
        name: What it is called.
        is_signed: Whether signs mean anything; otherwise sizes are shown.
        labels: The tokens or the names of the features.

    >>> part_of(np.array([[[1.0, -2.0]]]), None, "x", is_signed=True).values.tolist()
    [[-1.0]]
    >>> part_of(np.array([1.0, -2.0]), None, "x", is_signed=False).values.tolist()
    [1.0, 2.0]
    """
    values = np.asarray(values, np.float32)
    if given is not None and values.shape == given.shape and _is_channels_first(given):
        values, given = np.moveaxis(values, 0, -1), np.moveaxis(given, 0, -1)
    has_channels = values.ndim > 2 and (given is None or given.ndim == values.ndim)
    values = reduced(values, is_signed=is_signed) if has_channels else values if is_signed else np.abs(values)
    if values.ndim > 2:
        return _slice(values, given, name)
    return _plane(values, given, name) if values.ndim == 2 else _line(values.reshape(-1), given, name, labels)


def reduced(values: NDArray[Any], *, is_signed: bool) -> NDArray[Any]:
    """One number for each position: the sum over the last axis, or where signs mean nothing the largest size."""
    summed: NDArray[Any] = values.sum(axis=-1) if is_signed else np.abs(values).max(axis=-1)
    return summed


def _is_channels_first(given: NDArray[Any]) -> bool:
    if given.ndim != 3 or is_picture(given.shape, given.dtype):
        return False
    return is_picture((*given.shape[1:], given.shape[0]), given.dtype)


def _plane(values: NDArray[Any], given: NDArray[Any] | None, name: str) -> Part:
    if given is not None and is_picture(given.shape, given.dtype):
        return Part(name, "picture", values, pixels=given)
    if given is None or given.shape != values.shape:
        return Part(name, "picture", values)
    if values.shape[1] == 1:
        return Part(name, "signal", values[:, 0], given=given[:, 0])
    return Part(name, "steps", values)


def _slice(values: NDArray[Any], given: NDArray[Any] | None, name: str) -> Part:
    """Of a volume the slice with the most in it."""
    slices = values.reshape(-1, *values.shape[-2:])
    sizes = np.abs(slices).sum(axis=(1, 2))
    most = int(sizes.argmax())
    pixels = None
    if given is not None and given.shape[: values.ndim] == values.shape and given.shape[-1] in {1, 3}:
        pixels = given.reshape(-1, *given.shape[-3:])[most]
        pixels = pixels if is_picture(pixels.shape, pixels.dtype) else None
    note = f"slice {most} of {len(slices)}, which has the most"
    return Part(name, "picture", slices[most], pixels=pixels, note=note)


def _line(values: NDArray[Any], given: NDArray[Any] | None, name: str, labels: Sequence[str]) -> Part:
    """One number for each token, feature or step."""
    count = len(values)
    fits = given is not None and given.ndim > 0 and len(given) == count
    is_named = len(labels) == count
    if given is not None and fits and given.ndim == 1 and given.dtype.kind in "iuOSU" and count <= MOST_TOKENS:
        texts = list(labels) if is_named else [_text(each) for each in given.tolist()]
        return Part(name, "text", values, labels=texts)
    if given is not None and fits and given.ndim == 1:
        return Part(name, "bars", values, labels=list(labels) if is_named else feature_names(count, name), given=given)
    if is_named:
        return Part(name, "text", values, labels=list(labels))
    if given is not None and given.ndim == 2 and count > 1:  # steps, perhaps fewer than those of the input
        return Part(name, "signal", values, given=given[:, 0] if given.shape == (count, 1) else None)
    return Part(name, "bars", values, labels=feature_names(count, name), given=given if fits else None)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def feature_names(count: int, name: str) -> list[str]:
    """What features without names are called.

    >>> feature_names(2, "the input"), feature_names(2, "input sizes"), feature_names(1, "input age")
    (['feature 0', 'feature 1'], ['sizes 0', 'sizes 1'], ['age'])
    """
    of = name.removeprefix("input ") if name.startswith("input ") else ""
    if count == 1:
        return [of or "feature 0"]
    return [f"{of or 'feature'} {number}" for number in range(count)]
