"""What `aw.Watch` adds to a training: the same training with and without it, in turn."""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from table import Row

import actwidget as aw
from actwidget.samples import digits, digits_cnn, efficientnet_lite0

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL = 1.05
HEAD = ["head_pool", "digit"]


def watched(repeats: int, *, cpu: bool = False) -> list[Row]:
    """The digits network as `digits_cnn` trains it, and EfficientNet-Lite0 with a new head.

    Args:
        repeats: How often each is trained.
        cpu: Whether to measure the time of the processors, which other processes change less.
    """
    clock = time.process_time if cpu else time.perf_counter
    images, labels = digits()
    pictures = np.repeat(keras.ops.convert_to_numpy(keras.ops.image.resize(images[:256] * 255, (224, 224))), 3, axis=-1)

    def trained_digits(model: keras.Model, *callbacks: Any) -> None:
        model.fit(images, labels, batch_size=35, epochs=8, verbose=0, callbacks=list(callbacks))

    def trained_head(model: keras.Model, *callbacks: Any) -> None:
        model.fit(pictures, labels[:256], batch_size=32, epochs=3, verbose=0, callbacks=list(callbacks))

    rows = []
    for name, options in (("", {}), (", stop_on_nan", {"stop_on_nan": True}), (", gradients", {"gradients": True})):
        watch = partial(aw.Watch, images[:32], **options)
        measured = _measured(partial(digits_cnn, epochs=0, verbose=False), trained_digits, watch, repeats, clock)
        rows.append(_row(f"digits network, 8 epochs{name}", *measured))
    for name, layers, options in (
        ("all layers", None, {}),
        ("two layers", HEAD, {}),
        ("two layers, stop_on_nan", HEAD, {"stop_on_nan": True}),
        ("two layers, gradients", HEAD, {"gradients": True}),
    ):
        watch = partial(aw.Watch, pictures[:8], layers, **options)
        measured = _measured(_with_head, trained_head, watch, repeats, clock)
        rows.append(_row(f"EfficientNet-Lite0's head, 3 epochs, {name}", *measured))
    return rows


def _with_head() -> keras.Model:
    base = efficientnet_lite0()
    base.trainable = False
    output = keras.layers.Dense(10, "softmax", name="digit")(base.get_layer("head_pool").output)
    model = keras.Model(base.input, output)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _measured(
    make: Callable[[], keras.Model],
    train: Callable[..., None],
    watch: Callable[[], aw.Watch],
    repeats: int,
    clock: Callable[[], float],
) -> tuple[list[float], list[float]]:
    """The times of some trainings without a watch, and of as many with one."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for times, callbacks in zip(taken, ([], [watch()]), strict=True):
            model = make()
            start = clock()
            train(model, *callbacks)
            times.append(clock() - start)
    return taken


def _row(what: str, without: list[float], with_watch: list[float]) -> Row:
    base = median(without)
    return Row.of(what, with_watch, "s", goal=GOAL * base, base=base, base_name="that without")
