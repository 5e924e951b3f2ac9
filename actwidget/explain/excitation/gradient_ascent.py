"""`excite`: the pictures that excite a channel, a unit or a class most, by gradient ascent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from actwidget.capture.access.submodel import reason_against
from actwidget.capture.structure.selectors import select
from actwidget.capture.structure.supported_models import check_is_keras_model
from actwidget.capture.trace import read
from actwidget.explain.excitation.ascent import Ascent, Excitation, Step
from actwidget.explain.excitation.picture_input import PictureInput, picture_input, value_range
from actwidget.explain.progress import last_of
from actwidget.keras_internals.graph import function_of
from actwidget.options import at_least

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actwidget.capture.structure.model_graph import ModelGraph


def excite(
    model: keras.Model,
    layer: Any,
    channel: Any,
    *,
    steps: int = 64,
    size: Any = None,
    seed: int = 0,
    range: Any = None,  # noqa: A002 - what it is called where values of pictures have one
    progress: bool = False,
) -> Excitation:
    """The input that excites a channel, a unit or a class most, found by gradient ascent.

    The mean of the channel over all positions is climbed; of a layer that ends in a softmax or sigmoid what these are
    given, the logit of the class. Activation maximisation is due to Erhan et al., "Visualizing Higher-Layer Features
    of a Deep Network" (2009). Without more it finds noise, so the gradient's frequencies are weighted as those of
    photographs, with colours that go together as theirs, coarse shapes first; and the picture is moved a little before
    each step (Olah et al., "Feature Visualization", 2017). Pixels decay towards grey (Yosinski et al., "Understanding
    Neural Networks Through Deep Visualization", 2015).

    Args:
        model: A Keras model with one input, a picture.
        layer: A selector: a path, a unique name, an index into `model.layers`, or a layer.
        channel: The number of a channel, a unit or a class; or a list of them, which are made in one batch.
        steps: How many steps of gradient ascent.
        size: The pixels of a side, or `(height, width)`, for a model that takes pictures of any size; 224 by default.
        seed: Of the noise at the start and the moves: equal seeds give equal pictures. Global seeds stay as they are.
        range: The values of black and white that the model expects: `(0, 255)`, `(0, 1)` or `(-1, 1)`. A `Rescaling` or
            `Normalization` layer at its start tells; for other models it is what is given here, 0 to 1 by default.
        progress: Whether to print a progress bar.

    Returns:
        The picture, the channel's mean on it, and that after each step. The model does not change.

    Raises:
        UnsupportedModelError: `model` can't be explored, or does not take one picture.
        ModelNotBuiltError: `model` has no graph yet; call it on a batch first.
        LayerNotFoundError: `layer` matches no layer, or several.
        ChannelError: The layer has no such channel.
        NotCapturableError: The layer can't be captured, or no gradient goes from it to the picture.
        OptionError: `steps`, `size`, `seed` or `range` has a wrong value.
        CaptureError: The forward pass failed.

    Example:
        >>> import keras
        >>> x = keras.Input((16, 16, 1))
        >>> model = keras.Model(x, keras.layers.Conv2D(4, 3, kernel_initializer="ones", name="conv")(x))
        >>> white = excite(model, "conv", 2, steps=8)
        >>> white.image.shape, len(white.history), bool(white.history[-1] > white.history[0])
        ((1, 16, 16, 1), 8, True)
    """
    made = excitation_steps(model, layer, channel, steps=steps, size=size, seed=seed, range=range)
    return last_of(made, "step", progress=progress).result


def excitation_steps(
    model: keras.Model,
    layer: Any,
    channel: Any,
    *,
    steps: int = 64,
    size: Any = None,
    seed: int = 0,
    range: Any = None,  # noqa: A002 - as for `excite`
) -> Iterator[Step]:
    """The same as `excite` step by step: what there is so far can be looked at, and the rest be left out.

    The arguments and errors are those of `excite`; what is wrong with the arguments is raised before the first step.

    Yields:
        The ascent after each step; after the last, its `result` is what `excite` returns.
    """
    at_least(1, steps, "steps")
    at_least(0, seed, "seed")
    check_is_keras_model(model)
    graph, picture = _read(model, size)
    path = select(graph, layer).path
    if (error := reason_against(graph, path)) is not None:
        raise error
    return Ascent(graph, picture, path, channel, steps=steps, seed=seed, limits=value_range(graph, range)).run()


def _read(model: keras.Model, size: Any) -> tuple[ModelGraph, PictureInput]:
    """The graph of a model and the picture that it takes; a model without a graph is run on a grey one."""
    if function_of(model) is not None:
        picture = picture_input(model, size)
        return read(model)[0], picture
    graph = read(model)[0]  # which builds a model that can be built, and says what to do with another one
    picture = picture_input(model, size)
    if graph.inputs is None:
        graph = read(
            model, picture.as_input(np.full((1, picture.height, picture.width, picture.channels), 0.5, np.float32))
        )[0]
    return graph, picture
