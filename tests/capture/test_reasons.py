"""Why a value can't be had is told in one sentence, with the reason that is true of that layer."""

from __future__ import annotations

import threading

import keras
import pytest
from keras import layers

import actwidget as aw
from actwidget.capture.run import reasons
from actwidget.errors import NotCapturableError
from tests.capture import zoo


class Asks(keras.Model):
    """Calls `asked` in the way that it is made with, before a layer that is always called."""

    def __init__(self, way):
        super().__init__(name="asks")
        self.way, self.asked, self.last = way, layers.Dense(3, name="asked"), layers.Dense(2, name="last")

    def build(self, shape):
        self.asked.build(shape)
        self.last.build(shape)
        self.built = True

    def call(self, inputs):
        return self.last(self.way(self.asked, inputs))


def in_a_loop(layer, x):
    return keras.ops.vectorized_map(lambda row: layer(row[None])[0], x)


def in_a_thread(layer, x):
    found = []
    thread = threading.Thread(target=lambda: found.append(layer(x)))
    thread.start()
    thread.join(60)
    return found[0]


def test_a_refusal_is_a_sentence_on_the_path_the_model_and_the_reason():
    error = reasons.refusal("net", "block/dense", reasons.NOT_CALLED_NOW)
    assert isinstance(error, NotCapturableError)
    assert str(error) == "'block/dense' of model 'net' can't be captured: it was not called for this batch."


@pytest.mark.parametrize(
    ("way", "reason"), [(lambda _layer, x: x, reasons.NOT_CALLED), (in_a_loop, reasons.ELSEWHERE)], ids=["not", "loop"]
)
def test_the_tree_tells_the_reason_that_is_true(way, reason):
    model, x = Asks(way), zoo.noise(2, 3)
    node = aw.layer_tree(model, x)["asked"]
    assert (node.origin, node.reason) == ("opaque", reason)
    with pytest.raises(NotCapturableError) as caught:
        aw.activations(model, x, "asked")
    assert str(caught.value) == str(reasons.refusal("asks", "asked", reason))


def test_a_layer_that_gives_no_tensor_says_so():
    class Silent(layers.Layer):
        def call(self, _inputs):
            return None

    class Model(keras.Model):
        def __init__(self):
            super().__init__(name="model")
            self.silent, self.last = Silent(name="silent"), layers.Dense(2, name="last")

        def call(self, inputs):
            self.silent(inputs)
            return self.last(inputs)

    node = aw.layer_tree(Model(), zoo.noise(2, 3))["silent"]
    assert (node.origin, node.reason) == ("opaque", reasons.NO_TENSOR)


NOW = {
    "other samples": (lambda layer, x: layer(x) if x.shape[0] is None or x.shape[0] > 2 else x, reasons.NOT_CALLED_NOW),
    "in a thread": (in_a_thread, reasons.OTHER_THREAD),
    "in a loop": (in_a_loop, reasons.ELSEWHERE),
}


@pytest.mark.parametrize(("way", "reason"), NOW.values(), ids=NOW)
def test_a_model_that_was_tapped_before_tells_the_reason_of_this_batch(way, reason):
    model = Asks(lambda layer, x: layer(x))
    model(zoo.noise(4, 3))
    tapped = aw.submodel(model, "asked")
    model.way = way
    with pytest.raises(NotCapturableError) as caught:
        tapped(zoo.noise(2, 3))
    assert str(caught.value) == str(reasons.refusal("asks", "asked", reason))


def test_a_layer_that_gives_a_tensor_for_other_batches_alone_says_so():
    class Large(layers.Layer):
        def call(self, inputs):
            return inputs if inputs.shape[0] is None or inputs.shape[0] > 2 else None

    class Model(keras.Model):
        def __init__(self):
            super().__init__(name="model")
            self.large, self.last = Large(name="large"), layers.Dense(2, name="last")

        def call(self, inputs):
            self.large(inputs)
            return self.last(inputs)

    model = Model()
    model(zoo.noise(4, 3))
    tapped = aw.submodel(model, "large")
    with pytest.raises(NotCapturableError) as caught:
        tapped(zoo.noise(2, 3))
    assert str(caught.value) == str(reasons.refusal("model", "large", reasons.NO_TENSOR_NOW))
