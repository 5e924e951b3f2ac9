"""A model of Keras 2 becomes one of Keras 3 that computes the same; tf_keras's own `predict` is the witness."""

from __future__ import annotations

import tempfile

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

import actwidget as aw
from actwidget.capture.structure.keras_2.example import made_up_inputs
from actwidget.errors import InvalidInputsError, ModelNotBuiltError, UnsupportedModelError
from actwidget.keras_internals.classes import Functional
from tests.capture import zoo
from tests.capture.keras_2_zoo import MODELS, with_other_weights
from tests.rounding import assert_close

APPLICATIONS = {name for name in MODELS if name[0].isupper()}
# Of many layers, and of kinds that MobileNetV2 and VGG16 have, or that are in the small models.
LARGE = {"DenseNet121", "ResNet50V2", "EfficientNetB0", "EfficientNetV2B0"}


def built(name):
    model = MODELS[name]()
    return model if name in APPLICATIONS else with_other_weights(model)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.thorough if name in LARGE else ()) for name in MODELS]
)
def test_the_model_predicts_what_tf_keras_predicts(name):
    model = built(name)
    made = aw.from_tf_keras(model)
    inputs = other_inputs(model)
    states = [state.numpy() for state in states_of(model)]
    expected = model.predict(inputs, verbose=0)
    for state, value in zip(states_of(model), states, strict=True):
        state.assign(value)
    found = made.predict(inputs, verbose=0)
    keras.tree.assert_same_structure(expected, found)
    coarse = name == "half_precision"
    for one, other in zip(keras.tree.flatten(expected), keras.tree.flatten(found), strict=True):
        assert one.shape == other.shape
        largest = np.abs(one).max()
        np.testing.assert_allclose(
            other, one, rtol=0, atol=largest * (2e-2 if coarse else 1e-3 if name in APPLICATIONS else 1e-4)
        )


def other_inputs(model):
    """Inputs that the comparison in `from_tf_keras` has not seen, of the same kinds."""
    return keras.tree.map_structure(lambda value: tf.reverse(value, [0, -1]), made_up_inputs(model))


def states_of(model):
    return [state for layer in model.layers if getattr(layer, "stateful", False) for state in layer.states]


def test_layers_keep_their_names_but_for_a_slash_and_what_is_trained_stays_so():
    model = MODELS["shared_and_nested"]()
    model.get_layer("shared")._name = "a/b"
    made = aw.from_tf_keras(model)
    assert [layer.name for layer in made.layers] == [layer.name.replace("/", "_") for layer in model.layers]
    inner, old = made.get_layer("inner"), model.get_layer("inner")
    assert inner.name == old.name
    assert inner.layers[1] is made.get_layer("a_b")
    assert made.name == model.name
    frozen = MODELS["frozen"]()
    made = aw.from_tf_keras(frozen)
    assert len(made.trainable_weights) == len(frozen.trainable_weights) == 4
    assert [layer.trainable for layer in made.layers] == [layer.trainable for layer in frozen.layers]


def test_half_precision_and_settings_of_training_are_taken_over():
    half = aw.from_tf_keras(MODELS["half_precision"]())
    assert [layer.dtype_policy.name for layer in half.layers][1:] == [*["mixed_float16"] * 3, "float32"]
    made = aw.from_tf_keras(MODELS["regularized"]())
    first, second = made.layers[1:3]
    assert isinstance(first.kernel_regularizer, keras.regularizers.L2)
    assert isinstance(first.bias_constraint, keras.constraints.MaxNorm)
    assert isinstance(first.kernel_initializer, keras.initializers.HeUniform)
    assert isinstance(second.bias_initializer, keras.initializers.Zeros)  # that of the model is TensorFlow's own
    np.testing.assert_array_equal(second.bias.numpy(), [2.0, 2.0])


def test_the_given_model_stays_as_it_is_and_shares_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = with_other_weights(MODELS["kept_states"]())
    model.compile("adam", "mse")
    config, weights = model.to_json(), model.get_weights()
    states = [state.numpy() for state in states_of(model)]
    assert any(state.any() for state in states)
    nodes = [len(layer._inbound_nodes) for layer in model.layers]
    made = aw.from_tf_keras(model)
    assert not made.compiled
    assert model.to_json() == config
    assert [len(layer._inbound_nodes) for layer in model.layers] == nodes
    for before, after in zip([*weights, *states], [*model.get_weights(), *states_of(model)], strict=True):
        np.testing.assert_array_equal(before, after)
    made.set_weights([0 * weight for weight in made.get_weights()])
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])
    assert list(tmp_path.iterdir()) == []


def test_a_made_model_is_saved_loaded_and_looked_into(tmp_path):
    model = with_other_weights(MODELS["convolutional_recurrent"]())
    made = aw.from_tf_keras(model)
    made.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x = zoo.noise(2, 3, 8, 8, 2)
    assert_close(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    values = aw.activations(loaded, x)
    assert_close(values[made.layers[-1].name], model(x))


def with_layer(layer, shape=(8, 8, 3)):
    x = tf_keras.Input(shape)
    return tf_keras.Model(x, layer(x))


class Doubled(layers.Layer):
    def call(self, inputs):
        return 2 * inputs


class Own(tf_keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.dense = layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


def own_activation(x):
    return x


REFUSED = {
    "custom layer": (lambda: with_layer(Doubled(name="twice")), r"'twice' is of a class of your own, .*\.Doubled\."),
    "subclassed model": (Own, r"'own' is of a class of your own, .*\.Own\."),
    "subclassed model inside": (lambda: with_layer(Own()), r"'own' is of a class of your own"),
    "lambda": (
        lambda: with_layer(layers.Lambda(abs, name="size")),
        r"'size' is a Lambda, which runs a Python function",
    ),
    "operator": (lambda: with_layer(lambda x: x + 1.0), r"'tf\.__operators__\.add.*' is a TensorFlow function"),
    "slice": (lambda: with_layer(lambda x: x[:, 0]), r"'tf\.__operators__\.getitem.*' is a TensorFlow function"),
    "function": (lambda: with_layer(lambda x: tf.nn.relu(tf.abs(x))), r"'tf\..*' is a TensorFlow .*\(and 1 more\)"),
    "gone class": (
        lambda: with_layer(layers.LocallyConnected2D(2, 3, name="local")),
        r"'local' is a LocallyConnected2D, which Keras 3 does not have",
    ),
    "gone setting": (
        lambda: with_layer(layers.LSTM(2, time_major=True, name="steps"), (4, 3)),
        r"'steps' has time_major=True, and LSTM of Keras 3 has no such argument",
    ),
    "gone setting inside": (
        lambda: with_layer(layers.Bidirectional(layers.LSTM(2, time_major=True), name="both"), (4, 3)),
        r"'both' has time_major=True",
    ),
    "own activation": (
        lambda: with_layer(layers.Dense(2, activation=own_activation, name="dense")),
        r"'dense' has activation=.*own_activation, which is your own",
    ),
    "training": (
        lambda: with_layer(lambda x: layers.Dropout(0.5, name="drop")(x, training=True)),
        r"'drop' is called with training=True",
    ),
    "same names": (
        lambda: with_layer(lambda x: layers.ReLU(name="a_b")(layers.ReLU(name="a/b")(x))),
        r"'a_b' would have the name of 'a/b'",
    ),
    "at each step": (
        lambda: with_layer(layers.TimeDistributed(with_layer(Doubled(name="twice"), (4,)), name="steps"), (3, 4)),
        r"'steps/twice' is of a class of your own",
    ),
    "deep": (
        lambda: with_layer(tf_keras.Sequential([layers.Conv2D(2, 3), Doubled(name="twice")], name="stack")),
        r"'stack/twice' is of a class of your own",
    ),
}


@pytest.mark.parametrize(("build", "message"), REFUSED.values(), ids=REFUSED)
def test_what_keras_3_does_not_have_is_refused_by_name(build, message):
    model = build()
    with pytest.raises(UnsupportedModelError, match=message) as caught:
        aw.from_tf_keras(model)
    assert str(caught.value).endswith("new.set_weights(model.get_weights()).")
    with pytest.raises(UnsupportedModelError, match=r"Keras 2 model \(tf_keras\).*new\.set_weights") as caught:
        aw.layer_tree(model)
    assert "Make a Keras 3 model of it" not in str(caught.value)


@pytest.mark.parametrize("thing", [None, keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), "model.h5"])
def test_only_a_model_of_keras_2_is_taken(thing):
    with pytest.raises(UnsupportedModelError, match="Expected a Keras 2 model of the package tf_keras, got"):
        aw.from_tf_keras(thing)


def test_a_stack_that_has_seen_no_batch_is_to_be_called_first():
    with pytest.raises(ModelNotBuiltError, match=r"'stack' does not know its inputs yet: call it once on a batch"):
        aw.from_tf_keras(tf_keras.Sequential([layers.Dense(2)], name="stack"))


def test_given_inputs_are_the_ones_compared():
    model = MODELS["inputs_by_name"]()
    batch = {"a": zoo.noise(3, 4), "b": zoo.noise(3, 3)}
    made = aw.from_tf_keras(model, batch)
    for name, value in model(batch).items():
        assert_close(made(batch)[name], value)
    with pytest.raises(InvalidInputsError, match=r"The model takes \['a', 'b'\], got \['a'\]"):
        aw.from_tf_keras(model, {"a": zoo.noise(3, 4)})
    with pytest.raises(InvalidInputsError, match=r"The Keras 2 model itself raises on the inputs: .*from_tf_keras\("):
        aw.from_tf_keras(model, {"a": zoo.noise(3, 9), "b": zoo.noise(3, 3)})


def test_the_first_layer_that_disagrees_is_named(monkeypatch):
    model = with_other_weights(MODELS["shared_and_nested"]())
    wrong = keras.layers.Dense.call

    def off(self, inputs, training=None):
        return wrong(self, inputs, training) + (0.01 if self.name == "shared" else 0.0)

    monkeypatch.setattr(keras.layers.Dense, "call", off)
    with pytest.raises(UnsupportedModelError, match=r"layer 'inner/shared', a Dense, gives values up to 0\.01 apart"):
        aw.from_tf_keras(model)


def test_a_layer_that_raises_in_keras_3_alone_is_named(monkeypatch):
    right = keras.layers.Dense.call

    def broken(self, inputs, training=None):
        if tf.executing_eagerly():
            message = "no such kernel"
            raise NotImplementedError(message)
        return right(self, inputs, training)

    model = MODELS["compiled"]()
    monkeypatch.setattr(keras.layers.Dense, "call", broken)
    with pytest.raises(UnsupportedModelError, match=r"layer 'dense\w*', a Dense, raises .*no such kernel"):
        aw.from_tf_keras(model)


def test_one_number_a_sample_needs_no_axis_of_its_own():
    x = tf_keras.Input((1,))
    model = tf_keras.Model(x, layers.Dense(2)(x))
    batch = zoo.noise(5)
    assert_close(aw.from_tf_keras(model, batch)(batch[:, None]), model(batch))


def test_a_graph_that_is_wired_otherwise_is_noticed(monkeypatch):
    model = with_other_weights(MODELS["shared_and_nested"]())
    right = Functional.call
    monkeypatch.setattr(Functional, "call", lambda *args, **options: right(*args, **options) + 1.0)
    with pytest.raises(UnsupportedModelError, match=r"the model gives values up to .*each of its layers alone agrees"):
        aw.from_tf_keras(model)


def test_a_backend_on_which_keras_2_does_not_run_is_refused(monkeypatch):
    model = MODELS["compiled"]()
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UnsupportedModelError, match=r"Keras 3 runs on jax here.*save that as a \.keras file"):
        aw.from_tf_keras(model)
