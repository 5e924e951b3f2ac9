"""Attribution one step after the other, so that a screen can draw what there is and stop."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from typing import Any

import keras

from actwidget.errors import OptionError, shown
from actwidget.explain.attribution import class_maps
from actwidget.explain.attribution.class_maps import class_map_steps
from actwidget.explain.attribution.feature_maps import map_place
from actwidget.explain.attribution.gradient_methods import gradient_steps, integrated_steps, smoothgrad_steps
from actwidget.explain.attribution.input_places import places_of_inputs
from actwidget.explain.attribution.job import Job, Partial, Settings
from actwidget.explain.attribution.occlusion_steps import occlusion_steps
from actwidget.explain.attribution.rollout import rollout_steps
from actwidget.explain.differentiation.passes import Passes
from actwidget.explain.differentiation.places import Place, place_at
from actwidget.explain.differentiation.target import target_of
from actwidget.options import at_least, one_of

_STEPS: dict[str, Callable[[Job], Iterator[Partial]]] = {
    "saliency": gradient_steps,
    "gradient_x_input": gradient_steps,
    "smoothgrad": smoothgrad_steps,
    "integrated_gradients": integrated_steps,
    **dict.fromkeys(class_maps.METHODS, class_map_steps),
    "occlusion": occlusion_steps,
    "attention_rollout": rollout_steps,
}
METHODS = tuple(_STEPS)


def attribution_steps(
    model: keras.Model,
    inputs: Any,
    target: Any = None,
    *,
    layer: Any = None,
    logits: bool = True,
    **options: Any,
) -> Iterator[Partial]:
    """Computes attributions step by step; the model is as it was between the steps.

    Args:
        model: A Keras model.
        inputs: One batch.
        target: As for `attributions`.
        layer: As for `attributions`.
        logits: As for `attributions`.
        **options: Those of `Settings`.

    Returns:
        An iterator of the states, of which the last one holds the result.

    Raises:
        OptionError, InvalidInputsError, NotCapturableError: As for `attributions`; what concerns the options at once,
            the rest with the first step.
    """
    settings = _checked(Settings(**{"method": "integrated_gradients", **options}))
    if not isinstance(logits, bool):
        message = f"Expected logits to be True or False, got {shown(logits)}."
        raise OptionError(message)
    passes = Passes(model, inputs, logits=logits)
    passes.target = target_of(target, passes.batch.size)
    return _STEPS[settings.method](_job(passes, settings, layer))


def _job(passes: Passes, settings: Settings, layer: Any) -> Job:
    places: list[Place | None]
    if settings.method == "attention_rollout":
        if layer is not None:
            message = "attention_rollout goes through the attention of all layers: leave layer out."
            raise OptionError(message)
        return Job(passes, settings, [Place("positions", "", 0)], at_layer=True)
    if settings.method in class_maps.METHODS:
        places = [map_place(passes, layer, settings.method)]
    else:
        places = places_of_inputs(passes) if layer is None else [place_at(passes, layer)]
    return Job(passes, settings, places, at_layer=layer is not None or settings.method in class_maps.METHODS)


def _checked(settings: Settings) -> Settings:
    one_of(settings.method, METHODS, "method")
    for name in ("steps", "samples", "batch_size"):
        at_least(1, getattr(settings, name), name)
    at_least(0, settings.seed, "seed")
    noise = settings.noise
    if not isinstance(noise, numbers.Real) or isinstance(noise, bool) or not 0 <= noise < float("inf"):
        message = f"Expected noise as a number from 0, a share of the input's range; got {shown(noise)}."
        raise OptionError(message)
    return settings
