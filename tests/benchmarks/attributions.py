"""Attributions beside the same passes by hand, compiled, in the same batches."""

from __future__ import annotations

from statistics import median

import keras
import numpy as np
import tensorflow as tf
from capturing import in_turn
from table import Row

import actwidget as aw
from actwidget import samples
from actwidget.explain.differentiation.known_models import known_model

STEPS, BATCH, CLASS, LAYER = 50, 32, 5, "block5_dw"


def attribution_passes(repeats: int) -> list[Row]:
    """Saliency, Grad-CAM and integrated gradients of EfficientNet-Lite0, and how often their second call is traced."""
    model = samples.efficientnet_lite0()
    picture = np.random.default_rng(0).random((1, 224, 224, 3), np.float32) * 255
    batches = [np.repeat(picture, size, axis=0) for size in (BATCH, STEPS + 1 - BATCH)]

    @tf.function
    def gradient(values: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(values)
            score = tf.reduce_sum(model(values, training=False)[:, CLASS])
        return tape.gradient(score, values)

    inner = keras.Model(model.inputs, [aw.submodel(model, LAYER).output, model.output])

    @tf.function
    def at_layer(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            maps, answer = inner(values, training=False)
            tape.watch(maps)
            score = tf.reduce_sum(answer[:, CLASS])
        return maps, tape.gradient(score, maps)

    def explained(method: str, **options: object) -> aw.Attributions:
        return aw.attributions(model, picture, CLASS, method=method, batch_size=BATCH, **options)

    saliency, raw, cam, raw_cam = in_turn(
        3 * repeats,
        lambda: explained("saliency"),
        lambda: gradient(tf.constant(picture)).numpy(),
        lambda: explained("grad_cam", layer=LAYER),
        lambda: [each.numpy() for each in at_layer(tf.constant(picture))],
    )
    integrated, raw_integrated = in_turn(
        repeats,
        lambda: explained("integrated_gradients", steps=STEPS),
        lambda: [gradient(tf.constant(batch)).numpy() for batch in batches],
    )
    functions = known_model(model).functions.values()
    before = sum(function.traces for function in functions)
    for method in ("saliency", "grad_cam", "integrated_gradients"):
        explained(method, **({"layer": LAYER} if method == "grad_cam" else {}))
    retraced = sum(function.traces for function in functions) - before
    return [
        _row("saliency of one picture", saliency, raw, 1.1, "one pass"),
        _row("Grad-CAM", cam, raw_cam, 1.2, "a pass to the layer and back"),
        _row(f"integrated gradients, {STEPS} steps", integrated, raw_integrated, 1.1, f"{STEPS + 1} passes"),
        Row("  passes traced again by a second call", retraced, "", goal=0),
    ]


def _row(what: str, values: list[float], raw: list[float], most: float, base: str) -> Row:
    return Row.of(what, values, "ms", goal=most * median(raw), base=median(raw), base_name=base)
