"""The pictures of samples of a scan's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.errors import ActwidgetError
from actwidget.explorer.samples.items import as_pictures
from actwidget.figures import small_picture

if TYPE_CHECKING:
    from actwidget.explorer.layer_data import LayerData
    from actwidget.explorer.layer_values import Array
    from actwidget.scanning.result import Scan


def scanned_picture(scan: Scan, sample: int) -> Array | None:
    """The first input of a sample that is a picture, `(height, width, 1 or 3)`; `None` if there is none to be had."""
    if scan.missing_samples:
        return None
    try:
        return _first(keras.tree.flatten(scan.sample(sample)), 0)
    except ActwidgetError:
        return None


def thumbnail(scan: Scan, sample: int) -> bytes:
    """A small picture of a sample, as the bytes of a file; `b""` for none."""
    pixels = scanned_picture(scan, sample)
    return b"" if pixels is None else small_picture(pixels) or b""


def batch_picture(data: LayerData) -> Array | None:
    """The same of the explorer's sample."""
    batch = data.sources.session.batch
    return None if batch is None else _first(batch.samples, data.sample)


def _first(inputs: Any, sample: int) -> Array | None:
    arrays = [np.asarray(each) for each in inputs if each is not None]
    found = next((each for each in map(as_pictures, arrays) if each is not None), None)
    return None if found is None else np.asarray(found[sample])
