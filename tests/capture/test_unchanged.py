"""Looking into a model leaves it as it was."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.errors import CaptureError
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


def graph_of(model):
    return model._functional if isinstance(model, keras.Sequential) else model


def state_of(model):
    """All that a look into the model could have moved."""
    operations = list(graph_of(model).operations)
    layers = list(model._flatten_layers())
    return {
        "nodes": [(op.name, len(op._inbound_nodes), len(op._outbound_nodes)) for op in operations],
        "inner nodes": [(layer.name, len(layer._inbound_nodes), len(layer._outbound_nodes)) for layer in layers],
        "trainable": [(layer.name, layer.trainable) for layer in layers],
        "variables": [(variable.path, variable.numpy().tolist()) for variable in model.variables],
        "compiled": (model.compiled, getattr(model, "optimizer", None), model.built),
        "functions": (model.train_function, model.test_function, model.predict_function),
        "losses": len(model.losses),
        "calls": [getattr(layer, "_called", None) for layer in layers],
        "layers": [id(layer) for layer in model.layers],
        "outputs": [id(tensor) for tensor in model.outputs],
    }


def restless():
    """A model with all that moves: seeds, moving statistics, spectral norms, counters."""

    class Counter(keras.Layer):
        def build(self, _shape):
            # Trainable, as add_weight has it unless it is told otherwise.
            self.calls = self.add_weight(shape=(), initializer="zeros", name="calls")

        def call(self, inputs):
            self.calls.assign_add(1.0)
            return inputs + self.calls

    x = keras.Input((6,))
    y = keras.layers.GaussianNoise(0.5)(keras.layers.Dense(4, activity_regularizer="l2")(x))
    y = keras.layers.SpectralNormalization(keras.layers.Dense(4))(Counter()(keras.layers.BatchNormalization()(y)))
    frozen = keras.layers.Dense(4, trainable=False)
    model = keras.Model(x, keras.layers.Dropout(0.5)(frozen(y)))
    model.compile("adam", "mse")
    return model, zoo.noise(8, 6)


def reachable(model):
    return [node.path for node in aw.layer_tree(model) if node.origin != "opaque"]


LOOKS = {
    "layer_tree": lambda model, _: str(aw.layer_tree(model)),
    "submodel": lambda model, _: [aw.submodel(model, path) for path in reachable(model)],
    "submodel of all": lambda model, _: aw.submodel(model, reachable(model)),
    "activations": aw.activations,
    "activations one at a time": lambda model, inputs: aw.activations(model, inputs, batch_size=1),
    "activations in training": lambda model, inputs: aw.activations(model, inputs, training=True),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize(
    "build",
    [
        restless,
        zoo.dense,
        zoo.siamese,
        zoo.nested,
        zoo.transformer,
        zoo.gru_translator,
        pytest.param(zoo.bidirectional, marks=pytest.mark.thorough),
        zoo.operations,
        zoo.half_precision,
    ],
    ids=lambda build: build.__name__,
)
def test_the_model_is_as_before(build, look):
    model, inputs = build()
    model(inputs)
    before = state_of(model)
    look(model, inputs)
    assert state_of(model) == before


def test_a_pass_that_fails_leaves_the_model_as_before():
    class Failing(keras.Layer):
        def call(self, inputs, training=None):
            if training:
                message = "not in training"
                raise RuntimeError(message)
            return inputs

    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5), Failing()]
    )
    before = state_of(model)
    with pytest.raises(CaptureError, match="not in training"):
        aw.activations(model, zoo.noise(5, 4), training=True)
    assert state_of(model) == before


def test_a_training_look_does_not_change_what_training_does_next():
    losses = []
    for look in (False, True):
        keras.utils.set_random_seed(3)
        model, inputs = zoo.dense()
        model.compile("sgd", "mse")
        if look:
            aw.activations(model, inputs, training=True)
        losses.append(model.fit(inputs, np.ones((5, 3)), verbose=0, epochs=2, shuffle=False).history["loss"])
    assert losses[0] == losses[1]


def test_the_counter_of_automatic_names_goes_on_as_if_nothing_had_happened():
    def names():
        x, dense = keras.Input((3,)), keras.layers.Dense(1)
        return [x._keras_history.operation.name, dense.name, keras.Model(x, dense(x)).name]

    def number(name):
        return int(name.rsplit("_", 1)[1])

    model, inputs = zoo.siamese()
    names()
    before = names()
    aw.layer_tree(model)
    aw.submodel(model, "norm@1")
    aw.submodel(model, ["norm@1"])
    aw.activations(model, inputs)
    after = names()
    assert [number(name) for name in after] == [number(name) + 1 for name in before]


def test_a_stateful_recurrent_layer_keeps_its_state():
    model = keras.Sequential([keras.Input((4, 3), batch_size=2), keras.layers.LSTM(5, stateful=True, name="memory")])
    model(zoo.noise(2, 4, 3))
    states = [np.array(state.numpy()) for state in model.layers[0].states]
    assert all(np.any(state) for state in states)

    first = aw.activations(model, zoo.noise(2, 4, 3, seed=1))["memory"]
    second = aw.activations(model, zoo.noise(2, 4, 3, seed=1))["memory"]

    np.testing.assert_array_equal(first, second)
    for state, before in zip(model.layers[0].states, states, strict=True):
        np.testing.assert_array_equal(state.numpy(), before)
    # And they start from it: the model itself gives the same next.
    assert_close(as_array(model(zoo.noise(2, 4, 3, seed=1))), first)


def test_a_layer_that_calls_itself_stateful_need_not_have_states():
    class Twice(keras.layers.Layer):
        stateful = True

        def call(self, inputs):
            return 2 * inputs

    model, x = keras.Sequential([keras.Input((4,)), Twice(name="twice")]), zoo.noise(40, 4)
    np.testing.assert_array_equal(aw.activations(model, x)["twice"], 2 * x)
    np.testing.assert_array_equal(aw.LayerExplorer(model, x, layer="twice").activation, 2 * x)


def test_a_name_that_tensorflow_refuses_spoils_no_later_name():
    class Twice(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner = keras.layers.Dense(3, name="größe")

        def build(self, shape):
            self.inner.build(shape)

        def compute_output_shape(self, shape):
            return shape

        def call(self, inputs):
            return self.inner(self.inner(inputs))

    x = keras.Input((3,))
    model = keras.Model(x, Twice(name="twice")(x))
    batch = zoo.noise(4, 3)
    assert [node.path for node in aw.layer_tree(model, batch)][2:] == ["twice/größe", "twice/größe@1"]
    aw.layer_tree(model)
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.compile("sgd", "mse")
    other.fit(batch, np.ones((4, 2)), verbose=0)


class Busy(keras.Layer):
    """Moves what Keras does not count among its variables."""

    def __init__(self):
        super().__init__(name="busy")
        self.mean = keras.metrics.Mean()
        self.calls = tf.Variable(0.0)
        self.listed = [tf.Variable(0)]
        self.generator = tf.random.Generator.from_seed(1)

    def call(self, inputs):
        self.mean.update_state(keras.ops.mean(inputs))
        self.calls.assign_add(1.0)
        self.listed[0].assign_add(1)
        return inputs + self.generator.normal(())

    def state(self):
        found = [self.mean.count, self.mean.total, self.calls, self.listed[0], self.generator.state]
        return [np.asarray(each).tolist() for each in found]


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize("look", [aw.activations, aw.layer_tree, aw.LayerExplorer])
def test_metrics_and_tensorflows_own_variables_stay(look):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Busy()(inputs))
    model(zoo.noise(3, 4))
    before = model.get_layer("busy").state()
    look(model, zoo.noise(3, 4))
    assert model.get_layer("busy").state() == before


class Keeping(keras.Layer):
    """Keeps tensors of its last call, some of which it has only from then on."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = keras.layers.MultiHeadAttention(2, 4)
        self.last_scores = None

    def build(self, shape):
        self.attention.build(shape, shape)
        with tf.init_scope():  # not in the scratch graph in which Keras builds layers
            self.scale = keras.ops.ones(shape[-1:])

    def call(self, inputs):
        y, self.last_scores = self.attention(inputs, inputs, return_attention_scores=True)
        self.last = {"given": inputs, "taken": y}
        return y * self.scale


class Kept(keras.Model):
    def __init__(self):
        super().__init__(name="kept")
        self.keeping = Keeping(name="keeping")

    def call(self, inputs):
        return self.keeping(inputs)


def functional_that_keeps():
    inputs = keras.Input((5, 8))
    return keras.Model(inputs, Keeping(name="keeping")(inputs))


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize(
    "look",
    [
        lambda model, _: aw.layer_tree(model),
        aw.layer_tree,
        aw.activations,
        lambda model, x: aw.activations(model, x, "keeping"),
        lambda model, _: aw.submodel(model, model.get_layer("keeping").attention),
        lambda model, _: aw.LayerExplorer(model),
        lambda model, x: aw.LayerExplorer(model, x, layer="keeping"),
    ],
    ids=["tree", "tree of inputs", "all", "one", "sub-model", "explorer", "explorer of inputs"],
)
@pytest.mark.parametrize("make", [Kept, functional_that_keeps])
@pytest.mark.parametrize("called", [True, False])
def test_tensors_that_a_layer_keeps_of_its_last_call_stay(make, look, called):
    model, x = make(), zoo.noise(3, 5, 8)
    model(x)
    keeping = model.get_layer("keeping")
    if not called:
        keeping.last_scores = None
        del keeping.last
    before = dict(vars(keeping))
    look(model, x[:2])
    after = vars(keeping)
    assert after.keys() == before.keys()
    for name in ("last_scores", "last", "scale"):
        assert after.get(name) is before.get(name), name


@pytest.mark.backend("tensorflow")
def test_what_a_layer_sets_while_a_look_builds_it_stays():
    model, x = Kept(), zoo.noise(3, 5, 8)
    aw.activations(model, x)
    np.testing.assert_array_equal(model.keeping.scale, np.ones(8))
    assert model(x).shape == (3, 5, 8)


def seed_all(seed):
    keras.utils.clear_session()  # `set_random_seed` alone leaves Keras's own generator as it is in older releases
    keras.utils.set_random_seed(seed)


@pytest.mark.parametrize("drawn", [0, 1])
def test_the_random_numbers_that_come_next_stay(drawn):
    class Noise(keras.Layer):
        def call(self, inputs, training=None):
            if not training:
                return inputs
            numbers = random.random() + np.random.normal()  # noqa: NPY002, S311 - as some layers do
            return inputs + numbers + keras.random.normal(keras.ops.shape(inputs))

    inputs = keras.Input((3,))
    model, x = keras.Model(inputs, Noise(name="noise")(inputs)), zoo.noise(2, 3)

    def after(look):
        seed_all(1)
        for _ in range(drawn):
            keras.random.normal((2,))
        look()
        return [*np.asarray(keras.random.normal((2,))), random.random(), np.random.normal()]  # noqa: NPY002, S311

    first = aw.activations(model, x, training=True)
    assert after(lambda: aw.activations(model, x, training=True)) == after(lambda: None)
    assert not np.array_equal(first["noise"], x)


class Rope(layers.Layer):
    """Keeps its angles, and for how many steps they are."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.steps, self.angles, self.is_ready, self._signs = 0, None, False, None

    def build(self, _shape):
        self.built = True

    def call(self, inputs):
        if not self.is_ready:
            self._signs, self.is_ready = keras.ops.sign(keras.ops.ones((1, 1, inputs.shape[-1]))), True
        if inputs.shape[1] > self.steps:
            self.steps = inputs.shape[1]
            self.angles = keras.ops.cos(keras.ops.arange(self.steps, dtype="float32"))[None, :, None]
        return inputs * self.angles[:, : inputs.shape[1]] * self._signs


class Turning(keras.Model):
    def __init__(self):
        super().__init__(name="turning")
        self.rope = Rope(name="rope")

    def build(self, shape):
        self.rope.build(shape)
        self.built = True

    def call(self, inputs):
        return self.rope(inputs)


@pytest.mark.parametrize("called", [True, False], ids=["called before", "built alone"])
@pytest.mark.parametrize("look", [aw.activations, aw.layer_tree, aw.LayerExplorer])
def test_what_a_layer_notes_of_the_tensors_it_keeps_goes_back_with_them(look, called):
    short, long = zoo.noise(1, 4, 5), zoo.noise(1, 9, 5)
    model = Turning()
    if called:
        model(short)
    else:
        model.build((None, 4, 5))
    for _ in range(2):
        look(model, long)
        expected = long * np.cos(np.arange(9))[:, None]
        np.testing.assert_allclose(aw.activations(model, long)["rope"], expected, atol=1e-6)
    np.testing.assert_allclose(model(long), expected, atol=1e-6)
    np.testing.assert_allclose(model(short), short * np.cos(np.arange(4))[:, None], atol=1e-6)


class Logging(layers.Layer):
    """Notes each of its calls in plain Python, in all the ways that there are."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.log, self.by_length, self.seen = [], {"lengths": []}, set()
        self.calls, self.shapes = 0, np.zeros(3, int)

    def build(self, _shape):
        self.built = True

    def call(self, inputs):
        self.log.append(tuple(inputs.shape))
        self.by_length["lengths"].append(len(self.log))
        self.seen.add(len(self.log))
        self.calls += 1
        self.shapes[0] += 1
        return inputs * 2.0

    def noted(self):
        return [len(self.log), len(self.by_length["lengths"]), len(self.seen), self.calls, int(self.shapes[0])]


class Logged(keras.Model):
    def __init__(self):
        super().__init__(name="logged")
        self.logging, self.out = Logging(name="logging"), layers.Dense(2, name="out")

    def build(self, shape):
        self.logging.build(shape)
        self.out.build(shape)
        self.built = True

    def call(self, inputs):
        return self.out(self.logging(inputs))


def functional_logged():
    inputs = keras.Input((4,))
    outer = Logged()
    outer.build((None, 4))
    return keras.Model(inputs, outer(inputs)), outer.logging


def subclassed_logged():
    model = Logged()
    model.build((None, 4))
    return model, model.logging


@pytest.mark.parametrize("make", [functional_logged, subclassed_logged])
@pytest.mark.parametrize(
    ("look", "passes"),
    [
        (lambda model, _: aw.layer_tree(model), 0),
        (aw.layer_tree, 0),
        (lambda model, _: aw.submodel(model, -1), 0),
        (aw.activations, 1),
        (lambda model, x: aw.activations(model, x, -1), 1),
        (lambda model, x: aw.activations(model, x, -1, max_bytes=1e6), 1),
        (lambda model, x: aw.LayerExplorer(model, x, layer=-1), 1),
        (lambda model, x: aw.activations(model, np.repeat(x, 3, axis=0), -1, batch_size=3), 3),
    ],
    ids=["tree", "tree of inputs", "sub-model", "all", "one", "budget", "explorer", "parts"],
)
def test_what_layers_keep_in_plain_python_grows_by_the_passes_that_were_asked_for(make, look, passes):
    model, logging = make()
    before = logging.noted()
    look(model, zoo.noise(3, 4))
    assert logging.noted() == [each + passes for each in before]


@pytest.mark.backend("tensorflow")
def test_what_a_look_builds_is_what_the_model_then_has():
    class Late(layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], 3), initializer="glorot_uniform", name="kernel")
            self.fixed = keras.Variable(np.arange(3, dtype="float32"), trainable=False, name="fixed")
            self.raw = tf.Variable(1.0)
            self.raw.assign(5.0)
            self.fixed.assign([3.0, 4.0, 5.0])

        def call(self, inputs):
            return keras.ops.matmul(inputs, self.kernel) * self.fixed + self.raw

    class Model(keras.Model):
        def __init__(self):
            super().__init__(name="model")
            self.late, self.drop = Late(name="late"), layers.Dropout(0.5, seed=1)

        def call(self, inputs):
            made = layers.Dense(3, kernel_initializer="ones", name="made")
            return self.drop(made(self.late(inputs)))

    model, x = Model(), zoo.noise(2, 4)
    found = aw.activations(model, x)
    expected = x @ as_array(model.late.kernel) * [3.0, 4.0, 5.0] + 5.0
    assert_close(found["late"], expected)
    assert_close(model.late(x), expected)
    assert_close(found["made"], np.repeat(expected.sum(-1, keepdims=True), 3, -1))
    assert as_array(model.late.raw) == 5.0


@pytest.mark.backend("tensorflow")
def test_a_compiled_function_in_a_layer_is_not_traced_by_a_look():
    class Noisy(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.drop = layers.Dropout(0.5, seed=1)

        def build(self, shape):
            self.drop.build(shape)

        @tf.function
        def call(self, inputs, training=None):
            return self.drop(inputs, training=training)

    inputs = keras.Input((64,))
    noisy = Noisy(name="noisy")
    model, x = keras.Model(inputs, noisy(inputs)), np.ones((1, 64), "float32")
    traces, seed = noisy.call.experimental_get_tracing_count(), as_array(noisy.drop.seed_generator.state)
    looked = aw.activations(model, x, "noisy", training=True)["noisy"]
    assert noisy.call.experimental_get_tracing_count() == traces
    np.testing.assert_array_equal(as_array(noisy.drop.seed_generator.state), seed)
    first, second = (np.asarray(model(x, training=True)) for _ in range(2))
    np.testing.assert_array_equal(first, looked)
    assert (first != second).any()


@pytest.mark.backend("tensorflow")
def test_unseeded_numbers_of_tensorflow_that_come_next_stay():
    class Sampling(layers.Layer):
        def call(self, inputs):
            return inputs + tf.random.normal(tf.shape(inputs))

    inputs = keras.Input((3,))
    model, x = keras.Model(inputs, Sampling(name="sampling")(inputs)), zoo.noise(2, 3)

    def after(look):
        tf.random.set_seed(7)
        look()
        return np.asarray(tf.random.normal((4,))).tolist()

    assert after(lambda: aw.activations(model, x)) == after(lambda: None)


def noise_of_a_function():
    seeds, raw = keras.random.SeedGenerator(1), tf.Variable(0)

    @tf.function
    def noisy(values):
        return values + keras.random.normal((1,), seed=seeds)

    def plain(values):
        raw.assign_add(1)
        return values + np.random.normal() * 0.0 + tf.random.normal(()) * 0.0  # noqa: NPY002 - as some functions do

    return noisy, plain, raw


@pytest.mark.backend("tensorflow")
@pytest.mark.parametrize(
    "look",
    [
        lambda model, x: aw.activations(model, x, "i"),
        aw.activations,
        lambda model, x: aw.LayerExplorer(model, x).figure,
    ],
    ids=["one", "all", "explorer"],
)
def test_functions_that_keras_s_own_layers_hold_are_kept_apart_too(look):
    noisy, plain, raw = noise_of_a_function()
    layer_list = [layers.Dense(2, activation=noisy, name="a"), layers.Activation(plain), layers.Identity(name="i")]
    model, x = keras.Sequential([keras.Input((3,)), *layer_list]), zoo.noise(4, 3)
    raw.assign(0)
    keras.utils.set_random_seed(5)
    expected = [np.random.normal(), float(tf.random.normal(()))]  # noqa: NPY002
    keras.utils.set_random_seed(5)
    look(model, x)
    assert [np.random.normal(), float(tf.random.normal(()))] == expected  # noqa: NPY002
    assert as_array(raw) == 0
    first, second = np.asarray(model(x)), np.asarray(model(x))
    assert (first != second).any()  # the seed still moves in the function that TensorFlow compiles now


def test_numbers_of_a_trial_go_back_though_an_array_is_kept_beside_them():
    class Keeping(layers.Layer):
        def __init__(self):
            super().__init__(name="keeping")
            self.calls, self.last = 0, None

        def build(self, _shape):
            self.built = True

        def call(self, inputs):
            self.calls += 1
            self.last = np.ones(3)
            return inputs * 1.0

    inputs = keras.Input((3,))
    keeping = Keeping()
    model = keras.Model(inputs, keeping(inputs))
    keeping.calls, keeping.last = 0, None
    aw.layer_tree(model)
    aw.layer_tree(model, zoo.noise(2, 3))
    assert (keeping.calls, keeping.last) == (0, None)
    aw.activations(model, zoo.noise(2, 3), "keeping")
    assert keeping.calls == 1
