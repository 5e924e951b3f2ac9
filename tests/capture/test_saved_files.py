"""Paths, SavedModels and TFLite files are refused with what to do instead, and that is done here, word by word."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras import layers

import actwidget as aw
from actwidget.capture.run.reasons import OF_SAVED_MODEL
from actwidget.errors import NotCapturableError
from tests.capture import keras_2_zoo, zoo
from tests.capture.advice import advice, followed
from tests.rounding import are_close, assert_close


def of_keras_3():
    x = keras.Input((4,))
    return keras.Model(x, layers.Dense(2)(layers.Dense(3, activation="relu", name="hidden")(x)))


@pytest.mark.parametrize("ending", [".h5", ".hdf5", ".keras"])
def test_a_file_of_keras_3_is_loaded_as_advised(ending, tmp_path):
    saved, path = of_keras_3(), tmp_path / f"model{ending}"
    saved.save(path)
    code = re.search(r"Load it first: (.*\))\. If", advice(str(path)))[1]
    np.testing.assert_array_equal(followed(code, {"path": path})(np.ones((1, 4))), saved(np.ones((1, 4))))


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_a_file_of_keras_2_is_loaded_as_advised(ending, tmp_path):
    saved, path = keras_2_zoo.MODELS["recurrent"](), tmp_path / f"model{ending}"
    saved.save(path)
    first, then = re.search(
        r"Load it first: (.*\))\. If Keras 2 saved it and that fails: (.*)\.$", advice(path)
    ).groups()
    with pytest.raises(Exception, match=r"(?s)."):
        followed(first, {"path": path})
    ids = zoo.tokens(3, 5)
    np.testing.assert_allclose(followed(then, {"path": path})(ids), saved(ids), rtol=1e-4, atol=1e-5)


def test_a_file_of_weights_is_loaded_into_a_model_as_advised(tmp_path):
    saved, model, path = of_keras_3(), of_keras_3(), tmp_path / "model.weights.h5"
    saved.save_weights(path)
    followed(re.search(r"Build the model, then (.*)\.$", advice(path))[1], {"path": path, "model": model})
    np.testing.assert_array_equal(model(np.ones((1, 4))), saved(np.ones((1, 4))))


def two_inputs():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    return keras.Model([a, b], layers.Dense(2)(layers.Concatenate()([a, b])))


SAVED_MODELS = {
    "one input": (of_keras_3, lambda x: x),
    "two inputs": (two_inputs, lambda x: {"a": x, "b": x[:, :3]}),
    "of Keras 2": (keras_2_zoo.MODELS["compiled"], lambda x: x),
}


@pytest.mark.parametrize("loaded", [False, True], ids=["folder", "loaded"])
@pytest.mark.parametrize(("build", "batch"), SAVED_MODELS.values(), ids=SAVED_MODELS)
def test_a_saved_model_is_one_layer_of_a_model_as_advised(build, batch, loaded, tmp_path):
    saved, path, x = build(), str(tmp_path / "saved"), batch(zoo.noise(3, 4))
    tf.saved_model.save(saved, path) if isinstance(saved, tf_keras.Model) else saved.export(path, verbose=False)
    said = advice(tf.saved_model.load(path) if loaded else path)
    assert "It keeps compiled functions, and no Keras layers." in said
    made = followed(re.search(r"As one layer, of which the outputs are seen: (.*)\.$", said)[1], {"path": path})
    values = aw.activations(made, x)
    (found,) = [values[each] for each in values if "saved" in each or "tfsm" in each]
    assert_close(found, saved(list(x.values()) if isinstance(x, dict) else x))
    (sealed,) = [node for node in aw.layer_tree(made) if node.origin == "opaque"]
    assert sealed.path.endswith("/serving_default")
    assert sealed.reason == OF_SAVED_MODEL
    cannot = "it is a compiled TensorFlow function, which is all that a SavedModel keeps"
    with pytest.raises(NotCapturableError, match=cannot):
        aw.activations(made, x, sealed.path)
    explorer = aw.LayerExplorer(made, x, layer=sealed.path)
    assert f"it {OF_SAVED_MODEL}" in explorer.code
    (shown,) = explorer.figure.layout.annotations
    assert OF_SAVED_MODEL in shown.text.replace("<br>", " ")


def test_a_saved_model_without_signatures_is_said_to_be_of_no_use(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    for thing in (tmp_path, tf.saved_model.load(str(tmp_path))):
        assert "It has no signature with inputs, so no Keras model can be made of it." in advice(thing)
    (tmp_path / "saved_model.pb").write_bytes(b"cut off")
    assert "It has no signature with inputs" in advice(tmp_path)


def tflite_file(folder):
    model, path = of_keras_3(), folder / "model.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    return model, str(path)


@pytest.mark.parametrize("loaded", [False, True], ids=["file", "interpreter"])
def test_the_tensors_of_a_tflite_file_are_read_as_advised(loaded, tmp_path):
    model, path = tflite_file(tmp_path)
    said = advice(tf.lite.Interpreter(path) if loaded else path)
    assert "It holds operations, and no Keras layers." in said
    scope = {"path": path, "x": zoo.noise(1, 4), "model": None}
    followed(re.search(r"read the tensors of its operations: (.*) \(x: a batch", said)[1], scope)
    expected = aw.activations(model, scope["x"])
    found = [value for value in scope["values"].values() if value.shape == (1, 3)]
    assert any(are_close(each, expected["hidden"]) for each in found)


def test_an_onnx_file_is_said_to_hold_no_layers():
    said = advice("model.onnx")
    assert said.endswith(
        "That is an ONNX file. It holds operations, and no Keras layers. To look inside, take the Keras model that it "
        "was made from."
    )
