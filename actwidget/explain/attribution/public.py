"""`attributions`: which parts of an input an answer depends on."""

from __future__ import annotations

from typing import Any

import keras

from actwidget.explain.attribution.result import Attributions
from actwidget.explain.attribution.steps import attribution_steps
from actwidget.explain.progress import last_of


def attributions(
    model: keras.Model,
    inputs: Any,
    target: Any = None,
    *,
    method: str = "integrated_gradients",
    layer: Any = None,
    baseline: Any = None,
    steps: int = 50,
    samples: int = 25,
    noise: float = 0.15,
    patch: Any = None,
    stride: Any = None,
    logits: bool = True,
    seed: int = 0,
    batch_size: int = 32,
    progress: bool = False,
) -> Attributions:
    """Attributes a model's answer to the values of its input, or of an activation inside it.

    Args:
        model: A Keras model of any kind. It is left as it was.
        inputs: One batch: an array of shape `(samples, ...)`, or a list or dict of them as the model takes it. The
            names of a table's columns, as of a `pandas.DataFrame`, are kept for figures and frames.
        target: What is explained: the number of a class, one for each sample, a callable that makes one number a
            sample of the outputs, or `None` for the top class of each sample. Of a single sigmoid unit 1 (or `None`) is
            the unit itself, and 0 its opposite.
        method: `"saliency"` (the gradient itself), `"gradient_x_input"`, `"smoothgrad"` (Smilkov et al. 2017),
            `"integrated_gradients"` (Sundararajan et al. 2017), `"grad_cam"` (Selvaraju et al. 2017),
            `"grad_cam_plus_plus"` (Chattopadhay et al. 2018), `"layer_cam"` (Jiang et al. 2021), `"occlusion"` (Zeiler
            and Fergus 2014) or `"attention_rollout"` (Abnar and Zuidema 2020).
        layer: A selector of the activation that the values are for; `None` for the inputs, or for class activation
            maps the last layer with feature maps.
        baseline: For integrated gradients, where the path begins: a number, one sample, or a batch; zeros by default.
        steps: For integrated gradients, the number of intervals of the path (trapezoid rule).
        samples: For SmoothGrad, the number of draws.
        noise: For SmoothGrad, the standard deviation of the noise, as a share of each sample's own range.
        patch: For occlusion, the length of the patch along each axis of positions; an eighth of the side by default.
        stride: For occlusion, the distance from patch to patch; half a patch by default.
        logits: Whether the target is taken before a final softmax or sigmoid, where the model is known to end in one.
        seed: For SmoothGrad, the seed of the noise.
        batch_size: How many samples go through the model at a time.
        progress: Whether to print a progress bar.

    Returns:
        The attributions, with the target, its score, and what can be checked of them.

    Raises:
        UnsupportedModelError, InvalidInputsError, LayerNotFoundError, CaptureError: As for `activations`.
        OptionError: An option has a wrong value, or the target is no class of the model.
        InvalidInputsError: The baseline has another shape.
        NotCapturableError: No differentiable way leads from the target to the input or the layer.

    Example:
        >>> import keras, numpy as np
        >>> layers = [keras.Input((4,)), keras.layers.Dense(3, activation="softmax")]
        >>> found = attributions(keras.Sequential(layers), np.ones((2, 4)), target=1)
        >>> found.values.shape, found.pre_activation, bool(abs(found.delta).max() < 1e-5)
        ((2, 4), 'softmax', True)
    """
    states = attribution_steps(
        model,
        inputs,
        target,
        layer=layer,
        logits=logits,
        method=method,
        baseline=baseline,
        steps=steps,
        samples=samples,
        noise=noise,
        patch=patch,
        stride=stride,
        seed=seed,
        batch_size=batch_size,
    )
    return last_of(states, "pass", progress=progress).attributions
