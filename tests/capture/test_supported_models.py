"""What is no Keras 3 model is refused, and what the error says to do is done here, word by word."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras import layers

import actwidget as aw
from actwidget.capture.run.reasons import OF_SAVED_MODEL
from actwidget.capture.structure.keras_2.example import made_up_inputs
from actwidget.errors import NotCapturableError, UnsupportedModelError
from tests.capture import keras_2_zoo, zoo


def advice(model):
    """What the error says to do with a model, after what it is."""
    with pytest.raises(UnsupportedModelError, match=r"^Expected a Keras 3 model, got \S+\. ") as caught:
        aw.layer_tree(model)
    with pytest.raises(UnsupportedModelError) as again:
        aw.LayerExplorer(model)
    assert str(again.value) == str(caught.value)
    return str(caught.value)


def followed(code, scope):
    """What `model` is after the code of an advice has run."""
    scope |= {"__name__": "__main__", "keras": keras, "aw": aw, "tf": tf, "tf_keras": tf_keras}
    exec(code, scope)  # noqa: S102 - the advice is meant to be followed
    return scope["model"]


@pytest.mark.parametrize("name", ["recurrent", "shared_and_nested", "separable", "compiled", "texts"])
def test_a_model_of_keras_2_is_made_into_one_of_keras_3_as_advised(name):
    model = keras_2_zoo.MODELS[name]()
    said = advice(model)
    code = re.search(r"legacy Keras 2 model \(tf_keras\)\. Make a Keras 3 model of it: (.*)\.$", said)[1]
    made = followed(f"model = {code}", {"model": model})
    inputs = made_up_inputs(model)
    np.testing.assert_allclose(made(inputs), model(inputs), rtol=1e-4, atol=1e-5)
    assert len(aw.activations(made, inputs)) >= len(model.layers)


def test_a_stack_of_keras_2_that_has_seen_no_batch_is_called_first_as_advised():
    model, x = tf_keras.Sequential([tf_keras.layers.Dense(2)]), zoo.noise(3, 4)
    said = advice(model)
    first, then = re.search(r"Call it once on a batch, (.*?)\. Then make a Keras 3 model of it: (.*)\.$", said).groups()
    made = followed(f"{first}; old = model; model = {then}", scope := {"model": model, "x": x})
    np.testing.assert_allclose(made(x), scope["old"](x), rtol=1e-5)


def subclassed(of):
    class Own(of.Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.norm = of.layers.Embedding(9, 3), of.layers.BatchNormalization()
            self.flat, self.dense = of.layers.Flatten(), of.layers.Dense(2)

        def call(self, ids):
            return self.dense(self.flat(self.norm(self.embedding(ids))))

    return Own()


def of_tensorflow_functions(of):
    x = of.Input((5,))
    double = (lambda value: value * 2.0) if of is tf_keras else keras.layers.Rescaling(2.0)
    return of.Model(x, of.layers.Dense(2)(double(of.layers.Dense(3)(x))))


@pytest.mark.parametrize("build", [subclassed, of_tensorflow_functions])
def test_the_weights_are_taken_over_as_advised_where_the_model_can_not_be(build):
    model, new, x = build(tf_keras), build(keras), zoo.tokens(3, 5)
    said = advice(model)
    assert "Make a Keras 3 model of it" not in said
    both, copy = re.search(r"with `import keras`, (call both on a batch), and then (.*)\.$", said).groups()
    assert both
    model(x), new(x)
    model.set_weights([zoo.noise(*each.shape, seed=place) ** 2 for place, each in enumerate(model.get_weights())])
    followed(copy, {"model": model, "new": new})
    np.testing.assert_allclose(new(x), model(x), rtol=1e-4, atol=1e-5)


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
    np.testing.assert_allclose(found, saved(list(x.values()) if isinstance(x, dict) else x), rtol=1e-5, atol=1e-6)
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
    assert any(np.allclose(each, expected["hidden"], rtol=1e-5, atol=1e-6) for each in found)


def test_an_onnx_file_is_said_to_hold_no_layers():
    said = advice("model.onnx")
    assert said.endswith(
        "That is an ONNX file. It holds operations, and no Keras layers. To look inside, take the Keras model that it "
        "was made from."
    )


class FakeTorchBase:
    pass


FakeTorchBase.__module__ = "torch.nn.modules.module"


class TorchLike(FakeTorchBase):
    pass


class FakeLegacyBase:
    pass


FakeLegacyBase.__module__ = "tf_keras.src.engine.training"


class LegacyLike(FakeLegacyBase):
    pass


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="mine")
        self.dense = layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


NO_MODELS = {
    "path": (lambda: "model.keras", r"got builtins\.str\. .*keras\.models\.load_model"),
    "path object": (lambda: Path("model.keras"), r"Path\. .*keras\.models\.load_model"),
    "class": (lambda: Subclassed, r"That is the class itself: make a model of it first, Subclassed\("),
    "torch": (TorchLike, "PyTorch"),
    "tf_keras": (LegacyLike, "legacy Keras 2 model"),
    "tf module": (tf.Module, r"got tensorflow\..*keras\.models\.load_model"),
    "layer": (lambda: layers.Dense(2), r"Dense\. That is a single layer\. Wrap it"),
    "nothing": (lambda: None, r"got builtins\.NoneType\. Pass a keras\.Model"),
    "array": (lambda: np.zeros(3), r"got numpy\.ndarray"),
    "function": (lambda: len, "Pass a keras.Model"),
}


@pytest.mark.parametrize(("make", "message"), NO_MODELS.values(), ids=NO_MODELS)
def test_what_is_no_keras_model_is_refused_with_advice(make, message):
    model = make()
    for ask in (aw.layer_tree, lambda it: aw.submodel(it, 0), lambda it: aw.activations(it, zoo.noise(2, 4))):
        with pytest.raises(UnsupportedModelError, match=message) as caught:
            ask(model)
        assert str(caught.value).startswith("Expected a Keras 3 model, got ")
        assert isinstance(caught.value, TypeError)
