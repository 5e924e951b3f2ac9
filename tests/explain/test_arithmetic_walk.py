"""From an answer a person walks along the largest terms down to the input, and each stop is what was captured."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import actwidget as aw
from tests.explain.arithmetic_witness import Checked, noise, shaken


def functional() -> tuple[keras.Model, Any]:
    x = keras.Input((12, 12, 3), name="picture")
    y = layers.Rescaling(0.5)(x)
    y = layers.Conv2D(4, 3, padding="same", use_bias=False)(y)
    y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
    y = layers.MaxPooling2D()(y)
    y = layers.SeparableConv2D(5, 3, activation="relu")(layers.ZeroPadding2D()(y))
    y = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(y))
    return keras.Model(x, layers.Dense(3, activation="softmax")(y)), noise(2, 12, 12, 3)


def nested() -> tuple[keras.Model, Any]:
    a = keras.Input((6,), name="a")
    tower = keras.Model(a, layers.Dense(4, activation="tanh")(a), name="tower")
    head = keras.Sequential([keras.Input((4,)), layers.Dense(5, activation="relu"), layers.Dense(2)], name="head")
    x = keras.Input((6,), name="x")
    return keras.Model(x, head(tower(x))), noise(3, 6)


def shared() -> tuple[keras.Model, Any]:
    left, right = keras.Input((5,), name="left"), keras.Input((5,), name="right")
    layer = layers.Dense(5, activation="tanh", name="shared")
    y = layers.Concatenate()([layer(layer(left)), layer(right)])
    return keras.Model([left, right], layers.Dense(1)(y)), [noise(4, 5), noise(4, 5, seed=2)]


def residual() -> tuple[keras.Model, Any]:
    x = keras.Input((8, 8, 2), name="x")
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    y = layers.Add()([y, layers.Conv2D(4, 1)(x)])
    y = ops.relu(y + 0.5 * layers.DepthwiseConv2D(3, padding="same")(y))
    return keras.Model(x, layers.Dense(2)(ops.mean(y, axis=(1, 2)))), noise(2, 8, 8, 2)


def transformer() -> tuple[keras.Model, Any]:
    x = keras.Input((6,), dtype="int32", name="tokens")
    y = layers.Embedding(9, 8)(x)
    y = layers.LayerNormalization()(y + layers.MultiHeadAttention(2, 4, name="attention")(y, y, use_causal_mask=True))
    fed = layers.Dense(8)(layers.Dense(16, activation="gelu")(y))
    y = layers.LayerNormalization()(layers.Add()([y, layers.Dropout(0.1)(fed)]))
    return keras.Model(x, layers.Dense(2)(y[:, 0])), np.array([[1, 2, 3, 4, 5, 6], [8, 7, 6, 5, 4, 3]])


def recurrent() -> tuple[keras.Model, Any]:
    x = keras.Input((5, 2), name="steps")
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
    y = layers.TimeDistributed(layers.Dense(4, activation="relu"))(y)
    return keras.Model(x, layers.Dense(2)(layers.GRU(3)(y))), noise(2, 5, 2)


class Block(keras.layers.Layer):
    """A layer of the user's with others inside."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.first, self.second = layers.Dense(units, activation="relu"), layers.Dense(units)
        self.total = layers.Add()

    def build(self, shape: Any) -> None:
        self.first.build(shape)
        self.second.build(shape)

    def call(self, inputs: Any) -> Any:
        return self.total([inputs, self.second(self.first(inputs))])


class Subclassed(keras.Model):
    """A model without a graph, which calls one of its layers twice."""

    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.flat, self.block = layers.Flatten(), Block(12, name="block")
        self.out = layers.Dense(3, activation="softmax", name="out")

    def call(self, inputs: Any) -> Any:
        return self.out(self.block(self.block(self.flat(inputs))))


def subclassed() -> tuple[keras.Model, Any]:
    model = Subclassed()
    inputs = noise(2, 4, 3)
    model(inputs)
    return model, inputs


@pytest.mark.parametrize("make", [functional, nested, shared, residual, transformer, recurrent, subclassed])
def test_the_largest_terms_lead_from_each_output_down_to_the_input(make: Any) -> None:
    model, inputs = make()
    shaken(model)
    checked = Checked(model, inputs)
    last = list(checked.captured)[-1]
    while "/" in last:
        last = last.rpartition("/")[0]
    for unit in range(checked.captured[last].shape[-1]):
        path, index, seen = last, (1, unit), []
        while path is not None:
            seen.append((path, index))
            found = checked.at(path, index)
            assert found.terms, found
            term = found.terms[found.terms.largest(1)[0]]
            path, index = term.path, term.index
        assert len(seen) == len(set(seen)) > 2
        assert "the model's own input" in term.reason
        given = inputs if isinstance(inputs, np.ndarray) else inputs["right" in term.reason or "1" in term.reason]
        assert term.input == pytest.approx(float(given[index]))


def test_the_second_call_of_a_shared_layer_takes_what_the_first_gave() -> None:
    model, inputs = shared()
    found = Checked(model, inputs).at("shared@1", (0, 2))
    assert {term.path for term in found.terms} == {"shared"}


def test_what_operations_that_are_no_layers_gave_has_no_path_and_says_where_it_comes_from() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.first, self.second = layers.Dense(3, name="first"), layers.Dense(2, name="second")

        def call(self, inputs: Any) -> Any:
            return self.second(ops.sin(self.first(inputs)))

    model = Own()
    inputs = noise(2, 4)
    model(inputs)
    found = aw.arithmetic(model, inputs, "second", (0, 1))
    assert found.result == pytest.approx(found.value, abs=1e-5)
    values = np.sin(aw.activations(model, inputs, "first")["first"][0])
    np.testing.assert_allclose([term.input for term in found.terms], values, rtol=1e-5)
    assert {term.path for term in found.terms} == {None}
    assert found.terms[0].reason.startswith("computed by operations that are no layers")
    if keras.backend.backend() == "tensorflow":
        assert found.terms[0].reason.endswith("from 'first'")


def test_an_edit_is_the_last_step() -> None:
    model, inputs = functional()
    path = next(layer.name for layer in model.layers if isinstance(layer, layers.MaxPooling2D))
    edited = aw.edit(model, {path: aw.Ablate(1)})
    found = aw.arithmetic(edited, inputs, path, (0, 2, 2, 1))
    assert (found.value, found.result, found.steps[-1].name) == (0.0, 0.0, "edit (Ablate)")
    assert found.terms.products.sum() == aw.activations(model, inputs, path)[path][0, 2, 2, 1]
