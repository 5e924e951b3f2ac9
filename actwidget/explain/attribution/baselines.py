"""The baselines of integrated gradients: what stands for "nothing there"."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.errors import InvalidInputsError, shown

if TYPE_CHECKING:
    from actwidget.explain.attribution.job import Job

Array = np.ndarray[Any, Any]


def baselines(given: Any, origins: list[Array], job: Job) -> list[Array]:
    """For each place a baseline in its shape.

    Args:
        given: A number, one sample, or a batch; for several inputs a structure of these as the model takes them. `None`
            stands for zeros.
        origins: The values at each place, shape `(samples, ...)`.
        job: What is computed.

    Raises:
        InvalidInputsError: One of them has another shape.
    """
    single = given is None or isinstance(given, numbers.Real) or len(origins) == 1
    if single:
        each = [given] * len(origins)
    else:
        flat = keras.tree.flatten(given)
        each = [part for part, place in zip(flat, job.places, strict=False) if place is not None]
        if len(flat) not in {len(origins), len(job.places)}:
            message = (
                f"Expected a baseline for each of the {len(origins)} inputs of model {job.passes.model.name!r}, in the "
                f"structure of the inputs, or one number for all; got {shown(given)}."
            )
            raise InvalidInputsError(message)
        each = flat if len(flat) == len(origins) else each
    names = [place.path or place.name for place in job.taken]
    return [_baseline(*pair) for pair in zip(each, origins, names, strict=True)]


def _baseline(given: Any, origin: Array, name: str) -> Array:
    if given is None:
        return np.zeros_like(origin)
    try:
        array = np.asarray(keras.ops.convert_to_numpy(given) if keras.ops.is_tensor(given) else given)
        array = array.astype(origin.dtype)
    except (TypeError, ValueError):
        array = None
    if array is not None and (
        array.ndim == 0 or array.shape in {origin.shape, origin.shape[1:], (1, *origin.shape[1:])}
    ):
        return np.broadcast_to(array, origin.shape)
    got = shown(given) if array is None else f"an array of shape {array.shape}"
    message = (
        f"Expected the baseline for {name!r} as a number, one sample of shape {origin.shape[1:]} or a batch of shape "
        f"{origin.shape}; got {got}."
    )
    raise InvalidInputsError(message)
