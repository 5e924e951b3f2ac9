"""Which layer holds each weight, and which channels of the outermost layer come of it."""

from __future__ import annotations

import keras
from keras import layers

from actwidget.capture.semantics.weight_layout import UNKNOWN_AXES, weight_holders


def holders(layer):
    """For each weight, by its path, the layer that holds it and the first channel that comes of it."""
    found = weight_holders(layer)
    held = [(weight, found[id(weight)]) for weight in layer.weights]
    return {weight.path: (holder.layer, holder.first_channel) for weight, holder in held}


def test_only_the_layer_that_gives_the_output_gives_channels_of_it():
    first, last = layers.Dense(4, name="first"), layers.Dense(3, name="last")
    model = keras.Sequential([keras.Input((5,)), first, last])
    assert set(holders(model).values()) == {(first, None), (last, 0)}


def test_the_channels_of_the_backward_layer_come_behind_those_of_the_forward_layer():
    both = layers.Bidirectional(layers.LSTM(3))
    both.build((None, 4, 2))
    assert set(holders(both).values()) == {(both.forward_layer, 0), (both.backward_layer, 3)}
    summed = layers.Bidirectional(layers.LSTM(3), merge_mode="sum")
    summed.build((None, 4, 2))
    assert set(holders(summed).values()) == {(summed.forward_layer, 0), (summed.backward_layer, 0)}


def test_where_the_channels_are_not_last_a_normalization_scales_no_channels():
    for axis, first in ((-1, 0), (1, None)):
        layer = layers.LayerNormalization(axis=axis)
        layer.build((None, 4, 5))
        assert set(holders(layer).values()) == {(layer, first)}


def test_a_class_made_from_one_of_keras_s_keeps_its_weights_and_groups_and_what_it_adds_is_not_known():
    class Convolution(layers.Conv2D):
        def build(self, shape):
            super().build(shape)
            self.temperature = self.add_weight(name="temperature", shape=(3, 3))

    layer = Convolution(4, 3, groups=2)
    layer.build((None, 8, 8, 6))
    holder = weight_holders(layer)[id(layer.kernel)]
    assert (holder.axes_of("kernel").inputs, holder.axes_of("kernel").outputs) == ((-2,), (-1,))
    assert (holder.groups, holder.width) == (2, 4)
    assert holder.axes_of("temperature") == UNKNOWN_AXES
