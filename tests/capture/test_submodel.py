"""A sub-model is a real Keras model on the user's weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from tests.capture import odd_zoo, zoo
from tests.capture.deep_witness import as_array, deep_witness
from tests.rounding import assert_close


def net():
    x = keras.Input((4,), name="x")
    y = layers.Dense(5, activation="relu", name="first")(x)
    return keras.Model(x, layers.Dense(2, name="second")(y), name="net")


def test_the_output_has_the_structure_of_what_was_asked_for():
    model, batch = net(), zoo.noise(3, 4)
    wanted = aw.activations(model, batch)
    one = aw.submodel(model, "first")(batch)
    assert_close(one, wanted["first"])

    single = aw.submodel(model, ["first"])(batch)
    assert type(single) is list
    assert_close(single[0], wanted["first"])

    several = aw.submodel(model, ["second", model.layers[1], 0])(batch)
    for value, path in zip(several, ["second", "first", "x"], strict=True):
        assert_close(value, wanted[path])

    named = aw.submodel(model, {"late": -1, "early": "first"})(batch)
    assert set(named) == {"late", "early"}
    assert_close(named["late"], wanted["second"])
    assert_close(named["early"], wanted["first"])


def test_one_layer_twice_comes_twice():
    first, again = aw.submodel(net(), ["first", "first"])(zoo.noise(3, 4))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("selection", ["first", ["first"], ["first", "second"], {"a": "first"}], ids=str)
def test_predict_gives_what_a_call_gives(selection):
    sub, batch = aw.submodel(net(), selection), zoo.noise(3, 4)
    called, predicted = sub(batch), sub.predict(batch, verbose=0)
    keras.tree.assert_same_structure(keras.tree.map_structure(np.asarray, called), predicted)
    for value, wanted in zip(keras.tree.flatten(predicted), keras.tree.flatten(called), strict=True):
        assert_close(value, wanted)


@pytest.mark.parametrize("selection", ["first", ["first"], ["first", "second"], {"a": "first"}], ids=str)
def test_a_saved_one_loads_and_computes_the_same(selection, tmp_path):
    sub, batch = aw.submodel(net(), selection), zoo.noise(3, 4)
    sub.save(tmp_path / "sub.keras")
    loaded = keras.models.load_model(tmp_path / "sub.keras")
    keras.tree.assert_same_structure(
        keras.tree.map_structure(np.asarray, sub(batch)), keras.tree.map_structure(np.asarray, loaded(batch))
    )
    for value, wanted in zip(keras.tree.flatten(loaded(batch)), keras.tree.flatten(sub(batch)), strict=True):
        np.testing.assert_array_equal(value, wanted)


@pytest.mark.parametrize(
    "build", [zoo.siamese, zoo.dict_inputs, zoo.nested, zoo.unet], ids=lambda build: build.__name__
)
def test_it_takes_what_the_model_takes_and_gives_what_the_layer_gives(build):
    model, inputs = build()
    values = deep_witness(model, inputs)
    layer = next(layer for layer in reversed(model.layers) if layer.name in values)
    sub = aw.submodel(model, layer)
    keras.tree.assert_same_structure(sub.input, model.input)
    np.testing.assert_allclose(sub.predict(inputs, verbose=0), values[layer.name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("selection", ["first", ["first"]], ids=str)
def test_training_it_trains_the_users_weights(selection):
    model = net()
    before = [weight.numpy().copy() for weight in model.weights]
    sub = aw.submodel(model, selection)
    assert all(mine is theirs for mine, theirs in zip(sub.weights, model.weights, strict=False))
    target = np.ones((8, 5), "float32")
    sub.compile("sgd", "mse")
    sub.fit(zoo.noise(8, 4), [target] if isinstance(selection, list) else target, verbose=0)
    changed = [not np.array_equal(weight.numpy(), old) for weight, old in zip(model.weights, before, strict=True)]
    assert changed == [True, True, False, False]
    assert not model.compiled


def test_it_is_a_base_for_transfer_learning():
    model, batch = zoo.convolutional()
    base = aw.submodel(model, model.layers[-2])
    base.trainable = False
    x = keras.Input((12, 12, 3))
    new = keras.Model(x, layers.Dense(1, name="new_head")(base(x, training=False)))
    new.compile("sgd", "mse")
    before = [weight.numpy().copy() for weight in base.weights]
    head = as_array(new.get_layer("new_head").kernel).copy()
    new.fit(batch, np.ones((3, 1)), verbose=0)
    for weight, old in zip(base.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)
    assert not np.array_equal(as_array(new.get_layer("new_head").kernel), head)


def test_two_of_them_work_side_by_side_in_one_model():
    model = net()
    first, second = aw.submodel(model, "first"), aw.submodel(model, "second")
    x = keras.Input((4,))
    joined = keras.Model(x, layers.Concatenate()([first(x), second(x)]))
    batch = zoo.noise(3, 4)
    assert_close(joined(batch)[:, :5], first(batch))
    assert_close(joined(batch)[:, 5:], second(batch))


def test_a_list_of_one_stays_a_list_in_another_model():
    sub = aw.submodel(net(), ["first"])
    x = keras.Input((4,))
    inner = sub(x)
    assert type(inner) is list
    assert keras.Model(x, inner[0])(zoo.noise(3, 4)).shape == (3, 5)


NESTED = {
    "inside a nested model": (odd_zoo.functional_in_functional, "tower/inner"),
    "inside the second call": (odd_zoo.nested_called_twice, "tower@1/inner"),
    "inside two calls at once": (odd_zoo.nested_called_twice, ["tower/inner", "tower@1/inner"]),
    "inside and after": (odd_zoo.functional_in_functional, {"in": "tower/inner", "out": "head"}),
    "doubly nested": (odd_zoo.doubly_nested, ["middle/tower/outer", "middle/after"]),
    "with two inputs": (odd_zoo.nested_with_two_of_each, "pair/of_b"),
    "with a dict": (odd_zoo.nested_with_a_dict, "inner/sum"),
    "masked": (odd_zoo.masks_through_nested, "inner/lstm"),
    "frozen": (odd_zoo.frozen_base, ["base/norm", "last"]),
    "scores": (odd_zoo.attention_of_each_kind, ["many/scores", "plain/scores"]),
}


@pytest.mark.parametrize(("build", "selection"), NESTED.values(), ids=NESTED)
def test_one_through_nested_models_computes_predicts_saves_and_loads(build, selection, tmp_path):
    model, batch = build()
    sub = aw.submodel(model, selection)
    keras.tree.assert_same_structure(sub.input, batch)
    paths = keras.tree.flatten(selection)
    values = aw.activations(model, batch, paths)
    sub.save(tmp_path / "sub.keras")
    loaded = keras.models.load_model(tmp_path / "sub.keras")
    for each in (sub, loaded):
        outputs = keras.tree.flatten(each.predict(batch, verbose=0))
        for path, value in zip(paths, outputs, strict=True):
            np.testing.assert_allclose(value, values[path], rtol=1e-4, atol=1e-5, err_msg=path)


@pytest.mark.parametrize("build", [odd_zoo.functional_in_functional, odd_zoo.functional_in_subclassed])
def test_a_head_on_an_inner_layer_is_trained_and_the_base_stays(build):
    model, batch = build()
    model(batch)
    base = aw.submodel(model, "tower/inner")
    base.trainable = False
    before = [weight.numpy().copy() for weight in model.weights]
    head = keras.Sequential([base, keras.layers.Dense(1)])
    head.compile("sgd", "mse")
    head.fit(batch, np.ones((len(batch), 1)), verbose=0, epochs=2)
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old)
    assert len(head.trainable_weights) == 2
