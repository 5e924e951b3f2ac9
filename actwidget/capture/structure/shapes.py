"""Shapes with open axes, such as `(None, 28, 28, 3)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def fits(shape: Sequence[int | None], expected: Sequence[int | None]) -> bool:
    """Whether a shape can be the expected one, as far as both are known.

    >>> fits((2, 3), (None, 3)), fits((2, 3), (2, 3, 1))
    (True, False)
    """
    return len(shape) == len(expected) and all(
        None in (got, want) or got == want for got, want in zip(shape, expected, strict=True)
    )


def known_lengths(shape: Sequence[Any]) -> tuple[int | None, ...]:
    """A shape with an open axis for each length that is no number: JAX traces a layer with symbols for unknown ones.

    >>> known_lengths((None, 5, object()))
    (None, 5, None)
    """
    return tuple(length if isinstance(length, int) else None for length in shape)


def with_open_batch(shape: tuple[int | None, ...] | None, size: int | None) -> tuple[int | None, ...] | None:
    """A shape that was seen on, or declared for, a batch of `size`, with an open batch axis.

    >>> with_open_batch((8, 3), 8), with_open_batch((6, 3), 8)
    ((None, 3), (6, 3))
    """
    return (None, *shape[1:]) if shape and size is not None and shape[0] == size else shape
