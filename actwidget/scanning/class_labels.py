"""Labels as Keras users give them, read as whole numbers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from actwidget.capture.run.conversion import as_array
from actwidget.errors import OptionError, shown


def class_labels(labels: Any, count: int | None = None) -> npt.NDArray[np.int64]:
    """The labels of some samples as whole numbers, shape `(samples,)`.

    Args:
        labels: Whole numbers of shape `(samples,)` or `(samples, 1)`, or one-hot, `(samples, classes)`.
        count: How many samples there are, if that is known.

    Raises:
        OptionError: They are something else, or as many as there are no samples.
    """
    expected = "Expected labels as whole numbers of shape (samples,) or (samples, 1), or one-hot"
    try:
        array = as_array(labels) if keras.ops.is_tensor(labels) else np.asarray(labels)
    except Exception as error:
        message = f"{expected}; got {shown(labels)}."
        raise OptionError(message) from error
    got = f"{array.dtype} of shape {array.shape}"
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind not in "biuf" or array.ndim not in {1, 2}:
        message = f"{expected}; got {got}."
        raise OptionError(message)
    if array.ndim == 2:
        if not (np.isin(array, (0, 1)).all() and (array.sum(axis=1) == 1).all()):
            message = f"{expected}; got {got}, whose rows are not one 1 among zeros each."
            raise OptionError(message)
        array = array.argmax(axis=1)
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.trunc(array)).all()):
        message = f"{expected}; got fractions, {got}."
        raise OptionError(message)
    if count is not None and len(array) != count:
        message = f"Expected a label for each of {count:,} samples, got {len(array):,}."
        raise OptionError(message)
    return array.astype(np.int64)


def labels_by_shard(labels: Any, shards: int) -> list[Any]:
    """A list of labels, one for each shard, or one array that is cut later.

    Raises:
        OptionError: There are more or fewer than shards.
    """
    if isinstance(labels, (list, tuple)) and all(getattr(each, "shape", ()) for each in labels):
        if len(labels) != shards:
            message = f"Expected labels for each of {shards} shards, got {len(labels)}."
            raise OptionError(message)
        return list(labels)
    return [labels]
