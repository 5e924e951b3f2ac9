"""An explorer on a model with maps, a vector and classes."""

from __future__ import annotations

import keras
from ipywidgets.widgets import widget
from keras import layers

import actwidget as aw
from tests.capture import zoo

# Every widget that is open in this process, by its id. In ipywidgets 7 its class holds them.
open_widgets = widget._instances if hasattr(widget, "_instances") else widget.Widget.widgets


def explorer(name: str = "net", layer: str = "conv") -> aw.LayerExplorer:
    """A new model called `name`, whose convolution is called `layer`, with two pictures."""
    keras.utils.set_random_seed(0)
    x = keras.Input((8, 8, 3), name="image")
    y = layers.Conv2D(6, 3, activation="relu", name=layer)(x)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    model = keras.Model(x, layers.Dense(3, activation="softmax", name="out")(y), name=name)
    return aw.LayerExplorer(model, zoo.noise(2, 8, 8, 3))
