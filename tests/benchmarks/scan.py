"""A scan of a whole data set beside `model.predict`, beside the loop that a person would write, and its memory."""

from __future__ import annotations

import gc
import time
import tracemalloc
from statistics import median

import keras
import numpy as np
from capturing import in_turn
from table import Row

import actwidget as aw

LAYERS = ["maps", "pooled", "more_maps", "units", "classes"]


def network() -> keras.Model:
    """A network for digits, so small that each thing done besides its pass is seen."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu", name="maps"),
            layers.MaxPooling2D(name="pooled"),
            layers.Conv2D(32, 3, activation="relu", name="more_maps"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu", name="units"),
            layers.Dense(10, activation="softmax", name="classes"),
        ]
    )


def scans(repeats: int, samples: int = 60_000) -> list[Row]:
    """Five layers of a small network: the time of a scan, and how its memory grows with the data.

    Who writes a loop that keeps activations needs 4 GB for all samples, so it gets a sixth of them.
    """
    model, x = network(), np.random.default_rng(0).random((samples, 28, 28, 1), np.float32)
    parts = keras.Model(model.inputs, [model.get_layer(name).output for name in LAYERS])

    def written_by_hand() -> None:
        kept = [parts(x[first : first + 32], training=False) for first in range(0, samples // 6, 32)]
        for each in zip(*kept, strict=True):
            values = np.concatenate([np.asarray(part) for part in each])
            axes = tuple(range(values.ndim - 1))
            values.mean(axes), values.std(axes), values.min(axes), values.max(axes), (values == 0).mean(axes)

    def predicted() -> None:
        model.predict(x, verbose=0)

    def scanned() -> None:
        aw.scan(model, x, LAYERS, progress=False)

    predict, scan, by_hand = in_turn(repeats, predicted, scanned, written_by_hand)
    turns = [(_seconds(predicted), _seconds(scanned)) for _ in range(repeats)]
    cpu = [median(each) for each in zip(*turns, strict=True)]
    base = median(predict)
    beside = {"base": base, "base_name": "predict"}
    few, many = (_peak(model, x[:size]) for size in (samples // 24, samples // 6))
    return [
        Row.of(f"model.predict of {samples:,} samples", predict, "ms"),
        Row.of("  aw.scan of 5 layers", scan, "ms", goal=1.15 * base, **beside),
        Row("    its seconds of the processor", cpu[1], "s", goal=1.15 * cpu[0], base=cpu[0], base_name="predict"),
        Row.of(
            f"  a loop that keeps activations, and NumPy, {samples // 6:,} samples",
            by_hand,
            "ms",
            base=base / 6,
            base_name="predict",
        ),
        Row(
            f"  memory of a scan of {samples // 6:,}", many, "MB", goal=few + 5, base=few, base_name="a quarter of them"
        ),
    ]


def _seconds(work: object) -> float:
    start = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - start


def _peak(model: keras.Model, x: np.ndarray) -> float:
    """The most that Python and NumPy hold at once during a scan, in MB."""
    gc.collect()
    tracemalloc.start()
    aw.scan(model, x, LAYERS, progress=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
