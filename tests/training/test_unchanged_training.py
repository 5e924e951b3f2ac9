"""A training with a `Watch` gives the same weights, bit for bit, as one without."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import actwidget as aw

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 12)).astype("float32")
Y = RNG.integers(0, 3, 32)
EVERYTHING = {"gradients": True, "stop_on_nan": True, "restore": True, "every": 1}


class Stepping(keras.Model):
    """TensorFlow's way: trains by a step of its own."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True)) * 2
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


def network(cls=keras.Model, dtype=None):
    def glorot(seed):
        return keras.initializers.GlorotUniform(seed)

    x = inputs = keras.Input((12,), name="features")
    x = keras.layers.Dense(16, "relu", kernel_initializer=glorot(1), dtype=dtype, name="first")(x)
    x = keras.layers.BatchNormalization(dtype=dtype, name="norm")(x)
    x = keras.layers.Dropout(0.4, seed=3, dtype=dtype, name="drop")(x)
    x = keras.layers.Dense(3, "softmax", kernel_initializer=glorot(2), dtype="float32", name="last")(x)
    return cls(inputs, x, name="network")


def trained(make, options, *callbacks):
    model = make()
    model.compile(**({"optimizer": keras.optimizers.Adam(0.02), "loss": "sparse_categorical_crossentropy"} | options()))
    keras.utils.set_random_seed(1)
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=list(callbacks))
    return model


WAYS = {
    "fit": (network, dict),
    "custom train_step": (lambda: network(Stepping), dict),
    "jit_compile": (network, lambda: {"jit_compile": True}),
    "mixed precision": (lambda: network(dtype="mixed_float16"), dict),
    "mixed precision with a scaled loss": (
        lambda: network(dtype="mixed_float16"),
        lambda: {"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))},
    ),
    "clipping": (network, lambda: {"optimizer": keras.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=0.3)}),
    "eager": (network, lambda: {"run_eagerly": True}),
    "several steps a call": (network, lambda: {"steps_per_execution": 2}),
}


OF_TENSORFLOW = pytest.mark.backend("tensorflow")
EACH = [pytest.param(way, marks=[OF_TENSORFLOW] if way == "custom train_step" else []) for way in WAYS]


@pytest.mark.parametrize("way", EACH)
def test_the_weights_are_the_same_bit_for_bit(way):
    make, options = WAYS[way]
    plain = trained(make, options)
    labels_needed = way in {"custom train_step", "several steps a call"}
    probe = (X[:6], Y[:6]) if labels_needed else X[:6]
    watches = [aw.Watch(X[:6]), aw.Watch(probe, **EVERYTHING)]
    watched = trained(make, options, *watches)
    assert [watch.fault for watch in watches] == [None, None]
    assert [len(watch.history) for watch in watches] == [3, 5 if way == "several steps a call" else 9]
    for ours, theirs in ((watched, plain), (watched.optimizer, plain.optimizer)):
        for one, other in zip(ours.variables, theirs.variables, strict=True):
            if "seed" not in one.path or "drop" in one.path:
                np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)
