"""What ideal inputs cost, beside the same number of forward and backward passes by hand in the same batches."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from networks import LARGE, network
from table import Row

import actwidget as aw
from actwidget.explain.excitation.gradient_ascent import excitation_steps

CHANNELS = range(64)


def by_hand(model: keras.Model, path: str, groups: list[np.ndarray]) -> Any:
    """A function that makes some forward and backward passes for each group of channels, compiled."""
    part = aw.submodel(model, path)

    @tf.function
    def passes(pictures: Any, channels: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            means = tf.reduce_mean(part(pictures, training=False), axis=[1, 2])
            score = tf.reduce_sum(tf.gather(means, channels, batch_dims=1))
        return tape.gradient(score, pictures)

    pictures = tf.random.Generator.from_seed(0).uniform((len(groups[0]), 224, 224, 3), 0, 255)
    tensors = [tf.constant(group) for group in groups]

    def run(steps: int) -> None:
        for _ in range(steps):
            for channels in tensors:
                passes(pictures, channels)

    return run


def ideal_inputs(repeats: int, steps: int) -> list[Row]:
    """64 channels of a layer of the first blocks, warm, in turn with the passes by hand."""
    model, _ = network("EfficientNet-Lite0")
    path = LARGE["EfficientNet-Lite0"]
    begun = next(excitation_steps(model, path, CHANNELS, steps=1))
    hand = by_hand(model, path, begun.groups)
    hand(1)
    aw.excite(model, path, CHANNELS, steps=1)
    taken: dict[str, list[float]] = {"hand": [], "own": []}
    for _ in range(repeats):
        for name, run in (("hand", hand), ("own", lambda count: aw.excite(model, path, CHANNELS, steps=count))):
            start = time.perf_counter()
            run(steps)
            taken[name].append(time.perf_counter() - start)
    base = float(np.median(taken["hand"]))
    what = f"{steps} steps for 64 channels of {path}"
    return [
        Row.of(f"{what}, forward and backward by hand", taken["hand"], "s"),
        Row.of(what, taken["own"], "s", goal=1.2 * base, base=base, base_name="by hand"),
    ]
