"""The norms of gradients in a record, against those that the backend itself gives for a copy of the model."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import actwidget as aw
from actwidget.errors import InvalidInputsError

RNG = np.random.default_rng(2)
X = RNG.normal(size=(24, 5)).astype("float32")
Y = RNG.normal(size=(24, 2)).astype("float32")


def network(cls=keras.Model, rate=0.0):
    x = inputs = keras.Input((5,), name="features")
    x = keras.layers.Dense(7, "tanh", kernel_initializer=keras.initializers.GlorotUniform(1), name="first")(x)
    x = keras.layers.Dropout(rate, seed=4, name="drop")(x)
    regular = keras.regularizers.L2(0.1)
    kernel = keras.initializers.GlorotUniform(2)
    x = keras.layers.Dense(2, kernel_initializer=kernel, kernel_regularizer=regular, name="last")(x)
    model = cls(inputs, x, name="network")
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


class Before(keras.callbacks.Callback):
    """Keeps all variables before each step, the seeds among them."""

    def __init__(self):
        super().__init__()
        self.values = []

    def on_train_batch_begin(self, batch, logs=None):  # noqa: ARG002
        self.values.append([variable.numpy() for variable in self.model.variables])


def own_gradients(model, loss_of, x):
    """The gradients of `loss_of(the model's output for x, the last kernel)`, in the order of `trainable_variables`."""
    variables = model.trainable_variables
    kernel = [variable.path for variable in variables].index(model.get_layer("last").kernel.path)
    if keras.backend.backend() == "jax":
        import jax

        fixed = [variable.value for variable in model.non_trainable_variables]

        def loss(values):
            return loss_of(model.stateless_call(values, fixed, x, training=True)[0], values[kernel])

        return jax.grad(loss)([variable.value for variable in variables])
    with tf.GradientTape() as tape:
        found = loss_of(model(x, training=True), variables[kernel].value)
    return tape.gradient(found, [variable.value for variable in variables])


def expected_norms(values, x, y, weight=None, rate=0.0):
    """By layer the norm of the gradient of the loss, with some values of the variables."""
    copy = network(rate=rate)
    for variable, value in zip(copy.variables, values, strict=True):
        variable.assign(value)

    def loss_of(output, kernel):
        errors = keras.ops.mean((output - y) ** 2, axis=-1)
        errors = errors if weight is None else errors * weight
        return keras.ops.mean(errors) + 0.1 * keras.ops.sum(keras.ops.square(kernel))

    paths = [variable.path for variable in copy.trainable_variables]
    gradients = dict(zip(paths, own_gradients(copy, loss_of, x), strict=True))
    return {
        name: np.sqrt(sum(np.sum(np.square(gradients[v.path])) for v in copy.get_layer(name).trainable_variables))
        for name in ("first", "last")
    }


@pytest.mark.parametrize("rate", [0.0, 0.5], ids=["plain", "dropout"])
@pytest.mark.parametrize("weights", [None, RNG.uniform(size=24).astype("float32")], ids=["", "weighted"])
def test_they_are_those_of_the_step_s_own_batch_with_the_weights_before_it(rate, weights):
    before, watch = Before(), aw.Watch(X[:3], gradients=True, every=1)
    model = network(rate=rate)
    model.fit(X, Y, batch_size=8, shuffle=False, sample_weight=weights, verbose=0, epochs=2, callbacks=[before, watch])
    assert all(layer.gradient is None for layer in watch.history[0].layers.values())
    for number, record in enumerate(watch.history[1:]):
        part = slice(8 * (number % 3), 8 * (number % 3) + 8)
        weight = None if weights is None else weights[part]
        for name, norm in expected_norms(before.values[number], X[part], Y[part], weight, rate).items():
            assert record.layers[name].gradient == pytest.approx(norm, rel=1e-4)
        assert record.layers["drop"].gradient is None


def test_at_the_end_of_an_epoch_they_are_those_of_its_last_step():
    before, watch = Before(), aw.Watch(X[:3], gradients=True)
    network().fit(X, Y, batch_size=8, shuffle=False, verbose=0, callbacks=[before, watch])
    for name, norm in expected_norms(before.values[-1], X[16:], Y[16:]).items():
        assert watch.history[-1].layers[name].gradient == pytest.approx(norm, rel=1e-4)


class Stepping(keras.Model):
    """TensorFlow's way: trains by a step of its own, on the data with half the labels."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y / 2, self(x, training=True))
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


@pytest.mark.backend("tensorflow")
def test_where_a_model_trains_by_a_step_of_its_own_they_are_those_of_the_probe():
    watch, model = aw.Watch((X[:6], Y[:6]), gradients=True, every=3), network(Stepping)
    model.fit(X, Y, batch_size=8, shuffle=False, verbose=0, callbacks=[watch])
    for name, norm in expected_norms([variable.numpy() for variable in model.variables], X[:6], Y[:6]).items():
        assert watch.history[-1].layers[name].gradient == pytest.approx(norm, rel=1e-4)
    assert watch.history[0].layers["first"].gradient > 0


def test_without_labels_they_are_refused_there_before_the_first_step():
    model = network(Stepping)
    before = model.get_weights()
    with pytest.raises(InvalidInputsError, match=r"aw\.Watch\(\(x, y\)"):
        model.fit(X, Y, verbose=0, callbacks=[aw.Watch(X[:6], gradients=True)])
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_a_training_that_was_interrupted_leaves_nothing_that_matters():
    model = network()

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=[aw.Watch(X[:6], gradients=True), Interrupt()])
    watch = aw.Watch(X[:6], gradients=True)
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[watch])
    assert watch.history[-1].layers["first"].gradient > 0
    model.fit(X, Y, batch_size=8, verbose=0)


def test_in_half_precision_they_are_not_scaled():
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((5,))
    x = keras.layers.Dense(7, "tanh", dtype="mixed_float16", name="first")(x)
    x = keras.layers.Dense(2, dtype="float32", name="last")(x)
    model = keras.Model(inputs, x)
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.0), initial_scale=1024.0)
    model.compile(optimizer, "mse")
    watch = aw.Watch(X[:3], gradients=True)
    model.fit(X[:8], Y[:8], verbose=0, callbacks=[watch])
    gradients = own_gradients(model, lambda output, _kernel: keras.ops.mean((output - Y[:8]) ** 2), X[:8])
    own = [variable.path for variable in model.get_layer("first").trainable_variables]
    paths = [variable.path for variable in model.trainable_variables]
    norm = np.sqrt(sum(np.sum(np.square(gradients[paths.index(path)])) for path in own))
    assert watch.history[-1].layers["first"].gradient == pytest.approx(norm, rel=1e-2)
