"""The same grid by other means: plotly's FigureWidget with a heatmap, and a loop over matplotlib's subplots."""

from __future__ import annotations

import io
import time
from typing import Any

import numpy as np
from networks import LARGE, network
from table import Row

import actwidget as aw


def tiled(activation: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Channels of `(height, width, channels)` side by side as one array of floats."""
    height, width, count = activation.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    padded = np.zeros((height, width, rows * columns), activation.dtype)
    padded[..., :count] = activation
    return padded.reshape(height, width, rows, columns).transpose(2, 0, 3, 1).reshape(rows * height, columns * width)


def subplots_png(activation: np.ndarray[Any, Any]) -> bytes:
    """Every channel in a subplot of its own, as a PNG."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    count = activation.shape[-1]
    columns = int(np.ceil(np.sqrt(count)))
    figure, axes = plt.subplots(-(-count // columns), columns, figsize=(9, 9))
    for axis in axes.flat:
        axis.axis("off")
    for channel, axis in zip(range(count), axes.flat, strict=False):
        axis.imshow(activation[..., channel])
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    plt.close(figure)
    return stream.getvalue()


def drawings(name: str) -> list[Row]:
    """One large layer, its activation at hand: Python's time to draw it."""
    model, x = network(name)
    path = LARGE[name]
    view = aw.LayerExplorer(model, x)
    activation = aw.activations(model, x, path)[path][0]
    view.layer = path
    own = []
    for _ in range(5):
        view.layer = view.tree.children[0].path
        view._explorer.inspector.clear()
        start = time.perf_counter()
        view.layer = path
        own.append((time.perf_counter() - start) * 1000)
    subplots_png(activation[..., :4])  # fonts and back end are loaded
    start = time.perf_counter()
    picture = subplots_png(activation)
    spent = (time.perf_counter() - start) * 1000
    base = float(np.median(own))
    size = " × ".join(map(str, activation.shape))
    view.close()
    return [
        Row.of(f"actwidget, {path} ({size})", own, "ms"),
        Row(
            f"matplotlib, {activation.shape[-1]} subplots, PNG {len(picture) / 1e6:.1f} MB",
            spent,
            "ms",
            base=base,
            base_name="actwidget",
        ),
    ]
