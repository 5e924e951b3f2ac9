"""Which axis holds the channels, and whether steps keep their order, against the values themselves."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from actwidget.capture.semantics.channel_axis import ChannelAxis, channel_axis_of, keeps_steps
from actwidget.capture.trace import trace
from actwidget.keras_internals.versions import NO_RMS_NORMALIZATION
from tests.capture import zoo


def channel_axis(model, path):
    graph = trace(model)
    return channel_axis_of(graph.nodes[path], graph.operations[path])


BEHIND_A_NORMALIZATION = {
    "nothing": lambda y: y,
    "relu": ops.relu,
    "power": lambda y: ops.power(y, 2),
    "mean of two": lambda y: layers.Average()([y, 2.0 * y]),
    "softsign": ops.softsign,
    "dropout": lambda y: layers.Dropout(0.5)(-y),
}


@pytest.mark.parametrize("axis", [1, 2, 3])
@pytest.mark.parametrize("name", BEHIND_A_NORMALIZATION)
def test_a_channel_that_a_normalization_switches_off_is_one_along_the_axis_that_is_named(name, axis):
    x = keras.Input((3, 4, 5))
    norm = layers.BatchNormalization(axis, center=False)
    model = keras.Model(x, layers.Identity(name="end")(BEHIND_A_NORMALIZATION[name](norm(x))))
    found = channel_axis(model, "end")
    assert found == ChannelAxis(axis if axis < 3 else -1, "channel", is_explicit=True)
    norm.gamma.assign([0.0] + [1.0] * (norm.gamma.shape[0] - 1))
    by_channel = found.moved_last(ops.convert_to_numpy(model(zoo.noise(2, 3, 4, 5))))
    assert not by_channel[..., 0].any()
    assert by_channel[..., 1:].any(axis=(0, 1, 2)).all()
    assert found.count((None, 3, 4, 5)) == by_channel.shape[-1]


@pytest.mark.parametrize(
    "layer", ["LayerNormalization", pytest.param("RMSNormalization", marks=pytest.mark.not_where(NO_RMS_NORMALIZATION))]
)
def test_in_feature_maps_what_is_normalized_are_the_channels(layer):
    x = keras.Input((3, 4, 5))
    model = keras.Model(x, getattr(layers, layer)(name="norm")(x))
    found = channel_axis(model, "norm")
    assert found == ChannelAxis(-1, "channel", is_explicit=True)
    assert found.count(model.output_shape) == model.get_layer("norm").weights[0].shape[0]


def test_in_a_sequence_what_is_normalized_can_be_the_steps():
    x = keras.Input((4, 5))
    model = keras.Model(x, layers.LayerNormalization(axis=1, name="norm")(x))
    assert channel_axis(model, "norm") == ChannelAxis(-1, "unit")


def test_a_class_of_the_users_is_not_taken_for_one_of_keras_s():
    class BatchNormalization(layers.Layer):
        axis = 1

        def call(self, inputs):
            return inputs

    x = keras.Input((3, 4, 5))
    model = keras.Model(x, BatchNormalization(name="norm")(x))
    assert channel_axis(model, "norm") == ChannelAxis(-1, "channel")


ORDERS = {
    "the first ones": lambda x: x[:, :4],
    "every other": lambda x: x[:, ::2],
    "turned round": lambda x: x[:, ::-1],
    "flipped": lambda x: ops.flip(x, axis=1),
    "left for right": getattr(ops, "fliplr", lambda y: ops.flip(y, axis=1)),
    "rolled": lambda x: ops.roll(x, 2, axis=1),
    "sorted the other way": lambda x: ops.negative(ops.sort(ops.negative(x), axis=1)),
    "doubled": lambda x: 2 * x,
    "padded": layers.ZeroPadding1D((1, 0)),
}


@pytest.mark.parametrize("name", ORDERS)
def test_steps_are_kept_where_a_rising_sequence_still_rises(name):
    x = keras.Input((6, 1))
    model = keras.Model(x, layers.Identity(name="end")(ORDERS[name](x)))
    value = ops.convert_to_numpy(model(np.arange(6, dtype="float32").reshape(1, 6, 1))).ravel()
    assert keeps_steps(trace(model), "end") == bool((np.diff(value) >= 0).all())


def test_a_backward_layer_turns_the_steps_and_both_directions_together_do_not():
    x = keras.Input((6, 2))
    backwards = layers.GRU(3, return_sequences=True, go_backwards=True, name="backwards")(x)
    both = layers.Bidirectional(layers.GRU(3, return_sequences=True), name="both")(x)
    graph = trace(keras.Model(x, [backwards, both]))
    assert not keeps_steps(graph, "backwards")
    assert keeps_steps(graph, "both")
