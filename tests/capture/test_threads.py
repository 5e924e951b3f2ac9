"""Looks and other threads: neither changes what the other reads, writes or draws."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
import tensorflow as tf

import actwidget as aw
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


def elsewhere(action):
    """Runs something in another thread, to its end; what it raised or gave comes back."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(action).result(60)


class Meanwhile(keras.layers.Layer):
    """Hands its input on; while it is called, something else happens in another thread."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.action = None

    def build(self, _shape):
        # Trainable, as add_weight has it unless it is told otherwise.
        self.count = self.add_weight(shape=(), initializer="zeros", name="count")

    def call(self, inputs):
        if self.action is not None and not isinstance(inputs, keras.KerasTensor) and tf.executing_eagerly():
            elsewhere(self.action)
        return inputs + 0.0 * self.count


class Own(keras.layers.Layer):
    """Holds what Keras does not know of, and writes it at each call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.added, self.assigned = tf.Variable(0.0), tf.Variable([0, 0])
        self.generator = tf.random.Generator.from_seed(3)

    def call(self, inputs):
        self.added.assign_add(0.1)
        self.assigned.assign([7, 7])
        return inputs + self.generator.normal(()) * 0.0


def watched(*others):
    """A model around a layer during whose call other threads act; that layer comes last."""
    inputs = keras.Input((3,))
    y = inputs
    for layer in others:
        y = layer(y)
    meanwhile = Meanwhile(name="meanwhile")
    model = keras.Model(inputs, keras.layers.Dense(2, name="out")(meanwhile(y)))
    return model, meanwhile


LOOKS = {
    "activations": aw.activations,
    "one": lambda model, x: aw.activations(model, x, "out"),
    "training": lambda model, x: aw.activations(model, x, training=True),
    "parts": lambda model, x: aw.activations(model, x, "out", batch_size=1),
    "explorer": lambda model, x: aw.LayerExplorer(model, x, layer="out").activation,
    "tree": aw.layer_tree,
    "compare": lambda model, x: aw.compare(model, x, x + 1),
    "summaries": lambda model, x: aw.LayerExplorer(model, x).summaries,
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_what_another_thread_writes_during_a_look_stays(look):
    norm, own = keras.layers.BatchNormalization(name="norm"), Own(name="own")
    model, meanwhile = watched(norm, own)
    written = []

    def write():
        meanwhile.count.assign_add(1.0)
        norm.moving_mean.assign_add(np.ones(3, "float32"))
        own.added.assign_add(1.0)
        written.append(1)

    meanwhile.action = write
    added = as_array(own.added)
    look(model, zoo.noise(2, 3))
    times = len(written)
    assert as_array(meanwhile.count) == times
    np.testing.assert_array_equal(as_array(norm.moving_mean), np.full(3, float(times)))
    assert_close(as_array(own.added), added + times)
    np.testing.assert_array_equal(as_array(norm.moving_variance), np.ones(3))


def test_what_another_thread_assigns_over_a_looks_own_write_stays():
    own = Own(name="own")
    model, meanwhile = watched(own)
    meanwhile.action = lambda: (own.assigned.assign([5, 6]), own.generator.normal(()))
    first = as_array(own.generator.state)
    aw.activations(model, zoo.noise(2, 3))
    np.testing.assert_array_equal(as_array(own.assigned), [5, 6])
    assert (as_array(own.generator.state) != first).any()  # the numbers that the other thread drew are not drawn again


def test_random_numbers_that_another_thread_draws_during_a_look_are_drawn_once():
    class Drawing(keras.layers.Layer):
        def call(self, inputs):
            return inputs + 0.0 * (random.random() + np.random.rand() + np.random.default_rng().random())  # noqa: NPY002, S311

    def numbers(look):
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        drawn = []

        def draw():
            drawn.extend([random.random(), np.random.rand(), np.random.randint(1 << 30)])  # noqa: NPY002, S311

        model, meanwhile = watched(Drawing(name="drawing"))
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
        meanwhile.action = draw
        if look:
            aw.activations(model, zoo.noise(2, 3))
            meanwhile.action = None
        while len(drawn) < 12:
            elsewhere(draw)
        return drawn[:12]

    assert numbers(look=True) == numbers(look=False)


@pytest.mark.parametrize("training", [False, True])
def test_looks_in_several_threads_give_each_its_own_values(training):
    keras.utils.set_random_seed(2)
    inputs = keras.Input((6, 6, 2))
    y = keras.layers.BatchNormalization(name="norm")(keras.layers.Conv2D(4, 3, name="conv")(inputs))
    y = keras.layers.Dropout(0.4, seed=5, name="drop")(y)
    y = keras.layers.LSTM(3, name="memory")(keras.layers.Reshape((-1, 4))(y))
    model = keras.Model(inputs, keras.layers.Dense(2, name="out")(y))
    batches = [zoo.noise(4, 6, 6, 2, seed=seed) for seed in range(4)]
    before = [np.array(variable.numpy()) for variable in model.variables]
    alone = [aw.activations(model, x, training=training) for x in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: aw.activations(model, x, training=training), batches * 5))
    for index, found in enumerate(together):
        for path, value in alone[index % 4].items():
            assert_close(found[path], value, err_msg=path)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.path)


def test_a_model_that_several_looks_build_at_once_has_its_weights_once():
    class Late(keras.Model):
        def __init__(self):
            super().__init__(name="late")
            self.first, self.second = keras.layers.Dense(4, name="first"), keras.layers.Dense(3, name="second")

        def call(self, inputs):
            return self.second(self.first(inputs))

    for _ in range(5):
        model, x, barrier = Late(), zoo.noise(2, 3), threading.Barrier(4, timeout=60)

        def look(_number, model=model, x=x, barrier=barrier):
            barrier.wait()
            return aw.activations(model, x)

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(look, range(4)))
        assert [weight.path for weight in model.weights] == [
            "late/first/kernel", "late/first/bias", "late/second/kernel", "late/second/bias",
        ]  # fmt: skip
        for each in found:
            assert_close(each["second"], model(x))


def test_losses_of_a_call_in_another_thread_stay():
    regularized = keras.layers.Dense(3, activity_regularizer="l2", name="regularized")
    model, meanwhile = watched(regularized)
    x, losses = zoo.noise(2, 3), []

    def train():
        meanwhile.action = None
        model(x)
        losses.extend(model.losses)

    meanwhile.action = train
    aw.activations(model, zoo.noise(2, 3, seed=1))
    assert [float(loss) for loss in model.losses] == [float(loss) for loss in losses]
    assert len(losses) == 1
    assert not regularized._loss_ids


def test_training_that_a_look_interrupts_at_every_step_ends_as_if_nobody_had_looked():
    x, y = zoo.noise(24, 5), np.arange(24) % 3

    def trained(look):
        keras.utils.set_random_seed(4)
        layers = [
            *(keras.Input((5,)), keras.layers.Dense(6, activity_regularizer="l2"), keras.layers.BatchNormalization()),
            *(keras.layers.Dropout(0.3, seed=2), keras.layers.Dense(3, activation="softmax")),
        ]
        model = keras.Sequential(layers)
        model.compile("adam", "sparse_categorical_crossentropy")
        callbacks = []
        if look:
            see = lambda *_, **__: elsewhere(lambda: aw.activations(model, x, training=True))  # noqa: E731
            callbacks = [keras.callbacks.LambdaCallback(on_train_batch_begin=see, on_epoch_end=see)]
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
        return [variable.numpy() for variable in model.variables]

    for with_looks, without in zip(trained(look=True), trained(look=False), strict=True):
        np.testing.assert_array_equal(with_looks, without)
