"""Contents of figures, and what their pictures show."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from actwidget.analysis import LEVELS, histogram, statistics
from actwidget.figures import ActivationContent, channel_order, picture

RNG = np.random.default_rng(3)
SAMPLES = {
    "maps": RNG.normal(size=(9, 7, 10)).astype("float32"),
    "rectified maps": np.maximum(RNG.normal(size=(9, 7, 10)), 0).astype("float32"),
    "one pixel": RNG.normal(size=(1, 1, 300)).astype("float32"),
    "many units": RNG.normal(size=400).astype("float32"),
    "sequence": RNG.normal(size=(12, 5)).astype("float32"),
    "volume": RNG.normal(size=(3, 4, 4, 6)).astype("float32"),
    "whole numbers": RNG.integers(0, 9, (4, 4, 3)),
    "booleans": RNG.random((4, 4, 3)) > 0.5,
}


def content(
    sample, *, order_name="index", scaling="layer", channel=None, title="layer", names=None, at=None, label=None
):
    found = statistics(sample[np.newaxis])
    own = None if channel is None else sample[..., channel]
    return ActivationContent(
        title=title,
        picture=picture(sample, found, channel_order(found, order_name), scaling, at=at),
        statistics=found,
        histogram=histogram(sample, channel_values=own),
        channel=channel,
        order_name=order_name,
        class_names=names,
        label=label,
    )


def decoded(uri):
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert image.mode == "P"
    return np.asarray(image)


def shown_values(figure, shown):
    """The values that the picture's colours stand for, by position: (positions, height, width)."""
    levels = decoded(figure.data[0].source)
    drawn = shown.picture
    count, height, width = drawn.values.shape
    if drawn.tiles is None:
        tiles = [levels[row : row + 1] for row in range(count)]
    else:
        boxes = [drawn.tiles.box(channel) for channel in drawn.order.tolist()]
        tiles = [levels[int(y0) : int(y1), int(x0) : int(x1)] for x0, y0, x1, y1 in boxes]
    stacked = np.stack(tiles)
    assert stacked.shape == (count, height, width)
    assert (stacked < LEVELS).all()
    return stacked / (LEVELS - 1)


def middle_of(sample):
    while sample.ndim > 3:
        sample = sample[(len(sample) - 1) // 2]
    if sample.ndim == 1:
        return sample[:, np.newaxis, np.newaxis].astype(float)
    if sample.ndim == 2:
        return sample.T[:, np.newaxis, :].astype(float)
    return np.moveaxis(sample, -1, 0).astype(float)
