"""Two models of one architecture are compared, whatever their layers are called."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import actwidget as aw
from actwidget.errors import UnsupportedModelError
from tests.capture import zoo


def unnamed():
    """Layers, operations, a shared layer, branches and a nested model, all named by Keras."""
    x = keras.Input((6,))
    shared = layers.Dense(4, activation="relu")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(5), layers.Dense(3)])
    y = keras.ops.add(shared(x), layers.Dense(4)(x)) * 2
    y = layers.Concatenate()([inner(y), layers.Dense(3)(y), layers.ReLU()(shared(x * 0.5))])
    return keras.Model(x, layers.Dense(2)(y))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.stack = [layers.Dense(5), layers.Dense(5, activation="relu"), layers.Dense(2)]

    def call(self, inputs):
        for layer in self.stack:
            inputs = layer(inputs)
        return inputs


def subclassed():
    model = Subclassed()
    model(np.zeros((1, 6), "float32"))
    return model


def twice(build):
    return build(), build()


def cloned():
    model = unnamed()
    return model, keras.models.clone_model(model)


PAIRS = {
    "built twice": lambda: twice(unnamed),
    "subclassed, built twice": lambda: twice(subclassed),
    "a clone": cloned,
}


@pytest.mark.parametrize("name", PAIRS)
def test_names_that_keras_gave_do_not_make_an_architecture(name):
    one, two = PAIRS[name]()
    x = zoo.noise(3, 6)
    assert [node.path for node in aw.layer_tree(one, x)] != [node.path for node in aw.layer_tree(two, x)]
    two.set_weights(one.get_weights())
    same = aw.compare(one, x, two)
    assert list(same) == list(aw.activations(one, x))
    assert all(np.all(value == 0) for value in same.values())
    two.set_weights([weight + 0.1 for weight in one.get_weights()])
    last = list(same)[-1]
    np.testing.assert_allclose(aw.compare(one, x, two, last)[last], two(x) - one(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", PAIRS)
def test_in_the_explorer_each_layer_stands_beside_its_like(name):
    one, two = PAIRS[name]()
    x = zoo.noise(3, 6)
    two.set_weights([weight + 0.1 for weight in one.get_weights()])
    explorer = aw.LayerExplorer(one, x, compare=two)
    expected = aw.compare(one, x, two)
    for path, value in expected.items():
        explorer.layer = path
        assert 'class="actw-alert"></div>' in explorer._screen.alert.value
        bars = explorer.figure.data[2]
        found = np.abs(bars.x)[np.argsort(np.asarray(bars.customdata)[:, 0])]
        np.testing.assert_allclose(found, np.abs(value[0]), rtol=1e-4, atol=1e-6)


def test_a_layer_of_the_first_model_is_a_selector_for_both():
    one, two = twice(unnamed)
    x = zoo.noise(2, 6)
    layer = one.layers[-1]
    apart = aw.compare(one, x, two, layer)
    assert list(apart) == [layer.name]


@pytest.mark.parametrize(
    "change",
    [
        layers.Dense(5),
        lambda y: layers.Activation("relu")(layers.Dense(4)(y)),
        keras.Sequential([layers.Dense(4)]),
        layers.ReLU(),
    ],
    ids=["a width", "one more", "nested", "a class"],
)
def test_another_architecture_is_refused_and_the_message_says_where(change):
    x, z = keras.Input((4,)), keras.Input((4,))
    one = keras.Model(x, layers.Dense(4)(layers.Dense(4)(x)))
    two = keras.Model(z, change(layers.Dense(4)(z)))
    with pytest.raises(UnsupportedModelError, match=r"differ at ('dense|no further)") as caught:
        aw.compare(one, np.zeros((1, 4)), two)
    assert "built by the same code" in str(caught.value)


def test_a_layer_called_twice_is_not_two_layers():
    x, z, shared = keras.Input((4,)), keras.Input((4,)), layers.Dense(4)
    one = keras.Model(x, shared(shared(x)))
    two = keras.Model(z, layers.Dense(4)(layers.Dense(4)(z)))
    with pytest.raises(UnsupportedModelError, match="differ at"):
        aw.compare(one, np.zeros((1, 4)), two)


@pytest.mark.parametrize(
    ("size", "sample", "other", "said"), [(1, 0, None, "give two samples"), (3, 1, 1, "two different samples")]
)
def test_a_sample_is_not_compared_with_itself(size, sample, other, said):
    explorer = aw.LayerExplorer(unnamed(), zoo.noise(size, 6), sample=sample, compare=other, show="comparison")
    text = explorer.figure.layout.annotations[0].text
    assert said in text
    assert "compare=other_model" in text
    assert len(explorer.figure.data) == 0
