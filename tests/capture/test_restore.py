"""A pass in the block of `unchanged` leaves no trace in the model, and another thread sees nothing of it."""

from __future__ import annotations

import threading

import keras
import numpy as np
import pytest
from keras import layers

from actwidget.capture.run.restore import unchanged
from actwidget.errors import CaptureError, OptionError
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.rounding import assert_close


class Counts(layers.Layer):
    """Counts its calls in a variable and in plain Python, and keeps what it gave last."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.noted, self.last = [], None

    def build(self, _shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, inputs):
        self.calls.assign_add(1)
        self.noted.append("called")
        self.last = inputs + self.calls
        return self.last


def counting():
    """A model whose layer has been called once with values."""
    x = keras.Input((3,), name="x")
    model = keras.Model(x, Counts(name="counts")(x), name="counting")
    counts = model.get_layer("counts")
    model(zoo.noise(2, 3))
    counts.noted.clear()
    return model, counts


def test_each_call_inside_sees_what_those_before_it_wrote_and_nothing_of_it_stays():
    model, counts = counting()
    x, last = zoo.noise(2, 3, seed=1), counts.last
    with unchanged(model):
        assert_close(model(x), x + 2)
        assert_close(model(x), x + 3)
        assert float(counts.calls) == 3
    assert float(counts.calls) == 1
    assert counts.last is last


@pytest.mark.parametrize(("trial", "noted"), [(False, 1), (True, 0)])
def test_lists_of_the_users_grow_by_a_pass_that_was_asked_for_and_by_no_trial(trial, noted):
    model, counts = counting()
    with unchanged(model, trial=trial):
        model(zoo.noise(2, 3))
    assert len(counts.noted) == noted


def test_another_thread_sees_nothing_of_it_and_what_that_writes_stays():
    model, counts = counting()
    seen = []

    def elsewhere():
        seen.append(float(counts.calls))
        counts.calls.assign(10)

    with unchanged(model):
        model(zoo.noise(2, 3))
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(60)
        assert float(counts.calls) == 2
    assert seen == [1]
    assert float(counts.calls) == 10


def test_random_numbers_come_next_as_if_nothing_had_been_drawn():
    x = keras.Input((50,))
    model, ones = keras.Model(x, layers.Dropout(0.5, seed=3)(x)), np.ones((1, 50), "float32")
    with unchanged(model):
        inside = [np.array(model(ones, training=True)) for _ in range(2)]
    np.testing.assert_array_equal(model(ones, training=True), inside[0])
    np.testing.assert_array_equal(model(ones, training=True), inside[1])
    assert (inside[0] != inside[1]).any()


def test_only_the_layers_that_run_have_to_be_given():
    x = keras.Input((3,))
    norm = layers.BatchNormalization(name="norm")
    model = keras.Model(x, layers.Dense(2)(norm(x)))
    value = zoo.noise(4, 3) + 5
    with unchanged(model, [norm]):
        norm(value, training=True)
        assert np.all(as_array(norm.moving_mean) > 0)
    np.testing.assert_array_equal(norm.moving_mean, np.zeros(3))


def test_what_raises_inside_is_a_capture_error_and_the_model_is_as_before():
    model, counts = counting()

    def fails():
        model(zoo.noise(2, 3))
        message = "too hot"
        raise ArithmeticError(message)

    with (
        pytest.raises(CaptureError, match=r"pass of 'counting' failed\. ArithmeticError: too hot") as caught,
        unchanged(model),
    ):
        fails()
    assert isinstance(caught.value.__cause__, ArithmeticError)
    assert float(counts.calls) == 1
    with pytest.raises(CaptureError, match="pass of 'my model' failed"), unchanged(model, name="my model"):
        fails()
    refused = OptionError("An error of actwidget's own says all there is to say.")
    with pytest.raises(OptionError) as caught, unchanged(model):
        raise refused
    assert caught.value is refused
