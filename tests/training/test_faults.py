"""The first value of a training that is not finite: named with its layer, its kind and its step, and undone."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.training.records import Fault

RNG = np.random.default_rng(4)
X = RNG.uniform(0.5, 1, size=(40, 4)).astype("float32")
Y = RNG.normal(size=(40, 1)).astype("float32")


@keras.saving.register_keras_serializable(package="faults")
class Roots(keras.layers.Layer):
    """The square root of the distance to 1: the gradient at 1 is infinite."""

    def call(self, inputs):
        return keras.ops.sqrt(keras.ops.abs(inputs - 1.0))


class Poison(keras.callbacks.Callback):
    """Writes NaN into a weight after a step."""

    def __init__(self, layer, step):
        super().__init__()
        self.layer, self.step = layer, step

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
        if batch + 1 == self.step:
            # On JAX `self.model` brings the weights of the moment into the model.
            kernel = functools.reduce(keras.Model.get_layer, self.layer.split("/"), self.model).kernel
            kernel.assign(np.where(kernel.numpy() > 0, np.nan, kernel.numpy()))


class States(keras.callbacks.Callback):
    """Keeps the weights and the optimizer's variables after each step."""

    def __init__(self):
        super().__init__()
        self.after = []

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
        variables = [*self.model.variables, *self.model.optimizer.variables]
        self.after.append([variable.numpy() for variable in variables])


def dense(units, name, seed, activation=None):
    return keras.layers.Dense(units, activation, name=name, kernel_initializer=keras.initializers.GlorotUniform(seed))


def network(optimizer=None, *, compiled=False):
    """A model that mostly trains without compilation, which would take longer than all steps of a test."""
    model = keras.Sequential([keras.Input((4,), name="in"), dense(5, "first", 1, "tanh"), dense(1, "last", 2)])
    model.compile(optimizer or keras.optimizers.Adam(0.01), "mse", run_eagerly=not compiled)
    return model


def fitted(model, *callbacks, x=X, y=Y, epochs=2):
    model.fit(x, y, batch_size=8, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    return model


def test_without_a_fault_there_is_none():
    watch = aw.Watch(X[:8], stop_on_nan=True)
    fitted(network(), watch)
    assert watch.fault is None
    assert watch.history[-1].step == 10


def test_a_weight_is_named_with_its_layer_and_step():
    watch = aw.Watch(X[:8], stop_on_nan=True, progress=False)
    fitted(network(), Poison("first", 3), watch)
    assert watch.fault == Fault("first", "weight", 3)
    assert watch.history[-1].step == 3


def test_where_no_state_is_kept_the_loss_is_named_and_training_goes_on():
    y = Y.copy()
    y[12] = np.nan
    watch = aw.Watch(X[:8], progress=False)
    fitted(network(), watch, y=y)
    assert watch.fault == Fault("last", "loss", 2)
    assert watch.history[-1].step == 10


def test_a_weight_that_only_a_record_sees_is_named_there():
    watch = aw.Watch(X[:8], progress=False)
    fitted(network(), Poison("last", 5), watch)
    assert watch.fault == Fault("last", "weight", 5)


@pytest.mark.parametrize("options", [{}, {"weights": False}, {"stop_on_nan": True}])
def test_a_weight_that_was_bad_before_the_training_is_named_though_its_layer_is_not_watched(options):
    model = network()
    for name in ("first", "last"):
        model.get_layer(name).bias.assign(np.full(model.get_layer(name).bias.shape, np.nan))
    watch = aw.Watch(X[:8], layers=[], progress=False, **options)
    fitted(model, watch)
    assert watch.fault == Fault("first", "weight", 0)


def test_an_activation_is_named_by_the_first_layer_on_the_step_s_own_batch():
    x = X.copy()
    x[25, 2] = np.nan  # in the fourth batch, not in the probe
    watch = aw.Watch(X[:8], stop_on_nan=True, progress=False)
    fitted(network(), watch, x=x)
    assert watch.fault == Fault(next(iter(watch.history[0].layers)), "activation", 4)


def test_an_activation_that_overflows_is_named():
    model = network(keras.optimizers.SGD(0.01))
    model.get_layer("last").kernel.assign(np.full((5, 1), 3e38))
    model.get_layer("first").bias.assign(np.full(5, 10.0))
    watch = aw.Watch(X[:8], stop_on_nan=True, progress=False)
    fitted(model, watch)
    assert watch.fault == Fault("last", "activation", 0)


def test_a_gradient_is_named():
    model = keras.Sequential([keras.Input((4,)), dense(4, "first", 1), Roots(name="roots"), dense(1, "last", 2)])
    model.get_layer("first").kernel.assign(np.eye(4))
    model.compile(keras.optimizers.SGD(0.01), "mse", run_eagerly=True)
    x = X.copy() + 1
    x[17] = 1.0  # in the third batch, where the layer before gives exactly 1 while nothing has been trained
    model.get_layer("first").trainable = True
    model.optimizer.learning_rate = 0.0
    watch = aw.Watch(x[:8], stop_on_nan=True, progress=False)
    fitted(model, watch, x=x)
    assert watch.fault == Fault("first", "gradient", 3)


def test_a_loss_is_named_with_the_layer_that_gives_the_output():
    watch = aw.Watch(X[:8], stop_on_nan=True, progress=False)
    y = Y.copy()
    y[12] = np.nan
    fitted(network(), watch, y=y)
    assert watch.fault == Fault("last", "loss", 2)
    assert "not finite at step 2" in str(watch.fault)


@pytest.mark.parametrize("optimizer", [keras.optimizers.Adam, keras.optimizers.SGD])
def test_the_model_and_the_optimizer_go_back_to_the_end_of_the_step_before(optimizer):
    y = Y.copy()
    y[28] = np.nan  # step 4
    states, watch = States(), aw.Watch(X[:8], stop_on_nan=True, restore=True, progress=False)
    model = fitted(network(optimizer(0.01), compiled=True), states, watch, y=y)
    assert watch.fault is not None
    assert watch.fault.step == 4
    variables = [*model.variables, *model.optimizer.variables]
    for variable, value in zip(variables, states.after[2], strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert not all(np.isfinite(value).all() for value in states.after[3])
    assert watch.history[-1].step == 3
    assert all(layer.nan == 0 for layer in watch.history[-1].layers.values())


def test_without_restore_the_record_shows_the_model_after_the_fault():
    y = Y.copy()
    y[28] = np.nan
    watch = aw.Watch(X[:8], stop_on_nan=True, progress=False)
    fitted(network(), watch, y=y)
    assert watch.history[-1].step == 4
    assert watch.history[-1].layers["last"].nan == 8


def test_a_fault_is_said_on_standard_error(capsys):
    fitted(network(), Poison("last", 1), aw.Watch(X[:8], stop_on_nan=True))
    assert "aw.Watch: A weight of 'last' was not finite at step 1." in capsys.readouterr().err
    fitted(network(), Poison("last", 1), aw.Watch(X[:8], stop_on_nan=True, progress=False))
    assert capsys.readouterr().err == ""


def test_a_metric_that_is_not_finite_is_no_fault():
    def nothing(_true, _predicted):
        return keras.ops.convert_to_tensor(np.nan, "float32")

    model = network()
    model.compile("sgd", "mse", metrics=[nothing], run_eagerly=True)
    watch = aw.Watch(X[:8], stop_on_nan=True)
    fitted(model, watch)
    assert watch.fault is None


def test_a_step_that_loss_scaling_leaves_out_is_no_fault():
    model = network(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01), initial_scale=3e38))
    watch = aw.Watch(X[:8], stop_on_nan=True)
    fitted(model, watch)
    assert watch.fault is None


def test_inside_a_nested_model_the_inner_layer_is_named():
    inner = keras.Sequential([keras.Input((4,)), dense(3, "deep", 5), dense(3, "deeper", 6)], name="inner")
    inputs = keras.Input((4,), name="in")
    model = keras.Model(inputs, dense(1, "out", 7)(inner(inputs)))
    model.compile("sgd", "mse", run_eagerly=True)
    watch = aw.Watch(X[:8], stop_on_nan=True, progress=False)

    fitted(model, Poison("inner/deeper", 2), watch)
    assert watch.fault == Fault("inner/deeper", "weight", 2)
