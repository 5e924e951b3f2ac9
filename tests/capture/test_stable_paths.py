"""An edit or a tap stays behind its layer when the model is saved, whatever names Keras gives on loading."""

from __future__ import annotations

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import LayerNotFoundError
from tests.capture import zoo


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = layers.Dense(4), layers.Dense(4, activation="relu")

    def call(self, inputs):
        return self.second(self.first(self.first(inputs))) + inputs


class Net(keras.Model):
    """All its layers are named by Keras, but for one."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.stack = keras.Sequential([layers.Dense(4), layers.Dropout(0.5), layers.Dense(4)])
        self.block, self.given = Block(), layers.Dense(4, name="given")
        self.last = layers.Dense(4)

    def call(self, inputs):
        return self.last(self.given(self.block(self.stack(inputs))))


def functional():
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(4)(Block()(Block()(layers.Dense(4)(x)))))


CLASSES = {"Net": Net, "Block": Block}


def saved_and_loaded(model, file, classes=CLASSES):
    model.save(file)
    layers.Dense(1), layers.Dropout(0.1), Block()  # Keras's counters go on
    return keras.saving.load_model(file, custom_objects=classes)


@pytest.mark.parametrize("make", [Net, functional], ids=["subclassed", "functional"])
def test_an_edit_and_a_tap_are_found_again_behind_each_layer(make, tmp_path):
    layers.Dense(1)
    model, x = make(), zoo.noise(3, 4)
    model(x)
    for path, value in aw.activations(model, x).items():
        edited, tapped = aw.edit(model, {path: aw.Replace(np.array([9.0, 1.0, -5.0, 3.0]))}), aw.submodel(model, path)
        edited(x), tapped(x)
        again = saved_and_loaded(edited, tmp_path / "edited.keras")
        np.testing.assert_allclose(again(x), edited(x), rtol=1e-5, atol=1e-5, err_msg=path)
        again = saved_and_loaded(tapped, tmp_path / "tapped.keras")
        np.testing.assert_allclose(again(x), value, rtol=1e-5, atol=1e-5, err_msg=path)


def test_several_taps_and_edits_keep_their_structure(tmp_path):
    model, x = Net(), zoo.noise(3, 4)
    model(x)
    edited = aw.edit(model, {model.block.first: aw.Ablate([0]), model.stack.layers[-1]: aw.Scale(1, 3.0)})
    taken = aw.submodel(edited, {"b": f"{model.block.name}/{model.block.first.name}@1", "a": model.stack.layers[0]})
    expected = taken(x)
    found = saved_and_loaded(taken, tmp_path / "taken.keras")(x)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-5, atol=1e-5)


def test_a_class_without_that_layer_is_refused(tmp_path):
    class Less(layers.Layer):
        def call(self, inputs):
            return inputs

    Less.__name__ = "Block"
    model, x = functional(), zoo.noise(3, 4)
    block = next(layer for layer in model.layers if isinstance(layer, Block))
    edited = aw.edit(model, {block.second: aw.Ablate([0])})
    edited(x)
    with pytest.raises(
        LayerNotFoundError, match=rf"edit at '{block.name}/{block.second.name}'.*no layer of class Dense"
    ):
        saved_and_loaded(edited, tmp_path / "edited.keras", {"Block": Less})


def test_a_name_that_was_given_is_found_in_another_place():
    class Moved(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.before, self.given = layers.Dense(4), layers.Dense(4, name="given")

    model, x = Net(), zoo.noise(3, 4)
    model(x)
    edited = aw.edit(model, {"given": aw.Ablate([0])})
    config = {**edited.get_config(), "model": keras.saving.serialize_keras_object(Moved())}
    assert list(type(edited).from_config(config, {"Moved": Moved}).edits) == ["given"]


LOADED = """
import sys
import keras, numpy as np
from actwidget import {name}
for file in sys.argv[1:]:
    print(keras.saving.load_model(file)(np.ones((1, 4), "float32")).shape)
"""


@pytest.mark.parametrize("name", ["edit", "submodel"])
def test_a_file_is_loaded_in_a_fresh_process_after_the_import_that_is_documented(name, tmp_path):
    assert f"`from actwidget import {name}`" in getattr(aw, name).__doc__
    base = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="hidden"), layers.Dense(2)], name="base")
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2, name="out")(base(x)))
    files = [tmp_path / f"{number}.keras" for number in range(4)]
    made = [
        aw.edit(model, {"out": aw.Scale(0, 2.0)}),
        aw.submodel(model, "base/hidden"),
        aw.submodel(aw.edit(model, {"out": aw.Ablate(0)}), "out"),
        aw.edit(model, {"base/hidden": aw.Replace(np.ones(3))}),
    ]
    for each, file in zip(made, files, strict=True):
        each(np.ones((1, 4), "float32"))
        each.save(file)
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(name=name), *map(str, files)],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:4] == ["(1, 2)", "(1, 3)", "(1, 2)", "(1, 2)"]


class Making(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.declared = layers.Dense(4)

    def call(self, inputs):
        for number in (1.0, 2.0):
            inputs = layers.Dense(4, kernel_initializer=keras.initializers.Constant(number))(inputs)
        return keras.ops.tanh(self.declared(inputs))


@pytest.mark.parametrize("before", [0, 1], ids=["first of its name", "second of its name"])
@pytest.mark.parametrize("made", [0, 1])
def test_a_layer_made_in_the_call_is_found_again_though_a_declared_one_takes_its_name(before, made, tmp_path):
    keras.backend.clear_session()
    for _ in range(before):
        layers.Dense(1)
    model, x = Making(), zoo.noise(3, 4) / 99
    model(x)
    paths = [node.path for node in aw.layer_tree(model, x) if node.path != model.declared.name]
    edited = aw.edit(model, {paths[made]: aw.Ablate(range(4), 0.1)})
    expected = edited(x)
    edited.save(tmp_path / "made.keras")
    for counted in (0, 1):
        keras.backend.clear_session()
        for _ in range(counted):
            layers.Dense(1)
        loaded = keras.saving.load_model(tmp_path / "made.keras", custom_objects={"Making": Making})
        np.testing.assert_allclose(loaded(x), expected, atol=1e-6)
    assert np.abs(expected - model(x)).max() > 1e-3
