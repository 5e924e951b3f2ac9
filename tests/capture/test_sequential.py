"""A `Sequential` that nothing has built is built for a sample, or stays as it was."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.capture.trace.sequential import build_for
from actwidget.errors import InvalidInputsError, ModelNotBuiltError, UnsupportedModelError
from tests.capture import zoo
from tests.capture.test_paths import paths
from tests.rounding import assert_close


def test_a_batch_builds_it_with_an_open_number_of_samples():
    model = keras.Sequential([layers.Conv2D(4, 3, name="conv"), layers.Flatten(name="flat")])
    build_for(model, zoo.noise(2, 5, 6, 3))
    assert model.output_shape == (None, 3 * 4 * 4)
    assert model.get_layer("conv").kernel.shape == (3, 3, 3, 4)


def test_one_sample_without_a_batch_axis_builds_it_as_a_batch_does():
    model = keras.Sequential([layers.Conv2D(4, 3), layers.Flatten()])
    build_for(model, zoo.noise(5, 6, 3))
    assert model.output_shape == (None, 48)


def test_what_fits_in_neither_way_is_refused_and_something_else_can_still_build_it():
    model = keras.Sequential([layers.Conv2D(4, 3), layers.Flatten()], name="net")
    with pytest.raises(InvalidInputsError, match=r"'net' can't take these inputs, of shape \(2, 9\): ValueError"):
        build_for(model, zoo.noise(2, 9))
    assert (model.built, model.weights) == (False, [])
    build_for(model, zoo.noise(2, 5, 6, 3))
    assert model.built


def test_a_built_one_and_one_with_a_call_of_its_own_are_left_alone():
    class Own(keras.Sequential):
        def call(self, inputs):
            return super().call(inputs) + 1

    built, own = keras.Sequential([keras.Input((4,)), layers.Dense(2)]), Own([layers.Dense(2)])
    build_for(built, zoo.noise(3, 7))
    build_for(own, zoo.noise(3, 7))
    assert built.input_shape == (None, 4)
    assert not own.built


def test_without_layers_there_is_nothing_to_build():
    with pytest.raises(UnsupportedModelError, match=r"'bare' is a Sequential without layers\. Add some: model\.add"):
        build_for(keras.Sequential(name="bare"), np.ones((1, 2)))


def test_a_dict_of_inputs_goes_through_it_layer_by_layer():
    class Sum(layers.Layer):
        def call(self, inputs):
            return inputs["a"] + inputs["b"]

    model = keras.Sequential([Sum(name="sum"), layers.Dense(2, name="out")])
    given = {"a": zoo.noise(3, 4), "b": zoo.noise(3, 4, seed=1)}
    build_for(model, given)
    assert not model.built
    assert_close(aw.activations(model, given)["sum"], given["a"] + given["b"])


def test_a_sequential_model_has_its_layers_with_and_without_an_explicit_input():
    def stack():
        return [layers.Dense(4, name="first"), layers.Dense(2, name="second")]

    given = keras.Sequential([keras.Input((3,), name="x"), *stack()])
    sampled, called = keras.Sequential(stack()), keras.Sequential(stack())
    called(zoo.noise(2, 3))
    built = keras.Sequential(stack())
    built.build((None, 3))
    assert paths(given) == ["x", "first", "second"]
    for model, inputs in ((sampled, zoo.noise(2, 3)), (called, None), (built, None)):
        assert paths(model, inputs)[1:] == ["first", "second"]
        assert aw.layer_tree(model)["second"].output_shape == (None, 2)


def test_an_unbuilt_sequential_model_says_what_to_do():
    model = keras.Sequential([layers.Dense(4)], name="raw")
    for ask in (aw.layer_tree, lambda it: aw.submodel(it, 0)):
        with pytest.raises(ModelNotBuiltError, match=r"'raw' has not been built.*Pass a batch as `inputs`"):
            ask(model)


def test_layers_added_later_are_seen():
    model = keras.Sequential([keras.Input((3,), name="x"), layers.Dense(4, name="first")])
    assert paths(model) == ["x", "first"]
    model.add(layers.Dense(2, name="second"))
    assert paths(model) == ["x", "first", "second"]
    model.pop()
    assert paths(model) == ["x", "first"]
