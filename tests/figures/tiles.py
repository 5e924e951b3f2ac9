"""Tiles of a drawn grid, decoded."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from actwidget.analysis import mosaic


def decoded(trace):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(trace.source.partition(",")[2]))))


def tiles_of(trace, values, order, aspect):
    """The values, 0 to 1, of each channel's tile in its order."""
    shown = decoded(trace)
    tiles = mosaic(values, low=0, high=1, order=order, aspect=aspect)
    assert tiles.pixels.shape == shown.shape
    boxes = [tiles.box(channel) for channel in order.tolist()]
    return np.stack([shown[y0:y1, x0:x1] for x0, y0, x1, y1 in boxes])
