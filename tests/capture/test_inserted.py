"""A callable behind a layer can ask for values, and several edits behind one layer are made in turn."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import actwidget as aw
from actwidget.capture.edits.inserted import Apply, Chain
from actwidget.errors import OptionError
from tests.capture import zoo
from tests.capture.deep_witness import as_array
from tests.capture.test_edit import by_hand, flip_if_negative, residual
from tests.rounding import assert_close


def test_a_callable_runs_on_symbols_as_on_values_where_it_asks_for_none():
    runs = []

    def change(values):
        runs.append(type(values).__name__)
        return values * 2

    layer, x = Apply(change, name="doubled"), zoo.noise(2, 3)
    assert_close(tf.function(layer)(tf.constant(x)), 2 * x)
    assert runs == ["SymbolicTensor"]


def test_a_callable_that_asks_for_values_in_a_graph_gets_those_of_each_run():
    layer = Apply(lambda values: values + float(values[0, 0]), name="shifted")
    compiled = tf.function(layer)
    for seed in (0, 1):
        x = zoo.noise(2, 3, seed=seed)
        assert_close(compiled(tf.constant(x)), x + x[0, 0])


def test_a_chain_gives_what_its_layers_give_one_after_the_other():
    first, second = layers.Dense(3, name="same"), layers.Dense(3, name="same")
    x, chain = zoo.noise(2, 3), Chain([first, second], name="chain")
    assert_close(chain(x), second(first(x)))
    assert len(chain.weights) == 4


def test_a_chain_keeps_the_dtype_that_comes_whatever_its_layers_compute_in():
    x = zoo.noise(2, 3).astype("float16")
    given = Chain([aw.Scale(0, 2.0), layers.Dense(3, dtype="float32")])(keras.ops.convert_to_tensor(x))
    assert given.dtype == "float16"


def test_a_layer_of_a_chain_that_changes_the_shape_is_refused():
    with pytest.raises(OptionError, match=r"put behind 'both' to give a tensor of the shape .*\(2, 3\), got \(2, 4\)"):
        Chain([layers.ReLU(), layers.Dense(4)], name="both")(zoo.noise(2, 3))


def test_several_callables_and_layers_of_one_name_are_put_behind_one_layer():
    model, x = residual(), zoo.noise(4, 3)
    edited = aw.edit(model, {"second": lambda v: v + 1})
    edited = aw.edit(edited, {"second": lambda v: v * v})
    edited = aw.edit(edited, {"second": aw.Scale(0, 2.0, name="same")})
    edited = aw.edit(edited, {"second": aw.Scale(1, 3.0, name="same")})
    expected = by_hand(model, x, second_change=lambda v: (v + 1) ** 2 * [2, 3, 1])
    np.testing.assert_allclose(edited(x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(edited.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-5)


def test_several_edits_of_large_whole_numbers_change_nothing_else():
    tokens = keras.Input((2,), dtype="int64", name="tokens")
    model = keras.Model(tokens, tokens + 0)
    edited = aw.edit(aw.edit(model, {"tokens": aw.Ablate(0)}), {"tokens": aw.Scale(0, 2.0)})
    large = 2**53 + 1
    np.testing.assert_array_equal(edited(np.array([[5, large]])), [[0, large]])


def test_several_edits_behind_one_layer_are_saved_and_loaded(tmp_path):
    model, x = residual(), zoo.noise(3, 3)
    edited = aw.edit(model, {"second": layers.Dense(3, name="same")})
    edited = aw.edit(edited, {"second": layers.Dense(3, name="same", bias_initializer="ones")})
    expected = edited.predict(x, verbose=0)
    first, second = edited.edits["second"].layers
    by_layers = by_hand(model, x, second_change=lambda v: as_array(second(first(v))))
    np.testing.assert_allclose(expected, by_layers, rtol=1e-5, atol=1e-5)
    edited.save(tmp_path / "edited.keras")
    again = keras.saving.load_model(tmp_path / "edited.keras")
    assert_close(again.predict(x, verbose=0), expected)
    assert len(again.trainable_weights) == len(model.trainable_weights) + 4


def test_masks_go_through_several_edits():
    tokens = keras.Input((5,), dtype="int32")
    y = layers.Embedding(9, 4, mask_zero=True, name="embedding")(tokens)
    model = keras.Model(tokens, layers.LSTM(3, name="lstm")(y))
    x = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 7]])
    seen = []

    def look(values, mask=None):
        seen.append(mask)
        return values

    edited = aw.edit(aw.edit(model, {"embedding": layers.Reshape((5, 4))}), {"embedding": look})
    assert_close(edited(x), model(x))
    np.testing.assert_array_equal(seen[-1], x != 0)


def clipped(values):
    """Reckons with NumPy."""
    return np.clip(as_array(values), -0.1, 0.1)


@pytest.mark.parametrize("change", [flip_if_negative, clipped])
def test_a_callable_that_needs_the_values_is_called_and_predicts(change):
    model, x = residual(), zoo.noise(5, 3)
    edited = aw.edit(model, {"first": change})
    for sign in (1, -1):
        if change is clipped:
            expected = by_hand(model, sign * x, lambda v: np.clip(v, -0.1, 0.1))
        else:
            expected = by_hand(model, sign * x, lambda v: -v if v[0, 0] < 0 else v)
        np.testing.assert_allclose(edited(sign * x), expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(edited.predict(sign * x, verbose=0), expected, rtol=1e-5, atol=1e-5)


def test_a_callable_that_needs_the_values_passes_gradients_in_fit():
    model, x = residual(), zoo.noise(8, 3)
    model.get_layer("second").trainable = False
    (kernel, bias), (k2, b2) = (model.get_layer(name).get_weights() for name in ("first", "second"))
    edited = aw.edit(model, {"second": flip_if_negative})
    edited.compile(keras.optimizers.SGD(1.0), "mse")
    edited.fit(x, np.zeros((8, 3)), batch_size=8, shuffle=False, verbose=0)
    first = x @ kernel + bias
    sign = -1 if (first @ k2 + b2)[0, 0] < 0 else 1
    output = first + sign * (first @ k2 + b2)
    gradient = x.T @ ((2 * output / output.size) @ (np.eye(3) + sign * k2).T)
    np.testing.assert_allclose(model.get_layer("first").get_weights()[0], kernel - gradient, rtol=1e-4, atol=1e-5)


def test_a_callable_that_needs_the_values_is_saved_and_loaded(tmp_path):
    model, x = residual(), zoo.noise(5, 3)
    edited = aw.edit(model, {"first": flip_if_negative})
    edited.save(tmp_path / "edited.keras")
    again = keras.saving.load_model(tmp_path / "edited.keras")
    for sign in (1, -1):
        expected = by_hand(model, sign * x, lambda v: -v if v[0, 0] < 0 else v)
        np.testing.assert_allclose(again.predict(sign * x, verbose=0), expected, rtol=1e-5, atol=1e-5)


def test_a_callable_that_needs_the_values_is_given_the_mask_too():
    tokens = keras.Input((5,), dtype="int32")
    y = layers.Embedding(9, 4, mask_zero=True, name="embedding")(tokens)
    model = keras.Model(tokens, layers.GlobalAveragePooling1D(name="pool")(y))
    x = np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 7]])

    def first_longer(values, mask):
        return values * float(np.sum(as_array(mask)))

    edited = aw.edit(model, {"embedding": first_longer})
    assert_close(edited(x), as_array(model(x)) * 7)
    assert_close(edited.predict(x, verbose=0), as_array(model(x)) * 7)
