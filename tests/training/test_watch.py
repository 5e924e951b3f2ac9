"""`aw.Watch`: what it records of a training."""

from __future__ import annotations

import io
import random

import keras
import numpy as np
import pytest

import actwidget as aw
from actwidget.errors import InvalidInputsError, LayerNotFoundError, OptionError
from actwidget.training.probe import Probe

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 6, 6, 2)).astype("float32")
Y = RNG.integers(0, 3, 48)
STEPS = 48 // 16


def small(**compiled):
    layers = keras.layers
    image = keras.Input((6, 6, 2), name="image")
    x = layers.Conv2D(4, 3, name="conv", kernel_initializer=keras.initializers.GlorotUniform(1))(image)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(6.0, name="relu")(x)
    x = layers.Dropout(0.3, seed=5, name="drop")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(3, activation="softmax", name="digit", kernel_initializer=keras.initializers.GlorotUniform(2))(x)
    model = keras.Model(image, x, name="small")
    model.compile(**({"optimizer": keras.optimizers.Adam(0.01), "loss": "sparse_categorical_crossentropy"} | compiled))
    return model


def fitted(model, *callbacks, epochs=2, **options):
    return model.fit(X, Y, batch_size=16, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks), **options)


class Copies(keras.callbacks.Callback):
    """Keeps the weights at the moments at which a watch makes its records."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_begin(self, logs=None):  # noqa: ARG002
        self.weights.append(self.model.get_weights())

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002
        self.weights.append(self.model.get_weights())


def test_each_record_holds_the_numbers_that_the_model_had_at_that_moment():
    model, copies, watch = small(), Copies(), aw.Watch(X[:8])
    fitted(model, copies, watch)
    assert [record.step for record in watch.history] == [0, STEPS, 2 * STEPS]
    assert [record.epoch for record in watch.history] == [0, 0, 1]
    for record, weights in zip(watch.history, copies.weights, strict=True):
        copy = small()
        copy.set_weights(weights)
        values = aw.activations(copy, X[:8])
        assert list(record.layers) == list(values)
        for path, value in values.items():
            found = record.layers[path]
            assert found.mean == pytest.approx(value.mean(dtype=float), rel=1e-4, abs=1e-6)
            assert found.zeros == (value == 0).mean()
            assert (found.nan, found.samples, found.count) == (0, 8, value.size)
            np.testing.assert_allclose(
                found.quantiles, np.quantile(value.astype(float), [0.01, 0.25, 0.5, 0.75, 0.99]), rtol=1e-3, atol=1e-5
            )
            assert found.histogram.counts.sum() + found.histogram.zeros + found.histogram.at_upper == value.size
        relu = values["relu"].reshape(-1, 4)
        assert record.layers["relu"].dead == (relu == 0).all(axis=0).sum()
        assert record.layers["relu"].saturated == (relu >= 5.994).mean()


def test_the_norms_and_the_updates_of_weights_are_those_between_two_records():
    model, copies, watch = small(), Copies(), aw.Watch(X[:8])
    fitted(model, copies, watch)

    def of_conv(weights):
        return np.concatenate([np.ravel(each).astype(float) for each in weights[:2]])

    for number, record in enumerate(watch.history):
        now = of_conv(copies.weights[number])
        assert record.layers["conv"].weights.norm == pytest.approx(np.linalg.norm(now), rel=1e-6)
        if number:
            before = of_conv(copies.weights[number - 1])
            update = np.linalg.norm(now - before) / np.linalg.norm(before)
            assert record.layers["conv"].weights.update == pytest.approx(update, rel=1e-5)
    assert np.isnan(watch.history[0].layers["conv"].weights.update)
    assert watch.history[0].layers["relu"].weights is None


def test_the_logs_are_those_of_keras():
    watch = aw.Watch(X[:8])
    history = fitted(small(metrics=["accuracy"]), watch, validation_data=(X[:8], Y[:8])).history
    assert watch.history[0].logs == {}
    for name, values in history.items():
        assert [record.logs[name] for record in watch.history[1:]] == pytest.approx(values)


def test_a_record_is_made_every_so_many_steps():
    watch = aw.Watch(X[:8], "relu", every=2)
    fitted(small(), watch, epochs=3)
    assert [(record.step, record.epoch) for record in watch.history] == [(0, 0), (2, 0), (4, 1), (6, 1), (8, 2)]
    assert list(watch.history[0].layers) == ["relu"]


def test_steps_are_counted_where_a_call_runs_several():
    watch = aw.Watch(X[:8], "relu", every=1)
    fitted(small(steps_per_execution=3), watch)
    assert [record.step for record in watch.history] == [0, 3, 6]


def test_another_training_starts_a_new_history():
    watch, model = aw.Watch(X[:8], "relu"), small()
    fitted(model, watch)
    fitted(model, watch, epochs=1)
    assert [record.step for record in watch.history] == [0, STEPS]


def test_weights_are_left_out_where_they_are_not_asked_for():
    watch = aw.Watch(X[:8], "conv", weights=False)
    fitted(small(), watch)
    assert watch.history[-1].layers["conv"].weights is None


def test_the_random_states_are_left_alone():
    keras.utils.set_random_seed(3)
    model = small()

    class Drawn(keras.callbacks.Callback):
        drawn: list

        def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002
            self.drawn.append((random.random(), np.random.random(), float(keras.random.uniform(()))))  # noqa: NPY002, S311

    drawn = []
    for watches in ([], [aw.Watch(X[:8], gradients=True, stop_on_nan=True)]):
        keras.utils.clear_session()  # which in Keras 3.8 the next line does not do with Keras's random state
        keras.utils.set_random_seed(3)
        each = Drawn()
        each.drawn = []
        fitted(model, *watches, each)
        drawn.append(each.drawn)
    assert drawn[0] == drawn[1]


def test_the_model_is_left_as_it_was():
    model = small()
    fitted(model)
    layers, function = list(model.layers), model.train_function
    nodes = [len(layer._outbound_nodes) for layer in layers]
    fitted(model, aw.Watch(X[:8], gradients=True, stop_on_nan=True))
    assert model.train_function is function
    assert [len(layer._outbound_nodes) for layer in layers] == nodes


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"every": "batch"}, OptionError),
        ({"every": 0}, OptionError),
        ({"every": 1.5}, OptionError),
        ({"restore": True}, OptionError),
    ],
)
def test_options_that_can_not_be_are_refused(options, error):
    with pytest.raises(error):
        aw.Watch(X[:8], **options)


def test_a_probe_that_does_not_fit_and_layers_that_are_not_there_are_refused_before_the_first_step():
    model = small()
    before = model.get_weights()
    for watch, error in [
        (aw.Watch(X[:8, :3]), InvalidInputsError),
        (aw.Watch(None), InvalidInputsError),
        (aw.Watch(X[:8], "nowhere"), LayerNotFoundError),
    ]:
        with pytest.raises(error):
            fitted(model, watch)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_frame_has_a_row_for_each_layer_of_each_record():
    watch = aw.Watch(X[:8], ["conv", "relu"], gradients=True)
    fitted(small(), watch)
    frame = watch.to_frame()
    assert len(frame) == 2 * len(watch.history)
    row = frame[(frame.step == STEPS) & (frame.layer == "conv")].iloc[0]
    record = watch.history[1].layers["conv"]
    assert row["mean"] == record.mean
    assert row["quantile_50%"] == record.quantiles[2]
    assert row["weight_update"] == record.weights.update
    assert row["gradient"] == record.gradient
    assert row["logs_loss"] == watch.history[1].logs["loss"]


def test_a_file_holds_the_whole_history(tmp_path):
    watch = aw.Watch(X[:8], gradients=True)
    fitted(small(), watch)
    watch.save(tmp_path / "run.npz")
    loaded = aw.load_watch(tmp_path / "run.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]
    assert loaded.fault is None
    for one, other in zip(watch.history, loaded.history, strict=True):
        assert (one.step, one.epoch, one.logs, list(one.layers)) == (
            other.step,
            other.epoch,
            other.logs,
            list(other.layers),
        )
        for path, layer in one.layers.items():
            assert layer.to_dict() == other.layers[path].to_dict()
            np.testing.assert_array_equal(layer.quantiles, other.layers[path].quantiles)
            np.testing.assert_array_equal(layer.per_channel.dead, other.layers[path].per_channel.dead)
    with pytest.raises(InvalidInputsError, match="loaded from a file"):
        fitted(small(), loaded)


def test_a_file_that_no_watch_has_written_is_refused(tmp_path):
    file = tmp_path / "other.npz"
    for content in (b"", b"PK\x03\x04nonsense", b"text"):
        file.write_bytes(content)
        with pytest.raises(OptionError):
            aw.load_watch(file)
    np.savez(file, a=np.ones(3))
    with pytest.raises(OptionError):
        aw.load_watch(file)
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object))
    file.write_bytes(buffer.getvalue())
    with pytest.raises(OptionError):
        aw.load_watch(file)
    with pytest.raises(FileNotFoundError):
        aw.load_watch(tmp_path / "none.npz")


def test_nan_is_recorded_by_a_compiled_pass_too():
    x = keras.Input((8, 8, 3), name="image")
    y = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(
        x
    )  # fused with its ReLU, it gives 0 on some processors
    y = keras.layers.GlobalAveragePooling2D(name="mean")(y)
    model = keras.Model(x, keras.layers.Dense(2, name="out")(y))
    model.get_layer("conv").kernel.assign(np.full((3, 3, 3, 4), np.nan))
    for repeats in (1, 100):
        found = Probe(model, np.ones((2, 8, 8, 3), np.float32), None, repeats=repeats).numbers()
        assert {path: each.nan for path, each in found.items()} == {"image": 0, "conv": 288, "mean": 8, "out": 4}
