"""A pass up to some layers, of the whole batch or part by part, gives what one pass of the whole batch gives."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from actwidget.capture.access.forward_pass import capture, stream
from actwidget.capture.trace import read
from actwidget.errors import NotCapturableError
from tests.capture import zoo
from tests.rounding import assert_close


def test_a_layer_that_a_part_of_the_batch_passes_by_is_had_of_the_whole():
    class Flow(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = layers.Dense(3, name="first"), layers.Dense(3, name="second")

        def call(self, inputs):
            y = self.first(inputs)
            return self.second(y) if ops.max(inputs) > 5 else y

    model, x = Flow(), zoo.noise(64, 3)
    with pytest.raises(NotCapturableError):
        aw.activations(model, x, "second")
    x[0, 0] = 9
    assert_close(aw.activations(model, x)["second"], model(x))


class Counted(keras.Model):
    """Notes how many samples go through it; what it calls depends on them."""

    def __init__(self):
        super().__init__()
        self.ran = []
        self.first, self.often = layers.Dense(25, name="first"), layers.Dense(25, name="often")

    def call(self, inputs):
        self.ran.append(inputs.shape[0])
        y = self.first(inputs)
        for _ in range(int(ops.max(inputs)) - 8):
            y = self.often(y)
        return y

    def compute_output_shape(self, shape):
        return (*shape[:-1], 25)


@pytest.mark.parametrize("batch_size", [25, 40])
@pytest.mark.parametrize("chosen", [None, "first"])
def test_a_model_without_a_graph_is_seen_on_no_more_samples_than_go_through_it_at_a_time(batch_size, chosen):
    model, x = Counted(), zoo.noise(100, 4)
    model(x[:2])
    model.ran.clear()
    found = aw.activations(model, x, chosen, batch_size=batch_size)
    assert max(model.ran) == batch_size
    assert list(found) == ["first"]
    assert_close(found["first"], model.first(x))


@pytest.mark.parametrize("chosen", [None, "often@1"])
@pytest.mark.parametrize("among", [slice(0, 100), slice(30, 31)], ids=["all", "a later part"])
def test_what_the_first_samples_do_not_call_is_had_too(among, chosen):
    model, x = Counted(), zoo.noise(100, 4)
    model(x[:2])
    x[among, 0] = 10
    found = aw.activations(model, x, chosen, batch_size=25)
    assert list(found) == ([chosen] if chosen else ["first", "often", "often@1"])
    assert_close(found["often@1"], model(x))


def test_so_it_is_inside_a_functional_model():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Counted()(inputs))
    counted, x = model.layers[1], zoo.noise(100, 4)
    counted.ran.clear()
    assert len(aw.activations(model, x, batch_size=25)) == 3
    assert max(filter(None, counted.ran)) == 25  # None in a trial on symbols
    x[30, 0] = 10
    path = f"{counted.name}/often@1"
    assert_close(aw.activations(model, x, batch_size=25)[path], counted(x))


def test_noise_is_not_the_same_in_every_part():
    inputs = keras.Input((100,))
    model = keras.Model(inputs, layers.Dropout(0.5, name="dropout")(inputs))
    value = aw.activations(model, np.ones((64, 100), "float32"), "dropout", training=True)["dropout"]
    assert not np.array_equal(value[:32], value[32:])


def test_noise_that_a_layer_draws_for_all_samples_is_that_of_one_pass():
    class Sampling(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seeds = keras.random.SeedGenerator(7)

        def call(self, inputs):
            return inputs + keras.random.normal(ops.shape(inputs), seed=self.seeds)

    inputs, x = keras.Input((3,)), zoo.noise(70, 3)
    model = keras.Model(inputs, Sampling(name="sampling")(inputs))
    found = aw.activations(model, x, "sampling")["sampling"]
    np.testing.assert_array_equal(found, model(x, training=False))


def test_batch_statistics_in_training_are_those_of_the_whole_batch():
    inputs, x = keras.Input((3,)), zoo.noise(70, 3)
    model = keras.Model(inputs, layers.BatchNormalization(name="bn")(inputs))
    found = aw.activations(model, x, "bn", training=True)["bn"]
    np.testing.assert_allclose(found, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), rtol=1e-4, atol=1e-5)


class Wanting(layers.Layer):
    """Works on sixteen samples and more."""

    def call(self, inputs):
        if inputs.shape[0] is not None and inputs.shape[0] < 16:
            message = "too few"
            raise ValueError(message)
        return inputs * 2


def test_a_layer_that_some_samples_are_too_few_for_is_given_all():
    inputs, x = keras.Input((3,)), zoo.noise(40, 3)
    model = keras.Model(inputs, Wanting(name="wanting")(inputs))
    np.testing.assert_array_equal(aw.activations(model, x, "wanting")["wanting"], x * 2)


class Centre(layers.Layer):
    """Takes the mean of the batch away."""

    def call(self, inputs):
        return inputs - ops.mean(inputs, axis=0, keepdims=True)


def centred():
    x = keras.Input((4,), name="x")
    y = layers.Dense(3, name="dense")(x)
    return keras.Model(x, layers.Dense(2, name="out")(Centre(name="centre")(y)))


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_a_stream_gives_the_parts_in_turn_and_tells_what_can_not_be_had_in_parts(batch_size):
    model, x = centred(), zoo.noise(50, 4)
    graph, batch = read(model, x)
    taken = {}

    def take(start, part):
        for path, captured in part.items():
            taken.setdefault(path, []).append((start, captured.value))

    nodes = [graph.nodes[path] for path in ("dense", "centre", "out")]
    assert stream(graph, batch, nodes, take, batch_size=batch_size) == {"centre", "out"}
    starts, values = zip(*taken["dense"], strict=True)
    assert list(starts) == list(range(0, 50, batch_size))
    assert_close(np.concatenate(values), model.get_layer("dense")(x))


def test_a_stream_ends_where_nothing_can_be_had_in_parts():
    graph, batch = read(centred(), zoo.noise(50, 4))
    starts = []
    assert stream(graph, batch, [graph.nodes["out"]], lambda start, _: starts.append(start), batch_size=5) == {"out"}
    assert len(starts) == 1


def test_what_a_layer_refuses_in_this_pass_is_left_out_where_that_is_asked_for():
    x = keras.Input((5, 3))
    cell = layers.LSTM(4, dropout=0.5, name="lstm")
    model = keras.Model(x, layers.Dense(2, name="out")(cell(x)))
    graph, batch = read(model, zoo.noise(2, 5, 3))
    nodes = [graph.nodes[path] for path in ("lstm", "lstm/lstm_cell/input_gate", "out")]
    found = capture(graph, batch, nodes, training=True, refuse=False)
    assert list(found) == ["lstm", "out"]
    assert_close(found["out"].value, model.get_layer("out")(found["lstm"].value))
    with pytest.raises(NotCapturableError, match=r"'lstm/lstm_cell/input_gate' .* dropout changes what goes into"):
        capture(graph, batch, nodes, training=True)


def test_nothing_runs_where_nothing_is_asked_for():
    model = Counted()
    graph, batch = read(model, zoo.noise(3, 4))
    model.ran.clear()
    assert capture(graph, batch, []) == {}
    assert model.ran == []


def test_only_what_is_needed_runs():
    ran = []

    class Noted(layers.Dense):
        def call(self, inputs):
            ran.append(self.name)
            return super().call(inputs)

    x = keras.Input((3,), name="x")
    left, right = Noted(3, name="left")(x), Noted(3, name="right")(x)
    model = keras.Model(x, Noted(1, name="sum")(left + right))
    graph, batch = read(model, zoo.noise(2, 3))
    ran.clear()
    capture(graph, batch, [graph.nodes["right"]])
    assert ran == ["right"]
