"""Which layers are given the colours of a picture."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from actwidget.capture.semantics.colours import is_given_colours
from actwidget.capture.trace import trace

PICTURE = (32, 24, 3)


def conv():
    return layers.Conv2D(4, 3, name="c")


def seen(function, shape=PICTURE):
    x = keras.Input(shape)
    graph = trace(keras.Model(x, function(x)))
    path = next(path for path in graph.nodes if path.rpartition("/")[2] == "c")
    return is_given_colours(graph, path)


SEEN = {
    "as it is": conv(),
    "scaled": lambda x: conv()(layers.Rescaling(1 / 127.5, offset=-1)(x)),
    "normalized": lambda x: conv()(layers.Normalization(mean=[1, 2, 3], variance=[1, 1, 1])(x)),
    "by operations": lambda x: conv()(x / 127.5 - 1),
    "padded and resized": lambda x: conv()(layers.ZeroPadding2D(2)(layers.Resizing(16, 16)(x))),
    "augmented": lambda x: conv()(keras.Sequential([layers.RandomFlip(), layers.Rescaling(0.5)])(x)),
    "within a model": keras.Sequential([keras.Input(PICTURE), layers.Rescaling(2.0), conv()]),
}
HIDDEN = {
    "behind a convolution": lambda x: conv()(layers.Conv2D(3, 1)(x)),
    "normalized by what was learned": lambda x: conv()(layers.BatchNormalization()(x)),
    "in another order": lambda x: conv()(x[..., ::-1]),
    "mixed": lambda x: conv()(layers.Softmax()(x)),
    "of two": lambda x: conv()(x + layers.Rescaling(2.0)(x)),
    "by code of the user's": lambda x: conv()(layers.Lambda(lambda y: y[..., ::-1], output_shape=PICTURE)(x)),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_picture_that_was_only_prepared_still_has_its_colours(name):
    assert seen(SEEN[name])


@pytest.mark.parametrize("name", HIDDEN)
def test_what_mixes_or_learns_leaves_no_colours(name):
    assert not seen(HIDDEN[name])


@pytest.mark.parametrize("shape", [(32, 24, 1), (32, 24, 4), (3, 3, 3)])
def test_other_inputs_are_no_pictures_in_colour(shape):
    assert not seen(conv(), shape)


def test_an_axis_of_colours_is_the_one_that_the_layer_reads():
    assert seen(layers.Conv2D(4, 3, data_format="channels_first", name="c"), (3, 32, 24))
    assert not seen(layers.Conv2D(4, 3, data_format="channels_first", name="c"), PICTURE)
