"""Layers that a model makes while it is called, new ones on each pass, have the same paths on each."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


class Block(layers.Layer):
    """Adds twice, and rectifies in a stack that is made on the way."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(4, name="dense")

    def call(self, inputs):
        y = layers.add([self.dense(inputs), inputs])
        y = keras.Sequential([layers.ReLU(), layers.Rescaling(2.0), layers.ReLU(name="given")])(y)
        return layers.add([y, inputs])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.block = Block(name="block")

    def call(self, inputs):
        return self.block(inputs)


def functional():
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Dense(2, name="head")(Block(name="block")(x)))


MODELS = {"subclassed": Subclassed, "functional": functional}
PATHS = ["dense", "add", "sequential", "sequential/re_lu", "sequential/rescaling", "sequential/given", "add~2"]


def made(make):
    model, x = make(), zoo.noise(40, 4)
    model(x)
    dense = as_array(model.get_layer("block").dense(x))
    first = dense + x
    rectified = np.maximum(first, 0)
    values = [dense, first, 2 * rectified, rectified, 2 * rectified, 2 * rectified, 2 * rectified + x]
    return model, x, {f"block/{path}": value for path, value in zip(PATHS, values, strict=True)}


LOOKS = {
    "all": lambda model, x, _: aw.activations(model, x),
    "one by one": lambda model, x, paths: {path: aw.activations(model, x, path)[path] for path in paths},
    "in training": lambda model, x, _: aw.activations(model, x, training=True),
    "within a budget": lambda model, x, _: aw.activations(model, x, max_bytes=1e6),
    "sub-model": lambda model, x, paths: {path: aw.submodel(model, path).predict(x, verbose=0) for path in paths},
    "explorer": lambda model, x, paths: {path: aw.LayerExplorer(model, x, layer=path).activation for path in paths},
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_what_is_made_in_a_call_is_had_by_the_path_of_another_pass(make, look):
    model, x, expected = made(make)
    found = look(model, x, list(expected))
    for path, value in expected.items():
        assert_close(found[path], value, err_msg=path)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_the_tree_is_the_same_with_and_without_inputs(make):
    model, x, expected = made(make)
    paths = [node.path for node in aw.layer_tree(model)]
    assert paths == [node.path for node in aw.layer_tree(model, x)]
    assert set(expected) <= set(paths)


def test_it_can_be_edited():
    model, x, expected = made(Subclassed)
    edited = aw.edit(model, {"block/add~2": aw.Scale([0, 1, 2, 3], 3.0)})
    assert_close(edited.predict(x, verbose=0), 3 * expected["block/add~2"])


def test_layers_that_are_not_called_have_paths_of_their_own():
    class Blk(layers.Layer):
        def __init__(self, used, unused):
            super().__init__()
            self.used, self.unused = used, unused

        def call(self, inputs):
            return self.used(inputs)

    class Holder:
        """Keras does not look into it."""

    class Holding(keras.Model):
        def __init__(self):
            super().__init__()
            unused, used = layers.Dense(5), layers.Dense(5)
            self.holder = Holder()
            self.holder.block = Blk(used, unused)
            self.out = layers.Dense(2, name="out")

        def call(self, inputs):
            return self.out(self.holder.block(inputs))

    keras.backend.clear_session()
    x = zoo.noise(3, 5)
    paths = [node.path for node in aw.layer_tree(Holding(), x)]
    assert len(set(paths)) == len(paths) == 4
